"""Rectangles and straight lines in a plane, many against many. Numpy alone.

Rectangles are float [n, 4], left, bottom, right and top; lines float [m, 2, 2], both ends.
"""

from __future__ import annotations

import numpy as np


def shared(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the area that each two rectangles share: float [n, k].

    Example:
        >>> shared(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 1, 3, 3], [5, 5, 6, 6]])).tolist()
        [[1.0, 0.0]]
    """
    sides = np.minimum(first[:, None, 2:], second[None, :, 2:]) - np.maximum(first[:, None, :2], second[None, :, :2])
    return np.asarray(sides.clip(min=0).prod(axis=-1))


def apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the distance between each two rectangles, 0 where they touch: float [n, k].

    Example:
        >>> apart(np.array([[0.0, 0, 1, 1]]), np.array([[4.0, 5, 6, 6], [0, 0, 2, 2]])).tolist()
        [[5.0, 0.0]]
    """
    gaps = np.maximum(first[:, None, :2] - second[None, :, 2:], second[None, :, :2] - first[:, None, 2:])
    return np.asarray(np.hypot(*np.moveaxis(gaps.clip(min=0), -1, 0)))


def across(lines: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return what length of each line lies inside each rectangle: float [m, n].

    Example:
        >>> across(np.array([[[-2.0, 1], [6, 1]]]), np.array([[0.0, 0, 2, 2], [0, 3, 2, 5]])).tolist()
        [[2.0, 0.0]]
    """
    start, way = lines[:, None, 0], (lines[:, 1] - lines[:, 0])[:, None]
    steep = np.where(np.abs(way) < 1e-9, 1e-9, way)  # a line along a side stays within it, or never comes in
    ends = np.stack([(boxes[None, :, :2] - start) / steep, (boxes[None, :, 2:] - start) / steep])
    enters, leaves = ends.min(axis=0).max(axis=-1).clip(min=0), ends.max(axis=0).min(axis=-1).clip(max=1)
    return np.asarray((leaves - enters).clip(min=0) * np.linalg.norm(way, axis=-1))


def crossing(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return which lines cross, other than by touching: bool [m, k].

    Example:
        >>> crossing(np.array([[[0.0, 0], [2, 2]]]), np.array([[[0.0, 2], [2, 0]], [[2, 2], [3, 9]]])).tolist()
        [[True, False]]
    """

    def sides(lines: np.ndarray, points: np.ndarray) -> np.ndarray:
        """On which side of each line, seen along it, each point lies: float [m, k, 2]."""
        along, to = (lines[:, 1] - lines[:, 0])[:, None, None], points[None] - lines[:, None, None, 0]
        return np.asarray(along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0])

    of_second, of_first = sides(first, second).prod(axis=-1), sides(second, first).prod(axis=-1)
    return np.asarray((of_second < 0) & (of_first.T < 0))
