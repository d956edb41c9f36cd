"""How much another seed would change what a system scores, where few seeds are there to tell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

PANEL = ["setting", "measure"]
_LEAST = 1e-5  # of the median variance: what a variance of 0 is taken for
_NOTHING = 1e-6


def seed_variances(summary: pd.DataFrame, trainings: Mapping[str, str]) -> pd.DataFrame:
    """Give the variance over seeds of every system: its own, but no less than what is usual makes of it.

    With few seeds a variance s_i^2 is hardly known, and systems differ in theirs. Smyth (2004, sections 3 and 6.2), who
    has many genes with few replicates, moderates it: that of a system with d_i = seeds - 1 degrees of freedom is

        (d_0 s_0^2 + d_i s_i^2) / (d_0 + d_i)    with d_0 + d_i degrees of freedom, at most D = sum_i d_i.

    With e_i = log s_i^2 - psi(d_i / 2) + log(d_i / 2) over the trainings that have two seeds or more, d_0 solves
    psi'(d_0 / 2) = var(e) - mean psi'(d_i / 2) and is infinite where that is not positive; log s_0^2 = mean(e) +
    psi(d_0 / 2) - log(d_0 / 2). Here a variance that is larger than the moderated one stays as it is: else a system
    whose seeds differ more than usual would have intervals that are too narrow. A training with one seed gets s_0^2 and
    d_0, and nothing if fewer than two trainings have two.

    Args:
        summary: ``configuration``, ``languages``, ``setting``, ``measure`` and ``value``, a row a seed.
        trainings: system -> the training that made it, of which the system of that name is what came out: itself, or
            for vectors debiased afterwards or weights averaged another. What no seed has changed is not in it.

    Returns:
        Index ``setting``, ``measure``, ``configuration``; ``variance`` (of one seed), ``freedom``, ``seeds`` and
        ``pooled`` (D).
    """
    tested = summary[(summary["languages"] == "all") & summary["configuration"].isin(list(trainings))]
    found = tested.groupby([*PANEL, "configuration"])["value"].agg(["var", "count"])
    found.columns = pd.Index(["variance", "seeds"])
    first = {label for label, training in trainings.items() if label == training}
    panels = [_moderated(panel, first) for _, panel in found.groupby(level=PANEL)]
    return pd.concat(panels) if panels else found.assign(freedom=np.nan, pooled=np.nan)


def _moderated(panel: pd.DataFrame, first: set[str]) -> pd.DataFrame:
    free = panel["seeds"] - 1.0
    many = free > 0
    of_prior = many & panel.index.get_level_values("configuration").isin(list(first))
    if not of_prior.any():
        return panel.assign(variance=panel["variance"].where(many), freedom=free.where(many), pooled=free.where(many))
    median = panel.loc[of_prior, "variance"].median()
    own = panel["variance"].clip(lower=max(median * _LEAST, np.finfo(float).tiny)).fillna(0.0)
    known = free[of_prior] / 2
    e = np.log(own[of_prior]) - digamma(known) + np.log(known)
    prior = _prior_freedom(float(e.var() - polygamma(1, known).mean())) if len(e) > 1 else 0.0
    towards = float(e.mean()) + (digamma(prior / 2) - np.log(prior / 2) if 0 < prior < np.inf else 0.0)
    # of infinitely many degrees of freedom the own ones weigh nothing
    share = np.where(many, free / (free + prior), 0.0) if prior > 0 else np.where(many, 1.0, np.nan)
    variance = np.maximum(share * own + (1 - share) * np.exp(towards), own)
    pooled = free[of_prior].sum()
    freedom = np.minimum(prior + free, pooled).where(many | (prior > 0))
    return panel.assign(variance=variance, freedom=freedom, pooled=pooled)


def _prior_freedom(excess: float) -> float:
    """Solve psi'(d / 2) = excess for d; infinite where nothing is in excess of what chance does."""
    if excess <= _NOTHING:
        return np.inf
    return 2 * float(np.exp(brentq(lambda log: polygamma(1, np.exp(log)) - excess, -20.0, 20.0)))


def paired_variance(summary: pd.DataFrame, first: str, second: str, setting: str, measure: str) -> tuple[float, int]:
    """Give the variance over seeds of the difference of two systems, and the number of seeds that both have.

    Args:
        summary: of :func:`seed_variances`.
        first: a system.
        second: another.
        setting: of the means.
        measure: of the means.

    Returns:
        s^2 of the differences by seed, NaN where there are fewer than two.
    """
    panel = (summary[["languages", "setting", "measure"]] == ("all", setting, measure)).all(axis=1)
    values = [summary[panel & (summary["configuration"] == one)].set_index("seed")["value"] for one in (first, second)]
    differences = (values[0] - values[1]).dropna()
    return float(differences.var()), len(differences)
