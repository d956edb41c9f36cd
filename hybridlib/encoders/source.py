"""What an encoder's folder or repository says of itself, checked before anything of it is loaded.

Weights are read from safetensors alone, and no code of a repository is run: who asks for either is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from transformers.utils import cached_file

from hybridlib.errors import InputError
from hybridlib.plain_text import brief

Role = Literal["query", "passage"]
SETTINGS = "hybridlib.json"
PROMPTS = "config_sentence_transformers.json"
E5: Mapping[Role, str] = MappingProxyType({"query": "query: ", "passage": "passage: "})
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True)
class Settings:
    """What a saved encoder says beside its weights.

    Attributes:
        prefixes: text put before a query and before a passage.
        kept_ids: int64 [pieces], which rows of the full vocabulary are kept, if it was trimmed.
        source: name of the encoder with the full vocabulary; of one that was not trimmed, its own.
        revision: of that, if it is a hub id.
    """

    prefixes: dict[Role, str]
    kept_ids: np.ndarray | None
    source: str
    revision: str | None


def check_source(source: str, revision: str | None) -> None:
    """Raise for an encoder that has no safetensors, asks for code of its own, or is an adapter of another one.

    Args:
        source: hub id or local folder.
        revision: of a hub id.

    Raises:
        InputError: naming the file, what it asks for, and what was expected.
    """
    for file in ("config.json", "tokenizer_config.json"):
        for key, value in _entries(_read_object(source, file, revision)):
            foreign = key == "auto_map" and value
            kernel = key.endswith("_implementation") and "/" in json.dumps(value)
            if foreign or kernel:
                raise InputError(
                    f"encoder: found {key}: {brief(value)} in {file} of {source!r}, which asks for code of its own, "
                    "expected an encoder that transformers knows: no code of a repository is run"
                )
    folder = Path(source)
    if folder.is_dir():
        names = sorted(file.name for file in folder.iterdir())
        pickles = [name for name in names if name.endswith(_PICKLES)]
        if not any(name in names for name in _WEIGHTS):
            found = f"{', '.join(pickles)}, which is not opened," if pickles else "no weights"
            raise InputError(f"encoder: found {found} in {source!r}, expected safetensors weights, {_WEIGHTS[0]}")
        if "adapter_config.json" in names:
            raise InputError(f"encoder: found adapter_config.json in {source!r}, expected whole weights, no adapter")
        index = _read_object(source, _WEIGHTS[1], None).get("weight_map", {})
        outside = [name for name in index.values() if not isinstance(name, str) or Path(name).name != name]
        if outside:
            raise InputError(
                f"encoder: found {brief(outside[0])} in {_WEIGHTS[1]} of {source!r}, expected files of this folder"
            )


def read_settings(source: str, name: str, revision: str | None) -> Settings:
    """Read an encoder's prefixes and, of one that was trimmed, what it was trimmed from.

    Prefixes are the prompts of sentence-transformers' metadata. An encoder without such metadata gets those of E5; one
    that was made with sentence-transformers and names none was trained without, save E5 itself.

    Args:
        source: hub id or local folder.
        name: under which it is loaded.
        revision: of a hub id.

    Raises:
        InputError: naming the file and the value that is wrong.
    """
    prompts = _read_object(source, PROMPTS, revision).get("prompts")
    if prompts is None and "e5" not in name.lower() and _file(source, "modules.json", revision):
        prompts = {}
    prefixes = dict(E5)
    if prompts is not None:
        where = f"encoder: {PROMPTS} of {source!r}: prompts"
        _check(prompts, dict, where)
        prefixes = {"query": prompts.get("query", ""), "passage": prompts.get("passage", prompts.get("document", ""))}
        for prefix in prefixes.values():
            _check(prefix, str, where)
    trimmed = _read_object(source, SETTINGS, revision)
    if "kept_ids" not in trimmed:
        return Settings(prefixes, None, name, revision)
    where = f"encoder: {SETTINGS} of {source!r}"
    _check(trimmed["kept_ids"], list, f"{where}: kept_ids")
    for number in trimmed["kept_ids"]:
        _check(number, int, f"{where}: kept_ids")
    _check(trimmed.get("source"), str, f"{where}: source")
    _check(trimmed.get("revision"), str | None, f"{where}: revision")
    kept = np.asarray(trimmed["kept_ids"], dtype=np.int64)
    return Settings(prefixes, kept, trimmed["source"], trimmed.get("revision"))


def _check(value: Any, kind: Any, where: str) -> None:
    if not isinstance(value, kind):
        raise InputError(f"{where}: found {brief(value)}, expected {getattr(kind, '__name__', kind)}")


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every name in a JSON value with what it stands for."""
    if isinstance(value, dict):
        yield from value.items()
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _entries(part)


def _file(source: str, file: str, revision: str | None) -> str | None:
    """Return where a file of the encoder's folder or repository is, or None if there is none."""
    return cached_file(
        source,
        file,
        revision=revision,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )


def _read_object(source: str, file: str, revision: str | None) -> dict[str, Any]:
    """Return a JSON object of the encoder's folder or repository, an empty one where there is no such file."""
    path = _file(source, file, revision)
    try:
        value = json.loads(Path(path).read_bytes()) if path else {}
    except (ValueError, RecursionError) as error:
        raise InputError(f"encoder: found no JSON in {file} of {source!r} ({error}), expected an object") from error
    _check(value, dict, f"encoder: {file} of {source!r}")
    return value
