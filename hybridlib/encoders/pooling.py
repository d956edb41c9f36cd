"""How the token vectors of a text become one: their mean, or the vector of the first token (CLS)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

from torch import Tensor

Pooling = Literal["mean", "cls"]


def mean_of_tokens(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over each row's tokens.

    Args:
        hidden: [rows, tokens, dimension].
        mask: bool [rows, tokens], True where a token is; at least one a row.

    Returns:
        [rows, dimension].
    """
    weight = mask[..., None].to(hidden.dtype)
    return (hidden * weight).sum(1) / weight.sum(1)


def first_token(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return the first token's vector of each row; rows are padded at their end. Shapes as :func:`mean_of_tokens`."""
    return hidden[:, 0]


POOLINGS: Mapping[Pooling, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"mean": mean_of_tokens, "cls": first_token}
)
