"""A study file and the runs that it asks for."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from hybridlib.batches import make_sampler
from hybridlib.config import RunConfig
from hybridlib.corpora.load import check_corpus_name
from hybridlib.errors import InputError
from hybridlib.needs import check_texts
from hybridlib.paths import checked_name, run_folder
from hybridlib.plain_text import as_label, brief, checked_label, one_line, visible
from hybridlib.splits import data_fingerprint, run_splits
from hybridlib.yaml_file import read_yaml

_FIELDS = {"title": str, "question": str, "baseline": str, "defaults": dict, "grid": dict, "runs": list}
DEMONSTRATION = "scenes"
MOST_RUNS = 1_000
_OFF = {name: field.default for name, field in RunConfig.model_fields.items() if field.default in (None, False, 0)}
_OFF["accumulate"] = 1


@dataclass(frozen=True)
class Study:
    """What a study asks and the configurations that answer it.

    Attributes:
        name: the file's name without its suffix.
        path: the file.
        title, question: for readers.
        baseline: label of the configuration that the others are compared with in figures.
        configs: one configuration a run.
        names: what figures and tables call each of them; runs that differ in their seed alone share one.
    """

    name: str
    path: Path
    title: str
    question: str
    baseline: str
    configs: tuple[RunConfig, ...]
    names: tuple[str, ...]

    def runs(self) -> dict[str, RunConfig]:
        """Return the configurations by run name (this reads the corpora, whose content is part of the names)."""
        return {config.run_name(data_fingerprint(config)): config for config in self.configs}

    def labels(self) -> dict[RunConfig, str]:
        """Return what figures and tables call each configuration."""
        return dict(zip(self.configs, self.names, strict=True))

    @property
    def is_demonstration(self) -> bool:
        """Whether any of its texts are made up, so that its numbers show a mechanism and are no findings."""
        return any(DEMONSTRATION in _corpora(config) for config in self.configs)


def load_study(path: str | Path) -> Study:
    """Read a study file.

    ``defaults`` are parameters of every run; ``grid`` gives lists of values, of which every combination is a run;
    ``runs`` are further runs with their own values; a ``label`` among them is what figures call it.

    Raises:
        InputError: naming the file, the value found and what was expected.
    """
    path = Path(path)
    name = checked_name(path.name.removesuffix(".yaml"), f"{path}: study")
    values = _read(path)
    defaults = values.get("defaults", {})
    grid = values.get("grid", {})
    for key, options in grid.items():
        if not isinstance(options, list) or not options:
            raise InputError(f"{path}: found grid {one_line(str(key))}: {brief(options)}, expected a list of values")
    asked = len(values.get("runs", [])) + math.prod(len(options) for options in grid.values()) * bool(grid)
    if asked > MOST_RUNS:
        raise InputError(f"{path}: found {asked:,} runs, expected at most {MOST_RUNS:,}")
    cells = [dict(zip(grid, chosen, strict=True)) for chosen in product(*grid.values())] if grid else []
    given = [dict(_mapping(run, path)) for run in [*values.get("runs", []), *cells]]
    if not given:
        raise InputError(f"{path}: found no run, expected a grid or runs")
    chosen = [run.pop("label", None) for run in given]
    configs = tuple(RunConfig.checked({**defaults, **run}, str(path)) for run in given)
    if len(set(configs)) < len(configs):
        raise InputError(
            f"{path}: found {len(configs) - len(set(configs))} runs that are asked for twice, expected each once"
        )
    for config in configs:
        for corpus in _corpora(config):
            check_corpus_name(corpus, str(path))
    names = _names(configs, chosen, path)
    baseline = values.get("baseline", names[0])
    if baseline not in names:
        raise InputError(f"{path}: found baseline {brief(baseline)}, expected one of {', '.join(dict.fromkeys(names))}")
    return Study(name, path, values.get("title", name), values.get("question", ""), baseline, configs, names)


def labels(configs: Sequence[RunConfig]) -> list[str]:
    """Name each configuration so that those which differ in more than their seed have different names.

    A parameter that some configurations of one sampler switch on is said of these alone.

    Example:
        >>> labels([RunConfig(sampler="mixed"), RunConfig(batch_size=8), RunConfig(batch_size=16, accumulate=2)])
        ['mixed', 'hybrid 0.5, batch_size 8', 'hybrid 0.5, batch_size 16, accumulate 2']
    """
    alike: dict[str, list[dict[str, Any]]] = {}
    for config in configs:
        alike.setdefault(config.label(), []).append(config.model_dump())
    varied = {
        label: [key for key in RunConfig.model_fields if key != "seed" and any(o[key] != group[0][key] for o in group)]
        for label, group in alike.items()
    }
    names = []
    for config in configs:
        said = [_said(config, key) for key in varied[config.label()] if getattr(config, key) != _OFF.get(key, ...)]
        names.append(as_label(", ".join([config.label(), *said])))
    return names


def _corpora(config: RunConfig) -> list[str]:
    """Name every corpus of a configuration."""
    return [config.corpus, *(name for stage in config.stages() for name in stage.train_corpora or ())]


def _said(config: RunConfig, key: str) -> str:
    """Say the value of a parameter."""
    value = getattr(config, key)
    if key == "objective":
        return config.objective_label()
    if key == "first_stage" and value is not None:
        others = [f"{name} {given}" for name, given in value.items() if name != "objective"]
        return " ".join(["after", config.stages()[0].objective_label(), *others])
    return f"{key} {' '.join(value) if isinstance(value, tuple) else value}"


def _names(configs: Sequence[RunConfig], chosen: Sequence[Any], path: Path) -> tuple[str, ...]:
    """Return the chosen names, and made ones where none is chosen."""
    names = tuple(
        label if given is None else checked_label(given, f"{path}: label")
        for label, given in zip(labels(configs), chosen, strict=True)
    )
    called: dict[tuple[str, int], RunConfig] = {}
    for name, config in zip(names, configs, strict=True):
        if (name, config.seed) in called:
            raise InputError(f"{path}: found label {name!r} for two configurations, expected one for each")
        called[name, config.seed] = config
    return names


def _read(path: Path) -> dict[str, Any]:
    try:
        values = _mapping(read_yaml(path, "a study file"), path)
    except FileNotFoundError:
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise InputError(
            f"{path}: found no such study, expected one of: {' '.join(known) or 'none is there'}"
        ) from None
    for key, value in values.items():
        if key not in _FIELDS:
            raise InputError(f"{path}: found {brief(key)}, expected one of {' '.join(_FIELDS)}")
        if not isinstance(value, _FIELDS[key]):
            raise InputError(f"{path}: found {key}: {brief(value)}, expected a {_FIELDS[key].__name__}")
    if "title" in values:
        checked_label(values["title"], f"{path}: title")
    if visible(values.get("question", "")) != values.get("question", ""):
        raise InputError(f"{path}: found question: {brief(values['question'])}, expected text without controls")
    return values


def _mapping(value: Any, path: Path) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InputError(f"{path}: found {brief(value)}, expected names with values")
    return value


def check_data(study: Study) -> None:
    """Raise, before anything is trained, if a corpus cannot be read or has too few concepts for a split or a batch."""
    same = {"seed": 0, "alpha": 0.0, "learning_rate": 1.0, "language_power": 0.0, "corpus_power": 0.0}
    stages = (stage.model_copy(update=same) for config in study.configs for stage in config.stages())
    for config in dict.fromkeys(stages):
        split = run_splits(config)
        if config.sampler != "untrained":
            make_sampler(config, split.train)
            check_texts(config, split.train)


def papermill_command(config: RunConfig, study: str, run: str) -> str:
    """Return the command that makes this run by hand: sampler, seed and what differs from its default are named."""
    parts = ["papermill", "notebooks/2-train.ipynb", f"{run}.ipynb", "-r", "study", study]
    defaults = RunConfig().model_dump(mode="json")
    named = {"sampler", "seed", *(["alpha"] if config.sampler.startswith("hybrid") else [])}
    for name, value in config.model_dump(mode="json").items():
        if value == defaults[name] and name not in named:
            continue
        if isinstance(value, (list, dict)):
            parts += ["-y", f"{name}: {yaml.safe_dump(value, default_flow_style=True, width=10_000).strip()}"]
        elif isinstance(value, str):
            parts += ["-r", name, value]
        else:
            parts += ["-p", name, str(value)]
    return shlex.join(parts)


def result_file(study: str, run: str) -> Path:
    """Return the file whose existence says that the run is finished."""
    return run_folder(study, run) / "result.json"
