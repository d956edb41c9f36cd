"""A memory bank (cross-batch memory): passages of past batches as further negatives."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hybridlib.errors import InputError
from hybridlib.objectives.objective import check_at_least


class MemoryBank(nn.Module):
    r"""A queue of the last passage vectors and their concepts (XBM; Wang et al., CVPR 2020, arXiv 1912.06798).

    Vectors of a few hundred steps ago are near those that the encoder would give now ("slow drift"), save while the
    weights move fast; so the first ``warmup`` batches are not kept. Vectors are stored without graph; the bank has no
    parameters, only buffers, so ``state_dict``, ``load_state_dict`` and ``to`` cover it.

    Args:
        size: vectors kept.
        dimension: of a vector.
        warmup: batches at the start that are not kept.

    Raises:
        InputError: if ``size`` or ``dimension`` is below 1, or ``warmup`` below 0.

    Example:
        >>> bank = MemoryBank(size=3, dimension=2)
        >>> bank.push(torch.eye(2), torch.tensor([4, 5]))
        >>> bank.push(torch.eye(2), torch.tensor([6, 7]))
        >>> vectors, concepts = bank.negatives()
        >>> tuple(vectors.shape), sorted(concepts.tolist())
        ((3, 2), [5, 6, 7])
    """

    vectors: Tensor
    concepts: Tensor
    pushes: Tensor
    stored: Tensor

    def __init__(self, size: int, dimension: int, *, warmup: int = 0) -> None:
        super().__init__()
        for name, value, least in (("size", size, 1), ("dimension", dimension, 1), ("warmup", warmup, 0)):
            check_at_least("MemoryBank", name, value, least)
        self.size, self.warmup = size, warmup
        self.register_buffer("vectors", torch.zeros(size, dimension))
        self.register_buffer("concepts", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("pushes", torch.zeros((), dtype=torch.int64))
        self.register_buffer("stored", torch.zeros((), dtype=torch.int64))

    def push(self, passages: Tensor, concepts: Tensor) -> None:
        """Store a batch, once a step after its loss; it takes the places of the oldest vectors.

        Args:
            passages: [B, dimension]; of more than ``size`` the last ones are kept.
            concepts: int [B], numbers that name the same concept in every batch.

        Raises:
            InputError: if the shapes do not fit.
        """
        expected = (len(concepts), self.vectors.shape[1])
        if tuple(passages.shape) != expected:
            raise InputError(f"MemoryBank: found passages of shape {tuple(passages.shape)}, expected {expected}")
        self.pushes += 1
        if self.pushes <= self.warmup:
            return
        kept = min(len(passages), self.size)
        places = (self.stored + torch.arange(kept, device=self.stored.device)) % self.size
        self.vectors[places] = passages[-kept:].detach().to(self.vectors)
        self.concepts[places] = concepts[-kept:].to(self.concepts)
        self.stored += kept

    def negatives(self) -> tuple[Tensor, Tensor]:
        """Return copies of what is stored, in no particular order: vectors [m, dimension], concepts int64 [m]."""
        filled = min(int(self.stored), self.size)
        return self.vectors[:filled].clone(), self.concepts[:filled].clone()
