"""Decoupled contrastive loss: the positive stands no longer in the denominator."""

from __future__ import annotations

import torch
from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.similarities import is_negative, only, view_similarities


class DCL(TemperatureObjective):
    r"""SimCLR without the positive in the denominator (Yeh et al., arXiv 2110.06848, L_DC; 2506.09781 Def. 3.1).

    .. math:: L = \frac{1}{2} (\ell(u, v) + \ell(v, u)), \quad \ell(u, v) = \frac{1}{B} \sum_i \Big( -u_i v_i / t
        + \log \sum_{j \in N(i)} (\exp(u_i v_j / t) + \exp(u_i u_j / t)) \Big)

    with :math:`N(i)` the rows of other concepts. A pair that is already close keeps its full gradient. The
    value can be negative. Hard negatives are not used.

    Use it for two views of one kind in small batches.

    Args:
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2))
        >>> round(DCL(temperature=1.0)(batch).item(), 4)  # -1 + log(2)
        -0.3069
    """

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        kept = is_negative(batch).repeat(1, 2)
        queries, passages = (
            (torch.logsumexp(only(logits, kept), dim=1) - logits.diagonal()).mean()
            for logits in map(self.scaled, view_similarities(batch))
        )
        return (queries + passages) / 2
