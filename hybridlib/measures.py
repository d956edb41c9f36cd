"""Retrieval measures from exact ranks, with the names of ir_measures. Numpy alone.

Every function takes ``ranks``, int [n, r]: for each of ``n`` queries the ranks (1 is first) of its relevant passages in
any order, padded with 0; and returns float64 [n], in [0, 1]. A query without a relevant passage gets 0, as in
trec_eval. Relevance is binary.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def ndcg(ranks: np.ndarray, k: int) -> np.ndarray:
    """nDCG@k: sum of 1 / log2(rank + 1) over relevant ranks <= k, over the same for the ideal ranking.

    The ideal has min(k, r) relevant passages on top (Järvelin & Kekäläinen 2002, with trec_eval's discount).

    Example:
        >>> ndcg(np.array([[2, 0]]), 10).round(4)
        array([0.6309])
    """
    inside = (ranks > 0) & (ranks <= k)
    gain = np.where(inside, 1 / np.log2(np.maximum(ranks, 1) + 1), 0.0).sum(1)
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    best = ideal[np.minimum((ranks > 0).sum(1), k)]
    return np.divide(gain, best, out=np.zeros(len(ranks)), where=best > 0)


def average_precision(ranks: np.ndarray) -> np.ndarray:
    """AP: mean over relevant passages of (relevant ones up to and including it) / (its rank).

    Example:
        >>> average_precision(np.array([[1, 4]]))
        array([0.75])
    """
    ordered = np.sort(np.where(ranks > 0, ranks, np.iinfo(np.int64).max), axis=1)
    precision = np.arange(1, ranks.shape[1] + 1) / ordered
    count = (ranks > 0).sum(1)
    found = np.arange(ranks.shape[1]) < count[:, None]
    return np.where(found, precision, 0.0).sum(1) / np.maximum(count, 1)


def reciprocal_rank(ranks: np.ndarray) -> np.ndarray:
    """RR: 1 / rank of the first relevant passage."""
    first = np.where(ranks > 0, ranks, np.iinfo(np.int64).max).min(1)
    return np.where((ranks > 0).any(1), 1 / first, 0.0)


def recall(ranks: np.ndarray, k: int) -> np.ndarray:
    """R@k: share of the relevant passages among the first k."""
    return ((ranks > 0) & (ranks <= k)).sum(1) / np.maximum((ranks > 0).sum(1), 1)


MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "nDCG@10": lambda ranks: ndcg(ranks, 10),
    "AP": average_precision,
    "RR": reciprocal_rank,
    "R@1": lambda ranks: recall(ranks, 1),
    "R@10": lambda ranks: recall(ranks, 10),
}


def padded(group: np.ndarray, ranks: np.ndarray, groups: int) -> np.ndarray:
    """Gather ranks (int [m]) by group (int [m], ``0 .. groups - 1``) into rows padded with 0: int [groups, widest].

    Example:
        >>> padded(np.array([1, 0, 1]), np.array([5, 6, 7]), 2)
        array([[6, 0],
               [5, 7]])
    """
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=groups)
    slot = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.zeros((groups, max(int(counts.max(initial=0)), 1)), dtype=np.int64)
    table[group[order], slot] = ranks[order]
    return table
