"""InfoNCE with the passages of past batches as further negatives."""

from __future__ import annotations

import torch
from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.infonce import InfoNCE
from hybridlib.objectives.memory_bank import MemoryBank
from hybridlib.objectives.objective import check_dimension
from hybridlib.objectives.similarities import only, own_column_cross_entropy


class MemoryBankInfoNCE(InfoNCE):
    r"""InfoNCE against the batch and a cross-batch memory (XBM; Wang et al., CVPR 2020, arXiv 1912.06798).

    .. math:: L = -\frac{1}{B} \sum_i \log
        \frac{\exp(s_{ii} / t)}{\sum_{j \in N(i)} \exp(s_{ij} / t) + \sum_{m \in M(i)} \exp(u_i \cdot z_m / t)}

    with :math:`N(i)` as in :class:`InfoNCE` and :math:`z_m, m \in M(i)`, the stored passages of other concepts than
    query i's; no gradient flows into them. The batch's passages, not its hard negatives, are stored after the loss is
    computed, in training mode alone (``train``, ``eval``). ``concepts`` must name the same concept in every batch. The
    value rises while the bank fills. What is stored is of the languages of past batches, so the negatives of a
    monolingual batch are no longer of its language alone.

    Use it for batches that are small for want of memory, if the learning rate is low enough for vectors of
    size/B steps ago to be near the present ones.

    Args:
        dimension: d of the vectors.
        size: passages stored.
        warmup: batches at the start that are not stored, while vectors move fast. Also those of a pretrained encoder
            do: multilingual-e5-small's cosines of negatives fall from .8 to .2 in thirty steps on captions, and with
            warmup 0 its nDCG@10 within a language fell from .67 to .49, where InfoNCE alone came to .72.
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> objective = MemoryBankInfoNCE(dimension=2, temperature=1.0)
        >>> first, second = (Batch(torch.eye(2), torch.eye(2), torch.tensor(concepts)) for concepts in ([4, 5], [4, 6]))
        >>> round(objective(first).item(), 4)  # nothing is stored yet: log(1 + exp(-1))
        0.3133
        >>> round(objective(second).item(), 4)  # (log(1 + 2 exp(-1)) + log(2 + 2 exp(-1))) / 2: 4's own is left out
        0.7789
    """

    def __init__(
        self,
        dimension: int,
        size: int = 1024,
        warmup: int = 0,
        temperature: float = 0.05,
        *,
        learn_temperature: bool = False,
    ) -> None:
        super().__init__(temperature, learn_temperature=learn_temperature)
        self.bank = MemoryBank(size, dimension, warmup=warmup)

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar; in training mode, store the passages."""
        check_dimension("MemoryBankInfoNCE", "queries", batch.queries, self.bank.vectors.shape[1])
        stored, concepts = self.bank.negatives()
        similarities = batch.queries @ stored.to(batch.queries.dtype).T
        old = only(self.scaled(similarities), batch.concepts[:, None] != concepts)
        loss = own_column_cross_entropy(torch.cat([self.logits(batch), old], dim=1))
        if self.training:
            self.bank.push(batch.passages, batch.concepts)
        return loss
