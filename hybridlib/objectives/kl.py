"""KL distillation: the student's distribution over the candidates follows the teacher's."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import Objective, check_positive
from hybridlib.objectives.similarities import is_candidate, kl_divergence, with_teacher


class KL(Objective):
    r"""Divergence of the student from a teacher over the candidates of each query (Lin et al., arXiv 2010.11386).

    With student similarities :math:`s` and teacher similarities :math:`g`:

    .. math:: L = \frac{1}{B} \sum_i \mathrm{KL}(\mathrm{softmax}_j(g_{ij} / t) \,\|\, \mathrm{softmax}_j(s_{ij} / t))

    over query i's own passage, the passages of other concepts and all rows' hard negatives. Hinton's factor
    :math:`t^2` (arXiv 1503.02531) is left to the weight. The multilingual form is translate-distill (2405.00977).

    Use it if a teacher's ranking is better than the labels; of its vectors nothing but similarities is followed.

    Args:
        temperature: t, positive.

    Example:
        >>> import torch
        >>> teacher = {"teacher_queries": torch.eye(2), "teacher_passages": -torch.eye(2)}
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2), **teacher)
        >>> round(KL(temperature=1.0)(batch).item(), 4)  # p = 1 / (1 + e): (1 - 2 p) log((1 - p) / p)
        0.4621
    """

    needs: ClassVar[tuple[str, ...]] = ("teacher_queries", "teacher_passages")
    takes_hard_negatives: ClassVar[bool] = True

    def __init__(self, temperature: float = 0.05) -> None:
        super().__init__()
        check_positive("KL", "temperature", temperature)
        self.temperature = temperature

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        student, teacher = with_teacher(batch, "KL")
        return kl_divergence(teacher / self.temperature, student / self.temperature, is_candidate(batch))
