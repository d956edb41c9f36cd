"""What ``python -m hybridlib train`` does: a run of its own folder, on one process or several."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from hybridlib.config import RunConfig
from hybridlib.corpora.collection import Collection
from hybridlib.corpora.load import check_corpus_name
from hybridlib.distributed import Ranks, connected
from hybridlib.errors import InputError
from hybridlib.evaluator import Evaluator
from hybridlib.notebook import timed
from hybridlib.paths import locked
from hybridlib.plain_text import brief
from hybridlib.results import write_json
from hybridlib.runs import load_encoder, write_run
from hybridlib.splits import check_languages, run_splits
from hybridlib.stages import train_stages
from hybridlib.yaml_file import plain_value, read_yaml

Say = Callable[[str], object]


def train(file: Path, out: Path, changes: Sequence[str], seconds: float, say: Say) -> None:
    """Train and test a configuration, write encoder and results into ``out``, and ``say`` the means.

    A training that was killed goes on where it was; one that is finished is left as it is.

    Args:
        file: YAML of parameters.
        out: a new folder, or one where this configuration was begun; all processes must see it.
        changes: ``name=value`` each, instead of the file's.
        seconds: after which a process gives up where another does not answer.
        say: called by the first process.

    Raises:
        InputError: for a file, a value or a folder that cannot be used; of several processes it names the one.
    """
    config = read_config(file, changes)
    with connected(seconds) as ranks:
        if ranks.rank:
            logging.getLogger("hybridlib").setLevel(logging.ERROR)
        try:
            _train(config, out, ranks, say)
        except InputError as error:
            if ranks.size == 1:
                raise
            raise InputError(f"process {ranks.rank} of {ranks.size}: {error}") from error


def read_config(file: Path, changes: Sequence[str]) -> RunConfig:
    """Read the configuration of a training; values of ``changes`` are JSON or YAML.

    Raises:
        InputError: naming the file or the change, what was found and what was expected.
    """
    try:
        values = read_yaml(file, "parameters of a run")
    except FileNotFoundError:
        raise InputError(f"{file}: found no such file, expected parameters of a run") from None
    if not isinstance(values, dict):
        raise InputError(f"{file}: found {brief(values)}, expected parameters of a run with their values")
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise InputError(f"set: found {brief(change)}, expected name=value")
        values[name] = _value(value)
    where = f"{file} with --set" if changes else str(file)
    config = RunConfig.checked(values, where)
    if config.sampler == "untrained":
        raise InputError(f"{where}: found sampler 'untrained', expected one that trains")
    for corpus in (config.corpus, *(config.train_corpora or ())):
        check_corpus_name(corpus, where)
    return config


def _value(text: str) -> Any:
    """Read a value of the command line: JSON, else YAML, whose texts need no quotes."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return plain_value(text)
    except yaml.YAMLError as error:
        raise InputError(f"set: found {brief(text)} ({error}), expected a value in JSON or YAML") from None


def _train(config: RunConfig, out: Path, ranks: Ranks, say: Say) -> None:
    lock = locked(out) if ranks.rank == 0 else None
    finished = _is_finished(out, config)
    ranks.same(f"{out}/result.json", "there" if finished else "not there")
    if finished:
        logging.getLogger(__name__).info("%s: finished before", out)
        return
    seconds: dict[str, float] = {}
    with ranks.in_turn(), timed(seconds, "load encoder"):
        split = run_splits(config)
        check_languages(split.test)
        encoder = load_encoder(config, split)
    if lock:
        write_json(out / "config.json", config.model_dump(mode="json"))
    test, validation = (
        Evaluator(Collection.from_corpus(part), encoder, ranks) for part in (split.test, split.validation)
    )
    with timed(seconds, "evaluate before"):
        before = test.cached(encoder)
    with timed(seconds, "train"):
        training = train_stages(config, encoder, split, validation.balance, out / "checkpoints", ranks)
    seconds["train, processor"] = training.cpu_seconds
    with timed(seconds, "evaluate after"):
        after = test.embedded(encoder)
    if not lock:
        return  # what comes now is no common work, and nobody waits for it
    with timed(seconds, "evaluate before"):
        scores_before = before.evaluate()
    with timed(seconds, "evaluate after"):
        scores_after = after.evaluate()
    shutil.rmtree(out / "encoder", ignore_errors=True)
    encoder.save(out / "encoder")
    result = write_run(out, config, split, scores_before, scores_after, training, seconds, after.geometry(), ranks.size)
    shutil.rmtree(out / "checkpoints", ignore_errors=True)
    means = {"before": result["means_before"]["all"], "after": result["means"]["all"]}
    say(pd.DataFrame({moment: pd.DataFrame(settings).loc["nDCG@10"] for moment, settings in means.items()}).to_string())
    say(f"{out} (its tables and page: python -m hybridlib evaluate --run ... --out ...)")


def _is_finished(out: Path, config: RunConfig) -> bool:
    """Whether a configuration was trained in a folder; refuse a folder of another one, or of anything else."""
    file = out / "config.json"
    if file.exists():
        if RunConfig.checked(json.loads(file.read_text(encoding="utf-8")), str(file)) != config:
            raise InputError(f"{file}: found another configuration, expected the same one or a new folder")
        return (out / "result.json").exists()
    others = sorted(path.name for path in out.glob("[!.]*"))
    if others:
        raise InputError(f"{out}: found {others[0]!r} and no config.json, expected a new folder or that of a training")
    return False
