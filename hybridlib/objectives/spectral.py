"""The spectral contrastive loss: positives close, negatives orthogonal."""

from __future__ import annotations

from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import Objective
from hybridlib.objectives.similarities import is_negative, mean_where


class Spectral(Objective):
    r"""Spectral contrastive loss (HaoChen et al., arXiv 2106.04156, section 3.2).

    .. math:: L = -\frac{2}{B} \sum_i s_{ii} + \frac{1}{|N|} \sum_{(i, j) \in N} s_{ij}^2

    with :math:`N` the pairs of rows of different concepts. The weight 2 is the original's; 2506.09781 (Def. 3.2)
    writes 1. It has no temperature and no exponential; its negative term is :class:`VRNS` with target 0. Hard negatives
    are not used.

    In d >= n dimensions the negatives of n concepts end at 0 and not at the -1/(n - 1) of 2506.09781 Theorem 5.1: a
    square does not rise with a similarity below 0.

    Use it if no temperature is to be chosen and unlike texts may be orthogonal.

    Example:
        >>> import torch
        >>> batch = Batch(torch.eye(2), torch.tensor([[0.6, 0.8], [0.8, 0.6]]), torch.arange(2))
        >>> round(Spectral()(batch).item(), 4)  # -2 * 0.6 + 0.8**2
        -0.56
    """

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        similarities = batch.queries @ batch.passages.T
        return mean_where(similarities**2, is_negative(batch)) - 2 * similarities.diagonal().mean()
