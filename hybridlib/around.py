"""What stands around the baseline of a study: its neighbours on the axis, and what has no place on it."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from hybridlib.comparison import PLACES, compared_labels
from hybridlib.curves import PANELS, place
from hybridlib.errors import InputError
from hybridlib.findings import difference


def neighbours(comparisons: pd.DataFrame, lying: pd.DataFrame, baseline: str, axis: str) -> list[str]:
    """Say how each point next to the baseline on its curve stands to it; nothing where they were not compared.

    Args:
        comparisons: of :func:`hybridlib.comparison.comparisons`.
        lying: ``configuration``, ``series`` and ``x``, a number: see :func:`hybridlib.curves.series`.
        baseline: a label.
        axis: what x is.
    """
    own = lying[lying["configuration"] == baseline]
    if own.empty or not pd.api.types.is_numeric_dtype(lying["x"]):
        return []
    line = lying[lying["series"] == own["series"].iloc[0]].sort_values("x")["configuration"].tolist()
    at = line.index(baseline)
    said = []
    for label in (*line[:at][-1:], *line[at + 1 : at + 2]):
        try:
            parts = [f"{PLACES[panel]} {difference(comparisons, label, baseline, *panel)}" for panel in PANELS]
        except InputError:  # not compared
            continue
        x = lying.loc[lying["configuration"] == label, "x"].iloc[0]
        said.append(f"{axis} {place(x)} against **{baseline}**: {'; '.join(parts)}.")
    return said


def off_axis(comparisons: pd.DataFrame, lying: pd.DataFrame, baseline: str, labels: Iterable[str]) -> list[str]:
    """Say how what was trained and lies on no curve stands to the baseline in the pool; nothing if there is none.

    Args:
        comparisons: see :func:`neighbours`.
        lying: see there.
        baseline: see there.
        labels: all systems, of which those that were compared are said.
    """
    known = compared_labels(comparisons)
    others = [one for one in labels if one in known and one not in {*lying["configuration"], "untrained", baseline}]
    parts = [f"{label} {difference(comparisons, label, baseline, 'multilingual', 'nDCG@10')}" for label in others]
    return [f"Not on a curve, against {baseline} in the pool: {'; '.join(parts)}."] if parts else []
