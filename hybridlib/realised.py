"""Retrieval by the share of batches that really were of one language: alpha is only their probability."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from hybridlib.curves import PANELS, called, place

_FEWEST = 4  # runs that a rank correlation is said of
_MARKERS = "os^DvP"


def realised(lying: pd.DataFrame, costs: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """Give a row a run and panel of :data:`hybridlib.curves.PANELS`.

    Args:
        lying: of :func:`hybridlib.curves.series` over alpha.
        costs: of :meth:`hybridlib.study_results.StudyResults.costs`.
        summary: of :meth:`hybridlib.study_results.StudyResults.summary`.

    Returns:
        Columns ``configuration``, ``series``, ``alpha``, ``seed``, ``share`` (of the batches, in [0, 1]), ``setting``,
        ``measure``, ``value``; runs whose batches are not known are left out.
    """
    shares = costs[["configuration", "seed", "one_language_batches"]].dropna()
    panels = pd.DataFrame(PANELS, columns=["setting", "measure"])
    tested = summary[summary["languages"] == "all"].merge(panels)
    table = lying.merge(shares, on="configuration").merge(tested, on=["configuration", "seed"])
    table = table.rename(columns={"x": "alpha", "one_language_batches": "share"})
    return table["configuration series alpha seed share setting measure value".split()]


def shares(lying: pd.DataFrame, costs: pd.DataFrame, axis: str) -> str:
    """Say which share of the batches of each run on a curve was of one language, where batches are of both kinds.

    Args:
        lying: of :func:`hybridlib.curves.series`.
        costs: see :func:`realised`.
        axis: of the curves.
    """
    known = lying.merge(costs[["configuration", "one_language_batches"]].dropna(), on="configuration")
    means = known.groupby(["series", "x"], sort=False)["one_language_batches"].mean()
    said = []
    for name, line in means[(means > 0) & (means < 1)].groupby("series", sort=False):
        parts = [f"{share:.2f} at {place(x)}" for (_, x), share in line.items()]
        said.append(f"{name} {', '.join(parts)}")
    return f"Share of batches of one language over {axis}: {'; '.join(said)}." if said else ""


def scatter(runs: pd.DataFrame) -> Figure:
    """Draw nDCG@10 of the three settings and the rank distance by the share, a dot a run of :func:`realised`."""
    seeds = sorted(runs["seed"].unique())
    colours = sns.color_palette("colorblind", len(seeds))
    figure, panels = plt.subplots(1, len(PANELS), squeeze=False, figsize=(12.8, 3.6), layout="constrained")
    for axes, (setting, measure) in zip(panels[0], PANELS, strict=True):
        panel = runs[(runs["setting"] == setting) & (runs["measure"] == measure)].sort_values("share")
        for number, (seed, colour) in enumerate(zip(seeds, colours, strict=True)):
            own = panel[panel["seed"] == seed]
            marker = _MARKERS[number % len(_MARKERS)]
            axes.plot(own["share"], own["value"], color=colour, linewidth=0.6, alpha=0.6)
            axes.scatter(own["share"], own["value"], s=22, color=colour, marker=marker, label=f"seed {seed}", zorder=3)
        axes.set_title(called(setting, measure), fontsize=10)
        axes.set_xlabel("share of batches of one language", fontsize=9)
        axes.set_ylabel("nDCG@10" if measure == "nDCG@10" else "rank distance (lower is better)", fontsize=9)
    handles, said = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, said, loc="outside lower center", ncols=len(seeds), fontsize=8, frameon=False)
    sns.despine(figure)
    return figure


def finding(runs: pd.DataFrame) -> str:
    """Say how far shares are from alpha, and with which of the two the measures are correlated more closely.

    Spearman's rank correlation over the runs that had batches of both kinds.
    """
    away = (runs["share"] - runs["alpha"]).abs()
    furthest = runs.loc[away.idxmax()]
    text = (
        f"The share is furthest from alpha in {furthest['configuration']}, seed {furthest['seed']}: "
        f"{furthest['share']:.2f}."
    )
    both = runs[(runs["share"] > 0) & (runs["share"] < 1)]
    said = []
    for setting, measure in PANELS:
        panel = both[(both["setting"] == setting) & (both["measure"] == measure)]
        if len(panel) < _FEWEST:
            return text
        by_share, by_alpha = (panel[x].corr(panel["value"], method="spearman") for x in ("share", "alpha"))
        said.append(f"{called(setting, measure)} {by_share:+.2f} ({by_alpha:+.2f})")
    count = len(both[["configuration", "seed"]].drop_duplicates())
    return (
        f"{text} Rank correlation with the share (with alpha) over the {count} runs of both kinds: {', '.join(said)}."
    )
