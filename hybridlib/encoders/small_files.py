"""The small JSON files of an encoder's folder or hub repository: found, read and checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from transformers.utils import cached_file

from hybridlib.errors import InputError
from hybridlib.plain_text import brief

_Json = TypeVar("_Json", dict[str, Any], list[Any])


def find_file(source: str, file: str, revision: str | None) -> str | None:
    """Return where a file of the encoder's folder or repository is, or None if there is none."""
    return cached_file(
        source,
        file,
        revision=revision,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )


def read_json(source: str, file: str, revision: str | None, kind: type[_Json]) -> _Json:
    """Return the JSON object or list of a file, an empty one where there is no such file.

    Args:
        source: hub id or local folder.
        file: path inside it.
        revision: of a hub id.
        kind: ``dict`` or ``list``.

    Raises:
        InputError: if the file is no JSON or of another kind.
    """
    path = find_file(source, file, revision)
    try:
        value = json.loads(Path(path).read_bytes()) if path else kind()
    except (ValueError, RecursionError) as error:
        expected = "an object" if kind is dict else "a list"
        raise InputError(f"encoder: found no JSON in {file} of {source!r} ({error}), expected {expected}") from error
    check_kind(value, kind, f"encoder: {file} of {source!r}")
    return value


def check_kind(value: Any, kind: Any, where: str) -> None:
    """Raise InputError, which begins with ``where``, if a JSON value is not of a Python type."""
    if not isinstance(value, kind):
        raise InputError(f"{where}: found {brief(value)}, expected {getattr(kind, '__name__', kind)}")
