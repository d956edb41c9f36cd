"""Figures of several systems side by side: tables in, matplotlib figures out."""

from __future__ import annotations

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from hybridlib.comparison import LEVEL, against, compared_labels, direction
from hybridlib.curves import DIGITS
from hybridlib.evaluation import SETTINGS
from hybridlib.languages import ordered
from hybridlib.outliers import far_off
from hybridlib.palette import system_colours

_TESTS = [*((setting, "nDCG@10") for setting in SETTINGS), ("multilingual", "rank_distance")]
_SORTED_BY = ("multilingual", "nDCG@10")
_PANEL = 32  # letters below a panel of the forest plot
_MANY = 8  # systems that can be told apart by colour
_BAR = "#9ecae1"  # light, so that dots are seen upon it


def rank_distance_bars(bars: pd.DataFrame, expected: pd.Series) -> Figure:
    """Draw rank distance by query language, a bar a column of ``bars``, and the random expectation as a dashed line.

    More than eight configurations have one bar each, the mean over query languages, with a dot a query language.

    Args:
        bars: [query language x configuration], mean rank distance.
        expected: random rank distance by query language.
    """
    if bars.shape[1] > _MANY:
        return _mean_rank_distances(bars, expected.mean())
    bars = bars.reindex(ordered(bars.index))
    figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
    bars.plot.bar(ax=axes, width=0.8, color=system_colours(list(bars)), rot=0)
    axes.axhline(expected.mean(), color="black", linestyle="--", linewidth=1, label="random ranking")
    axes.set(xlabel="query language", ylabel="rank distance (lower is better)")
    axes.legend(fontsize=8, frameon=False, ncols=6, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    sns.despine(figure)
    return figure


def _mean_rank_distances(bars: pd.DataFrame, expected: float) -> Figure:
    bars = bars.iloc[:, ::-1]
    figure, axes = plt.subplots(figsize=(9, 0.28 * bars.shape[1] + 1.2), layout="constrained")
    axes.barh(bars.columns.astype(str), bars.mean(), color=_BAR, label="mean over query languages")
    heights = np.tile(np.arange(bars.shape[1]), len(bars))
    axes.scatter(
        bars.to_numpy().ravel(), heights, s=9, color="black", alpha=0.5, linewidths=0, label="a query language"
    )
    axes.axvline(expected, color="black", linestyle="--", linewidth=1, label="random ranking")
    axes.set(xlabel="rank distance (lower is better)", ylim=(-0.6, bars.shape[1] - 0.4))
    axes.tick_params(axis="y", labelsize=8, length=0)
    axes.legend(fontsize=8, frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    sns.despine(figure)
    return figure


def _out_of_reach(rows: pd.DataFrame) -> np.ndarray:
    """Which differences would take a panel that is twice as wide as the others need."""
    far = far_off(rows["difference"].abs().to_numpy())
    ends = np.append(rows[["low", "high"]][~far].to_numpy(), 0.0)
    together = np.maximum(rows["high"], ends.max()) - np.minimum(rows["low"], ends.min())
    return far & (together > 2 * np.ptp(ends)).to_numpy()


def forest(comparisons: pd.DataFrame, reference: str) -> Figure:
    """Draw how far every system is from one of them, with intervals: nDCG@10 of three settings and rank distance.

    The best in the pool of all languages stands first, or by the first panel where the pool was not tested. What is far
    off, so that the others would stand upon one another, is written at the edge of its panel.

    Args:
        comparisons: from :func:`hybridlib.comparison.comparisons`.
        reference: a label that all others were compared with.
    """
    others = [label for label in compared_labels(comparisons) if label != reference]
    tests = [test for test in _TESTS if test in set(zip(comparisons["setting"], comparisons["measure"], strict=True))]
    by = _SORTED_BY if _SORTED_BY in tests else tests[0]
    gains = {label: direction(by[1]) * against(comparisons, label, reference, *by)["difference"] for label in others}
    others.sort(key=lambda label: -gains[label])
    figure, panels = plt.subplots(
        1, len(tests), figsize=(2.4 * len(tests) + 2.4, max(2.2, 0.26 * len(others) + 1.3)), sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axes, (setting, measure) in zip(panels[0], tests, strict=True):
        rows = pd.DataFrame([against(comparisons, label, reference, setting, measure) for label in others])
        height = np.arange(len(others))
        sure = rows["holm_p"] < LEVEL
        far = _out_of_reach(rows)
        axes.hlines(height[~far], rows["low"][~far], rows["high"][~far], color="tab:blue", linewidth=1.5)
        for filled in (True, False):
            places = height[(sure == filled) & ~far]
            colour = "tab:blue" if filled else "white"
            axes.scatter(rows["difference"].iloc[places], places, s=26, color=colour, edgecolors="tab:blue", zorder=3)
        for place in height[far]:
            value = rows["difference"].iloc[place]
            worse = value * direction(measure) < 0
            size = f"{abs(value):{DIGITS[measure]}}"
            axes.annotate(
                f"◂ {size} worse" if worse else f"{size} better ▸",
                (0 if worse else 1, place), xycoords=("axes fraction", "data"),
                ha="left" if worse else "right", va="center", fontsize=7, color="tab:blue",
            )  # fmt: skip
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_title(setting if measure != "rank_distance" else "rank distance", fontsize=10)
        axes.set_xlabel(fill(f"{measure} minus {reference}", _PANEL), fontsize=8)
        axes.locator_params(axis="x", nbins=5)
        axes.tick_params(labelsize=8)
        if direction(measure) < 0:
            axes.invert_xaxis()
    panels[0][0].set_yticks(range(len(others)), others, fontsize=8)
    panels[0][0].set_ylim(len(others) - 0.4, -0.6)
    sns.despine(figure)
    return figure
