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

from hybridlib.config import RunConfig
from hybridlib.corpora.load import check_corpus_name
from hybridlib.derived import DerivedSystem, derived_systems
from hybridlib.errors import InputError
from hybridlib.paths import checked_name
from hybridlib.plain_text import brief, checked_label, one_line, visible
from hybridlib.splits import data_fingerprint
from hybridlib.study_names import labels
from hybridlib.yaml_file import read_yaml

_FIELDS = {
    "title": str,
    "question": str,
    "baseline": str,
    "references": list,
    "shown": list,
    "axis": str,
    "defaults": dict,
    "grid": dict,
    "runs": list,
    "systems": list,
}
AXES = ("alpha", "batch_size", "train_concepts", "temperature", "sampler")
DEMONSTRATION = "scenes"
_OF_ALL = {"evaluate", "figures", "similarities", "tables"}  # folders of reports/ that belong to no study
MOST_RUNS = 1_000


@dataclass(frozen=True)
class Study:
    """What a study asks and the configurations that answer it.

    Attributes:
        name: the file's name without its suffix.
        path: the file.
        title, question: for readers.
        baseline: label of the configuration that the others are compared with in figures.
        references: labels that every other system is compared with; empty: every system with every other.
        shown: labels that have heatmaps of their own; empty: all.
        axis: the parameter that curves, or a grid, are drawn over, one of :data:`AXES`, or None.
        configs: one configuration a run.
        names: what figures and tables call each of them; runs that differ in their seed alone share one.
        systems: what is made of finished runs without training.
    """

    name: str
    path: Path
    title: str
    question: str
    baseline: str
    references: tuple[str, ...]
    shown: tuple[str, ...]
    axis: str | None
    configs: tuple[RunConfig, ...]
    names: tuple[str, ...]
    systems: tuple[DerivedSystem, ...]

    def runs(self) -> dict[str, RunConfig]:
        """Return the configurations by run name (this reads the corpora, whose content is part of the names)."""
        return {config.run_name(data_fingerprint(config)): config for config in self.configs}

    def derived(self) -> dict[str, DerivedSystem]:
        """Return the systems made of its runs by the names of their folders."""
        runs = {config: run for run, config in self.runs().items()}
        return {system.name([runs[config] for config in system.parents]): system for system in self.systems}

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
    ``runs`` are further runs with their own values; a ``label`` among them is what figures call it, and a list as
    ``seed`` stands for a run each. ``systems`` are made of these: see :func:`hybridlib.derived.derived_systems`.

    Raises:
        InputError: naming the file, the value found and what was expected.
    """
    path = Path(path)
    name = checked_name(path.name.removesuffix(".yaml"), f"{path}: study")
    if name in _OF_ALL:
        raise InputError(
            f"{path}: found a study called {name}, expected another name: reports/{name} is of all studies"
        )
    values = _read(path)
    configs, labelled = _configs(values, path)
    names = _names(configs, labelled, path)
    systems = derived_systems(values.get("systems", []), configs, names, path)
    known = list(dict.fromkeys([*names, *(label for system in systems for label in system.labels())]))
    chosen = {
        "baseline": [values.get("baseline", names[0])],
        "references": values.get("references", []),
        "shown": values.get("shown", []),
    }
    for field, wanted in chosen.items():
        possible = list(dict.fromkeys(names)) if field == "baseline" else known
        for label in wanted:
            if label not in possible:
                raise InputError(f"{path}: found {field} {brief(label)}, expected one of {', '.join(possible)}")
    axis = values.get("axis")
    if axis not in (None, *AXES):
        raise InputError(f"{path}: found axis {brief(axis)}, expected one of {', '.join(AXES)}")
    return Study(
        name=name,
        path=path,
        title=values.get("title", name),
        question=values.get("question", ""),
        baseline=chosen["baseline"][0],
        references=tuple(chosen["references"]),
        shown=tuple(chosen["shown"]),
        axis=axis,
        configs=configs,
        names=names,
        systems=systems,
    )


def _configs(values: dict[str, Any], path: Path) -> tuple[tuple[RunConfig, ...], list[Any]]:
    """Return the configurations that a study file asks for, and the label given to each, or None."""
    grid = values.get("grid", {})
    for key, options in grid.items():
        if not isinstance(options, list) or not options:
            raise InputError(f"{path}: found grid {one_line(str(key))}: {brief(options)}, expected a list of values")
    listed = [one for run in values.get("runs", []) for one in _by_seed(_mapping(run, path))]
    asked = len(listed) + math.prod(len(options) for options in grid.values()) * bool(grid)
    if asked > MOST_RUNS:
        raise InputError(f"{path}: found {asked:,} runs, expected at most {MOST_RUNS:,}")
    cells = [dict(zip(grid, chosen, strict=True)) for chosen in product(*grid.values())] if grid else []
    given = [dict(run) for run in [*listed, *cells]]
    if not given:
        raise InputError(f"{path}: found no run, expected a grid or runs")
    labelled = [run.pop("label", None) for run in given]
    defaults = values.get("defaults", {})
    configs = tuple(RunConfig.checked({**defaults, **run}, str(path)) for run in given)
    if len(set(configs)) < len(configs):
        twice = len(configs) - len(set(configs))
        raise InputError(f"{path}: found {twice} runs that are asked for twice, expected each once")
    for config in configs:
        for corpus in _corpora(config):
            check_corpus_name(corpus, str(path))
    return configs, labelled


def _by_seed(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the runs that an entry asks for: one each for a list of seeds."""
    seeds = run.get("seed")
    return [{**run, "seed": seed} for seed in seeds] if isinstance(seeds, list) and seeds else [run]


def _corpora(config: RunConfig) -> list[str]:
    """Name every corpus of a configuration."""
    return [config.corpus, *(name for stage in config.stages() for name in stage.train_corpora or ())]


def _names(configs: Sequence[RunConfig], chosen: Sequence[Any], path: Path) -> tuple[str, ...]:
    """Return the chosen names, and made ones where none is chosen."""
    made = iter(labels([config for config, given in zip(configs, chosen, strict=True) if given is None]))
    names = tuple(next(made) if given is None else checked_label(given, f"{path}: label") for given in chosen)
    called: dict[str, RunConfig] = {}
    for name, config in zip(names, configs, strict=True):
        if called.setdefault(name, config).model_copy(update={"seed": config.seed}) != config:
            raise InputError(f"{path}: found label {name!r} for two configurations, expected one for each")
    return names


def _read(path: Path) -> dict[str, Any]:
    try:
        values = _mapping(read_yaml(path, "a study file"), path)
    except FileNotFoundError:
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        meant = path.parent / "studies" / f"{path.name.removesuffix('.yaml')}.yaml"
        expected = str(meant) if meant.is_file() else f"one of: {' '.join(known) or 'none is there'}"
        raise InputError(f"{path}: found no such study, expected {expected}") from None
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
