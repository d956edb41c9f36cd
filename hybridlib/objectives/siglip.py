"""SigLIP's loss: each pair of query and passage is classified on its own."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from hybridlib.errors import InputError
from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import Objective, check_positive
from hybridlib.objectives.similarities import is_negative


class SigLIP(Objective):
    r"""The pairwise sigmoid loss with learned scale and bias (Zhai et al., arXiv 2303.15343, algorithm 1).

    .. math:: L = -\frac{1}{B} \Big( \sum_i \log \sigma(t s_{ii} + b)
        + \sum_i \sum_{j \in N(i)} \log \sigma(-t s_{ij} - b) \Big)

    with :math:`N(i)` the rows of other concepts; :math:`\log t` and :math:`b` are parameters. The signs are those of
    the authors; 2506.09781 (Example 5.4) writes :math:`ts - b`, so its b is the negative of this one. No softmax over
    the batch, so the value of a pair does not depend on the others. A bias that is not low enough for the number of
    concepts separates negatives so far that positives stay below 1
    (:func:`hybridlib.objectives.theory.siglip_separates_too_far`). Hard negatives are not used.

    Use it for very large batches, or if one threshold of similarity shall hold for all queries.

    Args:
        scale: starting value of t, positive; published: 10.
        bias: starting value of b; published: -10.

    Example:
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2))
        >>> round(SigLIP(scale=1.0, bias=0.0)(batch).item(), 4)  # log(1 + exp(-1)) + log(2)
        1.0064
    """

    def __init__(self, scale: float = 10.0, bias: float = -10.0) -> None:
        super().__init__()
        check_positive("SigLIP", "scale", scale)
        if not math.isfinite(bias):
            raise InputError(f"SigLIP: found bias {bias}, expected a finite number")
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = nn.Parameter(torch.tensor(float(bias)))

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        logits = self.log_scale.exp() * (batch.queries @ batch.passages.T) + self.bias
        positives = nn.functional.logsigmoid(logits.diagonal()).sum()
        negatives = torch.where(is_negative(batch), nn.functional.logsigmoid(-logits), 0.0).sum()
        return -(positives + negatives) / len(logits)
