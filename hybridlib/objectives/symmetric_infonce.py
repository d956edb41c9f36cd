"""InfoNCE in both directions: queries pick passages, and passages pick queries."""

from __future__ import annotations

from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.infonce import InfoNCE
from hybridlib.objectives.similarities import own_column_cross_entropy


class SymmetricInfoNCE(InfoNCE):
    r"""The mean of InfoNCE and of InfoNCE with queries and passages exchanged (CLIP, arXiv 2103.00020, figure 3).

    .. math:: L = -\frac{1}{2B} \sum_i \Big( \log \frac{\exp(s_{ii} / t)}{\sum_{j \in N(i)} \exp(s_{ij} / t)}
        + \log \frac{\exp(s_{ii} / t)}{\sum_{j \in M(i)} \exp(s_{ji} / t)} \Big)

    with :math:`N(i)` as in :class:`InfoNCE`, and :math:`M(i)` row :math:`i` and the rows of other concepts: hard
    negatives are passages, so passages do not choose among them.

    Use it for texts that serve as query or as passage, such as captions.

    Args:
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> import torch
        >>> batch = Batch(torch.eye(2), torch.tensor([[1.0, 0], [1, 0]]), torch.arange(2))
        >>> round(SymmetricInfoNCE(1.0)(batch).item(), 4)  # (log(2) + (log(1 + exp(-1)) + log(1 + exp(1))) / 2) / 2
        0.7532
    """

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        logits = self.logits(batch)
        back = logits[:, : len(logits)].T
        return (own_column_cross_entropy(logits) + own_column_cross_entropy(back)) / 2
