"""InfoNCE in which the negatives of each language weigh the same, however many the batch has of it."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.similarities import is_negative, is_own_or_negative, only, own_column_cross_entropy


class BalancedInfoNCE(TemperatureObjective):
    r"""InfoNCE with a denominator that is balanced over passage languages; a form of our own.

    .. math:: L = -\frac{1}{B} \sum_i \log \frac{\exp(s_{ii} / t)}{\exp(s_{ii} / t) + \sum_{j \in N(i)} w_{ij}
        \exp(s_{ij} / t)}, \quad w_{ij} = \frac{|N(i)|}{L_i \, n_{i, l(j)}}

    with :math:`N(i)` the rows of other concepts, :math:`l(j)` the language of passage j, :math:`n_{i, l}` how many of
    :math:`N(i)` are of language l, and :math:`L_i` how many languages they have. The weights of a row sum to
    :math:`|N(i)|` as in :class:`InfoNCE`, which this equals if all languages are equally frequent. Hard negatives are
    not used.

    Use it if some languages are rare in the batches.

    Args:
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> orthogonal = torch.eye(4)
        >>> batch = Batch(orthogonal, orthogonal, torch.arange(4), passage_language=torch.tensor([0, 1, 1, 1]))
        >>> round(BalancedInfoNCE(1.0)(batch).item(), 4)  # log(1 + 3 exp(-1)): equal similarities need no balance
        0.7437
    """

    needs: ClassVar[tuple[str, ...]] = ("passage_language",)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        negative = is_negative(batch)
        _, language = batch.given("passage_language", "BalancedInfoNCE").unique(return_inverse=True)
        similarities = batch.queries @ batch.passages.T
        one_hot = nn.functional.one_hot(language).to(similarities.dtype)
        counts = negative.to(similarities.dtype) @ one_hot
        weights = negative.sum(1, keepdim=True) / ((counts > 0).sum(1, keepdim=True) * counts[:, language])
        logits = self.scaled(similarities) + torch.where(negative, weights, 1.0).log()
        return own_column_cross_entropy(only(logits, is_own_or_negative(batch)))
