"""Run and qrels files in TREC's form, as trec_eval, pytrec_eval and ir_measures read and write them.

A run has lines of ``query Q0 passage rank score tag``, qrels have lines of ``query 0 passage relevance``, with
whitespace between two fields; so an id with whitespace is refused, not changed. A file named ``.gz`` is gzipped.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from hybridlib.cache import replace_file
from hybridlib.corpora.lines import open_bytes
from hybridlib.errors import InputError

_RUN = ("query", "Q0", "passage", "rank", "score", "tag")
_QRELS = ("query", "iteration", "passage", "relevance")
_DECIMAL = (r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$", "a decimal number", pa.float32())
_INTEGER = (r"^-?[0-9]{1,18}$", "an integer", pa.int64())
_UNUSABLE = re.compile(r"\A\Z|[\s\0\ud800-\udfff]")
_LINES = 1 << 18  # of a block that is written or parsed at once


def write_run(
    path: str | Path,
    query_ids: Sequence[str],
    passage_ids: Sequence[str],
    top: np.ndarray,
    scores: np.ndarray,
    tag: str,
) -> None:
    """Write the first passages of each query as a run.

    Scores are written with the fewest digits that give the same float32, so no order changes. Readers do not look at
    the written rank: they sort by score and, at equal score, by id, descending. A query without a passage has no line.

    Args:
        path: the file; its folder must exist.
        query_ids: [n], not empty, without whitespace, different.
        passage_ids: ids of all passages, the same.
        top: int64 [n, k], positions of passages, best first; -1 where there are no more.
        scores: float32 [n, k], the larger, the better.
        tag: the run's name.

    Raises:
        InputError: for an id or tag that cannot stand in a line, shapes that do not fit, a position that no passage
            has, a passage twice for one query, and scores that are not finite or increase.
    """
    path = Path(path)
    queries, passages = checked_names(path, "query id", query_ids), checked_names(path, "passage id", passage_ids)
    checked_names(path, "tag", [tag])
    if top.ndim != 2 or top.shape != scores.shape or len(top) != len(queries):
        raise InputError(f"{path}: found top {top.shape} and scores {scores.shape}, expected ({len(queries)}, k) twice")
    height = max(1, _LINES // max(1, top.shape[1]))

    def lines(start: int) -> pa.Array:
        part, score = top[start : start + height], scores[start : start + height].astype(np.float32, copy=False)
        _check_top(path, queries[start : start + height], part, score, len(passages))
        row, column = np.nonzero(part >= 0)
        return pc.binary_join_element_wise(
            queries.take(pa.array(start + row)), "Q0", passages.take(pa.array(part[row, column])),
            pa.array(column + 1).cast("string"), pa.array(score[row, column]).cast("string"), tag, " ",
        )  # fmt: skip

    _write(path, map(lines, range(0, len(top), height)))


def write_qrels(
    path: str | Path,
    query_ids: Sequence[str],
    passage_ids: Sequence[str],
    queries: np.ndarray,
    passages: np.ndarray,
    relevance: np.ndarray,
) -> None:
    """Write relevance judgements.

    Args:
        path: the file; its folder must exist.
        query_ids: ids of all queries, as for :func:`write_run`.
        passage_ids: ids of all passages.
        queries: int64 [m], positions of queries.
        passages: int64 [m], positions of passages; a pair stands once.
        relevance: int64 [m], above 0 is relevant.

    Raises:
        InputError: for an id that cannot stand in a line, arrays that do not fit, and a pair that stands twice.
    """
    path = Path(path)
    if not queries.shape == passages.shape == relevance.shape or relevance.dtype.kind not in "iu":
        raise InputError(
            f"{path}: found arrays {queries.shape}, {passages.shape} and {relevance.shape} with relevance of "
            f"{relevance.dtype}, expected integers, as many of each"
        )
    columns = []
    for what, ids, positions in (("query", query_ids, queries), ("passage", passage_ids, passages)):
        outside = (positions < 0) | (positions >= len(ids))
        if outside.any():
            raise InputError(f"{path}: found {what} {positions[outside][0]}, expected 0 to {len(ids) - 1}")
        columns.append(checked_names(path, f"{what} id", ids).take(pa.array(positions)))
    twice = np.flatnonzero(pd.DataFrame({"query": queries, "passage": passages}).duplicated())
    if len(twice):
        query, passage = (column[int(twice[0])] for column in columns)
        raise InputError(f"{path}: found query {query} and passage {passage} twice, expected once")
    _write(path, [pc.binary_join_element_wise(columns[0], "0", columns[1], pa.array(relevance).cast("string"), " ")])


def read_run(path: str | Path) -> pd.DataFrame:
    """Read a run.

    Returns:
        Columns ``query`` and ``passage`` (ids, categories), ``rank`` (int64, 1 is first) and ``score`` (float32). Rows
        of one query stand together, by rank. The rank is trec_eval's: by score as float32, descending, then by id as
        bytes, descending. What the file gives as rank is not looked at.

    Raises:
        InputError: naming file and line, for a missing or cut file, a line without 6 fields, a score that is not
            a decimal number, and a passage that a query has twice.
    """
    path = Path(path)
    rows = _read(path, _RUN, "score", _DECIMAL)
    twice = rows[rows.duplicated(["query", "passage"])]
    if len(twice):
        line, query, passage = twice[["line", "query", "passage"]].iloc[0]
        raise InputError(f"{path}:{line}: found passage {passage} again for query {query}, expected it once")
    place = np.argsort(rows["passage"].cat.categories.argsort())
    order = np.lexsort((-place[rows["passage"].cat.codes], -rows["score"].to_numpy(), rows["query"].cat.codes))
    rows = rows.iloc[order].reset_index(drop=True)
    rows["rank"] = 1 + rows.groupby("query", observed=True).cumcount()
    return rows[["query", "passage", "rank", "score"]]


def read_qrels(path: str | Path) -> pd.DataFrame:
    """Read relevance judgements.

    Returns:
        Columns ``query`` and ``passage`` (ids, categories) and ``relevance`` (int64), in the order of the file. A line
        that says the same as one before is left out.

    Raises:
        InputError: naming file and line, for a missing or cut file, a line without 4 fields, a relevance that is not an
            integer, and one that contradicts an earlier line.
    """
    path = Path(path)
    rows = _read(path, _QRELS, "relevance", _INTEGER)
    rows = rows.drop_duplicates(["query", "passage", "relevance"])
    twice = rows[rows.duplicated(["query", "passage"])]
    if len(twice):
        line, query, passage = twice[["line", "query", "passage"]].iloc[0]
        raise InputError(f"{path}:{line}: found another relevance of passage {passage} for query {query}, expected one")
    return rows[["query", "passage", "relevance"]].reset_index(drop=True)


def checked_names(path: Path, what: str, names: Sequence[str]) -> pa.Array:
    """Return names that can stand in a line; raise InputError for one that cannot, and for one that stands twice."""
    for name in names:
        if _UNUSABLE.search(name):
            raise InputError(f"{path}: found {what} {name!r}, expected one without whitespace and not empty")
    index = pd.Index(names)
    if not index.is_unique:
        raise InputError(f"{path}: found {what} {index[index.duplicated()][0]!r} twice, expected different ones")
    return pa.array(list(names), pa.string())


def _check_top(path: Path, queries: pa.Array, top: np.ndarray, scores: np.ndarray, passages: int) -> None:
    ordered = np.sort(top, axis=1)
    has = top >= 0
    for wrong, found, expected in (
        ((top < -1) | (top >= passages), "a position that no passage has", f"-1 to {passages - 1}"),
        (has & ~np.isfinite(scores), "a score that is not finite", "finite scores"),
        (has[:, 1:] & (scores[:, 1:] > scores[:, :-1]), "a score above the one before", "the best first"),
        ((ordered[:, 1:] >= 0) & (ordered[:, 1:] == ordered[:, :-1]), "a passage twice", "each once"),
    ):
        if wrong.any():
            query = queries[int(np.argmax(wrong.any(1)))]
            raise InputError(f"{path}: found {found} for query {query}, expected {expected}")


def _write(path: Path, blocks: Iterable[pa.Array]) -> None:
    """Write blocks of lines, whole or not at all."""
    data = io.BytesIO()
    with gzip.GzipFile("", "wb", 6, data, mtime=0) if path.suffix == ".gz" else nullcontext(data) as stream:
        for lines in blocks:
            stream.write("".join(f"{line}\n" for line in lines.to_pylist()).encode())
    replace_file(path, data.getvalue())


def _read(path: Path, fields: Sequence[str], number: str, form: tuple[str, str, pa.DataType]) -> pd.DataFrame:
    """Return columns ``query`` and ``passage`` (categories), the one of ``number`` in its form, and ``line``."""
    pattern, expected, dtype = form
    parts = []
    for line, texts in _blocks(path):
        split = pc.ascii_split_whitespace(texts)
        width = pc.list_value_length(split).to_numpy()
        wrong = np.flatnonzero(width != len(fields))
        if len(wrong):
            raise InputError(
                f"{path}:{line[wrong[0]]}: found {width[wrong[0]]} fields, expected {len(fields)}: {' '.join(fields)}"
            )
        column = {name: split.flatten()[place :: len(fields)] for place, name in enumerate(fields)}
        usable = pc.match_substring_regex(column[number], pattern).to_numpy(zero_copy_only=False)
        if not usable.all():
            first = int(np.argmin(usable))
            raise InputError(f"{path}:{line[first]}: found {number} {column[number][first]}, expected {expected}")
        values = pc.cast(column[number], dtype)
        finite = pc.is_finite(values).to_numpy(zero_copy_only=False)
        if not finite.all():
            first = int(np.argmin(finite))
            raise InputError(f"{path}:{line[first]}: found {number} {column[number][first]}, expected a float32 number")
        part = {name: column[name].dictionary_encode() for name in ("query", "passage")}
        parts.append(pa.table({**part, number: values, "line": line}))
    if not any(map(len, parts)):
        raise InputError(f"{path}: found no line, expected lines of {' '.join(fields)}")
    return pa.concat_tables(parts).unify_dictionaries().to_pandas()


def _blocks(path: Path) -> Iterator[tuple[np.ndarray, pa.Array]]:
    """Yield the lines that are not blank, in blocks: their numbers, int64 [n], and their texts."""
    number, lines = 0, list[bytes]()
    try:
        with open_bytes(path) as stream:
            for number, line in enumerate(stream, start=1):
                lines.append(line.removeprefix(BOM_UTF8) if number == 1 else line)
                if len(lines) == _LINES:
                    yield _trimmed(path, lines, number)
                    lines = []
    except FileNotFoundError:
        raise InputError(f"{path}: found no such file, expected one in TREC's form") from None
    except IsADirectoryError:
        raise InputError(f"{path}: found a folder, expected a file in TREC's form") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}:{number}: found a cut or damaged archive ({error}), expected a whole one") from error
    if lines:
        yield _trimmed(path, lines, number)


def _trimmed(path: Path, lines: list[bytes], last: int) -> tuple[np.ndarray, pa.Array]:
    numbers = np.arange(last - len(lines) + 1, last + 1)
    try:
        texts = pc.ascii_trim_whitespace(pa.array(lines, pa.string()))
    except pa.ArrowInvalid as error:
        wrong = next(i for i, line in enumerate(lines) if line.decode(errors="ignore").encode() != line)
        raise InputError(f"{path}:{numbers[wrong]}: found bytes that are not UTF-8, expected UTF-8") from error
    filled = pc.greater(pc.binary_length(texts), 0)
    return numbers[filled.to_numpy(zero_copy_only=False)], texts.filter(filled)
