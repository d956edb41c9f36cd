"""How a system stands to the two kinds of batch that hybrid batching mixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from hybridlib.comparison import DIGITS, SAID, against, rivals, verdict
from hybridlib.curves import measured
from hybridlib.plain_text import listed
from hybridlib.seed_error import over

PARENTS = ("monolingual", "crosslingual")
_TO_BOTH = {1: "better than both", 0: "not separable from either", -1: "worse than both"}
_ALONE = {1: "better", 0: "not separable", -1: "worse"}
_TO_ONE = {1: "better than", 0: "not separable from", -1: "worse than"}


def beside_parents(comparisons: pd.DataFrame, label: str, basis: str = "") -> str:
    """Say where a system is better than its parents and where worse, with its difference to each.

    Args:
        comparisons: see :func:`hybridlib.comparison.comparisons`.
        label: the system's.
        basis: what the numbers are of, such as seeds and concepts.

    Returns:
        Nothing if it was compared with neither of them.
    """
    panels = measured(comparisons)
    compared = {one for panel in panels for one in rivals(comparisons, label, PARENTS, *panel)}
    parents = [one for one in PARENTS if one in compared]
    if not parents:
        return ""
    places: dict[str, list[str]] = {}
    for panel in panels:
        rows = [against(comparisons, label, parent, *panel) for parent in parents]
        stands = standing(dict(zip(parents, map(verdict, rows), strict=True)))
        places.setdefault(stands, []).append(f"{SAID[panel]} ({', '.join(map(_difference, rows))})")
    said = "; ".join(f"**{stands}** {listed(where)}" for stands, where in places.items())
    mixes = " which it mixes," * (label.startswith("hybrid") and len(parents) > 1)
    of_what = f" ({basis})" if basis else ""
    return (
        f"Beside {' and '.join(parents)} batches,{mixes} **{label}** is {said}. In brackets its difference to "
        f"{', then to '.join(parents)} batches, by nDCG@10 unless said (of rank distance less is better), with 95 % "
        f"intervals, each for itself, over {over(comparisons)}; separable is what is so after Holm's correction"
        f"{of_what}."
    )


def standing(verdicts: Mapping[str, int]) -> str:
    """Say how a system stands to its parents by whether it is better (1), worse (-1) or not separable (0) from each."""
    if set(verdicts.values()) == {1, -1}:
        return "between them"
    if len(set(verdicts.values())) == 1:
        return (_TO_BOTH if len(verdicts) == len(PARENTS) else _ALONE)[next(iter(verdicts.values()))]
    return ", ".join(
        f"{_TO_ONE[one]} {parent}" for parent, one in sorted(verdicts.items(), key=lambda item: -abs(item[1]))
    )


def _difference(row: Mapping[str, Any]) -> str:
    size, low, high = (f"{row[name]:z{DIGITS[row['measure']]}}" for name in ("difference", "low", "high"))
    return f"{'+' * (row['difference'] > 0)}{size} [{low}, {high}]"
