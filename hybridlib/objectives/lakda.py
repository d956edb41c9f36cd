"""LaKDA: a question ranks the passages alike in two languages."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from hybridlib.errors import InputError
from hybridlib.objectives.batch import Batch
from hybridlib.objectives.infonce import InfoNCE
from hybridlib.objectives.similarities import candidates, is_candidate, kl_divergence


class LaKDA(InfoNCE):
    r"""InfoNCE and the divergence between two languages' rankings (Yang et al., arXiv 2509.06195; 2605.31171).

    .. math:: L = (1 - a) \, \mathrm{InfoNCE}(q_a, p)
        + \frac{a}{B} \sum_i \mathrm{KL}\big( \mathrm{softmax}_j(q_{b,i} \cdot p_j) \,\|\,
        \mathrm{softmax}_j(q_{a,i} \cdot p_j) \big)

    with :math:`q_a` the queries, :math:`q_b` the same in another language (``second_queries``), and j over query i's
    own passage, the passages of other concepts and hard negatives. The temperature is InfoNCE's alone: the divergence
    is of plain cosines. Gradients flow through both its sides.

    Use it for training sets whose queries are there in several languages.

    Args:
        temperature: of InfoNCE, positive; its starting value if it is learned.
        share: a, in 0 to 1; published: 0.5.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.

    Example:
        >>> import torch
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2), second_queries=-torch.eye(2))
        >>> round(LaKDA(share=1.0)(batch).item(), 4)  # p = 1 / (1 + e): (1 - 2 p) log((1 - p) / p)
        0.4621
    """

    needs: ClassVar[tuple[str, ...]] = ("second_queries",)

    def __init__(self, temperature: float = 0.05, share: float = 0.5, *, learn_temperature: bool = False) -> None:
        super().__init__(temperature, learn_temperature=learn_temperature)
        if not 0 <= share <= 1:
            raise InputError(f"LaKDA: found share {share}, expected 0 to 1")
        self.share = share

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""
        texts = candidates(batch.passages, batch.hard_negatives).T
        second = batch.given("second_queries", "LaKDA")
        divergence = kl_divergence(second @ texts, batch.queries @ texts, is_candidate(batch))
        return (1 - self.share) * super().loss(batch) + self.share * divergence
