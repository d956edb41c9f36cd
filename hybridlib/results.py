"""Results of evaluating systems: tables in a folder, whose ``result.json`` is written last."""

from __future__ import annotations

import io
import json
import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow
import torch

from hybridlib.cache import replace_file
from hybridlib.encoders.encoder import has_bfloat16
from hybridlib.errors import InputError
from hybridlib.evaluation import KEYS, Evaluation, macro_means
from hybridlib.plain_text import LONGEST, as_label, one_line, visible
from hybridlib.system import PLAIN

PACKAGES = (
    "hybridlib torch transformers tokenizers datasets numpy numba pandas scikit-learn faiss-cpu papermill".split()
)


@dataclass(frozen=True)
class Results:
    """Results of a system, with and without debiasing, read from their folder."""

    folder: Path
    result: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Results:
        """Read finished results.

        Raises:
            InputError: if there is no ``result.json`` in the folder, or it is not of an evaluation.
        """
        file = folder / "result.json"
        if not file.exists():
            raise InputError(f"{folder}: found no result.json, expected finished results of `evaluate`")
        result = read_json(file)
        if "debiasings" not in result:
            raise InputError(f"{file}: found no debiasings, expected results of `evaluate`")
        for holder, key in ((result, "label"), (result.get("collection", {}), "name")):
            if key in holder:
                holder[key] = as_label(f"{holder[key]:.{LONGEST}}")
        return cls(folder, result)

    def label(self, debiasing: str) -> str:
        """How tables call the system with a debiasing."""
        return self.result["label"] if debiasing == PLAIN else f"{self.result['label']} + {debiasing}"

    def scores(self) -> dict[str, pd.DataFrame]:
        """Label -> scores of each query; see :class:`hybridlib.evaluation.Evaluation`."""
        return self._by_label("scores.parquet")

    def languages(self) -> dict[str, pd.DataFrame]:
        """Label -> a row a language pair: ``top_share``, ``even_share``, ``single_answer``."""
        return self._by_label("languages.parquet")

    def _by_label(self, file: str) -> dict[str, pd.DataFrame]:
        try:
            table = pd.read_parquet(self.folder / file)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise InputError(
                f"{self.folder / file}: found no table ({one_line(str(error)):.300}), expected that of `evaluate`"
            ) from error
        parts = {
            name: table[table["debias"] == name].drop(columns="debias").reset_index(drop=True)
            for name in self.result["debiasings"]
        }
        return {self.label(name): part for name, part in parts.items()}


def write_results(
    folder: Path,
    evaluations: Mapping[str, Evaluation],
    geometry: Mapping[str, Mapping[str, float]],
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Write ``scores.parquet``, ``ranks.parquet``, ``languages.parquet``, ``scores.csv``, and ``result.json`` last.

    Args:
        folder: made where it is missing.
        evaluations: by debiasing, first that of the system as it is.
        geometry: by debiasing, numbers of the embeddings.
        about: what else ``result.json`` says: label, collection, seconds, ...

    Returns:
        The content of ``result.json``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").unlink(missing_ok=True)
    means = {name: evaluation.means() for name, evaluation in evaluations.items()}
    plain = evaluations[PLAIN]
    result = {
        **about,
        "debiasings": list(evaluations),
        "means": {name: nested(macro_means(table)) for name, table in means.items()},
        "random_rank_distance": plain.random_rank_distance.dropna().to_dict(),
        "geometry": {name: dict(numbers) for name, numbers in geometry.items()},
    }
    parquet = {
        "scores": {name: e.scores for name, e in evaluations.items()},
        "ranks": {name: e.ranks for name, e in evaluations.items()},
        "languages": {name: _languages(e) for name, e in evaluations.items()},
    }
    for file, tables in parquet.items():
        write_parquet(folder / f"{file}.parquet", _joined(tables))
    long = {
        name: table.reset_index().melt(KEYS[:3], var_name="measure", value_name="value").dropna()
        for name, table in means.items()
    }
    write_csv(folder / "scores.csv", _joined(long))
    write_json(folder / "result.json", result)
    return result


def systems(results: Sequence[Results]) -> dict[str, list[pd.DataFrame]]:
    """Read label -> scores of each query, a table a seed, of several results.

    Raises:
        InputError: if two of them hold one label and one seed, or one label and other configurations: seeds of one
            system differ in nothing else.
    """
    found: dict[str, list[pd.DataFrame]] = {}
    seen: dict[str, dict[Any, Results]] = {}
    for one in results:
        for label, table in one.scores().items():
            seeds = seen.setdefault(label, {})
            if one.result["seed"] in seeds:
                first = seeds[one.result["seed"]].folder
                raise InputError(f"{one.folder}: found {label!r} as in {first}, expected another label or seed")
            for other in seeds.values():
                if differ := _differences(other.result, one.result):
                    raise InputError(
                        f"{one.folder}: found {label!r} with {differ} than {other.folder}, expected another label: "
                        "seeds of one system differ in nothing else"
                    )
            seeds[one.result["seed"]] = one
            found.setdefault(label, []).append(table)
    return found


def _differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    """Say in what the configurations of two results differ but for seed and threads; nothing if they do not."""
    one, other = (result.get("configuration") or {} for result in (first, second))
    names = [name for name in {**one, **other} if name not in ("seed", "threads") and one.get(name) != other.get(name)]
    return f"another {', '.join(names)}" if names else ""


def result_summary(results: Sequence[Results]) -> pd.DataFrame:
    """One row a system, seed, setting and measure, in the form of :func:`hybridlib.comparison.summary_table`."""
    rows = [
        (one.label(name), one.result["seed"] or 0, "all", setting, measure, value)
        for one in results
        for name, settings in one.result["means"].items()
        for setting, measures in settings.items()
        for measure, value in measures.items()
    ]
    return pd.DataFrame(rows, columns=["configuration", "seed", "languages", "setting", "measure", "value"])


def environment(threads: int) -> dict[str, Any]:
    """Describe what results were computed with: versions, processor, threads.

    The processor decides what ``precision: auto`` is (see :func:`hybridlib.encoders.encoder.has_bfloat16`), and with
    it the last digits of every score.
    """
    kind = (platform.machine(), f"{os.cpu_count()} cores", torch.backends.cpu.get_cpu_capability())
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "machine": ", ".join((*kind, "bfloat16") if has_bfloat16(torch.device("cpu")) else kind),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": threads,
    }


def unlike(results: Sequence[Mapping[str, Any]]) -> str:
    """Say in what the environments of results differ, with the number of results of each; nothing if they are alike.

    Args:
        results: contents of ``result.json``, each with an ``environment`` of :func:`environment`.
    """
    flat = [{**(own := result["environment"]), **own["packages"], "packages": None} for result in results]
    counts = {name: Counter(str(own.get(name)) for own in flat) for name in dict.fromkeys(chain(*flat))}
    return "; ".join(
        f"{name}: " + ", ".join(f"{value} ({count})" for value, count in found.most_common())
        for name, found in counts.items()
        if len(found) > 1
    )


def nested(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Turn a [setting x measure] table into nested objects; measures that a setting does not have are left out."""
    return {
        str(setting): {name: float(value) for name, value in row.dropna().items()} for setting, row in table.iterrows()
    }


def read_json(path: Path) -> dict[str, Any]:
    """Read an object that :func:`write_json` wrote.

    Raises:
        InputError: if there is none.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: found no JSON ({error}), expected what a finished run or evaluation wrote") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: found no object, expected what a finished run or evaluation wrote")
    return value


def write_json(path: Path, value: Any) -> None:
    """Write JSON in UTF-8, whole or not at all."""
    replace_file(path, (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table with six digits a number, whole or not at all; see :func:`inert`."""
    replace_file(path, inert(table).to_csv(index=False, float_format="%.6g").encode())


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose texts no spreadsheet takes for formulas and whose controls are shown as escapes.

    A text that begins with ``= + - @``, a tab or a line end gets an apostrophe before it, as OWASP advises.

    Example:
        >>> inert(pd.DataFrame({"label": ["=1+1", "a-b"], "value": [-1, 2]})).to_numpy().tolist()
        [["'=1+1", -1], ['a-b', 2]]
    """

    def shown(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return ("'" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else "") + visible(value)

    texts = table.select_dtypes(exclude="number")
    return table.assign(**{str(name): column.astype("object").map(shown) for name, column in texts.items()})


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a table, whole or not at all."""
    stream = io.BytesIO()
    table.to_parquet(stream, index=False, compression="zstd")
    replace_file(path, stream.getvalue())


def _languages(evaluation: Evaluation) -> pd.DataFrame:
    """Give the matrices of an evaluation as a row a language pair."""
    axes = ["query_language", "passage_language"]
    parts = {
        name: table.rename_axis(index=axes[0], columns=axes[1]).stack()
        for name, table in (("top_share", evaluation.top_share), ("single_answer", evaluation.single_answer))
    }
    long = pd.DataFrame(parts).reset_index()
    return long.assign(even_share=long[axes[1]].map(evaluation.even_share))


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    names = list(tables)
    joined = pd.concat(tables.values(), ignore_index=True)
    code = [number for number, table in enumerate(tables.values()) for _ in range(len(table))]
    joined.insert(0, "debias", pd.Categorical.from_codes(code, names))
    return joined


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
