"""GIST: a guide model tells which in-batch negatives are too similar to be negatives."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor

from hybridlib.errors import InputError
from hybridlib.objectives.batch import Batch
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.similarities import (
    candidates,
    is_candidate,
    is_negative,
    only,
    own_column_cross_entropy,
    teacher_vectors,
)


class GIST(TemperatureObjective):
    r"""Guided selection of in-batch negatives (GISTEmbed; Solatorio, arXiv 2402.16829).

    With the guide's similarities :math:`g` and :math:`x` any text that query i is compared with:

    .. math:: L = -\frac{1}{B} \sum_i
        \log \frac{\exp(s_{ii} / t)}{\exp(s_{ii} / t) + \sum_{x \in X(i)} \exp(s_{ix} / t)}

    where :math:`X(i)` holds, from the rows of other concepts, the pairs query i - passage j, query i - query j and
    passage i - passage j, and the pairs of query i with all hard negatives, each only if its
    :math:`g \le g_{ii} - m`. The guide is the batch's teacher.

    Use it for data with unmarked relevant passages, which other objectives would push away.

    Args:
        temperature: positive; its starting value if it is learned; published: 0.01.
        margin: m, finite; published: 0.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> guide = torch.tensor([[0.6, 0.8], [0.8, 0.6]])  # 0.6 for positives, 0.8 for the other passage
        >>> guides = {"teacher_queries": torch.eye(2), "teacher_passages": guide}
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2), **guides)
        >>> round(GIST(temperature=1.0)(batch).item(), 4)  # query - query alone is left: log(1 + exp(-1))
        0.3133
    """

    needs: ClassVar[tuple[str, ...]] = ("teacher_queries", "teacher_passages")
    takes_hard_negatives: ClassVar[bool] = True

    def __init__(self, temperature: float = 0.01, margin: float = 0.0, *, learn_temperature: bool = False) -> None:
        super().__init__(temperature, learn_temperature=learn_temperature)
        if not math.isfinite(margin):
            raise InputError(f"GIST: found margin {margin}, expected a finite number")
        self.margin = margin

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        guided = _similarities(*teacher_vectors(batch, "GIST"))
        logits = self.scaled(_similarities(batch.queries, batch.passages, batch.hard_negatives))
        own = torch.zeros_like(guided, dtype=torch.bool).fill_diagonal_(True)
        compared = torch.cat([is_candidate(batch), is_negative(batch).repeat(1, 2)], dim=1)
        trusted = guided <= guided.diagonal()[:, None] - self.margin
        return own_column_cross_entropy(only(logits, own | (compared & trusted)))


def _similarities(queries: Tensor, passages: Tensor, hard_negatives: Tensor | None) -> Tensor:
    across = queries @ candidates(passages, hard_negatives).T
    return torch.cat([across, queries @ queries.T, passages @ passages.T], dim=1)
