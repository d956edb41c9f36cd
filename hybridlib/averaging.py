"""The hybrid in weight space: one encoder between two that were trained from the same start."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hybridlib.cache import new_folder
from hybridlib.encoders.source import read_settings
from hybridlib.errors import InputError

__all__ = ["average"]

_WEIGHTS = "model.safetensors"
_OF_GENERATION = ("bos_token_id", "eos_token_id", "pad_token_id", "use_cache")  # no encoder looks at them
# Files that must agree, and keys of them that say nothing of the encoder.
_SETTINGS: dict[str, set[str]] = {
    "config.json": {"_name_or_path", "transformers_version", *_OF_GENERATION},
    "hybridlib.json": set(),
    "tokenizer.json": {"truncation", "padding"},
}
_OPTIONAL = ("hybridlib.json",)  # sentence-transformers writes none
_POOLER = re.compile(r"(.*\.)?pooler\..*")  # behind what is read of an encoder; some programs save it, some do not


def average(first: Path, second: Path, out: Path, weight: float = 0.5) -> None:
    r"""Interpolate the weights of two encoders and write the encoder between them.

    .. math:: \theta = (1 - w) \theta_1 + w \theta_2

    Encoders fine-tuned from the same weights, say one on monolingual and one on cross-lingual batches, are often
    joined by a line of good ones (WiSE-FT, Wortsman et al., arXiv 2109.01903; model soups, arXiv 2203.05482).

    Args:
        first: an encoder's folder as ``DualEncoder.save`` or sentence-transformers writes it, or a run's folder with
            one in ``encoder/``.
        second: another with the same architecture, vocabulary, prefixes, pooling and shapes.
        out: the new encoder's folder, in the same form; must not exist.
        weight: w, from 0 (the first encoder) to 1 (the second).

    Raises:
        InputError: the weight is outside [0, 1], ``out`` exists, a folder has no encoder, or the two do not fit: in
            architecture, vocabulary, shapes, or a buffer of whole numbers.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"weight: found {weight}, expected a number from 0 to 1")
    if out.exists():
        raise InputError(f"{out}: found an existing file or folder, expected a new one")
    first, second = _encoder_folder(first), _encoder_folder(second)
    _check_alike(first, second)
    start, end = _fitting_weights(first, second)
    with new_folder(out) as new:
        shutil.copytree(first, new, ignore=shutil.ignore_patterns(_WEIGHTS), dirs_exist_ok=True)
        between = {name: _between(start[name], end[name], weight) for name in start}
        save_file(between, new / _WEIGHTS, metadata={"format": "pt"})
        shutil.copymode(first / _WEIGHTS, new / _WEIGHTS)


def _check_alike(first: Path, second: Path) -> None:
    """Raise unless two encoders say the same of architecture, vocabulary, prefixes and pooling."""
    for file, passed_over in _SETTINGS.items():
        if file in _OPTIONAL and not ((first / file).exists() and (second / file).exists()):
            continue
        ours, theirs = _read_json(first / file), _read_json(second / file)
        other = sorted(key for key in ours | theirs if ours.get(key) != theirs.get(key) and key not in passed_over)
        if other:
            raise InputError(f"{second / file}: found another {', '.join(other)}, expected as in {first / file}")
    said, told = (read_settings(str(folder), str(folder), None) for folder in (first, second))
    for name in ("prefixes", "pooling"):
        found, expected = getattr(told, name), getattr(said, name)
        if found != expected:
            raise InputError(f"{second}: found the {name} {found!r}, expected {expected!r} as in {first}")


def _fitting_weights(first: Path, second: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Read the weights of two encoders; raise unless they have the same names and shapes."""
    start, end = _read_weights(first), _read_weights(second)
    for one, other in ((start, end), (end, start)):
        for name in [name for name in one if _POOLER.fullmatch(name) and name not in other]:
            del one[name]
    for name in sorted(start | end):
        found, expected = (_described(weights, name) for weights in (end, start))
        if found != expected:
            raise InputError(f"{second / _WEIGHTS}: found {name} {found}, expected {expected} as in {first / _WEIGHTS}")
        if not start[name].is_floating_point() and not torch.equal(start[name], end[name]):
            raise InputError(
                f"{second / _WEIGHTS}: found other numbers in {name} ({found}), expected those of {first / _WEIGHTS}: "
                "whole numbers have no mean"
            )
    return start, end


def _between(start: Tensor, end: Tensor, weight: float) -> Tensor:
    """Interpolate; what is no floating point number, such as a buffer of positions, is the same in both."""
    return torch.lerp(start, end, weight) if start.is_floating_point() else start


def _encoder_folder(path: Path) -> Path:
    """Return the folder of weights at ``path`` or, for a run, in its ``encoder``."""
    for folder in (path, path / "encoder"):
        if (folder / _WEIGHTS).is_file():
            return folder
    raise InputError(f"{path}: found no {_WEIGHTS}, expected the folder of an encoder or of a run with one")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: found {error}, expected a JSON file of a saved encoder") from None


def _read_weights(folder: Path) -> dict[str, Tensor]:
    try:
        return load_file(folder / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{folder / _WEIGHTS}: found {error}, expected a safetensors file") from None


def _described(weights: dict[str, Tensor], name: str) -> str:
    return f"{weights[name].dtype} {list(weights[name].shape)}" if name in weights else "missing"
