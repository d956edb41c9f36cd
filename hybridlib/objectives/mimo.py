"""MIMO's distillation: projected student vectors follow an English-centred teacher's."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import Objective, check_at_least, check_dimension


class MIMODistillation(Objective):
    r"""The distance between projected student and teacher, in both stages of MIMO (2605.31171).

    .. math:: L = \frac{1}{2B} \sum_i \big( 1 - \cos(W u_i + b, g_i) + 1 - \cos(W v_i + b, h_i) \big)

    with :math:`g_i, h_i` the teacher's vectors of the English versions of query and passage. :math:`W, b` are trained
    with the encoder and are no part of it; a stage takes up the ``state_dict`` of the one before.

    - Stage 1, on parallel sentences: this alone. Both texts of a pair are sentences in another language, each with
      its English version as teacher text; 2B sentences are B pairs, in any order.
    - Stage 2, on queries and passages in two languages: ``{infonce: {weight: 0.2}, mimo_distillation: {weight: 0.8}}``.

    Use it with a teacher that is strongest in English, and after stage 1 beside a contrastive objective: alone it
    aligns languages and spreads too little.

    Args:
        dimension: d, positive.
        teacher_dimension: t, positive.
        seed: of the first values of W and b, uniform in ±1/sqrt(d) as in ``nn.Linear``. A run whose objective says none
            has 0, whatever the run's own seed.

    Example:
        >>> objective = MIMODistillation(2, 2)
        >>> with torch.no_grad():
        ...     _ = objective.projection.weight.copy_(torch.eye(2)), objective.projection.bias.zero_()
        >>> english = {"teacher_queries": torch.eye(2)[[0, 0]], "teacher_passages": torch.eye(2)}
        >>> objective(Batch(torch.eye(2), torch.eye(2), torch.arange(2), **english)).item()  # (1/2 + 0) / 2
        0.25
    """

    needs: ClassVar[tuple[str, ...]] = ("teacher_queries", "teacher_passages")

    def __init__(self, dimension: int, teacher_dimension: int, seed: int = 0) -> None:
        super().__init__()
        check_at_least("MIMODistillation", "dimension", dimension, 1)
        check_at_least("MIMODistillation", "teacher_dimension", teacher_dimension, 1)
        generator = torch.Generator().manual_seed(seed)
        bound = 1 / math.sqrt(dimension)
        self.projection: nn.Linear = nn.utils.skip_init(nn.Linear, dimension, teacher_dimension)
        for parameter in self.projection.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        return (self._distance("queries", batch) + self._distance("passages", batch)) / 2

    def _distance(self, side: str, batch: Batch) -> Tensor:
        student, teacher = getattr(batch, side), batch.given(f"teacher_{side}", "MIMODistillation")
        check_dimension("MIMODistillation", side, student, self.projection.in_features)
        check_dimension("MIMODistillation", f"teacher_{side}", teacher, self.projection.out_features)
        weight, bias = (parameter.to(student.dtype) for parameter in (self.projection.weight, self.projection.bias))
        projected = nn.functional.linear(student, weight, bias)
        return (1 - nn.functional.cosine_similarity(projected, teacher, dim=1)).mean()
