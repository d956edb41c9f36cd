"""Reading text files line by line, plain or gzipped, with errors that name file and line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any

import pyarrow
import pyarrow.parquet

from hybridlib.archives import ExpansionError, gunzipped, unzipped
from hybridlib.errors import InputError
from hybridlib.languages import POOL
from hybridlib.plain_text import brief, one_line

LONGEST = 1 << 24  # bytes of a line
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,4}")
# What pyarrow raises for files that are cut, damaged, or hold what Python's types cannot.
_UNREADABLE = (pyarrow.ArrowException, OSError, ValueError, OverflowError)
_DAMAGED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)
Note = Callable[[InputError], object]


@contextmanager
def open_bytes(path: Path, member: str | None = None) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes: plain, ``.gz``, or the ``member`` of a ``.zip``; see :mod:`hybridlib.archives`."""
    if path.suffix == ".gz":
        with gunzipped(path) as stream:
            yield stream
    elif path.suffix == ".zip":
        with unzipped(path, member) as stream:
            yield stream
    else:
        with path.open("rb") as stream:
            yield stream


def _raised(error: InputError) -> None:
    raise error


def json_lines(path: Path, member: str | None = None, note: Note = _raised) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ``("file:line", object)`` for each line that is not blank.

    Args:
        path: a file in UTF-8: plain, ``.gz`` or ``.zip``.
        member: of a ``.zip``, the name of the file in it.
        note: takes the error of a line, which is then passed over, and that of an archive, which then ends here; by
            default the first error is raised.

    Raises:
        InputError: for a missing or cut file, and for a line that is not a JSON object in UTF-8, names a field twice or
            is longer than 16 MiB.
    """
    where = f"{path}"
    try:
        with open_bytes(path, member) as stream:
            for number, line in _numbered(stream):
                where = f"{path}:{number}"
                if line.isspace():
                    continue
                try:
                    value = _json_object(line, where)
                except InputError as error:
                    note(error)
                    continue
                yield where, value
    except FileNotFoundError:
        raise InputError(f"{path}: found no such file, expected JSON lines (.jsonl, .jsonl.gz)") from None
    except ExpansionError as error:
        note(error)
    except _DAMAGED as error:
        note(InputError(f"{where}: found a cut or damaged archive ({error}), expected a whole one"))
    except OSError as error:
        raise InputError(f"{path}: found no file that can be read ({error.strerror}), expected JSON lines") from error


def _numbered(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield lines with their numbers; of one that is too long, the first ``LONGEST`` bytes and one more."""
    number = 0
    while line := stream.readline(LONGEST + 1):
        number += 1
        yield number, line
        rest = line
        while len(rest) > LONGEST and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST + 1)


def csv_lines(
    path: Path, delimiter: str, *, quoted: bool = True, note: Note = _raised
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ``("file:line", {column: value})`` for each row below the line of column names; blank lines are skipped.

    Args:
        path: a file in UTF-8, plain or ``.gz``.
        delimiter: what stands between two values.
        quoted: whether ``"`` around a value quotes it (RFC 4180), or is a character like others.
        note: takes the error of a row, which is then passed over, and one behind which nothing can be read; by default
            the first error is raised.

    Raises:
        InputError: for a missing or cut file, a column that stands twice, a row with more or fewer values than there
            are columns, and a line or a value of more than 16 Mi characters.
    """
    where = f"{path}"
    try:
        with open_bytes(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
            reader = csv.reader(
                _bounded(text),
                delimiter=delimiter,
                quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
                strict=True,
            )
            columns: list[str] = []
            for row in _rows(reader):
                where = f"{path}:{reader.line_num}"
                if not columns:
                    columns = _different(row, where)
                elif row and len(row) != len(columns):
                    named = one_line(", ".join(columns))
                    note(InputError(f"{where}: found {len(row)} values, expected {len(columns)}: {named}"))
                elif row:
                    yield where, dict(zip(columns, row, strict=True))
    except FileNotFoundError:
        raise InputError(f"{path}: found no such file, expected lines of values below their names") from None
    except (UnicodeDecodeError, csv.Error) as error:
        note(_undivided(error, path, reader.line_num, delimiter))
    except ExpansionError as error:
        note(error)
    except _DAMAGED as error:
        note(InputError(f"{where}: found a cut or damaged archive ({error}), expected a whole one"))
    except OSError as error:
        raise InputError(f"{path}: found no file that can be read ({error.strerror}), expected lines") from error


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield the rows of a csv reader, whose values may be as long as a line.

    The module csv has one limit for all its readers, so it is moved for the time of a row and put back.
    """
    while True:
        before = csv.field_size_limit(LONGEST)
        try:
            row = next(reader, None)
        finally:
            csv.field_size_limit(before)
        if row is None:
            return
        yield row


def _undivided(error: UnicodeDecodeError | csv.Error, path: Path, line: int, delimiter: str) -> InputError:
    if isinstance(error, UnicodeDecodeError):  # in the block of lines that is read next
        return InputError(f"{path}: found bytes that are not UTF-8 ({error.reason}), expected UTF-8")
    return InputError(
        f"{path}:{line}: found a line that cannot be divided ({error}), expected values with {delimiter!r} between them"
    )


def _bounded(text: io.TextIOBase) -> Iterator[str]:
    while line := text.readline(LONGEST):
        if len(line) == LONGEST:
            raise csv.Error(f"longer than {LONGEST:,} characters")
        yield line


def _different(columns: list[str], where: str) -> list[str]:
    twice, count = Counter(columns).most_common(1)[0] if columns else ("", 0)
    if count > 1:
        raise InputError(f"{where}: found the column {brief(twice)} {count} times, expected different ones")
    return columns


def parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ``("file:row", {column: value})`` for each row of a Parquet file, the first being 1; null is None.

    Raises:
        InputError: for a missing, cut or damaged file.
    """
    try:
        batches = pyarrow.parquet.ParquetFile(path).iter_batches()
        for number, row in enumerate(chain.from_iterable(batch.to_pylist() for batch in batches), start=1):
            yield f"{path}:row {number}", row
    except FileNotFoundError:
        raise InputError(f"{path}: found no such file, expected Parquet") from None
    except _UNREADABLE as error:
        said = one_line(str(error))
        raise InputError(f"{path}: found no Parquet data ({said:.300}), expected a whole Parquet file") from error


def _json_object(line: bytes, where: str) -> dict[str, Any]:
    if len(line) > LONGEST:
        raise InputError(f"{where}: found a line of more than {LONGEST:,} bytes, expected a shorter one")
    try:
        value = _DECODER.decode(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: found bytes that are not UTF-8 ({error.reason}), expected UTF-8") from error
    except (ValueError, RecursionError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else one_line(str(error))
        start = line[:60].decode("utf-8", "replace").strip()
        raise InputError(f"{where}: found {start!r}, expected one JSON object a line ({said})") from error
    if not isinstance(value, dict):
        raise InputError(f"{where}: found a JSON {type(value).__name__}, expected an object")
    return value


def _once(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(fields)
    if len(found) < len(fields):
        twice, count = Counter(name for name, _ in fields).most_common(1)[0]
        raise ValueError(f"{brief(twice)} stands {count} times")
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)


def checked_text(value: Any, where: str, what: str) -> str:
    """Return ``value`` if it is a string with something in it, else raise an error that names the place."""
    if not isinstance(value, str):
        raise InputError(f"{where}: found {brief(value)} as {what}, expected a text")
    if not value.strip():
        raise InputError(f"{where}: found {brief(value)} as {what}, expected a text that is not empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{where}: found half a surrogate pair in {brief(value)} as {what}, expected Unicode text"
        ) from None
    return value


def checked_language(value: Any, where: str, what: str = "language") -> str:
    """Return ``value`` if it is a language code, else raise an error that names the place."""
    code = checked_text(value, where, what)
    if not _LANGUAGE.fullmatch(code):
        raise InputError(f"{where}: found {what} {brief(code)}, expected a code such as 'de' or 'pt-BR'")
    if code == POOL:
        raise InputError(f"{where}: found {what} {code!r}, as results call the pool of all languages, expected another")
    return code
