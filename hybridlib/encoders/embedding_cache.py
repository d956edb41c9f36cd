"""Vectors that were computed before: kept on disk by the hash of model, precision, pooling and token ids."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hybridlib.cache import cache_folder, replace_file
from hybridlib.encoders.encoder import DualEncoder, Role

log = logging.getLogger(__name__)
_CHUNK = 1 << 15
_IN_MEMORY = 1 << 20
# Of a model's configuration: names and versions, and what the weights say themselves. Loading and saving change these.
_UNNAMED = {"_name_or_path", "architectures", "dtype", "transformers_version", "vocab_size"}


def cached_vectors(encoder: DualEncoder, rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Return ``encoder.encode_rows(rows)``, from the cache where it is there; float32 [n, dimension].

    Token ids stand for texts, prefix and tokenizer. A damaged entry is computed again.
    """
    return _cached(encoder, rows, _weights(encoder))


def cached_text_vectors(encoder: DualEncoder, texts: Sequence[str], role: Role) -> np.ndarray:
    """Embed any number of texts, from the cache where they are there; float32 [n, dimension].

    A computation that was stopped goes on with the first 32,768 texts that are missing; damaged ones are computed
    again. The vectors of more than a million texts are written to one file and memory-mapped.

    Args:
        encoder: what embeds.
        texts: a list, or a column of a ``datasets.Dataset``: one part at a time is read.
        role: query or passage.
    """
    weights = _weights(encoder)
    if len(texts) > _IN_MEMORY:
        return _in_file(encoder, texts, role, weights)
    parts = [np.empty((0, encoder.dimension), dtype=np.float32)]
    for start in range(0, len(texts), _CHUNK):
        parts.append(_cached(encoder, encoder.tokenize(list(texts[start : start + _CHUNK]), role), weights))
        log.info("%s: %d of %d texts", role, min(start + _CHUNK, len(texts)), len(texts))
    return np.concatenate(parts)


def hash_of(tensors: Mapping[str, torch.Tensor]) -> hashlib._Hash:
    """Return the SHA-256 of tensors: names, kinds, shapes and values."""
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest


def _cached(encoder: DualEncoder, rows: Sequence[Sequence[int]], weights: bytes) -> np.ndarray:
    digest = hashlib.sha256(weights)
    for row in rows:
        digest.update(np.asarray([len(row), *row], dtype=np.int64).tobytes())
    file = _file(digest.hexdigest())
    if file.exists():
        data = file.read_bytes()
        content, checksum = data[:-32], data[-32:]
        if hashlib.sha256(content).digest() == checksum:
            return np.load(io.BytesIO(content), allow_pickle=False)
        log.warning("%s: found a damaged cache entry, computing it again", file)
    vectors = encoder.encode_rows(rows)
    stream = io.BytesIO()
    np.save(stream, vectors, allow_pickle=False)
    content = stream.getvalue()
    replace_file(file, content + hashlib.sha256(content).digest())
    return vectors


def _in_file(encoder: DualEncoder, texts: Sequence[str], role: Role, weights: bytes) -> np.ndarray:
    """Embed part after part into one file, beside which stand the hashes of the parts; return it memory-mapped."""
    digest = hashlib.sha256(weights + f"{role} {encoder.prefixes[role]} {encoder.max_length}".encode())
    tokenizer = json.loads(encoder.tokenizer.backend_tokenizer.to_str())
    tokenizer |= {"truncation": None, "padding": None}  # what the last call left there
    digest.update(json.dumps(tokenizer).encode())
    for start in range(0, len(texts), _CHUNK):
        for text in texts[start : start + _CHUNK]:
            data = text.encode()
            digest.update(len(data).to_bytes(8, "little") + data)
    file = _file(digest.hexdigest())
    shape = len(texts), encoder.dimension
    sums = _sums(file, shape)
    vectors = np.lib.format.open_memmap(file, "r+" if sums else "w+", np.float32, shape)
    for number, start in enumerate(range(0, len(texts), _CHUNK)):
        part = vectors[start : start + _CHUNK]
        if number < len(sums):
            if hashlib.sha256(part.data).hexdigest() == sums[number]:
                continue
            log.warning("%s: found texts %d to %d damaged, computing them again", file, start, start + len(part))
        part[:] = encoder.encode_rows(encoder.tokenize(list(texts[start : start + _CHUNK]), role))
        vectors.flush()
        sums[number : number + 1] = [hashlib.sha256(part.data).hexdigest()]
        replace_file(file.with_suffix(".sha256"), "\n".join(sums).encode())
        log.info("%s: %d of %d texts", role, start + len(part), len(texts))
    return np.load(file, mmap_mode="r", allow_pickle=False)


def _sums(file: Path, shape: tuple[int, int]) -> list[str]:
    """Return the SHA-256 of each part that is done; none if the file does not hold an array of this shape."""
    record = file.with_suffix(".sha256")
    if not (file.exists() and record.exists()):
        return []
    try:
        if np.load(file, mmap_mode="r", allow_pickle=False).shape == shape:
            return record.read_text().split()
    except (OSError, ValueError, EOFError):
        pass
    log.warning("%s: found a damaged cache entry, computing it again", file)
    return []


def _file(key: str) -> Path:
    folder = cache_folder() / "embeddings"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{key}.npy"


def _weights(encoder: DualEncoder) -> bytes:
    """Hash the weights and what else the numbers depend on."""
    digest = hash_of(encoder.state_dict())
    digest.update(f"bfloat16 {encoder.uses_bfloat16} threads {torch.get_num_threads()}".encode())
    digest.update(f" pooling {encoder.pooling} model {type(encoder.model).__name__} ".encode())
    digest.update(json.dumps(_settings(encoder.model.config.to_dict()), sort_keys=True, default=str).encode())
    return digest.digest()


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """Return what of a configuration can change vectors; of the token ids, that of padding, which numbers positions."""
    ids = {name for name in config if name.endswith("_token_id")} - {"pad_token_id"}
    return {name: value for name, value in config.items() if name not in _UNNAMED | ids}
