"""Exact ranks of relevant passages within each language's corpus and in the pool, in one pass. Numpy and numba."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import threadpoolctl

from hybridlib import counting
from hybridlib.errors import InputError

_QUERIES, _PASSAGES = 1024, 4096  # a block of products is 16 MB: large enough for the matrix product at full speed


@dataclass(frozen=True, eq=False)
class Ranks:
    """Ranks of relevant passages, and the first passages of the pool.

    Attributes:
        in_language: int32 [m] >= 1, rank of each relevant passage among the passages of its language.
        in_pool: int32 [m] >= 1, its rank among the passages of all languages.
        top: int64 [queries, depth], the first passages of the pool, best first; -1 where the pool has no more.
        top_scores: float32 [queries, depth], their scores; -inf where there is none.
        pool_size: int64 [queries], number of ranked passages.
    """

    in_language: np.ndarray
    in_pool: np.ndarray
    top: np.ndarray
    top_scores: np.ndarray
    pool_size: np.ndarray


def exact_ranks(
    queries: np.ndarray,
    passages: np.ndarray,
    passage_language: np.ndarray,
    query: np.ndarray,
    passage: np.ndarray,
    *,
    itself: np.ndarray | None = None,
    order: np.ndarray | None = None,
    depth: int = 10,
    threads: int | None = None,
) -> Ranks:
    """Rank every relevant passage by counting the passages before it: rank = 1 + number of better ones.

    A score is the inner product, computed in float64 and rounded to float32. A passage is better if its score is larger
    or, at equal score, if its ``order`` is (trec_eval's rule: score descending, then id descending). Nothing is cut
    off, and ranks do not depend on block sizes, threads, or the library of the matrix product: it only finds
    what is near enough to be compared exactly. That holds while its error is below 4 u sqrt(d), u = 2 ** -24, which is
    not a bound that holds always, but the usual model of rounding errors (Higham & Mary 2019: they grow with the square
    root of d, with high probability); the largest error in two million products was 1.1 u sqrt(d).

    Args:
        queries: float32 [nq, d], unit length.
        passages: float32 [np, d], unit length; may be memory-mapped: read once for the check, then once a thread.
        passage_language: int [np].
        query: int [m], positions of queries; with ``passage`` the relevant pairs, each once.
        passage: int [m], positions of passages.
        itself: int [nq], a passage that is not ranked for a query (its own text), or -1; never a relevant one.
        order: int [np], all different; default: the position.
        depth: of ``top``.
        threads: default: those of numpy's matrix product.

    Raises:
        InputError: for shapes that do not fit, a position that no query or passage has, an order that is not all
            different, a vector that is not of unit length, or a depth beyond the pool.
    """
    itself = np.full(len(queries), -1) if itself is None else np.asarray(itself, dtype=np.int64)
    order = np.arange(len(passages)) if order is None else np.asarray(order, dtype=np.int64)
    query, passage = np.asarray(query), np.asarray(passage)
    _check(queries, passages, depth)
    _check_positions(len(queries), len(passages), np.asarray(passage_language), query, passage, itself, order)
    if len(query) and np.bincount(query).max() >= 1 << 14:
        raise InputError("retrieval: found a query with 16,384 relevant passages or more, expected fewer")
    language = np.asarray(passage_language)
    by_query = np.argsort(query, kind="stable")
    start = np.searchsorted(query[by_query], np.arange(len(queries) + 1))
    blocks = list(_blocks(language))
    in_language, in_pool = np.empty(len(query), dtype=np.int32), np.empty(len(query), dtype=np.int32)

    def count(part: slice) -> _Counts:
        pairs = by_query[start[part.start] : start[part.stop]]
        threshold = counting.pair_scores(queries, passages, query[pairs], passage[pairs])
        ascending = np.lexsort([threshold, query[pairs]])
        pairs = pairs[ascending]
        relevant = _Relevant(
            start=start[part.start : part.stop + 1] - start[part.start],
            order=order[passage[pairs]],
            language=language[passage[pairs]],
            threshold=threshold[ascending],
        )
        counts = _count(queries[part], passages, relevant, itself[part], order, blocks, depth)
        in_language[pairs], in_pool[pairs] = 1 + counts.in_language, 1 + counts.in_pool
        return counts

    parts = _spans(len(queries), threads or blas_threads())
    with threadpoolctl.threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(len(parts)) as pool:
        counts = list(pool.map(count, parts))
    return Ranks(
        in_language=in_language,
        in_pool=in_pool,
        top=np.concatenate([part.best_passages[:, :depth] for part in counts]).astype(np.int64),
        top_scores=np.concatenate([part.best_scores[:, :depth] for part in counts]),
        pool_size=len(passages) - (itself >= 0).astype(np.int64),
    )


@dataclass(frozen=True, eq=False)
class _Relevant:
    """Relevant passages of a thread's queries by ascending score: those of query i at ``start[i] : start[i + 1]``."""

    start: np.ndarray
    order: np.ndarray
    language: np.ndarray
    threshold: np.ndarray


@dataclass(frozen=True, eq=False)
class _Counts:
    """What one thread counts for its queries."""

    in_language: np.ndarray
    in_pool: np.ndarray
    best_scores: np.ndarray
    best_passages: np.ndarray
    filled: np.ndarray


def _count(
    queries: np.ndarray,
    passages: np.ndarray,
    relevant: _Relevant,
    itself: np.ndarray,
    order: np.ndarray,
    blocks: list[tuple[int, slice | np.ndarray]],
    depth: int,
) -> _Counts:
    """Count for a thread's queries: passage blocks outside, so passages on disk are read once."""
    rows, pairs, capacity = len(queries), len(relevant.threshold), depth + max(depth, 16)
    counts = _Counts(
        in_language=np.zeros(pairs, dtype=np.int32),
        in_pool=np.zeros(pairs, dtype=np.int32),
        best_scores=np.full((rows, capacity), -np.inf, dtype=np.float32),
        best_passages=np.full((rows, capacity), -1, dtype=np.int32),
        filled=np.zeros(rows, dtype=np.int64),
    )
    band = np.float32(4 * 2.0**-24 * np.sqrt(queries.shape[1]))
    buffer = np.empty(_QUERIES * _PASSAGES, dtype=np.float32)
    for language, chosen in blocks:
        block = np.ascontiguousarray(passages[chosen])
        positions = np.arange(chosen.start, chosen.stop) if isinstance(chosen, slice) else chosen
        column = np.searchsorted(positions, itself)
        column = np.where(positions[np.minimum(column, len(positions) - 1)] == itself, column, -1)
        for begin in range(0, rows, _QUERIES):
            span = slice(begin, min(begin + _QUERIES, rows))
            slots = slice(relevant.start[span.start], relevant.start[span.stop])
            products = buffer[: (span.stop - span.start) * len(block)].reshape(-1, len(block))
            np.matmul(queries[span], block.T, out=products)
            counting.count_block(
                products,
                queries[span],
                block,
                positions,
                order,
                column[span],
                band,
                relevant.start[span.start : span.stop + 1] - slots.start,
                relevant.threshold[slots],
                relevant.order[slots],
                relevant.language[slots] == language,
                counts.in_language[slots],
                counts.in_pool[slots],
                counts.best_scores[span],
                counts.best_passages[span],
                counts.filled[span],
                depth,
            )
    return counts


def _blocks(passage_language: np.ndarray) -> Iterator[tuple[int, slice | np.ndarray]]:
    """Yield a language and the positions of some of its passages, ascending; a slice where they follow each other."""
    for language in np.unique(passage_language):
        positions = np.flatnonzero(passage_language == language)
        for start in range(0, len(positions), _PASSAGES):
            chosen = positions[start : start + _PASSAGES]
            together = chosen[-1] - chosen[0] + 1 == len(chosen)
            yield int(language), slice(int(chosen[0]), int(chosen[-1]) + 1) if together else chosen


def _spans(total: int, parts: int) -> list[slice]:
    """Divide ``0 .. total`` into at most ``parts`` spans of nearly one size."""
    edges = np.linspace(0, total, min(parts, max(total, 1)) + 1).astype(int).tolist()
    return [slice(a, b) for a, b in pairwise(edges)]


def blas_threads() -> int:
    """How many threads numpy's matrix product takes."""
    pools = threadpoolctl.threadpool_info()
    return max((pool["num_threads"] for pool in pools if pool["user_api"] == "blas"), default=1)


def _check_positions(
    queries: int,
    passages: int,
    passage_language: np.ndarray,
    query: np.ndarray,
    passage: np.ndarray,
    itself: np.ndarray,
    order: np.ndarray,
) -> None:
    """Raise for what compiled loops would read or write past the end of an array."""
    for what, array, size in (
        ("passage_language", passage_language, passages),
        ("query", query, len(query)),
        ("passage", passage, len(query)),
        ("itself", itself, queries),
        ("order", order, passages),
    ):
        if array.shape != (size,):
            raise InputError(f"retrieval: found {what} of shape {array.shape}, expected ({size},)")
    for what, array, first, end in (
        ("query", query, 0, queries),
        ("passage", passage, 0, passages),
        ("itself", itself, -1, passages),
    ):
        wrong = array[(array < first) | (array >= end)]
        if len(wrong):
            raise InputError(f"retrieval: found {what} {wrong[0]}, expected {first} to {end - 1}")
    if len(np.unique(order)) != passages:
        raise InputError("retrieval: found a number in order twice, expected all different")


def _check(queries: np.ndarray, passages: np.ndarray, depth: int) -> None:
    if queries.shape[1] != passages.shape[1]:
        raise InputError(
            f"retrieval: found queries of {queries.shape[1]} dimensions, expected {passages.shape[1]} as the passages"
        )
    if not 1 <= depth <= len(passages):
        raise InputError(f"retrieval: found depth {depth}, expected 1 to {len(passages)}, the pool's size")
    for what, vectors in (("query", queries), ("passage", passages)):
        if vectors.dtype != np.float32:
            raise InputError(f"retrieval: found {what} vectors of {vectors.dtype}, expected float32")
        for start in range(0, len(vectors), 1 << 16):
            length = np.linalg.norm(vectors[start : start + (1 << 16)], axis=1)
            wrong = np.flatnonzero(~(np.abs(length - 1) < 1e-3))
            if len(wrong):
                raise InputError(f"retrieval: found {what} {start + wrong[0]} of length {length[wrong[0]]}, expected 1")
