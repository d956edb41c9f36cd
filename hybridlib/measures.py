"""Retrieval measures from exact ranks, with the names of ir_measures and the numbers of trec_eval. Numpy alone.

Every measure takes ``ranks``, int [n, r]: for each of ``n`` queries the ranks (1 is first) of its relevant passages in
any order, padded with 0; and returns float64 [n], in [0, 1]. A query without a relevant passage gets 0, as in
trec_eval. Only nDCG knows grades of relevance. A cut-off ``k`` below 1 raises ``InputError``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from hybridlib.errors import InputError

Measure = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
DEFAULT = ("nDCG@10", "AP", "RR", "R@1", "R@10", "R@100", "Success@10")


def ndcg(ranks: np.ndarray, k: int | None, gains: np.ndarray | None = None) -> np.ndarray:
    """nDCG@k = DCG@k / ideal DCG@k, with DCG@k = sum of gain / log2(rank + 1) over the relevant ranks <= k.

    The ideal ranks the relevant passages by gain, the highest first (Järvelin & Kekäläinen 2002; the gain itself and
    this discount are those of trec_eval's ``ndcg`` and ``ndcg_cut``).

    Args:
        ranks: int [n, r].
        k: the cut-off; None for the whole ranking.
        gains: int or float [n, r], >= 0, the relevance of the passage at the same place of ``ranks``; by default 1.
            What stands beside a rank of 0 is not read.

    Raises:
        InputError: ``gains`` has another shape than ``ranks`` or a negative value.

    Example:
        >>> ndcg(np.array([[2, 0]]), 10).round(4)
        array([0.6309])
        >>> ndcg(np.array([[1, 2]]), 10, np.array([[1, 3]])).round(4)  # (1 + 3/log2(3)) / (3 + 1/log2(3))
        array([0.7967])
    """
    inside = _inside(ranks, k)
    discount = np.divide(1.0, np.log2(ranks + 1.0), out=np.zeros(ranks.shape), where=inside)
    depth = ranks.shape[1] if k is None else min(k, ranks.shape[1])
    ideal_discount = 1 / np.log2(np.arange(2, depth + 2))
    if gains is None:
        found = discount.sum(1)
        best = np.concatenate([[0.0], np.cumsum(ideal_discount)])[np.minimum(_relevant(ranks), depth)]
    else:
        gains = _checked_gains(gains, ranks)
        found = np.einsum("ij,ij->i", gains, discount)
        best = np.sort(gains, axis=1)[:, ::-1][:, :depth] @ ideal_discount
    return np.divide(found, best, out=np.zeros(len(ranks)), where=best > 0)


def average_precision(ranks: np.ndarray, k: int | None = None) -> np.ndarray:
    """AP@k: sum over relevant ranks <= k of (relevant passages up to this rank) / rank, over all relevant passages.

    Without ``k``, trec_eval's ``map``; with it, ``map_cut``, which divides by the relevant passages beyond k too.

    Example:
        >>> average_precision(np.array([[1, 4]]))
        array([0.75])
    """
    ordered = np.sort(np.where(_inside(ranks, k), ranks, np.iinfo(ranks.dtype).max), axis=1)
    precision = np.arange(1, ranks.shape[1] + 1) / ordered
    precision[ordered == np.iinfo(ranks.dtype).max] = 0
    return precision.sum(1) / np.maximum(_relevant(ranks), 1)


def reciprocal_rank(ranks: np.ndarray, k: int | None = None) -> np.ndarray:
    """RR@k: 1 / rank of the first relevant passage, 0 if this rank is beyond k (trec_eval's ``recip_rank``)."""
    first = np.where(_inside(ranks, k), ranks, np.iinfo(ranks.dtype).max).min(1)
    return np.where(first < np.iinfo(ranks.dtype).max, 1 / first, 0.0)


def recall(ranks: np.ndarray, k: int) -> np.ndarray:
    """R@k: share of the relevant passages among the first k."""
    return np.count_nonzero(_inside(ranks, k), axis=1) / np.maximum(_relevant(ranks), 1)


def success(ranks: np.ndarray, k: int) -> np.ndarray:
    """Success@k: 1 if a relevant passage is among the first k, else 0."""
    return np.where(np.any(_inside(ranks, k), axis=1), 1.0, 0.0)


def precision(ranks: np.ndarray, k: int) -> np.ndarray:
    """P@k: share of relevant passages among the first k; a pool smaller than k counts as k, as in trec_eval."""
    return np.count_nonzero(_inside(ranks, k), axis=1) / k


def measure(name: str) -> Measure:
    """Return the measure of an ir_measures name as a function of ``ranks`` and ``gains`` (None for binary relevance).

    The names are ``nDCG``, ``AP``, ``RR``, each with or without ``@k``, and ``R@k``, ``Success@k``, ``P@k``; all but
    nDCG leave ``gains`` aside.

    Raises:
        InputError: the name is none of these, or k is not a whole number from 1 on.

    Example:
        >>> measure("RR@10")(np.array([[4, 20]]), None)
        array([0.25])
    """
    parsed = re.fullmatch(r"(nDCG|AP|RR|R|Success|P)(?:@([1-9][0-9]{0,8}))?", name)
    if parsed is None or (parsed[2] is None and parsed[1] not in ("nDCG", "AP", "RR")):
        raise InputError(
            f"measure: found {name!r}, expected nDCG, nDCG@k, AP, AP@k, RR, RR@k, R@k, Success@k or P@k with k from 1"
        )
    k = int(parsed[2]) if parsed[2] else None
    if parsed[1] == "nDCG":
        return lambda ranks, gains: ndcg(ranks, k, gains)
    binary: Callable[..., np.ndarray] = {
        "AP": average_precision,
        "RR": reciprocal_rank,
        "R": recall,
        "Success": success,
        "P": precision,
    }[parsed[1]]
    return lambda ranks, gains: binary(ranks, k)


def padded(group: np.ndarray, ranks: np.ndarray, groups: int) -> np.ndarray:
    """Gather ranks (int [m]) by group (int [m], ``0 .. groups - 1``) into rows padded with 0: int [groups, widest].

    Example:
        >>> padded(np.array([1, 0, 1]), np.array([5, 6, 7]), 2)
        array([[6, 0],
               [5, 7]])
    """
    return padded_alike(group, [ranks], groups)[0]


def padded_alike(group: np.ndarray, columns: Sequence[np.ndarray], groups: int) -> list[np.ndarray]:
    """Gather several columns (each [m]: ranks, gains, languages) as :func:`padded` does, each place alike in all.

    Args:
        group: int [m], ``0 .. groups - 1``.
        columns: each [m], of any number type.
        groups: number of rows.

    Returns:
        A table [groups, widest] a column, of its type, padded with 0; at least one wide.
    """
    if len(group) == groups and np.array_equal(group, np.arange(groups)):
        return [column[:, None].copy() for column in columns]  # one each: nothing to sort
    order = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=groups)
    slot = np.arange(len(group)) - np.repeat(np.cumsum(counts) - counts, counts)
    row = group[order]
    tables = []
    for column in columns:
        table = np.zeros((groups, max(int(counts.max(initial=0)), 1)), dtype=column.dtype)
        table[row, slot] = column[order]
        tables.append(table)
    return tables


def _inside(ranks: np.ndarray, k: int | None) -> np.ndarray:
    """Return where a relevant passage is ranked within k."""
    if k is None:
        return ranks > 0
    if k < 1:
        raise InputError(f"measures: found cut-off k = {k}, expected 1 or more")
    return (ranks > 0) & (ranks <= k)


def _relevant(ranks: np.ndarray) -> np.ndarray:
    return np.count_nonzero(ranks, axis=1)


def _checked_gains(gains: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Return the gains as float64, 0 where no rank is."""
    if gains.shape != ranks.shape:
        raise InputError(f"nDCG: found gains of shape {gains.shape}, expected {ranks.shape}, that of the ranks")
    gains = np.where(ranks > 0, gains, np.float64(0))
    wrong = np.argwhere(~(gains >= 0))
    if len(wrong):
        row, column = wrong[0]
        raise InputError(f"nDCG: found gain {gains[row, column]} in row {row}, expected 0 or more")
    return gains


def neighbours(*keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group rows that follow each other and are equal in all ``keys`` (int [m]), in one pass over sorted rows.

    Returns:
        First row of each group, int64 [groups], and the group of each row, int64 [m].

    Example:
        >>> neighbours(np.array([4, 4, 7, 7]), np.array([0, 0, 0, 1]))
        (array([0, 2, 3]), array([0, 0, 1, 2]))
    """
    new = np.zeros(len(keys[0]), dtype=bool)
    new[:1] = True
    for key in keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new), np.cumsum(new) - 1
