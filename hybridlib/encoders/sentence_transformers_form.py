"""The files by which sentence-transformers knows an encoder's modules, pooling and prompts: read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from hybridlib.encoders.pooling import POOLINGS, Pooling
from hybridlib.encoders.small_files import check_kind, find_file, read_json
from hybridlib.errors import InputError
from hybridlib.plain_text import brief

MODULES = "modules.json"
PROMPTS = "config_sentence_transformers.json"
_PACKAGE = "sentence_transformers."
_EXPECTED = "expected a Transformer, a Pooling and after it at most Normalize"
_OLD = "pooling_mode_"  # what names of flags begin with in the form before `pooling_mode`
_OLD_FLAGS: Mapping[Pooling, str] = {"mean": f"{_OLD}mean_tokens", "cls": f"{_OLD}cls_token"}


def read_pooling(source: str, revision: str | None) -> Pooling:
    """Return how an encoder pools its token vectors: as its Pooling module says, the mean where it lists no modules.

    Args:
        source: hub id or local folder.
        revision: of a hub id.

    Raises:
        InputError: if it has other modules than one Transformer, one Pooling and Normalize, pools in another way than
            one of :data:`.POOLINGS`, leaves the prompt out of its pooling, or lacks the file that tells.
    """
    if find_file(source, MODULES, revision) is None:
        return "mean"
    where = f"{MODULES} of {source!r}"
    modules = read_json(source, MODULES, revision, list)
    kinds = [_kind(module, where) for module in modules]
    if kinds[:2] != ["Transformer", "Pooling"] or "Transformer" in kinds[2:] or "Pooling" in kinds[2:]:
        raise InputError(f"encoder: found the modules {brief(kinds)} in {where}, {_EXPECTED}")
    folder = modules[1].get("path")
    if not isinstance(folder, str) or folder in ("", "..") or Path(folder).name != folder:
        raise InputError(f"encoder: found the path {brief(folder)} of Pooling in {where}, expected a folder beside it")
    file = f"{folder}/config.json"
    if find_file(source, file, revision) is None:
        raise InputError(f"encoder: found no {file} in {source!r}, expected it, as {MODULES} names it")
    return _pooling(read_json(source, file, revision, dict), f"{file} of {source!r}")


def write_form(
    folder: Path,
    prefixes: Mapping[Literal["query", "passage"], str],
    pooling: Pooling,
    dimension: int,
    max_length: int,
) -> None:
    """Write what sentence-transformers needs to embed as the encoder in ``folder`` does.

    Args:
        folder: holds the model and its tokenizer.
        prefixes: of ``query`` and ``passage``; sentence-transformers calls a passage ``document``.
        pooling: how token vectors become one.
        dimension: of a token vector.
        max_length: tokens a text.
    """
    paths = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"{_PACKAGE}models.{kind}"}
        for number, (kind, path) in enumerate(paths.items())
    ]
    # The names of modules and of flags are the old ones, which old and new versions of sentence-transformers read.
    flags = {flag: name == pooling for name, flag in _OLD_FLAGS.items()}
    prompts = {"query": prefixes["query"], "passage": prefixes["passage"], "document": prefixes["passage"]}
    (folder / paths["Pooling"]).mkdir()
    _write(folder / paths["Pooling"] / "config.json", {"word_embedding_dimension": dimension, **flags})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    _write(folder / PROMPTS, {"prompts": prompts})
    _write(folder / MODULES, modules)


def _kind(module: Any, where: str) -> str:
    """Return the name of a module that is known here."""
    check_kind(module, dict, f"encoder: {where}")
    name = module.get("type")
    kind = name.rpartition(".")[2] if isinstance(name, str) and name.startswith(_PACKAGE) else None
    if kind not in ("Transformer", "Pooling", "Normalize"):
        raise InputError(f"encoder: found the module {brief(name)} in {where}, {_EXPECTED}")
    return kind


def _pooling(config: dict[str, Any], where: str) -> Pooling:
    """Return the one way of pooling that a Pooling module's settings name, in their old form or their new one."""
    if config.get("include_prompt", True) is not True:
        raise InputError(
            f"encoder: found include_prompt {brief(config['include_prompt'])} in {where}, expected true: "
            "a prefix is pooled with its text"
        )
    names = {flag: name for name, flag in _OLD_FLAGS.items()}
    flags = [key for key, value in config.items() if key.startswith(_OLD) and value]
    # As sentence-transformers reads it: the new key goes before the flags, and without either the mean is meant.
    found = config.get("pooling_mode", [names.get(key, key) for key in flags] or "mean")
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    for pooling in POOLINGS:
        if found == pooling:
            return pooling
    raise InputError(f"encoder: found the pooling {brief(found)} in {where}, expected {' or '.join(POOLINGS)}")


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
