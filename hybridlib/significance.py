"""Paired tests and intervals that respect that the parallel queries of one concept are not independent. Numpy alone.

Every function works on *contributions*: float64 [concepts], one number a concept, whose sum is the difference of two
macro means. So a concept, with all its queries in all languages, is flipped or drawn as one. A table [concepts, m] is m
tests that share their flips and draws; a column comes out as it would alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hybridlib.errors import InputError

_NUMBERS = 1 << 22  # of a block of signs or counts: 32 MB, enough for the matrix product to run at full speed
_SUMS = 1 << 24  # that the bootstrap holds at once: 128 MB


class Comparison(NamedTuple):
    """Difference of two configurations: its value, 95 % interval and p of the two-sided sign-flip test.

    Numbers for contributions [concepts], float64 [m] for [concepts, m].
    """

    difference: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray
    p: float | np.ndarray


def sign_flip(contributions: np.ndarray, *, flips: int = 10_000, seed: int = 0) -> np.ndarray:
    """Two-sided paired sign-flip test: p = (1 + #{|flipped sum| >= |sum|}) / (1 + flips).

    Under the null hypothesis the sign of each concept's difference is a coin toss (Fisher's randomisation test as used
    in IR, Smucker, Allan & Carterette 2007). Sums within 1e-12 of the sum of absolute contributions count as equal.

    Args:
        contributions: float64 [concepts] or [concepts, m].
        flips: number of random sign vectors.
        seed: of the flips.

    Returns:
        float64 [m] (or 0-d), p values in (0, 1].

    Raises:
        InputError: for contributions that are empty or not finite.

    Example:
        >>> float(sign_flip(np.zeros(4), flips=99))
        1.0
    """
    table = _table(contributions)
    least = np.abs(table.sum(0)) - 1e-12 * np.abs(table).sum(0)
    reached = np.zeros(table.shape[1])
    for signs in _signs(flips, len(table), seed):
        reached += (np.abs(signs @ table) >= least).sum(0)
    return ((1 + reached) / (1 + flips)).reshape(contributions.shape[1:])


def bootstrap_interval(
    contributions: np.ndarray, *, draws: int = 10_000, level: float = 0.95, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile bootstrap interval of the sum, drawing concepts with replacement (Efron 1979).

    Args:
        contributions: float64 [concepts] or [concepts, m].
        draws: number of bootstrap samples.
        level: coverage, in (0, 1).
        seed: of the draws.

    Returns:
        The lower and the upper ends, float64 [m] (or 0-d).

    Raises:
        InputError: for contributions that are empty or not finite.

    Example:
        >>> bootstrap_interval(np.array([[0.5, 0.0], [0.5, 0.25]]))
        (array([1., 0.]), array([1. , 0.5]))
    """
    table = _table(contributions)
    ends = np.empty((2, table.shape[1]))
    width = max(1, _SUMS // draws)
    for left in range(0, table.shape[1], width):
        columns = table[:, left : left + width].T
        sums, done = np.empty((len(columns), draws)), 0
        for counts in _counts(draws, len(table), seed):
            sums[:, done : done + len(counts)] = columns @ counts.T
            done += len(counts)
        share = [(1 - level) / 2, (1 + level) / 2]
        ends[:, left : left + width] = np.quantile(sums, share, axis=1, overwrite_input=True)
    low, high = ends.reshape(2, *contributions.shape[1:])
    return low, high


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


def compare(
    contributions: np.ndarray, *, influence: np.ndarray | None = None, flips: int = 10_000, seed: int = 0
) -> Comparison:
    """Test and interval of a difference, or of m differences.

    Args:
        contributions: float64 [concepts] or [concepts, m].
        influence: of the same shape, how far each concept moves the difference from what it is: what the interval is
            drawn of. None: the contributions, which is right where every concept has the same queries.
        flips: number of sign vectors, and of bootstrap samples.
        seed: of both.
    """
    difference, moves = contributions.sum(0), contributions if influence is None else influence
    low, high = bootstrap_interval(moves, draws=flips, seed=seed)
    off = difference - moves.sum(0)
    return Comparison(difference, low + off, high + off, sign_flip(contributions, flips=flips, seed=seed)[()])


def _table(contributions: np.ndarray) -> np.ndarray:
    """Return the contributions as float64 [concepts, m]."""
    if not contributions.size:
        raise InputError(f"contributions: found none, of shape {contributions.shape}, expected one concept at least")
    table = np.asarray(contributions, dtype=np.float64).reshape(len(contributions), -1)
    wrong = np.argwhere(~np.isfinite(table))
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"contributions: found {table[row, column]} in row {row}, column {column}, expected finite numbers"
        )
    return table


def _signs(flips: int, concepts: int, seed: int) -> Iterator[np.ndarray]:
    """Yield blocks of ``flips`` sign vectors: float64 [rows, concepts] of -1 and 1, a random bit each."""
    rng = np.random.default_rng(seed)
    for rows in _rows(flips, concepts):
        size = rows * concepts
        bits = np.unpackbits(np.frombuffer(rng.bytes((size + 7) // 8), dtype=np.uint8), count=size)
        yield bits.reshape(rows, concepts) * 2.0 - 1.0


def _counts(draws: int, concepts: int, seed: int) -> Iterator[np.ndarray]:
    """Yield blocks of ``draws`` bootstrap samples: float64 [rows, concepts], how often each concept was drawn."""
    rng = np.random.default_rng(seed)
    for rows in _rows(draws, concepts):
        drawn = rng.integers(concepts, size=(rows, concepts), dtype=np.int32)
        counts = np.empty((rows, concepts))
        for row, sample in zip(counts, drawn, strict=True):
            row[:] = np.bincount(sample, minlength=concepts)
        yield counts


def _rows(total: int, concepts: int) -> Iterator[int]:
    """Yield the numbers of rows of blocks that have ``total`` in all."""
    most = max(1, _NUMBERS // concepts)
    for start in range(0, total, most):
        yield min(most, total - start)
