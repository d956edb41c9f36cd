"""Unit vectors trained without an encoder: what an objective makes of similarities where nothing else limits them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hybridlib.errors import InputError
from hybridlib.objectives.batch import Batch
from hybridlib.objectives.statistics import similarity_statistics

_ITERATIONS = 10  # of a round
_LEAST = 1e-9  # a round that lowers the loss by less is the last

Loss = Callable[[Batch], Tensor]


@dataclass(frozen=True, eq=False)
class FreeVectors:
    """Pairs of unit vectors after a training.

    Attributes:
        queries: float64 [n, d].
        passages: float64 [n, d]; row i belongs to query i, all others are its negatives.
        history: of the start and of every round ``iteration``, ``loss`` (mean over the mini-batches) and
            :attr:`statistics`.
    """

    queries: Tensor
    passages: Tensor
    history: list[dict[str, float]]

    @property
    def similarities(self) -> Tensor:
        """Float64 [n, n], of every query to every passage; positives are on the diagonal."""
        return self.queries @ self.passages.T

    @property
    def statistics(self) -> dict[str, float]:
        """Mean and variance of positives and of negatives over all n points, whatever batches they were trained in."""
        return similarity_statistics(Batch(self.queries, self.passages, torch.arange(len(self.queries))))


def train_free_vectors(
    objective: Loss, n: int, dimension: int, *, batch_size: int | None = None, seed: int = 0, rounds: int = 40
) -> FreeVectors:
    r"""Minimise :math:`\frac{m}{n} \sum_b L(U_b, V_b)` over n pairs of unit vectors in fixed mini-batches of m.

    The setting of 2506.09781, section 5: U and V are free. L-BFGS with a line search descends from random vectors until
    a round of 10 iterations changes the loss by less than 1e-9.

    Args:
        objective: any of :mod:`hybridlib.objectives` that needs queries, passages and concepts alone and remembers no
            earlier batch. Its own parameters, such as a temperature, are held.
        n: pairs, 2 or more.
        dimension: d, of the vectors.
        batch_size: m, a divisor of n that is 2 or more; None: the full batch. Rows 0 to m - 1 are the first batch.
        seed: of the random start.
        rounds: at most so many; 0 leaves the random start.

    Raises:
        InputError: sizes that are none.

    Example:
        >>> from hybridlib.objectives import SymmetricInfoNCE
        >>> found = train_free_vectors(SymmetricInfoNCE(0.5), n=5, dimension=4).statistics
        >>> [round(found[name], 3) for name in ("positive_mean", "negative_mean")]  # 1 and -1/(n - 1)
        [1.0, -0.25]
    """
    size = n if batch_size is None else batch_size
    if not 2 <= size <= n or n % size:
        raise InputError(
            f"free_vectors: found {n} pairs in batches of {size}, expected batches of 2 or more that divide them"
        )
    generator = torch.Generator().manual_seed(seed)
    free = torch.randn(2, n, dimension, generator=generator, dtype=torch.float64).requires_grad_()
    optimizer = torch.optim.LBFGS(
        [free], max_iter=_ITERATIONS, tolerance_grad=1e-9, tolerance_change=_LEAST, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        queries, passages = nn.functional.normalize(free, dim=-1)
        parts = ((slice(start, start + size), torch.arange(start, start + size)) for start in range(0, n, size))
        return torch.stack([objective(Batch(queries[rows], passages[rows], ids)) for rows, ids in parts]).mean()

    def step() -> Tensor:
        value = loss()
        (free.grad,) = torch.autograd.grad(value, free)
        return value

    history: list[dict[str, float]] = []
    for done in range(rounds + 1):
        if done:
            optimizer.step(step)
        queries, passages = nn.functional.normalize(free.detach(), dim=-1)
        now = FreeVectors(queries, passages, history)
        history.append({"iteration": done * _ITERATIONS, "loss": loss().item(), **now.statistics})
        if done and history[-2]["loss"] - history[-1]["loss"] < _LEAST:
            break
    return now


def similarity_gradient(objective: Loss, similarities: Tensor) -> Tensor:
    """Derivative of a batch's loss by each of its similarities: [m, m], in the dtype of the similarities.

    Queries that are the axes have the passages' coordinates as their similarities, so the loss is a function of them.

    Args:
        objective: one that compares queries with passages alone, not passages with each other.
        similarities: [m, m], of query i and passage j.

    Example:
        >>> from hybridlib.objectives import SymmetricInfoNCE
        >>> similarity_gradient(SymmetricInfoNCE(1.0), torch.zeros(2, 2)).tolist()  # (1/2 + 1/2) / (2 * 2) off diagonal
        [[-0.25, 0.25], [0.25, -0.25]]
    """
    free = similarities.detach().clone().requires_grad_()
    axes = torch.eye(len(free), dtype=free.dtype)
    (gradient,) = torch.autograd.grad(objective(_GivenSimilarities(axes, free.T, torch.arange(len(free)))), free)
    return gradient


class _GivenSimilarities(Batch):
    """A batch whose passages are coordinates: of any length."""

    def _check_lengths(self) -> None:
        pass
