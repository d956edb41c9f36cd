"""The loss as the hybrid batch sampling paper prints it: hard negatives alone, and no temperature."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import Objective
from hybridlib.objectives.similarities import is_candidate, only


class HybridPaper(Objective):
    r"""Each query picks its passage against the hard negatives of the whole batch (2408.10536, eq. 1).

    .. math:: L = -\sum_i \log \frac{\exp(s_{ii})}{\exp(s_{ii}) + \sum_{j, h} \exp(u_i \cdot n_{jh})}

    over all hard negatives :math:`n_{jh}` that are not known to be of query i's concept; the passages of other rows
    are no negatives. It is a sum over queries, as printed, and not a mean: a weight of 1/B makes it comparable with
    the other objectives. Cosines without a temperature leave the softmax almost flat.

    Use it to reproduce that paper's text, not to train well.

    Example:
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2), hard_negatives=-torch.eye(2)[:, None])
        >>> round(HybridPaper()(batch).item(), 4)  # 2 log(1 + exp(-2) + exp(-1))
        0.8152
    """

    needs: ClassVar[tuple[str, ...]] = ("hard_negatives",)
    takes_hard_negatives: ClassVar[bool] = True

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        hard = batch.given("hard_negatives", "HybridPaper").flatten(0, 1)
        own = (batch.queries * batch.passages).sum(1)
        compared = is_candidate(batch)[:, len(own) :]
        negatives = only(batch.queries @ hard.T, compared)
        return (torch.logsumexp(torch.cat([own[:, None], negatives], dim=1), dim=1) - own).sum()
