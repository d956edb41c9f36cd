"""Exact ranks of relevant passages within each language's corpus and in the pool, in one pass. Numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybridlib.errors import InputError

_BLOCK = 128  # queries a block; with a thousand passages a language, scores of one language stay in the cache


@dataclass(frozen=True, eq=False)
class Texts:
    """Embedded texts of one role.

    Attributes:
        vectors: float32 [n, d], unit length.
        concept: int [n]; a query and a passage of one concept are relevant to each other, in every language.
        language: int [n], ``0 .. languages - 1``.
        row: int [n], which text it is. A passage that is the query itself is neither relevant nor ranked.
    """

    vectors: np.ndarray
    concept: np.ndarray
    language: np.ndarray
    row: np.ndarray

    def __post_init__(self) -> None:
        """Check shapes and that all vectors are finite and of unit length."""
        n = len(self.vectors)
        for field in ("concept", "language", "row"):
            if getattr(self, field).shape != (n,):
                raise InputError(f"retrieval: found {field} of shape {getattr(self, field).shape}, expected ({n},)")
        length = np.linalg.norm(self.vectors, axis=1)
        wrong = np.flatnonzero(~(np.abs(length - 1) < 1e-3))
        if len(wrong):
            raise InputError(f"retrieval: found vector {wrong[0]} of length {length[wrong[0]]}, expected 1")


@dataclass(frozen=True, eq=False)
class Ranks:
    """Ranks of all relevant passages; the first four arrays have one entry a relevant (query, passage) pair.

    Attributes:
        query: int64, index of the query.
        passage: int64, index of the passage.
        in_language: int64 >= 1, rank among the passages of the passage's language.
        in_pool: int64 >= 1, rank among the passages of all languages.
        top_languages: int64 [queries, languages], how many of the first ``depth`` of the pool are in each language.
        pool_size: int64 [queries], number of ranked passages.
    """

    query: np.ndarray
    passage: np.ndarray
    in_language: np.ndarray
    in_pool: np.ndarray
    top_languages: np.ndarray
    pool_size: np.ndarray


def exact_ranks(queries: Texts, passages: Texts, languages: int, *, depth: int = 10) -> Ranks:
    """Rank every relevant passage by counting the passages before it: rank = 1 + number of better ones.

    A passage is better if its inner product with the query is larger or, at equal product, if it stands later in
    ``passages`` (trec_eval's rule: score descending, then id descending). Nothing is cut off.

    Args:
        queries: [nq, d].
        passages: [np, d].
        languages: number of languages.
        depth: of ``top_languages``.
    """
    if queries.vectors.shape[1] != passages.vectors.shape[1]:
        raise InputError(
            f"retrieval: found queries of {queries.vectors.shape[1]} dimensions, expected {passages.vectors.shape[1]}"
        )
    if not 1 <= depth <= len(passages.vectors):
        raise InputError(f"retrieval: found depth {depth}, expected 1 to {len(passages.vectors)}, the pool's size")
    by_language = np.argsort(passages.language, kind="stable")  # keeps the given order inside a language
    edges = np.concatenate([[0], np.cumsum(np.bincount(passages.language, minlength=languages))])
    vectors = np.ascontiguousarray(passages.vectors[by_language])
    copies, originals = _copies(vectors)
    relevant = _Relevant(queries, passages, by_language)
    parts = []
    for start in range(0, len(queries.vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        scores = queries.vectors[block] @ vectors.T
        scores[:, copies] = scores[:, originals]
        columns, itself = relevant.of(block)
        scores[itself] = -np.inf
        parts.append(_rank_block(scores, columns, edges, by_language, depth))
    columns = np.concatenate(
        [relevant.of(slice(start, start + _BLOCK))[0] for start in range(0, len(queries.row), _BLOCK)]
    )
    in_language, in_pool, top = (np.concatenate(field) for field in zip(*parts, strict=True))
    query, slot = np.nonzero(columns >= 0)
    excluded = np.isin(queries.row, passages.row)
    return Ranks(
        query=query,
        passage=by_language[columns[query, slot]],
        in_language=in_language[query, slot],
        in_pool=in_pool[query, slot],
        top_languages=top,
        pool_size=len(passages.row) - excluded,
    )


def _copies(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that equal an earlier row, and that row: a matrix product may round equal columns differently."""
    rows = np.ascontiguousarray(vectors).view(np.dtype((np.void, vectors.shape[1] * vectors.itemsize)))[:, 0]
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    copies = np.flatnonzero(first[inverse] != np.arange(len(rows)))
    return copies, first[inverse][copies]


class _Relevant:
    """Finds the columns of relevant passages, and of the query itself, for a block of queries."""

    def __init__(self, queries: Texts, passages: Texts, by_language: np.ndarray) -> None:
        concept = passages.concept[by_language]
        self.order = np.argsort(concept, kind="stable")
        self.start = np.searchsorted(concept[self.order], queries.concept, side="left")
        self.stop = np.searchsorted(concept[self.order], queries.concept, side="right")
        self.width = int((self.stop - self.start).max(initial=1))
        self.passage_row, self.query_row = passages.row[by_language], queries.row

    def of(self, block: slice) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """Return columns, int64 [rows, width], -1 where none is, and the (row, column) places of the query itself."""
        slots = self.start[block, None] + np.arange(self.width)
        columns = np.where(slots < self.stop[block, None], self.order[np.minimum(slots, len(self.order) - 1)], -1)
        itself = (columns >= 0) & (self.passage_row[columns] == self.query_row[block, None])
        places = (np.nonzero(itself)[0], columns[itself])
        columns[itself] = -1
        return columns, places


def _rank_block(
    scores: np.ndarray, columns: np.ndarray, edges: np.ndarray, order: np.ndarray, depth: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ranks in the language and in the pool (int64 [rows, width]) and the languages of the first ``depth``."""
    rows, languages = len(scores), len(edges) - 1
    thresholds = np.take_along_axis(scores, np.maximum(columns, 0), axis=1)
    better = np.zeros((*columns.shape, languages), dtype=np.int64)
    for language in range(languages):
        part = np.ascontiguousarray(scores[:, edges[language] : edges[language + 1]])
        for slot in range(columns.shape[1]):
            threshold = thresholds[:, slot, None]
            better[:, slot, language] = np.count_nonzero(part > threshold, axis=1)
            equal = np.count_nonzero(part == threshold, axis=1)
            for row in np.flatnonzero((equal > 0) & (columns[:, slot] >= 0)):
                tied = order[edges[language] + np.flatnonzero(part[row] == threshold[row])]
                better[row, slot, language] += np.count_nonzero(tied > order[columns[row, slot]])
    own = np.searchsorted(edges, np.maximum(columns, 0), side="right") - 1
    in_language = 1 + np.take_along_axis(better, own[..., None], axis=2)[..., 0]
    top = np.zeros((rows, languages), dtype=np.int64)
    cut = np.partition(scores, scores.shape[1] - depth, axis=1)[:, -depth]
    for query in range(rows):
        first = np.flatnonzero((scores[query] >= cut[query]) & (scores[query] > -np.inf))
        if len(first) > depth:
            first = first[np.lexsort((-order[first], -scores[query, first]))[:depth]]
        top[query] = np.bincount(np.searchsorted(edges, first, side="right") - 1, minlength=languages)
    return in_language, 1 + better.sum(2), top
