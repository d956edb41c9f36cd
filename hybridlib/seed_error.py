"""Intervals and p that hold other seeds as well as other test concepts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import digamma, polygamma
from scipy.stats import norm, t

from hybridlib.comparison import holm_by_measure

_PANEL = ["setting", "measure"]
_UPPER = 0.975  # of a 95 % interval
_LEAST = 1e-5  # of the median variance: what a variance of 0 is taken for
_NOTHING = 1e-6


def seed_variances(summary: pd.DataFrame, untrained: Collection[str] = ()) -> pd.DataFrame:
    """Give the variance over seeds of every system's mean, drawn towards what is usual among the systems.

    With few seeds a variance s_i^2 is hardly known, and systems differ in theirs; so it is moderated as in Smyth (2004,
    sections 3 and 6.2), who has many genes with few replicates: that of a system with d_i = seeds - 1 degrees of
    freedom is

        (d_0 s_0^2 + d_i s_i^2) / (d_0 + d_i)    with d_0 + d_i degrees of freedom, at most sum_i d_i.

    With e_i = log s_i^2 - psi(d_i / 2) + log(d_i / 2) over the m systems that have two seeds or more, d_0 solves
    psi'(d_0 / 2) = var(e) - mean psi'(d_i / 2) and is infinite where that is not positive; log s_0^2 = mean(e) +
    psi(d_0 / 2) - log(d_0 / 2). A trained system with one seed gets s_0^2 and d_0; no system, if none has two seeds.

    Args:
        summary: ``configuration``, ``languages``, ``setting``, ``measure`` and ``value``, a row a seed.
        untrained: systems that no seed has changed; they are left out.

    Returns:
        Index ``setting``, ``measure``, ``configuration``; ``variance`` (of one seed), ``freedom``, ``seeds`` and
        ``pooled`` (sum_i d_i).
    """
    tested = summary[(summary["languages"] == "all") & ~summary["configuration"].isin(list(untrained))]
    found = tested.groupby([*_PANEL, "configuration"])["value"].agg(["var", "count"])
    found.columns = pd.Index(["variance", "seeds"])
    panels = [_moderated(panel) for _, panel in found.groupby(level=_PANEL)]
    return pd.concat(panels) if panels else found.assign(freedom=np.nan, pooled=np.nan)


def _moderated(panel: pd.DataFrame) -> pd.DataFrame:
    free = panel["seeds"] - 1.0
    many = free > 0
    if not many.any():
        return panel.assign(freedom=np.nan, pooled=np.nan)
    own, known = panel["variance"][many], free[many]
    own = own.clip(lower=max(own.median() * _LEAST, np.finfo(float).tiny))
    e = np.log(own) - digamma(known / 2) + np.log(known / 2)
    prior = _prior_freedom(float(e.var() - polygamma(1, known / 2).mean())) if len(e) > 1 else 0.0
    towards = float(e.mean()) + (digamma(prior / 2) - np.log(prior / 2) if 0 < prior < np.inf else 0.0)
    # of infinitely many degrees of freedom the own ones weigh nothing
    share = np.where(many, free / (free + prior), 0.0) if prior > 0 else np.where(many, 1.0, np.nan)
    variance = share * own.reindex(panel.index, fill_value=0.0) + (1 - share) * np.exp(towards)
    freedom = np.minimum(prior + free, free.sum()).where(many | (prior > 0))
    return panel.assign(variance=variance, freedom=freedom, pooled=free.sum())


def _prior_freedom(excess: float) -> float:
    """Solve psi'(d / 2) = excess for d; infinite where nothing is in excess of what chance does."""
    if excess <= _NOTHING:
        return np.inf
    return 2 * float(np.exp(brentq(lambda log: polygamma(1, np.exp(log)) - excess, -20.0, 20.0)))


def compared_with_seeds(comparisons: pd.DataFrame, summary: pd.DataFrame, untrained: Collection[str]) -> pd.DataFrame:
    """Widen the intervals of differences, and raise their p, by what other seeds would change.

    With v_c, the variance of the difference over test concepts (by the half-width of its bootstrap interval), and v_a,
    v_b, those of the two systems' means over n_a and n_b seeds (:func:`seed_variances` by their number; 0 for what was
    not trained), the interval is the difference ± t_f sqrt(v), v = v_c + v_a + v_b, with the degrees of freedom of
    Welch (1947) and Satterthwaite (1946)

        f = v^2 / (v_c^2 / (concepts - 1) + max(v_a^2 / f_a + v_b^2 / f_b, (v_a + v_b)^2 / sum_i d_i)):

    drawn to one value, v_a and v_b are one estimate and not two, which knows no more than all seeds do.

    p is that of this t, or of the sign flips where that is larger. Intervals are too wide where seeds do little beside
    concepts (what both do together is in all parts), and far too wide for two systems that are made of one training,
    which vary together. They are too narrow for a system whose seeds differ much more than is usual, as its variance is
    drawn towards that: the more so, the fewer its seeds.

    Args:
        comparisons: of :func:`hybridlib.comparison.comparisons`.
        summary: of :func:`seed_variances`; where it knows nothing of a system, neither interval nor p changes.
        untrained: systems that no seed has changed.

    Returns:
        The comparisons with ``low``, ``high``, ``p`` and ``holm_p`` that hold seeds, and the columns ``sign_flip_p``
        (which does not), ``concept_error`` (sqrt v_c), ``seed_error`` (sqrt(v_a + v_b), NaN where it is not known) and
        ``freedom`` (f).
    """
    sides = [("configuration", "seeds"), ("baseline", "baseline_seeds")]
    parts = [_of_seeds(comparisons, *side, seed_variances(summary, untrained), untrained) for side in sides]
    wide = _widened(comparisons, "difference", comparisons["concepts"], parts)
    error = np.hypot(wide["concept_error"], wide["seed_error"])
    of_t = 2 * t.sf(np.abs(comparisons["difference"] / error.where(error > 0)), wide["freedom"])
    p = np.fmax(comparisons["p"], np.where(wide["seed_error"] > 0, of_t, 0.0))
    table = comparisons.assign(p=p, sign_flip_p=comparisons["p"], **wide)
    return table.assign(holm_p=holm_by_measure(table))


def means_with_seeds(
    means: pd.DataFrame, summary: pd.DataFrame, untrained: Collection[str], concepts: int
) -> pd.DataFrame:
    """Widen the intervals of means by what other seeds would change, as :func:`compared_with_seeds` does.

    Args:
        means: ``configuration``, ``setting``, ``measure``, ``value``, ``low``, ``high`` and ``seeds``.
        summary: of :func:`seed_variances`.
        untrained: systems that no seed has changed.
        concepts: number of test concepts.
    """
    parts = [_of_seeds(means, "configuration", "seeds", seed_variances(summary, untrained), untrained)]
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
        "Intervals and p hold other concepts (by bootstrap and sign flips) and other seeds (by Welch's t, with the "
        "variance over the seeds of a system drawn towards what is usual in the study; a trained system with one seed "
        f"is given the usual one).{unless * _in_part(comparisons)}"
    )


def _in_part(comparisons: pd.DataFrame) -> bool:
    """Whether nothing is known of seeds in some comparisons."""
    return bool(comparisons["seed_error"].isna().any())


def _of_seeds(
    table: pd.DataFrame, label: str, seeds: str, known: pd.DataFrame, untrained: Collection[str]
) -> pd.DataFrame:
    """Return ``variance`` of the mean over seeds of the system that each row names, its ``freedom`` and ``pooled``."""
    found = known.reindex(pd.MultiIndex.from_frame(table[[*_PANEL, label]])).set_index(table.index)
    fixed = table[label].isin(list(untrained))
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
