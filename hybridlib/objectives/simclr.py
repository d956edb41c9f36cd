"""SimCLR's loss: negatives across the two views and within each."""

from __future__ import annotations

import torch
from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.similarities import (
    is_negative,
    is_own_or_negative,
    only,
    own_column_cross_entropy,
    view_similarities,
)


class SimCLR(TemperatureObjective):
    r"""NT-Xent (Chen et al., arXiv 2002.05709, eq. 1; 2506.09781 Def. 3.1 with c1 = c2 = 1).

    .. math:: L = \frac{1}{2} (\ell(u, v) + \ell(v, u)), \quad \ell(u, v) = -\frac{1}{B} \sum_i \log
        \frac{\exp(u_i v_i / t)}{\exp(u_i v_i / t) + \sum_{j \in N(i)} (\exp(u_i v_j / t) + \exp(u_i u_j / t))}

    with :math:`N(i)` the rows of other concepts. The within-view negatives keep similarities of negatives from falling
    below what perfect alignment allows. Hard negatives are not used.

    Use it for two views of one kind, such as captions.

    Args:
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2))
        >>> round(SimCLR(temperature=1.0)(batch).item(), 4)  # log(1 + 2 exp(-1))
        0.5514
    """

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        kept = torch.cat([is_own_or_negative(batch), is_negative(batch)], dim=1)
        queries, passages = (
            own_column_cross_entropy(only(self.scaled(similarities), kept)) for similarities in view_similarities(batch)
        )
        return (queries + passages) / 2
