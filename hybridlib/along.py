"""What a study shows along its axis, with the sentences that stand below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from hybridlib import balance_figures, crossed, curves, findings, tables

_MANY = 8  # curves that can be told apart


@dataclass(frozen=True)
class Along:
    """A figure and its sentences, as :func:`hybridlib.show.figure` takes them."""

    figure: Figure
    alt: str
    read: str
    finding: str


def along(
    points: pd.DataFrame,
    seeds: pd.DataFrame,
    levels: Mapping[str, pd.Series],
    axis: str,
    over: str = "test concepts",
) -> Along:
    """Draw curves over a number; a grid over samplers, and where there are too many curves to tell apart.

    Args:
        points: means with their intervals, see :func:`hybridlib.curves.curves`.
        seeds: single runs, see there.
        levels: of what has no place on the axis, see there.
        axis: one of :data:`hybridlib.study.AXES`.
        over: what the intervals hold, see :func:`hybridlib.seed_error.over`.
    """
    if axis == "sampler" or points["series"].nunique() > _MANY:
        return Along(
            crossed.heatmaps(points, levels, x_label=axis),
            f"Heatmaps, a column for each {axis}: monolingual, crosslingual, multilingual nDCG@10, and rank distance.",
            f"A column is one {axis}, a row is what else is trained; lighter is better, the best of a row "
            "in bold, each panel on its own scale. Rows are sorted by their mean multilingual nDCG@10; those that lack "
            "cells stand last.",
            crossed.finding(points, axis),
        )
    return Along(
        curves.curves(points, seeds, levels, x_label=axis),
        f"Curves over {axis}: monolingual, crosslingual and multilingual nDCG@10, RR in the pool, rank distance.",
        f"A point is the mean over seeds, a small dot one seed, the band the 95 % interval over {over}: how far the "
        "level would move with others. Systems share concepts and rise and fall together, so whether two points differ "
        "is read from their difference, not from the bands.",
        curves.finding(points, axis),
    )


def balance(
    means: pd.DataFrame,
    summary: pd.DataFrame,
    lying: pd.DataFrame,
    axis: str | None,
    dearer: Sequence[str] = (),
    over: str = "test concepts",
) -> Along:
    """Draw the map of monolingual against cross-lingual retrieval, with lines along the axis.

    Args:
        means: of :func:`hybridlib.means.means_table`, or with intervals that hold seeds.
        summary: of :meth:`hybridlib.study_results.StudyResults.summary`.
        lying: of :func:`hybridlib.curves.series`; empty if there is no axis.
        axis: one of :data:`hybridlib.study.AXES`, or None.
        dearer: systems that were trained on more than others, and are not taken for the best.
        over: what the intervals hold, see :func:`hybridlib.seed_error.over`.
    """
    table = tables.balance_table(means)
    once = ""
    if axis is not None and len(table) > balance_figures.CROWD:
        once = "; each is named once, at its best point"
        figure = balance_figures.joined_map(table, lying, axis, dearer)
    else:
        figure = balance_figures.balance_map(table, dearer, lying if len(lying) else None)
    points = tables.balance_points(summary)
    squares = " Squares were trained on more pairs and do not move it." if dearer else ""
    joined = f" A line joins what differs in {axis} alone" if len(lying) else ""
    return Along(
        figure,
        "Every system by monolingual and crosslingual nDCG@10, coloured by rank distance, the ideal corner marked.",
        "To the right is better within a language, up is better between languages, lighter is less biased towards some "
        f"languages. Thin grey crosses are 95 % intervals over {over}. The red cross has the best of "
        f"both.{squares}{joined}{once}{'.' if joined else ''}",
        findings.balance(points[~points["configuration"].isin(dearer)]),
    )
