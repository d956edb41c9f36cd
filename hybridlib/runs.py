"""A run: its encoder, its results, its folder, whose ``result.json`` is written last, so existing means finished."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from hybridlib.config import RunConfig
from hybridlib.corpora import Corpus, Split
from hybridlib.corpora.collection import Collection
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.evaluation import Evaluation, macro_means
from hybridlib.plain_text import one_line
from hybridlib.results import environment, nested, read_json, write_csv, write_json, write_parquet
from hybridlib.splits import run_splits
from hybridlib.training import Training


def load_encoder(config: RunConfig, split: Split) -> DualEncoder:
    """Load the encoder of a run; its vocabulary is trimmed to the texts of the run where the configuration says so."""
    torch.set_num_threads(config.threads)
    encoder = DualEncoder.load_whole(config.encoder, **config.encoder_options())
    if config.trim_vocabulary:
        encoder.trim([text for part in (*split, *_earlier(config)) for text in part.table["text"]])
    return encoder.to("cuda" if torch.cuda.is_available() else "cpu")


def _earlier(config: RunConfig) -> list[Corpus]:
    """Return the training texts of the stages before the last."""
    return [run_splits(stage).train for stage in config.stages()[:-1]]


def language_groups(config: RunConfig, split: Split) -> dict[str, list[str]]:
    """Return the test languages: all, those that any stage was trained on (seen) and the others (unseen)."""
    trained = {*split.train.languages}.union(*(part.languages for part in _earlier(config)))
    seen = [language for language in split.test.languages if language in trained]
    unseen = [language for language in split.test.languages if language not in trained]
    return {"all": split.test.languages, "seen": seen, "unseen": unseen}


def summary(evaluation: Evaluation, groups: dict[str, list[str]]) -> pd.DataFrame:
    """Macro means by (languages, setting), a column a measure; ``languages`` is all, seen or unseen."""
    by_pair = evaluation.means()
    parts = {name: macro_means(by_pair, None if name == "all" else codes) for name, codes in groups.items() if codes}
    return pd.concat(parts, names=["languages"])


def write_run(
    folder: Path,
    config: RunConfig,
    split: Split,
    before: Evaluation,
    after: Evaluation,
    training: Training | None,
    seconds: dict[str, float],
    geometry: dict[str, float],
    processes: int = 1,
) -> dict[str, Any]:
    """Write the results of a run into ``folder``; ``result.json`` last.

    Args:
        folder: made where it is missing.
        config: of the run.
        split: its data.
        before: scores of the encoder as it was.
        after: scores of the trained encoder.
        training: None for an untrained encoder.
        seconds: by part of the run.
        geometry: of the test texts' vectors, by the encoder of ``after``.
        processes: that trained; weights depend on their number, as dropout does.

    Returns:
        The content of ``result.json``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").unlink(missing_ok=True)
    groups = language_groups(config, split)
    result = {
        "run": folder.name,
        "label": config.label(),
        "seed": config.seed,
        "corpus": split.test.name,
        "notes": list(Collection.from_corpus(split.test).notes),
        "concepts": {part: len(corpus.concepts) for part, corpus in split._asdict().items()},
        "single_text_cells": len(split.test.single_text_cells),
        "languages": groups,
        "fingerprint": {part: corpus.fingerprint for part, corpus in split._asdict().items()},
        "means": _by_group(summary(after, groups)),
        "means_before": _by_group(summary(before, groups)),
        "random_rank_distance": float(after.random_rank_distance.mean()),
        "geometry": geometry,
        "best_step": training.best_step if training else 0,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "environment": environment(config.threads),
        "processes": processes,
    }
    if training is not None:
        write_csv(folder / "history.csv", training.history)
    write_parquet(folder / "ranks.parquet", after.ranks)
    write_parquet(folder / "scores.parquet", after.scores)
    write_parquet(folder / "top_share.parquet", after.top_share.rename_axis("query_language").reset_index())
    write_json(folder / "config.json", config.model_dump(mode="json"))
    write_json(folder / "result.json", result)
    return result


@dataclass(frozen=True)
class Run:
    """A finished run, read from its folder; ``label`` is the configuration's name in figures and tables."""

    folder: Path
    config: RunConfig
    label: str
    result: dict[str, Any]

    @classmethod
    def read(cls, folder: Path, label: str | None = None) -> Run:
        """Read a run that is finished, else raise an InputError; without a label it is called as its configuration."""
        if not (folder / "result.json").exists():
            raise InputError(f"{folder}: found no result.json, expected a finished run")
        config = RunConfig.checked(read_json(folder / "config.json"), f"{folder}/config.json")
        result = read_json(folder / "result.json")
        if "fingerprint" not in result:
            raise InputError(f"{folder}/result.json: found no fingerprint, expected that of a training run")
        return cls(folder, config, label or config.label(), result)

    def scores(self) -> pd.DataFrame:
        """Scores of every query; see :class:`hybridlib.evaluation.Evaluation`."""
        return pd.read_parquet(self.folder / "scores.parquet")

    def validation(self) -> float:
        """Score on the validation concepts that chose the weights: mean nDCG@10 of the settings; NaN if untrained.

        Raises:
            InputError: if ``history.csv`` does not say it.
        """
        file, step = self.folder / "history.csv", self.result["best_step"]
        if not file.exists():
            return float("nan")
        try:
            history = pd.read_csv(file, usecols=["step", "validation"])
            return float(history.set_index("step")["validation"][step])
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{file}: found no validation of step {step} ({one_line(str(error)):.100}), expected what a run writes"
            ) from None

    def one_language_batches(self) -> float:
        """Share of the batches trained on whose texts were all in one language; NaN where it is not known.

        With hybrid batches it is near alpha: how near, the seed decides. The history of other batches has a similarity
        of texts in two languages, of a pair or of two pairs. It is not known of an untrained encoder, of a history that
        lacks these columns, and of accumulated batches, whose numbers are means over several.
        """
        file, columns = self.folder / "history.csv", ["other_language_positive_mean", "other_language_negative_mean"]
        if not file.exists() or self.config.accumulate > 1:
            return float("nan")
        history = pd.read_csv(file)
        known = set(columns) <= set(history.columns)
        return float(history[columns].isna().all(axis=1).mean()) if known else float("nan")

    def top_share(self) -> pd.DataFrame:
        """Share of each language in the top 10 by query language."""
        return pd.read_parquet(self.folder / "top_share.parquet").set_index("query_language")


def _by_group(table: pd.DataFrame) -> dict[str, Any]:
    """Turn the (languages, setting) table into nested objects."""
    return {str(group): nested(part.droplevel("languages")) for group, part in table.groupby("languages", sort=False)}
