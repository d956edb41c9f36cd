"""Compiled loops of :mod:`hybridlib.retrieval`: counting in a block of scores, and the best passages so far.

A score is the inner product in float64 of two float32 vectors, rounded to float32. A matrix product gives it with an
error that depends on its library, block and threads; so an element nearer than ``band`` to what it is compared with is
computed anew, by one function for all pairs of vectors, and the outcome depends on the vectors alone. (Products of two
float32 numbers are exact in float64. The compiler chooses the order in which they are added, for its processor: on
another one a sum may differ by 1e-16, and its rounding to float32 does so almost never.)
"""

from __future__ import annotations

import numba
import numpy as np

_jit = numba.njit(cache=True, nogil=True, error_model="numpy")


_BINS = 8192  # of the table of a query, 16 KB
_BELOW = np.float32(-1.005)  # less than any product of unit vectors


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
def _score(a: np.ndarray, b: np.ndarray) -> np.float32:
    """Inner product of two float32 [d] vectors, rounded once."""
    total = 0.0
    for i in range(len(a)):
        total += np.float64(a[i]) * np.float64(b[i])
    return np.float32(total)


@_jit
def pair_scores(queries: np.ndarray, passages: np.ndarray, query: np.ndarray, passage: np.ndarray) -> np.ndarray:
    """Score of each pair of positions: float32 [m]."""
    scores = np.empty(len(query), dtype=np.float32)
    for i in range(len(query)):
        scores[i] = _score(queries[query[i]], passages[passage[i]])
    return scores


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


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz", "reassoc"})
def _peak(products: np.ndarray) -> np.float32:
    """Return the largest of float32 [n >= 1] values."""
    peak = products[0]
    for value in products:
        peak = max(peak, value)
    return peak


@_jit
def _least_best(products: np.ndarray, depth: int, peaks: np.ndarray) -> np.float32:
    """Return a value that at least ``depth`` products reach: of the peaks of 2 depth parts the one of that rank.

    About 1.4 depth of the products reach it if their order is random, so few are looked at that are not among the best.

    Args:
        products: float32 [columns].
        depth: how many.
        peaks: float32 [2 depth], changed.
    """
    size = len(products) // len(peaks)
    if size == 0:
        return _BELOW
    for part in range(len(peaks)):
        peak = _peak(products[part * size : (part + 1) * size])
        i = part
        while i > 0 and peaks[i - 1] < peak:
            peaks[i] = peaks[i - 1]
            i -= 1
        peaks[i] = peak
    return peaks[depth - 1]


@_jit
def _bin(value: np.float32) -> int:
    """Which bin a product of unit vectors is in; a larger value is in the same bin or a later one."""
    return int(np.int32((value + np.float32(1.01)) * np.float32(_BINS / 2.02)))


@_jit
def _fill(table: np.ndarray, threshold: np.ndarray, cut: np.float32, band: np.float32) -> None:
    """Say for each bin how many thresholds are certainly below its values.

    A bin that holds values within the band of a threshold, or values that may be among the best, is marked: its number,
    of thresholds that are certainly below *all* its values, is larger by slots + 1.

    Args:
        table: uint16 [bins], changed.
        threshold: float32 [slots], ascending.
        cut: least score among the best.
        band: largest error of a product.
    """
    begin, slots = 0, len(threshold)
    best = _bin(max(cut - band, _BELOW))
    for slot in range(slots):
        first, last = max(_bin(threshold[slot] - band), begin), _bin(threshold[slot] + band)
        table[begin : min(first, best)] = slot
        table[max(begin, best) : first] = slot + slots + 1
        # A bin that two thresholds share keeps the lower number: what follows is compared one by one.
        if last >= first:
            table[first : last + 1] = slot + slots + 1
            begin = last + 1
    table[begin:best] = slots
    table[max(begin, best) :] = 2 * slots + 1


@_jit
def _count_bins(
    products: np.ndarray, table: np.ndarray, slots: int, counts: np.ndarray, bins: np.ndarray, marked: np.ndarray
) -> int:
    """Count the values of each number in the table, and list those of marked bins; return how many these are.

    Bins are found in a loop of their own, which is vectorised; indices are unsigned, since numba looks whether a signed
    one counts from the end. Both together take a third off the time.

    Args:
        products: float32 [columns].
        table: uint16 [bins], of :func:`_fill`.
        slots: number of thresholds.
        counts: int32 [4, 2 slots + 2], zeros; four, so that an addition need not wait for the one before.
        bins: uint16 [columns], changed.
        marked: int32 [columns], changed.
    """
    for j in range(len(products)):
        bins[j] = _bin(products[j])
    listed, most = np.uint64(0), np.uint16(slots)
    for j in range(len(products)):
        number = table[bins[np.uint64(j)]]
        marked[listed] = j
        listed += np.uint64(number > most)
        counts[np.uint64(j) & np.uint64(3), number] += np.int32(1)
    return int(np.int64(listed))


@_jit
def count_block(  # noqa: C901 (calls in its inner loop, with an array each, double its time)
    products: np.ndarray,
    queries: np.ndarray,
    passages: np.ndarray,
    positions: np.ndarray,
    order: np.ndarray,
    own: np.ndarray,
    band: np.float32,
    start: np.ndarray,
    threshold: np.ndarray,
    relevant_order: np.ndarray,
    in_block_language: np.ndarray,
    in_language: np.ndarray,
    in_pool: np.ndarray,
    best_scores: np.ndarray,
    best_passages: np.ndarray,
    filled: np.ndarray,
    depth: int,
) -> None:
    """Add what stands before each relevant passage in a block of passages of one language, and keep the best.

    A product is looked up in a table of bins, which says how many of the query's thresholds are below it. Only in the
    bins around a threshold, and where the best are, it is compared; only within the band of a threshold, and among the
    best, the score is computed.

    Args:
        products: float32 [rows, columns], the queries times the passages; an element out of reach is overwritten.
        queries: float32 [rows, d].
        passages: float32 [columns, d].
        positions: int64 [columns], of these passages among all.
        order: int64 [all passages]; of two with one score the one with the larger number stands before the other.
        own: int64 [rows], column of the passage that is not ranked for a query, or -1.
        band: largest error of a product.
        start: int64 [rows + 1], where the relevant passages of each query begin in the next five.
        threshold: float32 [m], their scores, ascending for each query.
        relevant_order: int64 [m], their ``order``.
        in_block_language: bool [m], whether they are in the block's language.
        in_language: int32 [m], passages of the language that stand before them; added to.
        in_pool: int32 [m], passages of all languages that do; added to.
        best_scores: float32 [rows, capacity > depth], changed.
        best_passages: int32 [rows, capacity], changed.
        filled: int64 [rows], how many there are, changed.
        depth: how many are wanted.
    """
    table = np.empty(_BINS, dtype=np.uint16)
    bins = np.empty(products.shape[1], dtype=np.uint16)
    marked = np.empty(products.shape[1], dtype=np.int32)
    peaks = np.empty(2 * depth, dtype=np.float32)
    counts = np.empty((4, 2 * np.max(np.diff(start)) + 2), dtype=np.int32)
    for row in range(len(products)):
        if own[row] >= 0:
            products[row, own[row]] = _BELOW
        first, last = start[row], start[row + 1]
        slots = last - first
        full = filled[row] >= depth
        cut = best_scores[row, depth - 1] if full else _least_best(products[row], depth, peaks) - band
        _fill(table, threshold[first:last], cut, band)
        counts[:] = 0
        listed = _count_bins(products[row], table, slots, counts, bins, marked)
        for j in marked[:listed]:
            value = products[row, j]
            slot = np.int64(table[_bin(value)]) - slots - 1
            counts[0, slot] += 1
            score = np.float32(np.nan)
            while first + slot < last and threshold[first + slot] - band <= value:
                limit = threshold[first + slot]
                if value - limit <= band:
                    if np.isnan(score):
                        score = _score(queries[row], passages[j])
                    tied = score == limit
                    above = score > limit or (tied and order[positions[j]] > relevant_order[first + slot])
                else:
                    above = True
                in_pool[first + slot] += above
                in_language[first + slot] += above and in_block_language[first + slot]
                slot += 1
            if value >= cut - band and value > _BELOW:
                if np.isnan(score):
                    score = _score(queries[row], passages[j])
                if score >= cut:
                    best_scores[row, filled[row]] = score
                    best_passages[row, filled[row]] = positions[j]
                    filled[row] += 1
                if filled[row] == best_scores.shape[1]:
                    filled[row] = _keep_best(best_scores[row], best_passages[row], order, filled[row], depth)
                    cut = best_scores[row, depth - 1]
        filled[row] = _keep_best(best_scores[row], best_passages[row], order, filled[row], depth)
        above_all = 0
        for slot in range(slots - 1, -1, -1):
            above_all += counts[:, slot + 1].sum()
            in_pool[first + slot] += above_all
            in_language[first + slot] += above_all * in_block_language[first + slot]
