"""MIMO's distillation: projected student vectors follow an English-centred teacher's."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from hybridlib.errors import InputError
from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import Objective


class MIMOWarmup(Objective):
    r"""Stage 1 of MIMO (2605.31171): distillation on parallel sentences.

    .. math:: L = \frac{1}{B} \sum_i \big( 1 - \cos(W u_i + b, g_i) \big)

    with :math:`u_i` the student's vector of a text (the batch's queries) and :math:`g_i` the teacher's of its English
    version (``teacher_queries``); the passages are not used. :math:`W, b` are trained with the encoder and are no part
    of it; the class for stage 2 takes the same ``state_dict``.

    Args:
        student_dimension: d, positive.
        teacher_dimension: t, positive.
        seed: of the first values of W and b, uniform in ±1/sqrt(d) as in ``nn.Linear``.

    Example:
        >>> objective = MIMOWarmup(2, 2)
        >>> with torch.no_grad():
        ...     _ = objective.projection.weight.copy_(torch.eye(2)), objective.projection.bias.zero_()
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2), teacher_queries=torch.eye(2)[[0, 0]])
        >>> objective(batch).item()  # cosines 1 and 0
        0.5
    """

    def __init__(self, student_dimension: int, teacher_dimension: int, seed: int = 0) -> None:
        super().__init__()
        for name, size in (("student_dimension", student_dimension), ("teacher_dimension", teacher_dimension)):
            if size < 1:
                raise InputError(f"{type(self).__name__}: found {name} {size}, expected 1 or more")
        generator = torch.Generator().manual_seed(seed)
        bound = 1 / math.sqrt(student_dimension)
        self.projection: nn.Linear = nn.utils.skip_init(nn.Linear, student_dimension, teacher_dimension)
        for parameter in self.projection.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        return self.distance("queries", batch)

    def distance(self, side: str, batch: Batch) -> Tensor:
        """Return the mean of 1 - cosine between projected student and teacher, of ``queries`` or ``passages``.

        Raises:
            InputError: no teacher vectors, or vectors of other dimensions than this objective's.
        """
        name, student = type(self).__name__, getattr(batch, side)
        teacher = batch.given(f"teacher_{side}", name)
        expected = {side: self.projection.in_features, f"teacher_{side}": self.projection.out_features}
        for (label, size), vectors in zip(expected.items(), (student, teacher), strict=True):
            if vectors.shape[1] != size:
                raise InputError(f"{name}: found {label} of dimension {vectors.shape[1]}, expected {size}")
        return (1 - nn.functional.cosine_similarity(self.projection(student), teacher, dim=1)).mean()


class MIMODistillation(MIMOWarmup):
    r"""The distillation part of stage 2 of MIMO (2605.31171).

    .. math:: L = \frac{1}{2B} \sum_i \big( 1 - \cos(W u_i + b, g_i) + 1 - \cos(W v_i + b, h_i) \big)

    with :math:`g_i, h_i` the teacher's vectors of the English query and passage. The paper's whole loss is
    ``{infonce: {weight: 0.2}, mimo_distillation: {weight: 0.8, ...}}`` on cross-lingual pairs: alone this aligns
    languages and spreads too little.

    Args:
        student_dimension: d, positive.
        teacher_dimension: t, positive.
        seed: of the first values of W and b, uniform in ±1/sqrt(d) as in ``nn.Linear``.

    Example:
        >>> objective = MIMODistillation(2, 2)
        >>> with torch.no_grad():
        ...     _ = objective.projection.weight.copy_(torch.eye(2)), objective.projection.bias.zero_()
        >>> english = {"teacher_queries": torch.eye(2)[[0, 0]], "teacher_passages": torch.eye(2)}
        >>> objective(Batch(torch.eye(2), torch.eye(2), torch.arange(2), **english)).item()  # (1/2 + 0) / 2
        0.25
    """

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        return (self.distance("queries", batch) + self.distance("passages", batch)) / 2
