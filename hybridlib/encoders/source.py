"""What an encoder's folder or repository says of itself, checked before anything of it is loaded.

Weights are read from safetensors alone, and no code of a repository is run: who asks for either is refused by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from hybridlib.encoders.pooling import Pooling
from hybridlib.encoders.sentence_transformers_form import PROMPTS, read_pooling
from hybridlib.encoders.small_files import check_kind, read_json
from hybridlib.errors import InputError
from hybridlib.plain_text import brief

Role = Literal["query", "passage"]
SETTINGS = "hybridlib.json"
E5: Mapping[Role, str] = MappingProxyType({"query": "query: ", "passage": "passage: "})
_OF_E5 = re.compile(r"(?<![a-z0-9])e5(?![a-z0-9])")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True)
class Settings:
    """What a saved encoder says beside its weights.

    Attributes:
        prefixes: text put before a query and before a passage.
        kept_ids: int64 [pieces], which rows of the full vocabulary are kept, if it was trimmed.
        source: name of the encoder with the full vocabulary; of one that was not trimmed, its own. Of a local folder it
            is the absolute path.
        revision: of that, if it is a hub id.
        pooling: how token vectors become one.
    """

    prefixes: dict[Role, str]
    kept_ids: np.ndarray | None
    source: str
    revision: str | None
    pooling: Pooling


def lasting_name(name: str) -> str:
    """Return a name that means the same encoder from any working directory: of a local folder, its absolute path."""
    if name == "tiny" or name.startswith("bundled:") or not Path(name).is_dir():
        return name
    return str(Path(name).absolute())


def check_source(source: str, revision: str | None) -> None:
    """Raise for an encoder that has no safetensors, asks for code of its own, or is an adapter of another one.

    Args:
        source: hub id or local folder.
        revision: of a hub id.

    Raises:
        InputError: naming the file, what it asks for, and what was expected.
    """
    for file in ("config.json", "tokenizer_config.json"):
        for key, value in _entries(read_json(source, file, revision, dict)):
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
        index = read_json(source, _WEIGHTS[1], None, dict).get("weight_map", {})
        outside = [name for name in index.values() if not isinstance(name, str) or Path(name).name != name]
        if outside:
            raise InputError(
                f"encoder: found {brief(outside[0])} in {_WEIGHTS[1]} of {source!r}, expected files of this folder"
            )


def read_settings(source: str, name: str, revision: str | None) -> Settings:
    """Read an encoder's prefixes, its pooling and, of one that was trimmed, what it was trimmed from.

    Prefixes are the prompts of sentence-transformers' metadata. An encoder that names none has none, save those of the
    family E5, whose files do not tell them: these are known by the word "e5" in the last part of their name.

    Args:
        source: hub id or local folder.
        name: under which it is loaded.
        revision: of a hub id.

    Raises:
        InputError: naming the file and the value that is wrong, or the module or pooling that is not known here.
    """
    pooling = read_pooling(source, revision)
    prompts = read_json(source, PROMPTS, revision, dict).get("prompts")
    prefixes = dict(E5) if _OF_E5.search(Path(name).name.lower()) else dict.fromkeys(E5, "")
    if prompts is not None:
        where = f"encoder: {PROMPTS} of {source!r}: prompts"
        check_kind(prompts, dict, where)
        prefixes = {"query": prompts.get("query", ""), "passage": prompts.get("passage", prompts.get("document", ""))}
        for prefix in prefixes.values():
            check_kind(prefix, str, where)
    trimmed = read_json(source, SETTINGS, revision, dict)
    if "kept_ids" not in trimmed:
        return Settings(prefixes, None, lasting_name(name), revision, pooling)
    where = f"encoder: {SETTINGS} of {source!r}"
    check_kind(trimmed["kept_ids"], list, f"{where}: kept_ids")
    for number in trimmed["kept_ids"]:
        check_kind(number, int, f"{where}: kept_ids")
    check_kind(trimmed.get("source"), str, f"{where}: source")
    check_kind(trimmed.get("revision"), str | None, f"{where}: revision")
    kept = np.asarray(trimmed["kept_ids"], dtype=np.int64)
    return Settings(prefixes, kept, trimmed["source"], trimmed.get("revision"), pooling)


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every name in a JSON value with what it stands for."""
    if isinstance(value, dict):
        yield from value.items()
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _entries(part)
