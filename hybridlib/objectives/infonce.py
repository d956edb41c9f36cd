"""InfoNCE with in-batch negatives: each query picks its passage among those of the batch."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.similarities import candidates, is_candidate, only, own_column_cross_entropy


class InfoNCE(TemperatureObjective):
    r"""The in-batch softmax loss (van den Oord et al., arXiv 1807.03748, eq. 4; 2605.31171 section 2.1 with t = 0.05).

    With unit vectors, similarities :math:`s_{ij} = u_i \cdot v_j` and temperature :math:`t`:

    .. math:: L = -\frac{1}{B} \sum_i \log \frac{\exp(s_{ii} / t)}{\sum_{j \in N(i)} \exp(s_{ij} / t)}

    where :math:`N(i)` is row :math:`i`, every row of another concept and, if the batch has them, the hard negatives of
    all rows. On cross-lingual pairs this is XLCO (InfoXLM, arXiv 2007.07834).

    Use it as the first choice for a dense retriever whose queries and passages differ in kind.

    Args:
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> import torch
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2))
        >>> round(InfoNCE(temperature=1.0)(batch).item(), 4)  # log(1 + exp(-1))
        0.3133
    """

    takes_hard_negatives: ClassVar[bool] = True

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        return own_column_cross_entropy(self.logits(batch))

    def logits(self, batch: Batch) -> Tensor:
        """Return s / t of each query and candidate, [B, B + B * H], -inf where they are not compared."""
        similarities = batch.queries @ candidates(batch.passages, batch.hard_negatives).T
        return only(self.scaled(similarities), is_candidate(batch))
