"""What an embedding space looks like: how close, how spread, how separated by language. Arrays in, numbers out.

Vectors are float [n, d]; a language or a concept is a code (str) or a number. All sums are taken in float64.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from hybridlib.errors import InputError
from hybridlib.pair_products import Texts, all_products, listed_products

_BLOCK = 512
_ROWS = 1 << 13  # that are held in float64 at once: 25 MB of 384 dimensions


def alignment(queries: np.ndarray, passages: np.ndarray) -> float:
    """Mean squared distance of positive pairs: E ||u - v||^2, at least 0, at most 4 for unit vectors.

    Wang & Isola (2020), "Understanding Contrastive Representation Learning through Alignment and Uniformity on the
    Hypersphere", with their exponent 2. It is 2 - 2 E[u.v] for unit vectors.

    Args:
        queries: float [pairs, d].
        passages: float [pairs, d], row i is the positive of query i.

    Example:
        >>> alignment(np.array([[1.0, 0], [0, 1]]), np.array([[1.0, 0], [1, 0]]))
        1.0
    """
    for vectors in (queries, passages):
        _check("alignment", vectors)
    if queries.shape != passages.shape:
        raise InputError(f"alignment: found shapes {queries.shape} and {passages.shape}, expected the same [pairs, d]")
    return float(np.square(queries.astype(np.float64) - passages).sum(1).mean())


def uniformity(vectors: np.ndarray, t: float = 2.0, *, sample: int | None = None, seed: int = 0) -> float:
    """Log of the mean Gaussian kernel of different rows: log E exp(-t ||x - y||^2); at most 0, lower is more uniform.

    Wang & Isola (2020), as for :func:`alignment`; their t is 2. All n (n - 1) / 2 pairs are taken, in blocks.

    Args:
        vectors: float [n, d].
        t: of the kernel, above 0.
        sample: how many rows to draw, without replacement; all if there are fewer or it is None.
        seed: of the draw.

    Example:
        >>> uniformity(np.array([[1.0, 0], [-1, 0]]))
        -8.0
    """
    _check("uniformity", vectors)
    drawn = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:sample])
    points = vectors[drawn].astype(np.float64)
    if len(points) < 2:
        raise InputError(f"uniformity: found {len(points)} vectors, expected two at least")
    norms = np.square(points).sum(1)
    total = 0.0
    for start in range(0, len(points), _BLOCK):
        block, rest = points[start : start + _BLOCK], points[start:]
        squared = norms[start : start + _BLOCK, None] + norms[start:] - 2 * block @ rest.T
        kernel = np.exp(-t * np.maximum(squared, 0))
        total += np.triu(kernel, 1).sum()
    return float(np.log(total / (len(points) * (len(points) - 1) / 2)))


def similarity_statistics(
    queries: np.ndarray,
    passages: np.ndarray,
    query_language: np.ndarray,
    passage_language: np.ndarray,
    query: np.ndarray,
    passage: np.ndarray,
    itself: np.ndarray | None = None,
) -> pd.DataFrame:
    """Count, mean and population variance of the inner products of all (query, passage) pairs.

    No [n, m] array is made: over all pairs the sum is (sum_i u_i).(sum_j v_j) and the sum of squares is <U'U, V'V>,
    where the rows of U (``queries``, [n, d]) are u_i and those of V (``passages``, [m, d]) v_j; the positive pairs are
    listed, and the negative ones are the difference.

    Args:
        queries: float [n, d].
        passages: float [m, d].
        query_language: [n].
        passage_language: [m].
        query: int [p], positions of queries; with ``passage`` the positive pairs, each once; all others are negative.
        passage: int [p], positions of passages.
        itself: int [n], a passage that is the query's own text, or -1: this pair is neither positive nor negative.

    Returns:
        Index (``relevance``: positive, negative; ``language``: same, other, all), columns ``count``, ``mean`` and
        ``variance`` (both NaN where there is no pair).

    Example:
        >>> one, language = np.arange(2), np.array(["en", "de"])
        >>> table = similarity_statistics(np.eye(2), np.eye(2), language, language, one, one)
        >>> table["mean"].dropna().to_dict()
        {('positive', 'same'): 1.0, ('positive', 'all'): 1.0, ('negative', 'other'): 0.0, ('negative', 'all'): 0.0}
    """
    left, right = Texts(queries, np.asarray(query_language)), Texts(passages, np.asarray(passage_language))
    _check("query", *left)
    _check("passage", *right)
    if queries.shape[1] != passages.shape[1]:
        raise InputError(f"passage: found dimension {passages.shape[1]}, expected {queries.shape[1]} as of the queries")
    same, every = all_products(left, right)
    same_positive, positive = listed_products(left, right, query, passage)
    if itself is not None:
        own = np.flatnonzero(itself >= 0)
        for total, left_out in zip((same, every), listed_products(left, right, own, itself[own]), strict=True):
            total -= left_out
    sums = {
        ("positive", "same"): same_positive,
        ("positive", "other"): positive - same_positive,
        ("positive", "all"): positive,
        ("negative", "same"): same - same_positive,
        ("negative", "other"): every - same - (positive - same_positive),
        ("negative", "all"): every - positive,
    }
    table = pd.DataFrame(sums.values(), columns=["count", "mean", "variance"])
    table[["mean", "variance"]] = table[["mean", "variance"]].div(table["count"].where(table["count"] > 0), axis=0)
    table["variance"] = (table["variance"] - table["mean"] ** 2).clip(lower=0)
    return table.astype({"count": np.int64}).set_axis(pd.MultiIndex.from_tuples(sums, names=["relevance", "language"]))


def centroid_distances(vectors: np.ndarray, language: np.ndarray) -> pd.DataFrame:
    """Euclidean distance between the mean vectors of languages: [language x language], sorted; 0 on the diagonal.

    Example:
        >>> centroid_distances(np.array([[0.0, 0], [0, 2], [3, 5]]), np.array(["de", "de", "en"]))
             de   en
        de  0.0  5.0
        en  5.0  0.0
    """
    _check("text", vectors, language)
    names, code = np.unique(language, return_inverse=True)
    means = np.zeros((len(names), vectors.shape[1]))
    for number, rows in _by_number(vectors, code):
        means[number] += rows.sum(0)
    means /= np.bincount(code)[:, None]
    return pd.DataFrame(np.linalg.norm(means[:, None] - means, axis=2), index=names, columns=names)


def language_probe(
    vectors: np.ndarray,
    language: np.ndarray,
    concept: np.ndarray | None = None,
    *,
    folds: int = 5,
    sample: int | None = None,
    seed: int = 0,
) -> float:
    """Accuracy in telling the language of a text by a linear probe, cross-validated; 1 is fully separable.

    Chance is the share of the largest language: 1 / languages where all have the same number of texts. The probe is
    scikit-learn's ridge classifier on standardised dimensions: linear as logistic regression is, but solved in closed
    form, so that it is fast and always converged.

    Args:
        vectors: float [n, d].
        language: [n].
        concept: [n]; if given, no concept is both trained and tested on, so meaning cannot give a text away.
        folds: of the cross-validation, stratified by language.
        sample: how many texts to draw, as for :func:`uniformity`.
        seed: of the draw and the folds.

    Returns:
        Accuracy in [0, 1]. A language with fewer texts (or concepts) than ``folds`` is left out; NaN if fewer than two
        languages remain.
    """
    from sklearn.linear_model import RidgeClassifier  # takes a moment to import
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    group = np.arange(len(vectors)) if concept is None else np.asarray(concept)
    _check("language_probe", vectors, language, group)
    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:sample])
    group, target = group[rows], np.asarray(language)[rows]
    sizes = pd.Series(group).groupby(target).nunique()
    kept = np.isin(target, sizes.index[sizes >= folds])
    rows, group, target = rows[kept], group[kept], target[kept]
    if len(np.unique(target)) < 2:
        return float("nan")
    splitter, groups = (StratifiedKFold, None) if concept is None else (StratifiedGroupKFold, group)
    probe, parts = make_pipeline(StandardScaler(), RidgeClassifier()), splitter(folds, shuffle=True, random_state=seed)
    return float(cross_val_score(probe, vectors[rows], target, groups=groups, cv=parts).mean())


def geometry(
    queries: np.ndarray,
    passages: np.ndarray,
    query_language: np.ndarray,
    passage_language: np.ndarray,
    query: np.ndarray,
    passage: np.ndarray,
    itself: np.ndarray | None = None,
    *,
    passage_concept: np.ndarray | None = None,
    sample: int = 12_000,
    seed: int = 0,
) -> dict[str, float]:
    """Summarise a space of unit vectors by name; a number that does not exist (one language or passage) is left out.

    ``{positive,negative}_{same,other,all}_{mean,variance}`` of :func:`similarity_statistics`, whose arguments come
    first; ``alignment`` of all positive pairs, 2 - 2 ``positive_all_mean``; of the passages ``uniformity``,
    ``language_probe`` (of ``sample`` of them at most) and ``centroid_distance``, the mean over pairs of languages.
    """
    table = similarity_statistics(queries, passages, query_language, passage_language, query, passage, itself)
    numbers = table[["mean", "variance"]].stack()
    summary = {"_".join(names): float(value) for names, value in numbers.items()}
    summary["alignment"] = 2 - 2 * summary["positive_all_mean"]
    if len(passages) > 1:
        summary["uniformity"] = uniformity(passages, sample=sample, seed=seed)
    summary["language_probe"] = language_probe(passages, passage_language, passage_concept, sample=sample, seed=seed)
    distances = centroid_distances(passages, passage_language).to_numpy()
    if len(distances) > 1:
        summary["centroid_distance"] = float(distances[np.triu_indices(len(distances), 1)].mean())
    return {name: value for name, value in summary.items() if np.isfinite(value)}


def _check(what: str, vectors: np.ndarray, *labels: np.ndarray) -> None:
    """Raise unless there is a vector, all are finite, and there is a label of each kind for each."""
    counts = [len(label) for label in labels]
    if vectors.ndim != 2 or not len(vectors) or {*counts, len(vectors)} != {len(vectors)}:
        raise InputError(f"{what}: found vectors of shape {vectors.shape} and {counts} labels, expected [n, d] and n")
    for start in range(0, len(vectors), _ROWS):
        wrong = np.flatnonzero(~np.isfinite(vectors[start : start + _ROWS]).all(1))
        if len(wrong):
            row = start + wrong[0]
            raise InputError(f"{what}: found a number that is not finite in row {row}, expected finite vectors")


def _by_number(vectors: np.ndarray, code: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield a number of ``code``, int [n], and some vectors that have it, float64, until all have been there.

    Of the vectors, which may be memory-mapped, only a block is held at once.
    """
    for start in range(0, len(vectors), _ROWS):
        block, numbers = vectors[start : start + _ROWS].astype(np.float64), code[start : start + _ROWS]
        for number in np.unique(numbers):
            yield int(number), block[numbers == number]
