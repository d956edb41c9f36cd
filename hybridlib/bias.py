"""Language bias of the pooled ranking. Numpy, and the chi-square distribution of scipy.

For n queries with at most r relevant passages each, ``ranks``, int [n, r], holds the ranks (1 is first) of a query's
relevant passages in the pool, all different, in any order and padded with 0; ``language``, int [n, r], the language
``0 .. L - 1`` of the passage at the same place (anything where the rank is 0); ``own``, int [n], the query's language.
Measures return float64 [n].
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import chdtrc

from hybridlib.errors import InputError
from hybridlib.measures import recall

_BLOCK = 1024  # queries at a time, so that temporaries stay small


def rank_distance(ranks: np.ndarray) -> np.ndarray:
    """Worst rank minus best rank among a query's relevant passages of all languages (2408.10536 section 4, Table 2).

    ``RD(q) = max_{d in R_q} rank(d) - min_{d in R_q} rank(d)``; at best r - 1 for r relevant passages. A row without
    one raises ``InputError``.

    Example:
        >>> rank_distance(np.array([[3, 1, 90]]))
        array([89.])
    """
    return max_rank(ranks) - _best(ranks)


def random_rank_distance(relevant: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Expected rank distance of a random ranking: (r - 1) / (r + 1) * (N + 1).

    The expected gap between the largest and the smallest of r ranks drawn from 1 .. N without replacement.

    Args:
        relevant: int [n], number r of relevant passages.
        pool: int [n], number N of passages in the pool.

    Example:
        >>> random_rank_distance(np.array([11]), np.array([13014])).round()
        array([10846.])
    """
    return (relevant - 1) / (relevant + 1) * (pool + 1.0)


def max_rank(ranks: np.ndarray) -> np.ndarray:
    """Rank of the last relevant passage, ``Max@R = max_{d in R_q} rank(d)`` (2604.05684).

    A row without one raises ``InputError``.
    """
    empty = np.flatnonzero(~ranks.any(1))
    if len(empty):
        raise InputError(f"bias: found no relevant passage in row {empty[0]} of ranks, expected one at least")
    return ranks.max(1).astype(np.float64)


def max_rank_normalised(ranks: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Max@R on a scale from 0 (last of the pool) to 100 (all relevant passages on top), 2604.05684.

    ``100 * (log2 N - log2 Max@R) / (log2 N - log2 r)`` for r relevant passages in a pool of N; 100 where r = N.

    Args:
        ranks: int [n, r].
        pool: int [n], number N of ranked passages.

    Raises:
        InputError: a rank is beyond the pool, or a row has no relevant passage.

    Example:
        >>> max_rank_normalised(np.array([[1, 2], [1, 32]]), np.array([512, 512]))
        array([100.,  50.])
    """
    worst = max_rank(ranks)
    beyond = np.flatnonzero(worst > pool)
    if len(beyond):
        raise InputError(
            f"bias: found rank {worst[beyond[0]]:.0f} in row {beyond[0]}, expected at most {pool[beyond[0]]}, its pool"
        )
    span = np.log2(pool) - np.log2(np.count_nonzero(ranks, axis=1))
    return 100 * np.divide(np.log2(pool) - np.log2(worst), span, out=np.ones(len(ranks)), where=span > 0)


def peer(
    ranks: np.ndarray,
    language: np.ndarray,
    k: int,
    relevance: np.ndarray | None = None,
    weights: Mapping[int, float] | None = None,
) -> np.ndarray:
    """PEER@k, probability of equal expected rank (2405.00978): 1 where ranks do not depend on the language, else less.

    The p-value of the Kruskal-Wallis test: of a query's N relevant passages in G languages, with a_i the place of one
    among the N (those ranked beyond k share the mean of their places),

        H = (N - 1) * sum_g n_g * (mean_g a - mean a)^2 / sum_i (a_i - mean a)^2,   p = P(chi-square of G - 1 > H);

    1 for fewer than two languages, or if no passage is within k. Done for each level of relevance by itself; PEER is
    the mean of p by weight.

    With one passage a language, all within k, H is N - 1 whatever their order, and PEER the same for all rankings
    (0.4405 for 11 languages). The authors' program (hltcoe/peer_measure) gives other values: its a_i are ranks in the
    pool, with N + (u + 1) / 2 for all u passages beyond k even if that is ahead of k; 2605.31171 has the test as here.

    Args:
        ranks: int [n, r].
        language: int [n, r].
        k: the cut-off, from 1.
        relevance: int [n, r], level of relevance of each passage; by default 1.
        weights: level to weight, adding up to 1; by default the same for every level in ``relevance``.

    Raises:
        InputError: k < 1, or weights that are negative or do not add up to 1.

    Example:
        >>> peer(np.array([[1, 2, 3, 4]]), np.array([[0, 0, 1, 1]]), 10).round(4)  # H = 2.4
        array([0.1213])
    """
    if k < 1:
        raise InputError(f"peer: found k = {k}, expected 1 or more")
    if relevance is None:
        relevance = (ranks > 0).astype(np.int8)
    if weights is None:
        levels = np.unique(relevance[ranks > 0]).tolist()
        weights = dict.fromkeys(levels, 1 / max(len(levels), 1))
    elif min(weights.values(), default=0) < 0 or abs(sum(weights.values()) - 1) > 1e-6:
        raise InputError(f"peer: found weights {dict(weights)}, expected weights from 0 that add up to 1")
    fair = np.ones(len(ranks))
    for level, weight in weights.items():
        for start in range(0, len(ranks), _BLOCK):
            part = slice(start, start + _BLOCK)
            of_level = np.where(relevance[part] == level, ranks[part], 0)
            fair[part] -= weight * (1 - _equal_rank_probability(of_level, language[part], k))
    return fair


def _equal_rank_probability(ranks: np.ndarray, language: np.ndarray, k: int) -> np.ndarray:
    """Return the p-value of the Kruskal-Wallis test of each row."""
    n, width = ranks.shape
    count = np.count_nonzero(ranks, axis=1)[:, None]
    within = np.count_nonzero((ranks > 0) & (ranks <= k), axis=1)[:, None]
    languages = int(np.max(language, where=ranks > 0, initial=0)) + 1
    # Sorting rank and language as one number puts the passages in order; the last "language" is that of padding.
    key = np.where(ranks > 0, np.minimum(ranks, k + 1), k + 2).astype(np.int64) * (languages + 1)
    key += np.where(ranks > 0, language, languages)
    key.sort(axis=1)
    place = np.arange(1, width + 1)
    place = np.where(place <= within, place, (within + 1 + count) / 2) - (count + 1) / 2
    cell = key % (languages + 1) + np.arange(n)[:, None] * (languages + 1)
    size, total = (
        np.bincount(cell.ravel(), weight, n * (languages + 1)).reshape(n, languages + 1)[:, :-1]
        for weight in (None, place.ravel())
    )
    between = np.divide(total**2, size, out=np.zeros(size.shape), where=size > 0).sum(1)
    overall = np.where(np.arange(width) < count, place**2, 0.0).sum(1)
    groups = (size > 0).sum(1)
    tested = (groups > 1) & (within[:, 0] > 0)
    h = (count[:, 0] - 1) * np.divide(between, overall, out=np.zeros(n), where=tested)
    return np.where(tested, chdtrc(np.maximum(groups - 1, 1), h), 1.0)


def language_preference(ranks: np.ndarray, language: np.ndarray, own: np.ndarray) -> np.ndarray:
    """1 where the best ranked relevant passage is in the query's language, else 0 (after 2605.07249).

    NaN for a query with no relevant passage in its own language or none in another. A ranking that ignores languages
    gives, on average, the share of the own language among the relevant passages: 1 / L with one in each of L.

    Example:
        >>> language_preference(np.array([[7, 3, 0], [2, 5, 0]]), np.array([[4, 5, 0], [4, 5, 0]]), np.array([5, 5]))
        array([1., 0.])
    """
    same = language == own[:, None]
    best_own, best_other = (_best(np.where(chosen, ranks, 0)) for chosen in (same, ~same))
    preferred = (best_own < best_other).astype(np.float64)
    return np.where(np.isfinite(best_own) & np.isfinite(best_other), preferred, np.nan)


def other_language_recall(ranks: np.ndarray, language: np.ndarray, own: np.ndarray, k: int) -> np.ndarray:
    """TLR@k (2606.18801 section 4.3): share of the relevant passages of other languages that are among the first k.

    NaN for a query that has none.

    Example:
        >>> other_language_recall(np.array([[1, 4, 30]]), np.array([[0, 1, 2]]), np.array([0]), 10)
        array([0.5])
    """
    others = np.where(language != own[:, None], ranks, 0)
    return np.where(others.any(1), recall(others, k), np.nan)


def single_answer_ranks(ranks: np.ndarray, language: np.ndarray) -> np.ndarray:
    """Ranks in a pool without the relevant passages of other languages: int64 [n, r], 0 where ``ranks`` is.

    For LAReQA's heat map of query and answer language (2004.05484): how well an answer is found where the language it
    is written in has the only answers.

    Example:
        >>> single_answer_ranks(np.array([[2, 5, 6, 0]]), np.array([[0, 1, 0, 0]]))  # 5 is behind 2; 6 behind 5
        array([[2, 4, 5, 0]])
    """
    single = np.zeros(ranks.shape, dtype=np.int64)
    for start in range(0, len(ranks), _BLOCK):
        part = slice(start, start + _BLOCK)
        known = ranks[part] > 0
        rows, code = np.arange(len(known)), np.where(known, language[part], 0)
        seen = np.zeros((len(known), int(code.max(initial=0)) + 1), dtype=np.int64)
        order = np.argsort(np.where(known, ranks[part], np.iinfo(ranks.dtype).max), axis=1)
        for ahead, slot in enumerate(order.T):
            same = code[rows, slot]
            single[part][rows, slot] = ranks[part][rows, slot] - (ahead - seen[rows, same])
            seen[rows, same] += 1
        single[part][~known] = 0
    return single


def same_language_share(top_languages: np.ndarray, language: np.ndarray) -> np.ndarray:
    """Share of the top K that is in the query's language (same_language_share@K).

    Args:
        top_languages: int [n, languages], counts among the top K, each row summing to K.
        language: int [n], language of each query.

    Returns:
        float64 [n], in [0, 1].
    """
    return top_languages[np.arange(len(language)), language] / top_languages.sum(1)


def language_matrix(top_languages: np.ndarray, language: np.ndarray) -> np.ndarray:
    """Share of each language in the top K, by query language: float64 [languages, languages], rows sum to 1.

    A query language without queries gives a row of NaN.
    """
    languages = top_languages.shape[1]
    totals = np.zeros((languages, languages))
    np.add.at(totals, language, top_languages)
    rows = totals.sum(1, keepdims=True)
    return np.divide(totals, rows, out=np.full_like(totals, np.nan), where=rows > 0)


def _best(ranks: np.ndarray) -> np.ndarray:
    """Return the lowest rank of each row, infinity where none is."""
    return np.where(ranks > 0, ranks, np.inf).min(1)
