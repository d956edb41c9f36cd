"""Reading text files line by line, plain or gzipped, with errors that name file and line."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from hybridlib.errors import InputError

_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_DAMAGED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)


@contextmanager
def open_bytes(path: Path, member: str | None = None) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes: plain, ``.gz``, or the ``member`` of a ``.zip``."""
    if path.suffix == ".gz":
        with gzip.open(path) as stream:
            yield cast(IO[bytes], stream)
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            inside = [name for name in archive.namelist() if Path(name).name == member]
            if len(inside) != 1:
                raise InputError(f"{path}: found {len(inside)} members named {member}, expected one")
            with archive.open(inside[0]) as stream:
                yield stream
    else:
        with path.open("rb") as stream:
            yield stream


def json_lines(path: Path, member: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ``("file:line", object)`` for each line that is not blank.

    Raises:
        InputError: for a missing or cut file, and for a line that is not a JSON object in UTF-8.
    """
    where = f"{path}"
    try:
        with open_bytes(path, member) as stream:
            for number, line in enumerate(stream, start=1):
                where = f"{path}:{number}"
                if line.strip():
                    yield where, _json_object(line, where)
    except FileNotFoundError:
        raise InputError(f"{path}: found no such file, expected JSON lines (.jsonl, .jsonl.gz)") from None
    except _DAMAGED as error:
        raise InputError(f"{where}: found a cut or damaged archive ({error}), expected a whole one") from error


def csv_lines(path: Path, delimiter: str, *, quoted: bool = True) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ``("file:line", {column: value})`` for each row below the line of column names; blank lines are skipped.

    Args:
        path: a file in UTF-8, plain or ``.gz``.
        delimiter: what stands between two values.
        quoted: whether ``"`` around a value quotes it (RFC 4180), or is a character like others.

    Raises:
        InputError: for a missing or cut file, and for a row with more or fewer values than there are columns.
    """
    where = f"{path}"
    try:
        with open_bytes(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
            reader = csv.reader(
                text, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, strict=True
            )
            columns: list[str] = []
            for row in reader:
                where = f"{path}:{reader.line_num}"
                if not columns:
                    columns = row
                elif row and len(row) != len(columns):
                    raise InputError(f"{where}: found {len(row)} values, expected {len(columns)}: {', '.join(columns)}")
                elif row:
                    yield where, dict(zip(columns, row, strict=True))
    except FileNotFoundError:
        raise InputError(f"{path}: found no such file, expected lines of values below their names") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: found bytes that are not UTF-8 ({error.reason}), expected UTF-8") from error
    except csv.Error as error:
        raise InputError(
            f"{path}:{reader.line_num}: found a line that cannot be divided ({error}), "
            f"expected values with {delimiter!r} between them"
        ) from error
    except _DAMAGED as error:
        raise InputError(f"{where}: found a cut or damaged archive ({error}), expected a whole one") from error


def _json_object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: found bytes that are not UTF-8 ({error.reason}), expected UTF-8") from error
    except json.JSONDecodeError as error:
        start = line[:60].decode("utf-8", "replace").strip()
        raise InputError(f"{where}: found {start!r}, expected one JSON object a line ({error.msg})") from error
    if not isinstance(value, dict):
        raise InputError(f"{where}: found a JSON {type(value).__name__}, expected an object")
    return value


def checked_text(value: Any, where: str, what: str) -> str:
    """Return ``value`` if it is a string with something in it, else raise an error that names the place."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: found {value!r} as {what}, expected a text that is not empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{where}: found half a surrogate pair in {value!r} as {what}, expected Unicode text"
        ) from None
    return value


def checked_language(value: Any, where: str, what: str = "language") -> str:
    """Return ``value`` if it is a language code, else raise an error that names the place."""
    code = checked_text(value, where, what)
    if not _LANGUAGE.fullmatch(code):
        raise InputError(f"{where}: found {what} {code!r}, expected a code such as 'de' or 'pt-BR'")
    return code
