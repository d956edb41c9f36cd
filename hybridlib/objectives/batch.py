"""What an objective sees of a training batch: the vectors of its texts, their concepts and languages."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from hybridlib.errors import InputError

SHAPES = {
    "queries": "B d",
    "passages": "B d",
    "concepts": "B",
    "query_language": "B",
    "passage_language": "B",
    "hard_negatives": "B H d",
    "hard_negative_concepts": "B H",
    "second_queries": "B d",
    "teacher_queries": "B t",
    "teacher_passages": "B t",
    "teacher_hard_negatives": "B H t",
}
_TOLERANCE = 0.01  # of a length


@dataclass(frozen=True, eq=False)
class Batch:
    """B training pairs of at least two concepts; vectors are of unit length and held in at least float32.

    All vectors take the type of the queries: float32, or float64 where these are.

    Whole numbers are moved to the device of the queries, as a ``DataLoader`` gives them on the CPU.

    Attributes:
        queries: [B, d].
        passages: [B, d]; row i is relevant to query i.
        concepts: int [B]; texts of one concept are relevant to each other and never negatives.
        query_language: int [B], codes of any kind.
        passage_language: int [B], the same codes.
        hard_negatives: [B, H, d], passages chosen because they resemble the row's own and are not relevant.
        hard_negative_concepts: int [B, H]; without them a hard negative counts as one for every query.
        second_queries: [B, d], each row's query in another language.
        teacher_queries: [B, t], a frozen teacher's vectors of the queries, or of their versions in its own language.
        teacher_passages: [B, t], the same of the passages.
        teacher_hard_negatives: [B, H, t], the same of the hard negatives.

    Raises:
        InputError: a tensor of another shape or kind, vectors that are not of unit length (within 1 %, so that those of
            a bfloat16 encoder pass; teachers' may have any), or a batch of a single concept, which has no negatives.

    Example:
        >>> Batch(torch.eye(2, 3), torch.eye(2, 4), torch.arange(2))
        Traceback (most recent call last):
        hybridlib.errors.InputError: passages: found shape [2, 4], expected [B, d] with B = 2, d = 3
    """

    queries: Tensor
    passages: Tensor
    concepts: Tensor
    query_language: Tensor | None = None
    passage_language: Tensor | None = None
    hard_negatives: Tensor | None = None
    hard_negative_concepts: Tensor | None = None
    second_queries: Tensor | None = None
    teacher_queries: Tensor | None = None
    teacher_passages: Tensor | None = None
    teacher_hard_negatives: Tensor | None = None

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        for name in (field.name for field in fields(self)):
            tensor = getattr(self, name)
            if tensor is None:
                continue
            _check_shape(name, tensor, sizes)
            is_vector = SHAPES[name][-1] in "dt"
            if tensor.is_floating_point() != is_vector:
                kind = "floating-point vectors" if is_vector else "whole numbers"
                raise InputError(f"{name}: found {tensor.dtype}, expected {kind}")
            exact = torch.promote_types(self.queries.dtype, torch.float32)
            kept = tensor.to(exact if is_vector else self.queries.device)
            object.__setattr__(self, name, kept)
        if not (self.concepts != self.concepts[:1]).any():
            raise InputError(f"batch: found {len(self.concepts)} rows of 1 concept, expected 2 concepts or more")
        self._check_lengths()

    def _check_lengths(self) -> None:
        """Refuse vectors that nobody normalised; NaN passes, training tells of it with the step and its concepts."""
        for name in (name for name, shape in SHAPES.items() if shape.endswith("d") and getattr(self, name) is not None):
            lengths = getattr(self, name).detach().norm(dim=-1)
            away = (lengths - 1).abs()
            if (away > _TOLERANCE).any():
                found = lengths.flatten()[away.nan_to_num().argmax()].item()
                raise InputError(f"{name}: found a vector of length {found:.4g}, expected 1: normalise them first")

    def given(self, name: str, objective: str) -> Tensor:
        """Return an optional tensor that ``objective`` cannot do without.

        Raises:
            InputError: the batch has none.
        """
        tensor = getattr(self, name)
        if tensor is None:
            raise InputError(f"{objective}: found no {name}, expected {_shown(name)}")
        return tensor


def _check_shape(name: str, tensor: Tensor, sizes: dict[str, int]) -> None:
    dimensions = SHAPES[name].split()
    known = {dimension: sizes[dimension] for dimension in dimensions if dimension in sizes}
    shape = list(tensor.shape)
    if len(shape) != len(dimensions) or any(
        known.get(dimension, size) != size for dimension, size in zip(dimensions, shape, strict=True)
    ):
        wanted = ", ".join(f"{dimension} = {size}" for dimension, size in known.items())
        raise InputError(f"{name}: found shape {shape}, expected {_shown(name)}{wanted and f' with {wanted}'}")
    sizes.update(zip(dimensions, shape, strict=True))


def _shown(name: str) -> str:
    return f"[{', '.join(SHAPES[name].split())}]"
