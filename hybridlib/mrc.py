"""Mean rank correlation: do the parallel queries of a concept rank the passages alike?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from hybridlib.counting import pair_scores
from hybridlib.errors import InputError
from hybridlib.retrieval import blas_threads


def mrc(
    queries: np.ndarray, concept: np.ndarray, language: np.ndarray, passages: np.ndarray, top: np.ndarray, k: int
) -> np.ndarray:
    """MRC@k: mean Spearman correlation of a query with its concept's queries in other languages.

    For queries a and b and the union U of their first k passages (2605.31171 eq. 1-2, after 2509.06195),

        RC(a, b) = Spearman(<a, p> for p in U, <b, p> for p in U),   MRC@k(a) = mean_b RC(a, b),

    with average ranks for ties. Inner products are summed in float64 and rounded to float32; equal passages tie. Time
    grows with k^2 for each pair of queries.

    Args:
        queries: float32 [n, d].
        concept: int [n], of each query.
        language: int [n], of each query.
        passages: float32 [m, d], may be a memory map.
        top: int [n, depth], depth >= k: positions in ``passages`` of each query's first passages in order of rank, -1
            where there is none.
        k: how many of them count, from 1.

    Returns:
        float64 [n], in [-1, 1]. A correlation of a constant vector is undefined and left out of the mean; NaN where no
        correlation is left, as for a query without parallel ones.

    Raises:
        InputError: shapes or positions that do not fit, or k beyond the depth of ``top``.

    Example:
        >>> passages = np.eye(3, dtype=np.float32)
        >>> queries = np.array([[3, 2, 1], [2, 3, 1]], dtype=np.float32)  # ranks 1 2 3 and 2 1 3
        >>> mrc(queries, np.array([0, 0]), np.array([0, 1]), passages, np.array([[0, 1, 2], [1, 0, 2]]), 3)
        array([0.5, 0.5])
    """
    _check(queries, concept, language, passages, top, k)
    order = np.argsort(concept, kind="stable")
    starts = np.flatnonzero(np.diff(concept[order], prepend=concept[order][:1] - 1))
    result = np.full(len(queries), np.nan)

    def correlate(members: np.ndarray) -> None:
        found, local = np.unique(top[members, :k], return_inverse=True)
        missing = int(np.searchsorted(found, 0))  # 1 where a -1 comes first, else 0
        union = passages[found[missing:]]
        rows, columns = np.indices((len(members), len(union))).reshape(2, -1)
        scores = pair_scores(queries[members], union, rows, columns).reshape(len(members), len(union))
        result[members] = _mean_correlations(scores, local.reshape(len(members), k) - missing, language[members])

    with ThreadPoolExecutor(blas_threads()) as pool:
        list(pool.map(correlate, np.split(order, starts[1:])))
    return result


def _check(
    queries: np.ndarray, concept: np.ndarray, language: np.ndarray, passages: np.ndarray, top: np.ndarray, k: int
) -> None:
    for name, array in (("concept", concept), ("language", language), ("top", top)):
        if len(array) != len(queries):
            raise InputError(f"mrc: found {len(array)} rows of {name}, expected {len(queries)}, one a query")
    if queries.shape[1] != passages.shape[1]:
        raise InputError(f"mrc: found passages of {passages.shape[1]} dimensions, expected {queries.shape[1]}")
    if not 1 <= k <= top.shape[1]:
        raise InputError(f"mrc: found k = {k}, expected 1 to {top.shape[1]}, the depth of top")
    lowest, highest = top.min(initial=0), top.max(initial=-1)
    if lowest < -1 or highest >= len(passages):
        wrong = lowest if lowest < -1 else highest
        raise InputError(f"mrc: found position {wrong} in top, expected -1 to {len(passages) - 1}")


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _mean_correlations(scores: np.ndarray, top: np.ndarray, language: np.ndarray) -> np.ndarray:
    """Mean correlation of each row of ``scores`` [l, u] with rows of other languages, on the union of their tops."""
    rows, k = top.shape
    total, pairs = np.zeros(rows), np.zeros(rows)
    union = np.empty(2 * k, dtype=np.int64)
    chosen = np.full(scores.shape[1], -1)
    for a in range(rows):
        for b in range(a):
            if language[a] == language[b]:
                continue
            size = 0
            for row in (a, b):
                for column in top[row]:
                    if column >= 0 and chosen[column] != a * rows + b:
                        chosen[column] = a * rows + b
                        union[size] = column
                        size += 1
            correlation = _spearman(scores[a][union[:size]], scores[b][union[:size]])
            if not np.isnan(correlation):
                total[a] += correlation
                total[b] += correlation
                pairs[a] += 1
                pairs[b] += 1
    return total / pairs


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman correlation; (values below - values above) is twice the average rank less its mean, and whole."""
    product, x_square, y_square = 0.0, 0.0, 0.0
    for i in range(len(x)):
        x_rank, y_rank = 0, 0
        for j in range(len(x)):
            x_rank += int(x[j] < x[i]) - int(x[j] > x[i])
            y_rank += int(y[j] < y[i]) - int(y[j] > y[i])
        product += x_rank * y_rank
        x_square += x_rank * x_rank
        y_square += y_rank * y_rank
    return product / np.sqrt(x_square * y_square)
