"""What a study shows along its axis, with the sentences that stand below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from hybridlib import crossed, curves

_MANY = 8  # curves that can be told apart


@dataclass(frozen=True)
class Along:
    """A figure and its sentences, as :func:`hybridlib.show.figure` takes them."""

    figure: Figure
    alt: str
    read: str
    finding: str


def along(points: pd.DataFrame, seeds: pd.DataFrame, levels: Mapping[str, pd.Series], axis: str) -> Along:
    """Draw curves over a number; a grid over samplers, and where there are too many curves to tell apart.

    Args:
        points: means with their intervals, see :func:`hybridlib.curves.curves`.
        seeds: single runs, see there.
        levels: of what has no place on the axis, see there.
        axis: one of :data:`hybridlib.study.AXES`.
    """
    measures = "monolingual, crosslingual and multilingual nDCG@10, and rank distance"
    if axis == "sampler" or points["series"].nunique() > _MANY:
        return Along(
            crossed.heatmaps(points, levels, x_label=axis),
            f"Four heatmaps, a column for each {axis}: {measures}.",
            f"A column is one {axis}, a row what else the names of systems say; lighter is better, the best of a row "
            "in bold, each panel on its own scale. Rows are sorted by their mean multilingual nDCG@10; those that lack "
            "cells stand last.",
            crossed.finding(points, axis),
        )
    return Along(
        curves.curves(points, seeds, levels, x_label=axis),
        f"Four curves over {axis}: {measures}.",
        "A point is the mean over seeds, a small dot one seed, the band the 95 % bootstrap interval over test "
        "concepts: how far the level would move with other concepts. Systems share concepts and rise and fall "
        "together, so whether two points differ is read from their difference, not from the bands.",
        curves.finding(points, axis),
    )
