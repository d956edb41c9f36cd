"""Test collections in the form of BEIR (Thakur et al. 2021, arXiv 2104.08663).

A folder holds ``corpus.jsonl`` (``_id``, ``title``, ``text``), ``queries.jsonl`` (``_id``, ``text``), each plain or
gzipped, and ``qrels/<split>.tsv``, whose first line is ``query-id corpus-id score``. Languages come in one of three
ways: a field ``language`` (or ``lang``) in each line; one sub-folder a language, named by its code and itself of this
form; or one language for the whole folder, given when it is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, concatenate_datasets

from hybridlib.cache import cache_folder, new_folder, sha256_of
from hybridlib.corpora.collection import PASSAGE_COLUMNS, QREL_COLUMNS, QUERY_COLUMNS, Collection
from hybridlib.corpora.lines import checked_language, checked_text, csv_lines, json_lines
from hybridlib.errors import InputError

_SCHEMA = pa.schema([(column, pa.string()) for column in PASSAGE_COLUMNS])
_BLOCK = 10_000  # passages in memory at once
_HEADER = ["query-id", "corpus-id", "score"]


def load(folder: str | Path, *, split: str = "test", language: str | None = None) -> Collection:
    """Read a folder in BEIR's form.

    A passage is title and text with a space between them, stripped, as BEIR encodes it; an empty one is kept. Queries
    that the split does not judge are left out. A passage with the id and the text of a query is that query itself and
    is not ranked for it, unless it is judged relevant (ArguAna and Quora have such passages). A query's concept is its
    field ``concept``, else its ``_id``.

    With one sub-folder a language, ids are prefixed by it (``de/q1``), and queries with one ``_id`` in several
    languages are one concept. Each sub-folder judges its own passages alone: no other language's are relevant.

    The passages are kept as an Arrow file in the cache folder, named by the content of ``corpus.jsonl``, and mapped
    into memory from there.

    Args:
        folder: with the files above, or with sub-folders that have them.
        split: name of a file in ``qrels``, without ``.tsv``.
        language: code of the language of all lines that name none.

    Raises:
        InputError: naming file, line and value: a missing or cut file, a line without a language, an id that stands
            twice, a score that is no integer, a qrels line of an unknown query or passage or of one pair again.
    """
    folder = Path(folder)
    parts = _parts(folder, language)
    judged = pd.concat([_judged(path, split, prefix) for path, _, prefix in parts], ignore_index=True)
    asked = set(judged["query"])
    queries = pd.concat([_queries(*part, asked) for part in parts], ignore_index=True)
    passages = concatenate_datasets([_passages(*part) for part in parts])
    ids = _column(passages, "id")
    qrels = judged.assign(
        query=pd.Index(queries["id"]).get_indexer(pd.Index(judged["query"])), passage=_find(judged["passage"], ids)
    )
    for what in ("query", "passage"):
        unknown = judged[qrels[what] < 0]
        if len(unknown):
            where, found = unknown[["where", what]].iloc[0]
            raise InputError(f"{where}: found {what} {found!r}, expected the _id of a {what} in the files beside it")
    empty = int((pc.binary_length(_column(passages, "text")).to_numpy() == 0).sum())
    return Collection(
        queries,
        passages,
        qrels[list(QREL_COLUMNS)],
        folder.resolve().name,
        (f"{empty} of {len(passages)} passages are empty",) if empty else (),
        _itself(queries, passages, _find(queries["id"], ids), qrels),
    )


def _parts(folder: Path, language: str | None) -> list[tuple[Path, str | None, str]]:
    """Return folders that have the files: path, language of lines that name none, prefix of ids."""
    if _file(folder, "corpus").is_file():
        return [(folder, language, "")]
    children = sorted(path for path in folder.glob("*/") if _file(path, "corpus").is_file())
    if not children:
        raise InputError(f"{folder}: found no corpus.jsonl or corpus.jsonl.gz, expected it there or in sub-folders")
    if language is not None:
        raise InputError(f"{folder}: found language {language!r} for sub-folders, expected each to name its own")
    return [(path, checked_language(path.name, f"{path}", "sub-folder"), f"{path.name}/") for path in children]


def _file(folder: Path, name: str) -> Path:
    plain, packed = folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"
    return packed if packed.is_file() and not plain.is_file() else plain


def _judged(folder: Path, split: str, prefix: str) -> pd.DataFrame:
    """Return the judgements with their places: ``where``, ``query``, ``passage`` (ids) and ``relevance``."""
    path = folder / "qrels" / f"{split}.tsv"
    if not path.is_file():
        splits = " ".join(sorted(file.stem for file in path.parent.glob("*.tsv"))) or "none is there"
        raise InputError(f"{path}: found no such file, expected one of the splits: {splits}")
    rows: dict[tuple[str, str], tuple[str, str, str, int]] = {}
    for where, line in csv_lines(path, "\t"):
        if list(line) != _HEADER:
            raise InputError(f"{path}: found {' '.join(line)!r} as names of columns, expected {' '.join(_HEADER)}")
        query, passage, score = line.values()
        try:
            relevance = int(score)
        except ValueError:
            raise InputError(f"{where}: found score {score!r}, expected an integer") from None
        if (query, passage) in rows:
            raise InputError(f"{where}: found query {query!r} and passage {passage!r} again, expected a pair once")
        rows[query, passage] = (where, prefix + query, prefix + passage, relevance)
    if not rows:
        raise InputError(f"{path}: found no judgement, expected lines of {' '.join(_HEADER)}")
    return pd.DataFrame(rows.values(), columns=["where", *QREL_COLUMNS])


def _lines(path: Path, language: str | None) -> Iterator[tuple[str, dict[str, Any], str, str]]:
    """Yield the place, the line, its id and its language."""
    for where, line in json_lines(path):
        code = line.get("language", line.get("lang", language))
        if code is None:
            raise InputError(f"{where}: found no language, expected a field language, or one for the whole folder")
        yield where, line, checked_text(line.get("_id"), where, "_id"), checked_language(code, where)


def _queries(folder: Path, language: str | None, prefix: str, asked: set[str]) -> pd.DataFrame:
    seen: set[str] = set()
    rows = []
    for where, line, own, code in _lines(_file(folder, "queries"), language):
        if own in seen:
            raise InputError(f"{where}: found query {own!r} again, expected different ids")
        seen.add(own)
        if prefix + own in asked:
            concept = checked_text(line.get("concept", own), where, "concept")
            rows.append((prefix + own, code, concept, checked_text(line.get("text"), where, "text")))
    return pd.DataFrame(rows, columns=list(QUERY_COLUMNS), dtype="str")


def _passages(folder: Path, language: str | None, prefix: str) -> Dataset:
    """Map the folder's passages into memory, from an Arrow file that is written the first time."""
    path = _file(folder, "corpus")
    key = hashlib.sha256(f"{sha256_of(path)} {language} {prefix}".encode()).hexdigest()
    cached = cache_folder() / "beir" / key
    if not cached.is_dir():
        with new_folder(cached, first_wins=True) as new:
            rows = _passage_rows(path, language, prefix)
            with pa.OSFile(f"{new / 'passages.arrow'}", "wb") as sink, pa.ipc.new_stream(sink, _SCHEMA) as stream:
                while block := list(islice(rows, _BLOCK)):
                    stream.write_batch(pa.RecordBatch.from_pylist(block, _SCHEMA))
            _check_different(path, prefix, _column(Dataset.from_file(f"{new / 'passages.arrow'}"), "id"))
    return Dataset.from_file(f"{cached / 'passages.arrow'}")


def _passage_rows(path: Path, language: str | None, prefix: str) -> Iterator[dict[str, str]]:
    for where, line, own, code in _lines(path, language):
        title, text = line.get("title") or "", line.get("text")
        if not isinstance(title, str) or not isinstance(text, str):
            raise InputError(f"{where}: found title {title!r} and text {text!r}, expected texts")
        joined = f"{title} {text}".strip()
        yield {"id": prefix + own, "language": code, "text": joined and checked_text(joined, where, "text")}


def _check_different(path: Path, prefix: str, ids: pa.ChunkedArray) -> None:
    again = np.flatnonzero(_find(ids, ids) != np.arange(len(ids)))
    if len(again):
        twice = ids[int(again[0])].as_py().removeprefix(prefix)
        places = (where for where, line in json_lines(path) if line["_id"] == twice)
        where = list(islice(places, 2))[1]
        raise InputError(f"{where}: found passage {twice!r} again, expected different ids")


def _column(passages: Dataset, name: str) -> pa.ChunkedArray:
    return passages.select_columns([name]).with_format("arrow")[:][name]


def _find(wanted: Any, ids: pa.ChunkedArray) -> np.ndarray:
    """Return the first position of each wanted id, or -1."""
    found = pc.index_in(pa.array(wanted) if isinstance(wanted, pd.Series) else wanted, value_set=ids)
    return found.fill_null(-1).to_numpy().astype(np.int64)


def _itself(queries: pd.DataFrame, passages: Dataset, same_id: np.ndarray, qrels: pd.DataFrame) -> np.ndarray:
    """Return the passage with each query's id and text if it is not judged relevant to it, else -1."""
    relevant = set(zip(qrels["query"][qrels["relevance"] > 0], qrels["passage"][qrels["relevance"] > 0], strict=True))
    itself = np.full(len(queries), -1)
    candidates = np.flatnonzero(same_id >= 0)
    texts = passages.select(same_id[candidates])[:]["text"]
    for query, text in zip(candidates, texts, strict=True):
        if text.endswith(queries["text"][query].strip()) and (query, same_id[query]) not in relevant:
            itself[query] = same_id[query]
    return itself
