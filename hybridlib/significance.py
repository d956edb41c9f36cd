"""Paired tests and intervals that respect that the parallel queries of one concept are not independent. Numpy alone.

Every function works on *contributions*: float64 [concepts], one number a concept, whose sum is the difference of two
macro means. So a concept, with all its queries in all languages, is flipped or drawn as one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_CHUNK = 1000


class Comparison(NamedTuple):
    """Difference of two configurations: its value, 95 % interval and p of the two-sided sign-flip test."""

    difference: float
    low: float
    high: float
    p: float


def sign_flip(contributions: np.ndarray, *, flips: int = 10_000, seed: int = 0) -> np.ndarray:
    """Two-sided paired sign-flip test: p = (1 + #{|flipped sum| >= |sum|}) / (1 + flips).

    Under the null hypothesis the sign of each concept's difference is a coin toss (Fisher's randomisation test as used
    in IR, Smucker, Allan & Carterette 2007).

    Args:
        contributions: float64 [concepts] or [concepts, m] for m tests with the same flips.
        flips: number of random sign vectors.
        seed: of the flips.

    Returns:
        float64 [m] (or 0-d), p values in (0, 1].

    Example:
        >>> float(sign_flip(np.zeros(4), flips=99))
        1.0
    """
    rng = np.random.default_rng(seed)
    table = contributions.reshape(len(contributions), -1)
    # A flipped sum that equals the observed one may differ from it by rounding.
    observed = np.abs(table.sum(0)) - 1e-12 * np.abs(table).sum(0)
    reached = np.zeros(table.shape[1])
    for start in range(0, flips, _CHUNK):
        count = min(_CHUNK, flips - start)
        signs = rng.integers(0, 2, size=(count, len(table))) * 2.0 - 1.0
        reached += (np.abs(signs @ table) >= observed).sum(0)
    return ((1 + reached) / (1 + flips)).reshape(contributions.shape[1:])


def bootstrap_interval(
    contributions: np.ndarray, *, draws: int = 10_000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the sum, drawing concepts with replacement.

    Args:
        contributions: float64 [concepts].
        draws: number of bootstrap samples.
        level: coverage, in (0, 1).
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    concepts = len(contributions)
    sums = np.concatenate(
        [
            contributions[rng.integers(concepts, size=(min(_CHUNK, draws - start), concepts))].sum(1)
            for start in range(0, draws, _CHUNK)
        ]
    )
    low, high = np.quantile(sums, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down correction: p values of a family, float64 [m], to adjusted ones (Holm 1979).

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03]))
        array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    result = np.empty(len(p))
    result[order] = adjusted
    return result


def compare(contributions: np.ndarray, *, flips: int = 10_000, seed: int = 0) -> Comparison:
    """Test and interval of one difference; contributions float64 [concepts]."""
    low, high = bootstrap_interval(contributions, draws=flips, seed=seed)
    p = float(sign_flip(contributions, flips=flips, seed=seed))
    return Comparison(float(contributions.sum()), low, high, p)
