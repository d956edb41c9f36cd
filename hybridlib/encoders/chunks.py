"""Chunks of rows that go through the model together: those of like length, so that padding is short."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hybridlib.errors import InputError

__all__ = ["pad", "row_chunks", "token_chunks"]

_MULTIPLE = 8  # each new shape costs a CPU the compilation of its matrix kernels


def row_chunks(lengths: Sequence[int], rows: int) -> list[list[int]]:
    """Divide rows, sorted by length, into chunks of a number of rows; the last may have fewer.

    Args:
        lengths: tokens of each row.
        rows: rows a chunk.

    Returns:
        Row numbers of each chunk; each row occurs once.

    Raises:
        InputError: if ``rows`` is below 1.

    Example:
        >>> row_chunks([9, 2, 5], rows=2)
        [[1, 2], [0]]
    """
    if rows < 1:
        raise InputError(f"chunk: found {rows} rows, expected at least 1")
    order = _by_length(lengths)
    return [order[start : start + rows] for start in range(0, len(order), rows)]


def token_chunks(lengths: Sequence[int], tokens: int) -> list[list[int]]:
    """Divide rows, sorted by length, into chunks as large as fit into a number of tokens, padding included.

    A row that alone is longer is a chunk of its own. Memory of a chunk's activations goes with its tokens, so this
    bounds it where texts are long and fills it where they are short.

    Args:
        lengths: tokens of each row.
        tokens: rows of a chunk times their padded length, at most.

    Returns:
        Row numbers of each chunk; each row occurs once.

    Raises:
        InputError: if ``tokens`` is below 1.

    Example:
        >>> token_chunks([9, 2, 5, 8], tokens=24)  # three rows of 8 tokens, then one of 16
        [[1, 2, 3], [0]]
    """
    if tokens < 1:
        raise InputError(f"chunk: found {tokens} tokens, expected at least 1")
    chunks: list[list[int]] = []
    for row in _by_length(lengths):
        if not chunks or (len(chunks[-1]) + 1) * _padded(lengths[row]) > tokens:
            chunks.append([])
        chunks[-1].append(row)
    return chunks


def pad(words: Tensor, lengths: Sequence[int], max_length: int) -> tuple[Tensor, Tensor]:
    """Set rows of word vectors in a block, as wide as the longest rounded up to a multiple of 8.

    Args:
        words: [sum of lengths, width], one row's after the other.
        lengths: tokens of each row.
        max_length: rounding up ends here.

    Returns:
        Block [rows, tokens, width] with zeros behind a row's end, and its mask, bool [rows, tokens].

    Example:
        >>> block, mask = pad(torch.ones(5, 2), [1, 4], max_length=6)
        >>> tuple(block.shape), mask.sum(1).tolist()
        ((2, 6, 2), [1, 4])
    """
    longest = max(lengths)
    width = min(_padded(longest), max(longest, max_length))
    mask = (torch.arange(width)[None] < torch.tensor(lengths)[:, None]).to(words.device)
    block = words.new_zeros(*mask.shape, words.shape[-1])
    block[mask] = words
    return block, mask


def _padded(length: int) -> int:
    return -(-length // _MULTIPLE) * _MULTIPLE


def _by_length(lengths: Sequence[int]) -> list[int]:
    """Return row numbers, the shortest row first, equal lengths as given."""
    return sorted(range(len(lengths)), key=lengths.__getitem__)
