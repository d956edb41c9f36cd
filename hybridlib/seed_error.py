"""Intervals and p that hold other seeds as well as other test concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from hybridlib.comparison import holm_by_measure
from hybridlib.seed_variance import PANEL, paired_variance, seed_variances

_UPPER = 0.975  # of a 95 % interval


def compared_with_seeds(comparisons: pd.DataFrame, summary: pd.DataFrame, trainings: Mapping[str, str]) -> pd.DataFrame:
    """Widen the intervals of differences, and raise their p, by what other seeds would change.

    With v_c, the variance of the difference over test concepts (by the half-width of its bootstrap interval), and v_a,
    v_b, those of the two systems' means over n_a and n_b seeds (:func:`hybridlib.seed_variance.seed_variances` by their
    number; 0 for what was not trained), the interval is the difference ± t_f sqrt(v), v = v_c + v_a + v_b, with the
    degrees of freedom of Welch (1947) and Satterthwaite (1946)

        f = v^2 / (v_c^2 / (concepts - 1) + max(v_a^2 / f_a + v_b^2 / f_b, (v_a + v_b)^2 / D)):

    drawn to one value, v_a and v_b are one estimate and not two, which knows no more than all seeds do. For two systems
    that are made of one training, which vary together, v_a + v_b is the variance of their difference by seed, by the
    number n of seeds that both have, with n - 1 degrees of freedom.

    p is that of this t, or of the sign flips where that is larger. It is still too small for systems with one seed
    whose seeds would differ more than is usual, and where seeds change more than concepts and systems differ in it.

    Args:
        comparisons: of :func:`hybridlib.comparison.comparisons`.
        summary: of :func:`hybridlib.seed_variance.seed_variances`; where it knows nothing of a system, neither interval
            nor p changes.
        trainings: see there.

    Returns:
        The comparisons with ``low``, ``high``, ``p`` and ``holm_p`` that hold seeds, and the columns ``sign_flip_p``
        (which does not), ``concept_error`` (sqrt v_c), ``seed_error`` (sqrt(v_a + v_b), NaN where it is not known) and
        ``freedom`` (f).
    """
    known = seed_variances(summary, trainings)
    sides = [("configuration", "seeds"), ("baseline", "baseline_seeds")]
    parts = [_of_seeds(comparisons, *side, known, trainings) for side in sides]
    made = [comparisons[label].map(trainings) for label, _ in sides]
    for place in comparisons.index[made[0].notna() & (made[0] == made[1])]:
        names = comparisons.loc[place, ["configuration", "baseline", *PANEL]]
        variance, seeds = paired_variance(summary, *names)
        parts[0].loc[place, ["variance", "freedom", "pooled"]] = variance / max(seeds, 1), seeds - 1, seeds - 1
        parts[1].loc[place, ["variance", "pooled"]] = 0.0, seeds - 1
    wide = _widened(comparisons, "difference", comparisons["concepts"], parts)
    error = np.hypot(wide["concept_error"], wide["seed_error"])
    of_t = 2 * t.sf(np.abs(comparisons["difference"] / error.where(error > 0)), wide["freedom"])
    p = np.fmax(comparisons["p"], np.where(wide["seed_error"] > 0, of_t, 0.0))
    table = comparisons.assign(p=p, sign_flip_p=comparisons["p"], **wide)
    return table.assign(holm_p=holm_by_measure(table))


def means_with_seeds(
    means: pd.DataFrame, summary: pd.DataFrame, trainings: Mapping[str, str], concepts: int
) -> pd.DataFrame:
    """Widen the intervals of means by what other seeds would change, as :func:`compared_with_seeds` does.

    Args:
        means: ``configuration``, ``setting``, ``measure``, ``value``, ``low``, ``high`` and ``seeds``.
        summary: of :func:`hybridlib.seed_variance.seed_variances`.
        trainings: see there.
        concepts: number of test concepts.
    """
    parts = [_of_seeds(means, "configuration", "seeds", seed_variances(summary, trainings), trainings)]
    wide = _widened(means, "value", pd.Series(concepts, means.index), parts)
    return means.assign(low=wide["low"], high=wide["high"])


def holds_seeds(comparisons: pd.DataFrame) -> bool:
    """Whether intervals and p of comparisons hold other seeds; 0 is the error of what no seed has changed."""
    return bool((comparisons["seed_error"] > 0).any())


def over(comparisons: pd.DataFrame) -> str:
    """Say what else the intervals and p of comparisons hold than what was seen."""
    if not holds_seeds(comparisons):
        return "test concepts"
    return f"test concepts and{', where they are known,' * _in_part(comparisons)} seeds"


def how(comparisons: pd.DataFrame) -> str:
    """Say how the intervals and p of comparisons were made, and what they do not hold."""
    if not holds_seeds(comparisons):
        return "Intervals by bootstrap over concepts, p by sign flips over concepts; they do not hold other seeds."
    unless = " They do not hold other seeds where a system has one and nothing else tells of them."
    return (
        "Intervals and p hold other concepts (by bootstrap and sign flips) and other seeds (by Welch's t; the variance "
        "of few seeds is drawn towards what is usual in the study, which one seed alone is given; two systems made of "
        f"one training are paired by seed).{unless * _in_part(comparisons)}"
    )


def _in_part(comparisons: pd.DataFrame) -> bool:
    """Whether nothing is known of seeds in some comparisons."""
    return bool(comparisons["seed_error"].isna().any())


def _of_seeds(
    table: pd.DataFrame, label: str, seeds: str, known: pd.DataFrame, trainings: Mapping[str, str]
) -> pd.DataFrame:
    """Return ``variance`` of the mean over seeds of the system that each row names, its ``freedom`` and ``pooled``."""
    found = known.reindex(pd.MultiIndex.from_frame(table[[*PANEL, label]])).set_index(table.index)
    fixed = ~table[label].isin(list(trainings))
    variance = (found["variance"] / table[seeds]).mask(fixed, 0.0)
    return found[["pooled"]].assign(variance=variance, freedom=found["freedom"].mask(fixed, 1.0))


def _widened(table: pd.DataFrame, middle: str, concepts: pd.Series, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return ``low``, ``high``, ``concept_error``, ``seed_error`` and ``freedom``."""
    of_concepts = ((table["high"] - table["low"]) / (2 * norm.ppf(_UPPER))) ** 2
    of_seeds = sum((part["variance"] for part in parts), pd.Series(0.0, table.index))
    both = (of_concepts + of_seeds).replace(0.0, np.nan)
    # shares, as the square of a tiny variance is 0
    apart = sum(((part["variance"] / both) ** 2 / part["freedom"] for part in parts), pd.Series(0.0, table.index))
    pooled = pd.concat([part["pooled"] for part in parts], axis=1).max(axis=1)
    as_one = ((of_seeds / both) ** 2 / pooled).fillna(0.0)  # of what no seed has changed
    freedom = 1 / ((of_concepts / both) ** 2 / (concepts - 1) + np.maximum(apart, as_one))
    half = np.sqrt(both) * t.ppf(_UPPER, freedom)
    known = of_seeds > 0
    return pd.DataFrame(
        {
            "low": (table[middle] - half).where(known, table["low"]),
            "high": (table[middle] + half).where(known, table["high"]),
            "concept_error": np.sqrt(of_concepts),
            "seed_error": np.sqrt(of_seeds),
            "freedom": freedom,
        }
    )
