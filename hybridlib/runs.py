"""A run: its encoder, its results, its folder, whose ``result.json`` is written last, so existing means finished."""

from __future__ import annotations

import io
import json
import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from hybridlib.cache import replace_file
from hybridlib.config import RunConfig
from hybridlib.corpora import Split
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.evaluation import Evaluation, macro_means
from hybridlib.training import Training

PACKAGES = ("hybridlib", "torch", "transformers", "tokenizers", "datasets", "numpy", "pandas", "faiss-cpu", "papermill")


def load_encoder(config: RunConfig, split: Split) -> DualEncoder:
    """Load the encoder of a run; its vocabulary is trimmed to the texts of the run where the configuration says so."""
    torch.set_num_threads(config.threads)
    encoder = DualEncoder.load(
        config.encoder, max_length=config.max_length, precision=config.precision, revision=config.encoder_revision
    )
    if config.trim_vocabulary:
        encoder.trim([text for part in split for text in part.table["text"]])
    return encoder.to("cuda" if torch.cuda.is_available() else "cpu")


def language_groups(split: Split) -> dict[str, list[str]]:
    """Return the test languages: all, those that were trained on (seen) and the others (unseen)."""
    seen = [language for language in split.test.languages if language in split.train.languages]
    unseen = [language for language in split.test.languages if language not in split.train.languages]
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
) -> dict[str, Any]:
    """Write the results of a run into ``folder``; ``result.json`` last.

    Returns:
        The content of ``result.json``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").unlink(missing_ok=True)
    groups = language_groups(split)
    result = {
        "run": folder.name,
        "label": config.label(),
        "seed": config.seed,
        "corpus": split.test.name,
        "notes": list(split.test.notes),
        "concepts": {part: len(corpus.concepts) for part, corpus in split._asdict().items()},
        "single_text_cells": len(split.test.single_text_cells),
        "languages": groups,
        "fingerprint": {part: corpus.fingerprint for part, corpus in split._asdict().items()},
        "means": _nested(summary(after, groups)),
        "means_before": _nested(summary(before, groups)),
        "random_rank_distance": float(after.random_rank_distance.mean()),
        "best_step": training.best_step if training else 0,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "environment": environment(config),
    }
    if training is not None:
        _write_table(folder / "history.csv", training.history)
    _write_parquet(folder / "ranks.parquet", after.ranks)
    _write_parquet(folder / "scores.parquet", after.scores)
    _write_parquet(folder / "top_share.parquet", after.top_share.rename_axis("query_language").reset_index())
    _write_json(folder / "config.json", config.model_dump(mode="json"))
    _write_json(folder / "result.json", result)
    return result


def environment(config: RunConfig) -> dict[str, Any]:
    """Describe what a run was computed with: versions, processor, threads, precision."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": config.threads,
    }


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
        config = RunConfig.checked(json.loads((folder / "config.json").read_text()), f"{folder}/config.json")
        return cls(folder, config, label or config.label(), json.loads((folder / "result.json").read_text()))

    def scores(self) -> pd.DataFrame:
        """Scores of every query; see :class:`hybridlib.evaluation.Evaluation`."""
        return pd.read_parquet(self.folder / "scores.parquet")

    def top_share(self) -> pd.DataFrame:
        """Share of each language in the top 10 by query language."""
        return pd.read_parquet(self.folder / "top_share.parquet").set_index("query_language")


def _nested(table: pd.DataFrame) -> dict[str, Any]:
    """Turn the (languages, setting) table into nested objects; measures that a setting does not have are left out."""
    nested: dict[str, Any] = {}
    for (languages, setting), row in table.iterrows():  # type: ignore[misc]
        nested.setdefault(languages, {})[setting] = {name: float(value) for name, value in row.dropna().items()}
    return nested


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _write_json(path: Path, value: Any) -> None:
    replace_file(path, (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def _write_table(path: Path, table: pd.DataFrame) -> None:
    replace_file(path, table.to_csv(index=False, float_format="%.6g").encode())


def _write_parquet(path: Path, table: pd.DataFrame) -> None:
    stream = io.BytesIO()
    table.to_parquet(stream, index=False, compression="zstd")
    replace_file(path, stream.getvalue())
