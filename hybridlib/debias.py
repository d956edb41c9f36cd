"""Debiasing embeddings after training: one affine map a language, fitted on texts that test nothing. Numpy alone.

Each method is fitted on the vectors of some texts and gives a :data:`Debiasing`, which maps vectors of other texts
by their language; no test text may be among those it is fitted on. Queries and passages differ in more than language
(prefix, length, style), so fit and apply them apart, as :func:`fitted` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np

from hybridlib.errors import InputError

Debiasing = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(vectors float32 [n, d], language codes or numbers [n]) -> float32 [n, d], every row of unit length.

Raises InputError for a language that it was not fitted on, for vectors of another dimension, and for a row that is not
finite or of which nothing is left but rounding.
"""

DEBIASINGS = ("centring", "shift", "lir")

_NOTHING = 1e-6  # of a vector's length: what rounding in float32 leaves of it


def centring(vectors: np.ndarray, language: np.ndarray) -> Debiasing:
    """Subtract the mean of the vector's language: x - mean_l, then scale to unit length.

    Libovický, Rosa & Fraser (2020), "On the Language Neutrality of Pre-trained Multilingual Representations". The unit
    length is ours: cosine retrieval does the same.

    Args:
        vectors: float [n, d], texts of one role to fit on.
        language: codes or numbers [n].

    Example:
        >>> debias = centring(np.array([[1.0, 1], [3, 1]]), np.array(["en", "en"]))
        >>> debias(np.array([[5.0, 1], [2, 0]]), np.array(["en", "en"]))
        array([[ 1.,  0.],
               [ 0., -1.]], dtype=float32)
    """
    groups = _by_language("centring", vectors, language)
    means = {name: vectors[rows].mean(0, dtype=np.float64) for name, rows in groups.items()}
    return _debiasing("centring", {name: partial(_minus, mean) for name, mean in means.items()}, vectors.shape[1])


def shift(
    vectors: np.ndarray, language: np.ndarray, concept: np.ndarray, *, source: str | int, alpha: float = 1.0
) -> Debiasing:
    """SHIFT: move the vectors of each language to where the source language has its own: x - alpha V_l.

    V_l = mean_i (f(D_i^l) - f(D_i^source)) over aligned texts, V_source = 0 (Jang et al. 2026, arXiv 2606.18801, eq. 1
    and algorithm 1). In the paper it moves passages only, queries stay; alpha is chosen for each encoder (0.6 for
    multilingual-e5-large). Ours: texts are aligned by concept, several of one concept and language are averaged first,
    and the result has unit length.

    Args:
        vectors: float [n, d], training passages.
        language: codes or numbers [n].
        concept: ids or numbers [n].
        source: the language that the others move to.
        alpha: share of the way.

    Raises:
        InputError: if ``source`` has no text, or a language shares no concept with it.
    """
    groups = _by_language("shift", vectors, language)
    if source not in groups:
        raise InputError(f"shift: found source {source!r}, expected one of: {_listed(groups)}")
    if len(concept) != len(vectors):
        raise InputError(f"shift: found {len(concept)} concepts, expected one for each of the {len(vectors)} vectors")
    means = {name: _concept_means(vectors[rows], np.asarray(concept)[rows]) for name, rows in groups.items()}
    changes = {}
    for name, (concepts, mean) in means.items():
        shared, here, there = np.intersect1d(concepts, means[source][0], assume_unique=True, return_indices=True)
        if not len(shared):
            raise InputError(f"shift: found no concept in both {name!r} and source {source!r}, expected at least one")
        changes[name] = partial(_minus, alpha * (mean[here] - means[source][1][there]).mean(0))
    return _debiasing("shift", changes, vectors.shape[1])


def remove_components(vectors: np.ndarray, language: np.ndarray, *, components: int = 1) -> Debiasing:
    """LIR: project off the first principal components of the vector's language: x - C_l C_l' x.

    C_l [d, components]: left singular vectors with the largest singular values of the matrix [d, n_l] of the language's
    vectors (Yang, Yang, Cer & Darve, EMNLP 2021). As in the authors' code the matrix is not centred: where all vectors
    of a language lie in a narrow cone, as those of E5, the first component is the direction of their mean, and removing
    it does what :func:`centring` does. In that code 1 component gave a better mAP on XQuAD-R than 2. Ours: the result
    has unit length, and queries and passages may be fitted apart; they fit both on sentences of Wikipedia.

    Args:
        vectors: float [n, d], texts of one role to fit on.
        language: codes or numbers [n].
        components: how many to remove, 1 to d - 1.

    Raises:
        InputError: if a language has fewer texts than ``components``.

    Example:
        >>> debias = remove_components(np.array([[3.0, 0], [0, 1]]), np.array(["en", "en"]))
        >>> debias(np.array([[4.0, 2]]), np.array(["en"]))
        array([[0., 1.]], dtype=float32)
    """
    groups = _by_language("lir", vectors, language)
    if not 1 <= components < vectors.shape[1]:
        raise InputError(f"lir: found components {components}, expected 1 to {vectors.shape[1] - 1}")
    changes = {}
    for name, rows in groups.items():
        if len(rows) < components:
            raise InputError(f"lir: found {len(rows)} texts in {name!r}, expected {components} components or more")
        block = vectors[rows].astype(np.float64)
        changes[name] = partial(_off, np.linalg.eigh(block.T @ block)[1][:, -components:])
    return _debiasing("lir", changes, vectors.shape[1])


def fitted(
    name: str,
    query_vectors: np.ndarray,
    query_language: np.ndarray,
    passage_vectors: np.ndarray,
    passage_language: np.ndarray,
    passage_concept: np.ndarray,
) -> tuple[Debiasing, Debiasing]:
    """Fit one of :data:`DEBIASINGS` with its default parameters: the debiasing of queries, and that of passages.

    ``centring`` and ``lir`` fit queries on queries and passages on passages. ``shift`` leaves queries of any language
    as they are; its source is ``en`` if there are English passages, else the language with most (the first of several).

    Raises:
        InputError: for another name, and as the function of that name does.
    """
    if name == "centring":
        return centring(query_vectors, query_language), centring(passage_vectors, passage_language)
    if name == "lir":
        return remove_components(query_vectors, query_language), remove_components(passage_vectors, passage_language)
    if name == "shift":
        sizes = {code: len(rows) for code, rows in _by_language("shift", passage_vectors, passage_language).items()}
        source = "en" if "en" in sizes else max(sizes, key=lambda code: sizes[code])
        return _unchanged, shift(passage_vectors, passage_language, passage_concept, source=source)
    raise InputError(f"debiasing: found {name!r}, expected one of: {' '.join(DEBIASINGS)}")


def _minus(offset: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return vectors - offset


def _off(basis: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return vectors - (vectors @ basis) @ basis.T


def _unchanged(vectors: np.ndarray, language: np.ndarray) -> np.ndarray:
    return _unit("shift", vectors, vectors)


def _concept_means(vectors: np.ndarray, concept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different concepts, sorted, and the mean of the vectors of each, float64 [concepts, d]."""
    concepts, which = np.unique(concept, return_inverse=True)
    sums = np.zeros((len(concepts), vectors.shape[1]))
    np.add.at(sums, which, vectors)
    return concepts, sums / np.bincount(which)[:, None]


def _debiasing(
    where: str, changes: Mapping[str | int, Callable[[np.ndarray], np.ndarray]], dimension: int
) -> Debiasing:
    """Return the debiasing that changes the vectors of each language by its function and scales them to unit length."""
    if not changes:
        raise InputError(f"{where}: found no vector to fit on, expected one at least")

    def debias(vectors: np.ndarray, language: np.ndarray) -> np.ndarray:
        groups = _by_language(where, vectors, language)
        if vectors.shape[1] != dimension:
            raise InputError(f"{where}: found vectors of dimension {vectors.shape[1]}, expected {dimension} as fitted")
        unknown = [name for name in groups if name not in changes]
        if unknown:
            raise InputError(f"{where}: found language {unknown[0]!r}, expected one fitted on: {_listed(changes)}")
        moved = np.empty(vectors.shape, dtype=np.float32)
        for name, rows in groups.items():
            moved[rows] = changes[name](vectors[rows])
        return _unit(where, moved, vectors)

    return debias


def _unit(where: str, moved: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Scale ``moved`` to unit length; an error names the first row with nothing left of its vector in ``vectors``."""
    length = np.linalg.norm(moved, axis=1, keepdims=True)
    bad = np.flatnonzero(~(length > _NOTHING * np.linalg.norm(vectors, axis=1, keepdims=True)))
    if len(bad):
        raise InputError(
            f"{where}: found a vector of length {length[bad[0], 0]:.3g} after debiasing in row {bad[0]}, "
            "expected a finite one with a direction"
        )
    return (moved / length).astype(np.float32)


def _by_language(where: str, vectors: np.ndarray, language: np.ndarray) -> dict[str | int, np.ndarray]:
    """Check vectors and languages; return the rows of each language, int [n_l]."""
    if vectors.ndim != 2 or len(language) != len(vectors):
        raise InputError(
            f"{where}: found vectors of shape {vectors.shape} and {len(language)} languages, expected [n, d] and n"
        )
    if not np.isfinite(vectors).all():
        row = np.flatnonzero(~np.isfinite(vectors).all(1))[0]
        raise InputError(f"{where}: found a number that is not finite in row {row}, expected finite vectors")
    names, code = np.unique(language, return_inverse=True)
    return {name: np.flatnonzero(code == i) for i, name in enumerate(names.tolist())}


def _listed(names: Iterable[str | int]) -> str:
    return " ".join(map(str, names))
