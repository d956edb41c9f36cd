"""How much another seed changes, which no test over concepts knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from hybridlib.comparison import DIGITS, LEVEL, PLACES, contributions, mean_over_seeds
from hybridlib.plain_text import listed
from hybridlib.significance import sign_flip


def seed_spread(summary: pd.DataFrame, study: str = "") -> str:
    """Say how much another seed moves a mean, of which study; nothing if no system has two seeds.

    The standard deviation over seeds, pooled over the ``n_i`` seeds of each system ``i``:
    sqrt(sum_i (n_i - 1) s_i^2 / sum_i (n_i - 1)).
    """
    tested = summary[summary["languages"] == "all"]
    spread = tested.groupby(["setting", "measure", "configuration"])["value"].agg(["var", "count"])
    spread = spread[spread["count"] > 1]
    said = []
    for (setting, measure), place in PLACES.items():
        if (setting, measure) in spread.index.droplevel("configuration"):
            rows = spread.loc[setting, measure]
            pooled = np.sqrt(np.average(rows["var"], weights=rows["count"] - 1))
            said.append(f"{pooled:{DIGITS[measure]}} {place}")
    if not said:
        return ""
    systems = spread.index.get_level_values("configuration").nunique()
    of_study = f" of the study {study}" * bool(study)
    return f"Another seed{of_study} moves a mean by {listed(said)} (standard deviation, pooled over {systems} systems)."


def between_seeds(systems: Mapping[str, Sequence[pd.DataFrame]]) -> pd.DataFrame:
    """Compare every two seeds of a system, as :func:`hybridlib.comparison.comparisons` compares two systems.

    Args:
        systems: label -> scores of each query, a table a seed.

    Returns:
        A row two seeds and place of :data:`hybridlib.comparison.PLACES`: ``configuration``, ``setting``, ``measure``,
        ``difference`` and ``p`` (sign-flip by concept, not corrected); no row where no system has two seeds.
    """
    rows = []
    for label, tables in systems.items():
        means = [mean_over_seeds([table], label) for table in tables]
        for first, second in combinations(means, 2):
            for setting, measure in PLACES:
                by_concept = contributions(first, second, setting, measure).mean(axis=1).to_numpy()
                rows.append((label, setting, measure, by_concept.sum(), float(sign_flip(by_concept))))
    return pd.DataFrame(rows, columns=["configuration", "setting", "measure", "difference", "p"])


def finding(pairs: pd.DataFrame) -> str:
    """Say how many pairs of :func:`between_seeds` a test over concepts takes for different; nothing without pairs."""
    if pairs.empty:
        return ""
    told = (pairs["p"] < LEVEL).groupby([pairs["setting"], pairs["measure"]]).agg(["sum", "count"])
    said = [f"{told.loc[panel, 'sum']} {place}" for panel, place in PLACES.items() if panel in told.index]
    return (
        f"By sign flips over concepts alone p is below {LEVEL} (not corrected) for {listed(said)} of "
        f"{told['count'].max()} pairs of seeds of one system: a difference that can be told of two runs need not be "
        "one of what they were trained with. So intervals and p hold other seeds too; wins and losses over language "
        "pairs do not."
    )
