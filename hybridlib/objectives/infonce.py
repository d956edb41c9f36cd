"""InfoNCE with in-batch negatives: each query picks its passage among those of the batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from hybridlib.errors import InputError


class InfoNCE(nn.Module):
    r"""The in-batch softmax loss (van den Oord et al., arXiv 1807.03748; 2605.31171 section 2.1 with t = 0.05).

    With unit vectors, similarities :math:`s_{ij} = u_i \cdot v_j` and temperature :math:`t`:

    .. math:: L = -\frac{1}{B} \sum_i \log \frac{\exp(s_{ii} / t)}{\sum_{j \in N(i)} \exp(s_{ij} / t)}

    where :math:`N(i)` is row :math:`i` and every row of another concept. ``symmetric`` means the mean of this and the
    same with queries and passages exchanged (CLIP, arXiv 2103.00020, figure 3).

    Args:
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.
        symmetric: both directions instead of query -> passage alone.

    Example:
        >>> u = torch.eye(2)
        >>> round(InfoNCE(temperature=1.0)(u, u, torch.arange(2)).item(), 4)  # log(1 + exp(-1))
        0.3133
    """

    def __init__(self, temperature: float = 0.05, *, learn_temperature: bool = False, symmetric: bool = False) -> None:
        super().__init__()
        if not temperature > 0:
            raise InputError(f"InfoNCE: found temperature {temperature}, expected a positive number")
        scale = torch.tensor(-math.log(temperature))
        self.log_scale = nn.Parameter(scale, requires_grad=learn_temperature)
        self.symmetric = symmetric

    @property
    def temperature(self) -> Tensor:
        """The temperature, a scalar."""
        return torch.exp(-self.log_scale)

    def forward(self, queries: Tensor, passages: Tensor, concepts: Tensor) -> Tensor:
        """Return the loss, a float32 scalar (float64 for float64 vectors).

        Args:
            queries: [B, d] unit vectors.
            passages: [B, d] unit vectors; row i is relevant to query i.
            concepts: int [B]; a passage of the query's concept in another row is no negative.
        """
        if self.log_scale.requires_grad:
            with torch.no_grad():
                self.log_scale.clamp_(max=math.log(100.0))
        with torch.autocast(queries.device.type, enabled=False):
            kind = torch.promote_types(queries.dtype, torch.float32)
            logits = queries.to(kind) @ passages.to(kind).T / self.temperature.to(kind)
            false_negative = concepts[:, None] == concepts[None, :]
            false_negative.fill_diagonal_(False)
            logits = logits.masked_fill(false_negative, -torch.inf)
            target = torch.arange(len(queries), device=queries.device)
            loss = nn.functional.cross_entropy(logits, target)
            if self.symmetric:
                loss = (loss + nn.functional.cross_entropy(logits.T, target)) / 2
            return loss
