"""Sums over inner products of pairs of vectors, inside languages and over all; no array of all pairs is made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_ROWS = 1 << 13  # of vectors that are held in float64 at once: 25 MB of 384 dimensions
_NUMBERS = 1 << 22  # of the vectors of listed pairs, on either side at once


class Texts(NamedTuple):
    """Vectors, float [n, d], and the language of each, [n]."""

    vectors: np.ndarray
    language: np.ndarray


_Moments = tuple[np.ndarray, np.ndarray, np.ndarray]


def all_products(queries: Texts, passages: Texts) -> tuple[np.ndarray, np.ndarray]:
    """Count, sum and sum of squares of the products inside languages, and of all; float64 [3] each.

    Of rows u_i of U and v_j of V the sum is (sum_i u_i).(sum_j v_j) and the sum of squares is <U'U, V'V>. The moments
    of one language are held at a time, beside those of all.
    """
    same, every = np.zeros(3), [_no_moments(queries), _no_moments(passages)]
    for name in np.unique(np.concatenate([queries.language, passages.language])):
        moments = [_moments(texts, name) for texts in (queries, passages)]
        same += _inner(*moments)
        for total, part in zip(every, moments, strict=True):
            for number, more in zip(total, part, strict=True):
                number += more
    return same, _inner(*every)


def _inner(one: _Moments, other: _Moments) -> np.ndarray:
    """Count, sum and sum of squares of the products of two sets of vectors; float64 [3]."""
    return np.array([np.vdot(u, v) for u, v in zip(one, other, strict=True)])


def _no_moments(texts: Texts) -> _Moments:
    dimension = texts.vectors.shape[1]
    return np.zeros(()), np.zeros(dimension), np.zeros((dimension, dimension))


def _moments(texts: Texts, name: str) -> _Moments:
    """Of one language: count [], sum of its vectors [d], and V'V [d, d]; only a block of vectors is copied at once."""
    counted, total, squares = _no_moments(texts)
    places = np.flatnonzero(texts.language == name)
    for start in range(0, len(places), _ROWS):
        rows = texts.vectors[places[start : start + _ROWS]].astype(np.float64)
        counted += len(rows)
        total += rows.sum(0)
        squares += rows.T @ rows
    return counted, total, squares


def listed_products(
    queries: Texts, passages: Texts, query: np.ndarray, passage: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`all_products`, of the listed pairs."""
    same, every = np.zeros(3), np.zeros(3)
    height = max(1, _NUMBERS // queries.vectors.shape[1])
    for start in range(0, len(query), height):
        rows, columns = query[start : start + height], passage[start : start + height]
        found = np.einsum("ij,ij->i", queries.vectors[rows], passages.vectors[columns], dtype=np.float64)
        for total, chosen in (
            (every, found),
            (same, found[queries.language[rows] == passages.language[columns]]),
        ):
            total += chosen.size, chosen.sum(), np.square(chosen).sum()
    return same, every
