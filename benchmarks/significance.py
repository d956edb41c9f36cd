"""Seconds for the tests of all language pairs of one comparison: 36 x 36 pairs, 3,600 concepts, 10,000 flips.

Run ``python benchmarks/significance.py``. The last line compares with scipy's test of the same kind, a column a time.
"""

from __future__ import annotations

import resource

import common
import numpy as np
from scipy.stats import permutation_test

from hybridlib.significance import bootstrap_interval, sign_flip

PAIRS, CONCEPTS, FLIPS, SAMPLE = 36 * 36, 3600, 10_000, 3


def scipy_p(contributions: np.ndarray) -> float:
    """Sign-flip p of one column by scipy."""
    return permutation_test(
        (contributions,), np.sum, permutation_type="samples", n_resamples=FLIPS, batch=1000, rng=0
    ).pvalue


def main() -> None:
    """Measure and print."""
    table = np.random.default_rng(0).normal(0.01, 1, (CONCEPTS, PAIRS)) / CONCEPTS
    print(common.describe("scipy"))
    print(f"{PAIRS} tests x {CONCEPTS} concepts x {FLIPS} flips or draws")
    wall, flipping = common.seconds(lambda: sign_flip(table, flips=FLIPS))
    print(f"sign_flip           {wall:6.2f} s, {flipping:6.2f} s of processor")
    wall, processor = common.seconds(lambda: bootstrap_interval(table, draws=FLIPS))
    print(f"bootstrap_interval  {wall:6.2f} s, {processor:6.2f} s of processor")
    print(f"largest memory      {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:6.0f} MB")
    sample = table[:, :SAMPLE]
    _, processor = common.seconds(lambda: [scipy_p(column) for column in sample.T])
    ratio = processor / SAMPLE / (flipping / PAIRS)
    print(
        f"scipy, one test     {processor / SAMPLE:6.2f} s of processor, {ratio:.0f} times sign_flip's time of one test"
    )


if __name__ == "__main__":
    main()
