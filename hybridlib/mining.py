"""Hard negatives: for each concept and language the passages of similar concepts, mined once before training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from hybridlib.errors import InputError
from hybridlib.pairs import Pairs

_BLOCK = 1 << 22  # similarities at a time: 32 MB as float64


@dataclass(frozen=True, eq=False)
class HardNegatives:
    """The hard negatives of every concept in every language.

    Attributes:
        pairs: what was mined.
        table: int32 [concepts, languages, count], passage rows of other concepts in that language, best first; -1 where
            the concept has no pair or the language no passage.
        above_ceiling: how many hard negatives of cells with a passage are above the ceiling, for want of others.
    """

    pairs: Pairs
    table: np.ndarray
    above_ceiling: int

    def rows(self, batch: list[tuple[int, int]]) -> np.ndarray:
        """Return int64 [B, count], passage rows in the language of each pair's passage.

        Args:
            batch: (query row, passage row) pairs.

        Raises:
            InputError: if a pair's concept or language has no hard negatives, as it has no pair.
        """
        passage = np.array([row for _, row in batch], dtype=np.int64)
        found = self.table[self.pairs.concept[passage], self.pairs.language[passage]].astype(np.int64)
        missing = np.flatnonzero(found[:, 0] < 0)
        if len(missing):
            row = passage[missing[0]]
            language = self.pairs.languages[self.pairs.language[row]]
            raise InputError(
                f"mining: found passage row {row} of concept {self.pairs.concept[row]} in {language}, "
                "expected a passage of a pair"
            )
        return found


def mine(pairs: Pairs, vectors: np.ndarray, *, count: int, ceiling: float = 0.95) -> HardNegatives:
    r"""Choose hard negatives by the similarity of concepts, over all languages together.

    The similarity of concept a to concept b is the mean over the queries of a and the passages of b, in all their
    languages; it is the inner product of two mean vectors:

    .. math:: s(a, b) = \frac{1}{|Q_a| |P_b|} \sum_{q \in Q_a} \sum_{p \in P_b} q \cdot p

    In s(a, a) no text is paired with itself. The hard negatives of a in a language are the first passages, in that
    language, of the ``count`` concepts with largest s(a, b) that have one, so that they differ from a's passage in
    content and not in language. A concept with s(a, b) > ceiling * s(a, a) is probably relevant and left out: positive-
    aware mining, TopK-PercPos of NV-Retriever (arXiv 2407.15831), there with the score of a query's one passage in the
    place of s(a, a). Where fewer than ``count`` are left, the least similar of those left out follow. Of equally
    similar concepts the one of lower number comes first.

    Args:
        pairs: the texts.
        vectors: float32 [n, d] of unit length, one a text.
        count: hard negatives of a pair, at least 1.
        ceiling: > 0; a large one leaves out nothing.

    Raises:
        InputError: for vectors that do not fit or are not of unit length, a count or ceiling out of range, or a
            language in which ``count`` concepts or fewer have a passage.

    Example:
        Concept 0 has s(0, 0) = 0.8; concept 1 is above 0.95 * 0.8 with 0.96, concept 2 is not with 0.6.

        >>> concept, is_query = np.array([0, 0, 1, 2]), np.array([True, False, False, False])
        >>> pairs = Pairs(concept, np.zeros(4, dtype=int), is_query, ~is_query, np.arange(4), ("en",))
        >>> vectors = np.array([[1, 0], [0.8, 0.6], [0.96, 0.28], [0.6, 0.8]], dtype=np.float32)
        >>> mine(pairs, vectors, count=1).rows([(0, 1)]).tolist()
        [[3]]
    """
    _check(pairs, vectors, count, ceiling)
    passage_rows = np.flatnonzero(pairs.is_passage)
    first = np.full(pairs.has_passage.shape, len(vectors))
    np.minimum.at(first, (pairs.concept[passage_rows], pairs.language[passage_rows]), passage_rows)
    queries, asked = _sums(pairs, vectors, pairs.is_query)
    passages, answers = _sums(pairs, vectors, pairs.is_passage)
    _, both = _sums(pairs, vectors, pairs.is_query & pairs.is_passage)
    combinations = asked * answers - both
    own = ((queries * passages).sum(1) - both) / np.maximum(combinations, 1)
    queries /= np.maximum(asked, 1)[:, None]
    passages /= np.maximum(answers, 1)[:, None]
    table = np.full((*pairs.has_passage.shape, count), -1, dtype=np.int32)
    above_ceiling, size = 0, max(1, _BLOCK // max(1, pairs.concepts))
    with_pair = np.flatnonzero(combinations)
    for start in range(0, len(with_pair), size):
        block = with_pair[start : start + size]
        # Rounded, similarities that only the matrix product's rounding errors tell apart are equal.
        similarity = (queries[block] @ passages.T).astype(np.float32).astype(np.float64)
        above = similarity > ceiling * own[block, None]
        key = np.where(above, 4 + similarity, -similarity)
        key[np.arange(len(block)), block] = np.inf
        order = np.argsort(key, axis=1, kind="stable")
        for language in np.flatnonzero(pairs.has_passage.any(0)):
            has = pairs.has_passage[:, language]
            nearest = order[has[order]].reshape(len(block), -1)[:, :count]
            table[block, language] = first[nearest, language]
            above_ceiling += int(np.take_along_axis(above, nearest, axis=1)[has[block]].sum())
    return HardNegatives(pairs, table, above_ceiling)


def _sums(pairs: Pairs, vectors: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of each concept's chosen vectors, float64 [concepts, d], and how many there are, [concepts]."""
    rows = np.flatnonzero(chosen)
    concept = pairs.concept[rows]
    member = csr_array((np.ones(len(rows), np.float32), (concept, rows)), shape=(pairs.concepts, len(vectors)))
    return (member @ vectors).astype(np.float64), np.bincount(concept, minlength=pairs.concepts)


def _check(pairs: Pairs, vectors: np.ndarray, count: int, ceiling: float) -> None:
    if vectors.ndim != 2 or len(vectors) != len(pairs.concept):
        raise InputError(f"mining: found vectors of shape {vectors.shape}, expected ({len(pairs.concept)}, dimension)")
    if vectors.dtype != np.float32:
        raise InputError(f"mining: found vectors of {vectors.dtype}, expected float32")
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    wrong = np.flatnonzero(~(np.abs(length - 1) < 1e-3))
    if len(wrong):
        raise InputError(f"mining: found vector {wrong[0]} of length {length[wrong[0]]}, expected 1")
    check_count(pairs, count)
    if not ceiling > 0:
        raise InputError(f"mining: found ceiling {ceiling}, expected one above 0")


def check_count(pairs: Pairs, count: int) -> None:
    """Raise unless ``count`` hard negatives can be mined in every language that has passages."""
    if count < 1:
        raise InputError(f"mining: found count {count}, expected at least 1")
    for language, concepts in zip(pairs.languages, pairs.has_passage.sum(0).tolist(), strict=True):
        if 0 < concepts <= count:
            raise InputError(
                f"mining: found {concepts} concepts with a passage in {language}, expected at least {count + 1}: "
                f"{count} hard negatives of another concept"
            )
