"""Reading text files line by line, plain or gzipped, with errors that name file and line."""

from __future__ import annotations

import gzip
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from hybridlib.errors import InputError


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
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
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
