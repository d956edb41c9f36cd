"""Macro means of systems with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hybridlib import significance
from hybridlib.comparison import chosen_tests, influence, mean_over_seeds


def means_table(systems: Mapping[str, Sequence[pd.DataFrame]], summary: pd.DataFrame) -> pd.DataFrame:
    """Macro means with intervals: the content of ``means.csv``.

    Args:
        systems: label -> scores of each query, a table a seed.
        summary: from :meth:`StudyResults.summary`.

    Returns:
        A row a system, language group, setting and measure: ``configuration``, ``languages``, ``setting``, ``measure``,
        ``value`` (mean over seeds), ``deviation`` (over seeds), ``seeds``, and, for all languages and the measures of
        :func:`hybridlib.comparison.chosen_tests`, ``low`` and ``high``: the 95 % bootstrap interval by concept.
    """
    keys = ["configuration", "languages", "setting", "measure"]
    table = summary.groupby(keys, sort=False)["value"].agg(["mean", "std", "count"]).reset_index()
    table.columns = pd.Index([*keys, "value", "deviation", "seeds"])
    means = {label: mean_over_seeds(tables, label) for label, tables in systems.items()}
    around = {}
    for setting, measure in chosen_tests(list(means.values())):
        columns = [_influence(table, setting, measure) for table in means.values()]
        joined = pd.concat(columns, axis=1).fillna(0).to_numpy()
        low, high = significance.bootstrap_interval(joined)
        around.update({(label, "all", setting, measure): pair for label, *pair in zip(means, low, high, strict=True)})
    found = [around.get(key, [np.nan, np.nan]) for key in table[keys].itertuples(index=False, name=None)]
    return table.assign(
        low=table["value"] + [low for low, _ in found], high=table["value"] + [high for _, high in found]
    )


def _influence(scores: pd.DataFrame, setting: str, measure: str) -> pd.Series:
    """How far each concept moves the macro mean from what it is; see :func:`hybridlib.comparison.influence`."""
    return influence(scores, scores.assign(**{measure: 0.0}), setting, measure)
