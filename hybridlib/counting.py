"""Compiled loops of :mod:`hybridlib.retrieval`: counting in a block of scores, and the best passages so far.

A score is the inner product in float64 of two float32 vectors, rounded to float32. A matrix product gives it with an
error that depends on its library, block and threads; so an element nearer than ``band`` to what it is compared with is
computed anew, and the outcome depends on the vectors alone. (Products of two float32 numbers are exact in float64; they
are added in one fixed order.)
"""

from __future__ import annotations

import numba
import numpy as np

_jit = numba.njit(cache=True, nogil=True, error_model="numpy")


@_jit
def _score(a: np.ndarray, b: np.ndarray) -> np.float32:
    """Inner product of two float32 [d] vectors, rounded once."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    whole = len(a) // 8 * 8
    for i in range(0, whole, 8):
        s0 += np.float64(a[i]) * np.float64(b[i])
        s1 += np.float64(a[i + 1]) * np.float64(b[i + 1])
        s2 += np.float64(a[i + 2]) * np.float64(b[i + 2])
        s3 += np.float64(a[i + 3]) * np.float64(b[i + 3])
        s4 += np.float64(a[i + 4]) * np.float64(b[i + 4])
        s5 += np.float64(a[i + 5]) * np.float64(b[i + 5])
        s6 += np.float64(a[i + 6]) * np.float64(b[i + 6])
        s7 += np.float64(a[i + 7]) * np.float64(b[i + 7])
    rest = 0.0
    for i in range(whole, len(a)):
        rest += np.float64(a[i]) * np.float64(b[i])
    return np.float32(((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)) + rest)


@_jit
def pair_scores(queries: np.ndarray, passages: np.ndarray, query: np.ndarray, passage: np.ndarray) -> np.ndarray:
    """Score of each pair of positions: float32 [m]."""
    scores = np.empty(len(query), dtype=np.float32)
    for i in range(len(query)):
        scores[i] = _score(queries[query[i]], passages[passage[i]])
    return scores


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
def _count_around(values: np.ndarray, low: np.float32, high: np.float32) -> tuple[int, int]:
    """How many values are at least ``low`` and how many are above ``high``; fewer than 2 ** 24 of them."""
    reach, above = np.float32(0), np.float32(0)
    for i in range(len(values)):
        reach += np.float32(values[i] >= low)
        above += np.float32(values[i] > high)
    return int(reach), int(above)


@_jit
def _keep_best(scores: np.ndarray, passages: np.ndarray, order: np.ndarray, count: int, depth: int) -> int:
    """Sort the first ``count`` entries by score, then order, both descending; return how many are kept."""
    for i in range(1, count):
        score, passage = scores[i], passages[i]
        j = i - 1
        while j >= 0 and (scores[j] < score or (scores[j] == score and order[passages[j]] < order[passage])):
            scores[j + 1], passages[j + 1] = scores[j], passages[j]
            j -= 1
        scores[j + 1], passages[j + 1] = score, passage
    scores[depth:], passages[depth:] = -np.inf, -1
    return min(count, depth)


@_jit
def _gather(products: np.ndarray, floor: np.float32, values: np.ndarray, columns: np.ndarray) -> int:
    """Put the products that reach ``floor``, and their columns, in front; return how many there are."""
    reach = 0
    for j in range(len(products)):
        values[reach] = products[j]
        columns[reach] = j
        reach += products[j] >= floor
    return reach


@_jit
def _extend_best(
    values: np.ndarray,
    columns: np.ndarray,
    query: np.ndarray,
    passages: np.ndarray,
    positions: np.ndarray,
    order: np.ndarray,
    band: np.float32,
    best_scores: np.ndarray,
    best_passages: np.ndarray,
    filled: int,
    depth: int,
) -> int:
    """Take new passages among the best ones of a query, which are sorted; return how many there are then."""
    cut = best_scores[depth - 1] if filled >= depth else np.float32(-np.inf)
    for i in range(len(values)):
        if values[i] < cut - band or values[i] == -np.inf:
            continue
        score = _score(query, passages[columns[i]])
        if score < cut:
            continue
        best_scores[filled] = score
        best_passages[filled] = positions[columns[i]]
        filled += 1
        if filled == len(best_scores):
            filled = _keep_best(best_scores, best_passages, order, filled, depth)
            cut = best_scores[depth - 1]
    return _keep_best(best_scores, best_passages, order, filled, depth)


@_jit
def _before(
    values: np.ndarray,
    columns: np.ndarray,
    query: np.ndarray,
    passages: np.ndarray,
    positions: np.ndarray,
    order: np.ndarray,
    band: np.float32,
    threshold: np.float32,
    relevant: int,
) -> int:
    """How many of the passages stand before the relevant one."""
    low, high = threshold - band, threshold + band
    near, before = _count_around(values, low, high)
    if near == before:
        return before
    for i in range(len(values)):
        if values[i] < low or values[i] > high or positions[columns[i]] == relevant:
            continue
        score = _score(query, passages[columns[i]])
        if score > threshold or (score == threshold and order[positions[columns[i]]] > order[relevant]):
            before += 1
    return before


@_jit
def count_block(
    products: np.ndarray,
    queries: np.ndarray,
    passages: np.ndarray,
    positions: np.ndarray,
    order: np.ndarray,
    own: np.ndarray,
    band: np.float32,
    start: np.ndarray,
    threshold: np.ndarray,
    relevant: np.ndarray,
    in_block_language: np.ndarray,
    in_language: np.ndarray,
    in_pool: np.ndarray,
    best_scores: np.ndarray,
    best_passages: np.ndarray,
    filled: np.ndarray,
    depth: int,
) -> None:
    """Add what stands before each relevant passage in a block of passages of one language, and keep the best.

    Args:
        products: float32 [rows, columns], the queries times the passages; an element out of reach is overwritten.
        queries: float32 [rows, d].
        passages: float32 [columns, d].
        positions: int64 [columns], of these passages among all.
        order: int64 [all passages]; of two with one score the one with the larger number stands before the other.
        own: int64 [rows], column of the passage that is not ranked for a query, or -1.
        band: largest error of a product.
        start: int64 [rows + 1], where the relevant passages of each query begin in the next five.
        threshold: float32 [m], their scores.
        relevant: int64 [m], their positions.
        in_block_language: bool [m], whether they are in the block's language.
        in_language: int64 [m], passages of the language that stand before them; added to.
        in_pool: int64 [m], passages of all languages that do; added to.
        best_scores: float32 [rows, capacity > depth], changed.
        best_passages: int32 [rows, capacity], changed.
        filled: int64 [rows], how many there are, changed.
        depth: how many are wanted.
    """
    values = np.empty(products.shape[1], dtype=np.float32)
    columns = np.empty(products.shape[1], dtype=np.int32)
    for row in range(len(products)):
        if own[row] >= 0:
            products[row, own[row]] = -np.inf
        floor = best_scores[row, depth - 1] if filled[row] >= depth else np.float32(-np.inf)
        for slot in range(start[row], start[row + 1]):
            floor = min(floor, threshold[slot])
        reach = _gather(products[row], floor - band, values, columns)
        filled[row] = _extend_best(
            values[:reach],
            columns,
            queries[row],
            passages,
            positions,
            order,
            band,
            best_scores[row],
            best_passages[row],
            filled[row],
            depth,
        )
        for slot in range(start[row], start[row + 1]):
            before = _before(
                values[:reach],
                columns,
                queries[row],
                passages,
                positions,
                order,
                band,
                threshold[slot],
                relevant[slot],
            )
            in_pool[slot] += before
            in_language[slot] += before * in_block_language[slot]
