"""SupCon's loss: all texts of one concept in the batch are positives of each other."""

from __future__ import annotations

import torch
from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.similarities import only


class SupCon(TemperatureObjective):
    r"""Contrast with several positives (Khosla et al., arXiv 2004.11362, eq. 2, the mean outside the logarithm).

    Over the 2B texts :math:`z` of the batch, queries and passages alike, with :math:`P(i)` the other texts of text i's
    concept, in every language:

    .. math:: L = -\frac{1}{2B} \sum_i \frac{1}{|P(i)|} \sum_{p \in P(i)}
        \log \frac{\exp(z_i z_p / t)}{\sum_{a \neq i} \exp(z_i z_a / t)}

    The concept's other rows stand in the denominator as positives, so nothing of one concept is pushed below the rest.
    When each concept has one row this is :class:`SimCLR`. Hard negatives are not used.

    Use it for batches with several languages of a concept.

    Args:
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2))
        >>> round(SupCon(temperature=1.0)(batch).item(), 4)  # log(1 + 2 exp(-1))
        0.5514
    """

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        texts = torch.cat([batch.queries, batch.passages])
        concepts = batch.concepts.repeat(2)
        others = ~torch.eye(len(texts), dtype=torch.bool, device=texts.device)
        positive = (concepts[:, None] == concepts) & others
        log_share = only(self.scaled(texts @ texts.T), others).log_softmax(dim=1)
        return -(torch.where(positive, log_share, 0.0).sum(1) / positive.sum(1)).mean()
