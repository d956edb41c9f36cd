"""Vectors that were computed before: kept on disk by the hash of weights, precision and token ids."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence

import numpy as np
import torch

from hybridlib.cache import cache_folder, replace_file
from hybridlib.encoders.encoder import DualEncoder

log = logging.getLogger(__name__)


def cached_vectors(encoder: DualEncoder, rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Return ``encoder.encode_rows(rows)``, from the cache where it is there; float32 [n, dimension].

    Token ids stand for texts, prefix and tokenizer. A damaged entry is computed again.
    """
    key = _key(encoder, rows)
    file = cache_folder() / "embeddings" / f"{key}.npy"
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
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, content + hashlib.sha256(content).digest())
    return vectors


def _key(encoder: DualEncoder, rows: Sequence[Sequence[int]]) -> str:
    digest = hashlib.sha256()
    for name, tensor in encoder.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
    digest.update(f"bfloat16 {encoder.uses_bfloat16} threads {torch.get_num_threads()}".encode())
    for row in rows:
        digest.update(np.asarray([len(row), *row], dtype=np.int64).tobytes())
    return digest.hexdigest()
