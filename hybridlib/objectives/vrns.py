"""VRNS, an addend that narrows the spread of the similarities of negatives."""

from __future__ import annotations

from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import Objective, check_at_least
from hybridlib.objectives.similarities import is_negative, mean_where


class VRNS(Objective):
    r"""Variance reduction of negative-pair similarities (2506.09781 Def. 5.7).

    .. math:: L = \frac{1}{|N|} \sum_{(i, j) \in N} \Big( s_{ij} + \frac{1}{n - 1} \Big)^2

    with :math:`N` the pairs of rows of different concepts, B (B - 1) of them if all concepts differ, and
    :math:`-1/(n - 1)` what every negative has at the optimum of the whole training set of :math:`n` concepts. It
    penalises the mean's distance from the target as well as the variance. Hard negatives are not used.

    Use it in small batches beside another objective, with the paper's weight of 30: by itself it aligns nothing.

    Args:
        concepts: n, the number of training concepts, 2 or more.

    Example:
        >>> import torch
        >>> batch = Batch(torch.eye(2), torch.tensor([[1.0, 0], [0.6, 0.8]]), torch.arange(2))
        >>> round(VRNS(concepts=11)(batch).item(), 4)  # ((0.6 + 0.1)**2 + (0 + 0.1)**2) / 2
        0.25
    """

    def __init__(self, concepts: int) -> None:
        super().__init__()
        check_at_least("VRNS", "concepts", concepts, 2)
        self.target = -1 / (concepts - 1)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        return mean_where((batch.queries @ batch.passages.T - self.target) ** 2, is_negative(batch))
