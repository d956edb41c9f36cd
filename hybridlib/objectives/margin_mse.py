"""MarginMSE: the student reproduces by how much the teacher prefers a passage."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import Objective
from hybridlib.objectives.similarities import is_candidate, mean_where, with_teacher


class MarginMSE(Objective):
    r"""Squared difference of margins (Hofstätter et al., arXiv 2010.02666, eq. 11), over in-batch and hard negatives.

    With student similarities :math:`s` and teacher similarities :math:`g`:

    .. math:: L = \frac{1}{|N|} \sum_{(i, j) \in N} \big( (s_{ii} - s_{ij}) - (g_{ii} - g_{ij}) \big)^2

    with :math:`N` the pairs of a query and a passage of another concept or a hard negative of any row. The margins are
    of cosines.

    Use it if a teacher's similarities are better than the labels and spread as the student's are to spread; else
    :class:`KL`, which a temperature fits to them.

    Example:
        >>> import torch
        >>> teacher = {"teacher_queries": torch.eye(2), "teacher_passages": -torch.eye(2)}
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2), **teacher)
        >>> MarginMSE()(batch).item()  # student margins 1, teacher margins -1
        4.0
    """

    needs: ClassVar[tuple[str, ...]] = ("teacher_queries", "teacher_passages")
    takes_hard_negatives: ClassVar[bool] = True

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        student, teacher = with_teacher(batch, "MarginMSE")
        margins = [part.diagonal()[:, None] - part for part in (student, teacher)]
        negative = is_candidate(batch).fill_diagonal_(False)
        return mean_where((margins[0] - margins[1]) ** 2, negative)
