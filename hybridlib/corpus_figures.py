"""Figures of a corpus: tables in, matplotlib figures out."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from hybridlib.languages import ordered


def counts_by_language(cells: pd.DataFrame) -> Figure:
    """Draw the number of concepts with a monolingual pair and with a single text, stacked, by language.

    Args:
        cells: index language; columns are the kinds of cells, values their numbers.
    """
    cells = cells.reindex(ordered(cells.index))
    figure, axes = plt.subplots(figsize=(max(6, 0.3 * len(cells) + 2), 3), layout="constrained")
    cells.plot.bar(ax=axes, stacked=True, width=0.8, color=sns.color_palette("colorblind", cells.shape[1]), rot=0)
    axes.set(xlabel="language", ylabel="concepts")
    axes.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=cells.shape[1])
    sns.despine(figure)
    return figure


def length_boxes(lengths: pd.DataFrame) -> Figure:
    """Draw the number of characters a text by language and role, as boxes without outliers.

    Args:
        lengths: columns ``language``, ``role``, ``characters``; a row a text.
    """
    codes = ordered(lengths["language"].unique())
    figure, axes = plt.subplots(figsize=(max(6, 0.35 * len(codes) + 2), 3), layout="constrained")
    sns.boxplot(
        lengths,
        x="language",
        y="characters",
        hue="role",
        order=codes,
        ax=axes,
        showfliers=False,
        palette="colorblind",
        linewidth=0.8,
    )
    axes.set(xlabel="language", ylabel="characters")
    axes.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    sns.despine(figure)
    return figure
