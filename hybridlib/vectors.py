"""Vectors that another system made, as files, so that any encoder can be tested.

A folder holds ``queries.npy`` and ``passages.npy``, a row a text, and ``queries.ids.txt`` and ``passages.ids.txt``,
UTF-8 with an id a line, in the order of the rows.
"""

from __future__ import annotations

import json
import re
import tempfile
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hybridlib.cache import replace_file
from hybridlib.corpora.collection import Collection
from hybridlib.errors import InputError

_FILES = {"query": "queries", "passage": "passages"}
_NUMBERS = 1 << 22  # of a block that is checked at once: 32 MB as float64
_NOT_A_LINE = re.compile(r"[\n\r\ud800-\udfff]")
_BROKEN = (ValueError, TypeError, OverflowError, SyntaxError, tokenize.TokenError)  # what numpy says of a bad header


def write_texts(folder: Path, collection: Collection) -> None:
    """Write ``queries.jsonl`` and ``passages.jsonl`` (id, language, text) for a system that embeds elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("queries", collection.queries.to_dict("records")), ("passages", collection.passages)):
        lines = (
            json.dumps({key: row[key] for key in ("id", "language", "text")}, ensure_ascii=False) + "\n" for row in rows
        )
        replace_file(folder / f"{name}.jsonl", "".join(lines).encode())


def read_vectors(folder: str | Path, role: str, ids: Sequence[str]) -> np.ndarray:
    """Return the vectors of the given ids at unit length: what is compared is the cosine, whatever the system uses.

    A row whose length is within 1e-6 of 1 is taken as it stands, others are divided by their length. Rows of other ids
    are not looked at. Where the file begins with the rows of ``ids`` in this order, all float32 and of unit length,
    they are memory-mapped and read-only; else they are copied.

    Args:
        folder: with the two files of the role.
        role: ``query`` or ``passage``.
        ids: [n], each of them in the file.

    Returns:
        float32 [n, d].

    Raises:
        InputError: for a file that is missing, cut or of another kind, ids that do not fit the rows or stand twice, an
            id that is missing, and a row that is 0 or not finite.
    """
    file, ids_file = _files(Path(folder), role)
    vectors = _open(file)
    there = _read_ids(ids_file)
    if len(there) != len(vectors):
        raise InputError(f"{ids_file}: found {len(there)} ids, expected {len(vectors)}, as {file.name} has rows")
    rows = there.get_indexer(pd.Index(ids, dtype="str"))
    missing = [name for name, row in zip(ids, rows, strict=True) if row < 0]
    if missing:
        some = ", ".join(map(repr, missing[:3]))
        raise InputError(f"{ids_file}: found {len(missing)} of {len(ids)} ids missing ({some}), expected all of them")
    as_they_stand = np.array_equal(rows, np.arange(len(rows))) and vectors.dtype == "=f4" and vectors.flags.c_contiguous
    if as_they_stand and all((divisor == 1).all() for _, divisor in _blocks(file, vectors, rows, there)):
        return vectors[: len(rows)]
    result = np.empty((len(rows), vectors.shape[1]), dtype=np.float32)
    done = 0
    for block, divisor in _blocks(file, vectors, rows, there):
        result[done : done + len(block)] = block / divisor[:, None]
        done += len(block)
    return result


def write_vectors(folder: str | Path, role: str, ids: Sequence[str], vectors: np.ndarray) -> None:
    """Write vectors and ids, in place of those of this role.

    Both files are written whole before those of old are touched, and the ids are moved to their place last: whenever
    this is cut short, ids stand beside their own vectors or there are none.

    Args:
        folder: made if it is not there.
        role: ``query`` or ``passage``.
        ids: [n], different, not blank, each without a line break.
        vectors: float16, float32 or float64 [n, d], written as they are.

    Raises:
        InputError: for what :func:`read_vectors` would refuse; nothing is written then.
    """
    file, ids_file = _files(Path(folder), role)
    _check_array(file, vectors)
    if len(ids) != len(vectors):
        raise InputError(f"{ids_file}: found {len(ids)} ids, expected {len(vectors)}, one a vector")
    for number, name in enumerate(ids, start=1):
        if _NOT_A_LINE.search(name):
            raise InputError(f"{ids_file}:{number}: found id {name!r}, expected one line of Unicode text")
    index = _checked_ids(ids_file, ids)
    for _ in _blocks(file, vectors, np.arange(len(ids)), index):
        pass
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.") as name:
        beside = Path(name)
        np.save(beside / file.name, vectors, allow_pickle=False)
        (beside / ids_file.name).write_bytes("".join(f"{name}\n" for name in ids).encode())
        ids_file.unlink(missing_ok=True)
        (beside / file.name).replace(file)
        (beside / ids_file.name).replace(ids_file)


def _files(folder: Path, role: str) -> tuple[Path, Path]:
    if role not in _FILES:
        raise InputError(f"{folder}: found role {role!r}, expected query or passage")
    return folder / f"{_FILES[role]}.npy", folder / f"{_FILES[role]}.ids.txt"


def _open(file: Path) -> np.memmap:
    try:
        vectors = np.lib.format.open_memmap(file, mode="r")
    except FileNotFoundError:
        raise InputError(f"{file}: found no such file, expected vectors") from None
    except IsADirectoryError:
        raise InputError(f"{file}: found a folder, expected a file of vectors") from None
    except _BROKEN as error:
        raise InputError(f"{file}: found no array that can be read ({error}), expected a whole .npy file") from error
    _check_array(file, vectors)
    size = file.stat().st_size
    if size != vectors.offset + vectors.nbytes:
        raise InputError(f"{file}: found {size} bytes, expected {vectors.offset + vectors.nbytes}")
    return vectors


def _check_array(file: Path, vectors: np.ndarray) -> None:
    if vectors.ndim != 2 or not vectors.size:
        raise InputError(f"{file}: found shape {vectors.shape}, expected (texts, dimensions)")
    if vectors.dtype.kind != "f" or vectors.dtype.itemsize > 8:
        raise InputError(f"{file}: found {vectors.dtype} numbers, expected float16, float32 or float64")


def _read_ids(file: Path) -> pd.Index:
    try:
        data = file.read_bytes()
        text = data.decode().removeprefix("\ufeff")
    except FileNotFoundError:
        raise InputError(f"{file}: found no such file, expected an id a line") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{file}:{line}: found bytes that are not UTF-8, expected UTF-8") from error
    return _checked_ids(file, [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")])


def _checked_ids(file: Path, ids: Sequence[str]) -> pd.Index:
    index = pd.Index(ids, dtype="str")
    for wrong, found in ((index.str.strip() == "", "blank"), (index.duplicated(), "that stands above")):
        if wrong.any():
            line = int(np.argmax(wrong))
            raise InputError(
                f"{file}:{line + 1}: found id {index[line]!r} {found}, expected different ones, one a line"
            )
    return index


def _blocks(
    file: Path, vectors: np.ndarray, rows: np.ndarray, ids: pd.Index
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the given rows in blocks, float64 [b, d], and what to divide them by, float64 [b]."""
    height = max(1, _NUMBERS // vectors.shape[1])
    for start in range(0, len(rows), height):
        part = rows[start : start + height]
        block = vectors[part].astype(np.float64)
        length = np.linalg.norm(block, axis=1)
        wrong = np.flatnonzero(~((length > 0) & np.isfinite(length)))
        if len(wrong):
            row = part[wrong[0]]
            raise InputError(
                f"{file}:row {row + 1} (id {ids[row]!r}): found a vector of length {length[wrong[0]]}, "
                "expected a finite one above 0"
            )
        yield block, np.where(np.abs(length - 1) <= 1e-6, 1.0, length)
