"""Decoupled hyperspherical energy loss: negatives within each view alone."""

from __future__ import annotations

import torch
from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.similarities import is_negative, only


class DHEL(TemperatureObjective):
    r"""Alignment across the views, spread within each (Koromilas et al., arXiv 2405.18045; 2506.09781 Def. 3.1).

    .. math:: L = \frac{1}{2} (\ell(u, v) + \ell(v, u)), \quad \ell(u, v) = \frac{1}{B} \sum_i \Big( -u_i v_i / t
        + \log \sum_{j \in N(i)} \exp(u_i u_j / t) \Big)

    with :math:`N(i)` the rows of other concepts. No query is ever compared with a wrong passage. The value can be
    negative. Hard negatives are not used.

    Use it for two views of one kind in small batches, not for queries and passages that differ in kind.

    Args:
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2))
        >>> DHEL(temperature=1.0)(batch).item()  # -1 + log(exp(0))
        -1.0
    """

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        negative = is_negative(batch)
        positives = self.scaled((batch.queries * batch.passages).sum(1))
        spread = [
            torch.logsumexp(only(self.scaled(own @ own.T), negative), dim=1) for own in (batch.queries, batch.passages)
        ]
        return ((spread[0] + spread[1]) / 2 - positives).mean()
