"""Language bias of the pooled ranking. Numpy alone."""

from __future__ import annotations

import numpy as np


def rank_distance(ranks: np.ndarray) -> np.ndarray:
    """Worst rank minus best rank among a query's relevant passages of all languages (2408.10536 section 4, Table 2).

    ``RD(q) = max_{d in R_q} rank(d) - min_{d in R_q} rank(d)``; at best r - 1 for r relevant passages.

    Args:
        ranks: int [n, r], ranks in the pool, padded with 0; each row has at least one.

    Returns:
        float64 [n].

    Example:
        >>> rank_distance(np.array([[3, 1, 90]]))
        array([89.])
    """
    lowest = np.where(ranks > 0, ranks, np.iinfo(np.int64).max).min(1)
    return (ranks.max(1) - lowest).astype(np.float64)


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
