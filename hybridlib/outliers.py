"""What is far from the rest."""

from __future__ import annotations

import numpy as np


def far_off(distances: np.ndarray) -> np.ndarray:
    """Return which distances are longer than the third quartile by more than three interquartile ranges.

    Tukey's outer fence. NaN is not far.

    Args:
        distances: float [n], not negative.

    Example:
        >>> far_off(np.array([1.0, 2.0, 3.0, 4.0, 30.0])).tolist()
        [False, False, False, False, True]
    """
    first, third = np.nanquantile(distances, [0.25, 0.75])
    return np.asarray(distances > third + 3 * (third - first))
