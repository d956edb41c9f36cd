"""What 2506.09781 proves of the similarities at the optimum of contrastive objectives, as numbers."""

from __future__ import annotations

import math

from hybridlib.errors import InputError


def optimal_negative(n: int) -> float:
    """Similarity of every negative pair at the optimum of the full batch of ``n`` instances: -1/(n - 1).

    (Theorem 5.1, for vectors of dimension n - 1 or more; positives are at 1 there.)

    Example:
        >>> optimal_negative(5)
        -0.25
    """
    _check_sizes(n, n)
    return -1 / (n - 1)


def negative_variance_bounds(n: int, m: int) -> tuple[float, float]:
    """Lowest and highest variance of negatives' similarities at the optimum of fixed mini-batches (Theorem 5.5).

    ``(n - m) / ((m - 1) (n - 1)^2)`` and n times that; both fall with m and are 0 at m = n. The bounds hold if the
    vectors have m - 1 dimensions or more; the lower one is reached only with n/m * (m - 1) or more.

    Args:
        n: instances of the training set, a multiple of m.
        m: instances of a mini-batch, 2 or more.

    Raises:
        InputError: sizes that are none.

    Example:
        >>> [round(bound, 3) for bound in negative_variance_bounds(4, 2)]
        [0.222, 0.889]
    """
    _check_sizes(n, m)
    lowest = (n - m) / ((m - 1) * (n - 1) ** 2)
    return lowest, n * lowest


def siglip_separates_too_far(n: int, scale: float, bias: float) -> bool:
    """Tell if SigLIP's full-batch optimum has negatives below -1/(n - 1), so that positives stay below 1.

    (Theorem 5.3 and Example 5.4, for vectors of dimension n or more.) In the signs of
    :class:`hybridlib.objectives.siglip.SigLIP`, whose bias is the negative of the paper's:
    ``(1 + exp(t/(n - 1) - b)) / (1 + exp(t + b)) < (n - 2)/2``. Both tell too little when t and b are still learned.

    Args:
        n: instances of the training set, 2 or more.
        scale: t, positive.
        bias: b.

    Example:
        >>> [siglip_separates_too_far(n, 10.0, -10.0) for n in (22_000, 23_000)]  # at the published first values
        [False, True]
    """
    _check_sizes(n, n)
    above, below = scale / (n - 1) - bias, scale + bias
    return n > 2 and _softplus(above) - _softplus(below) < math.log((n - 2) / 2)


def _softplus(x: float) -> float:
    """log(1 + exp(x)), without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _check_sizes(n: int, m: int) -> None:
    if not 2 <= m <= n or n % m:
        raise InputError(
            f"theory: found {n} instances in batches of {m}, expected batches of 2 or more that divide them"
        )
