"""Figures of a study: arrays and tables in, matplotlib figures out. Colours are safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from hybridlib.languages import breaks, ordered

SCORES, DIFFERENCES = "viridis", "PuOr"
_MANY = 8  # configurations that can be told apart by colour, or named where they lie


def _draw_heatmap(
    table: pd.DataFrame, axes: Axes, *, low: float, high: float, colours: str, title: str, cell: Callable[[float], str]
) -> None:
    """Draw [query language x other language] with family separators; numbers in the cells where they fit."""
    small = max(table.shape) <= 14
    sns.heatmap(
        table,
        ax=axes,
        vmin=low,
        vmax=high,
        cmap=colours,
        square=True,
        cbar=False,
        linewidths=0,
        annot=table.map(cell) if small else None,
        fmt="",
        annot_kws={"size": 7},
        xticklabels=True,
        yticklabels=True,
    )
    for position in breaks(list(table.index)):
        axes.axhline(position, color="white", linewidth=1.5 if small else 0.7)
    for position in breaks(list(table.columns)):
        axes.axvline(position, color="white", linewidth=1.5 if small else 0.7)
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("")
    axes.set_ylabel("")
    axes.tick_params(labelsize=8 if small else 6, length=0)
    axes.tick_params(axis="y", rotation=0)
    axes.tick_params(axis="x", rotation=0 if small else 90)


def heatmaps(
    tables: dict[str, pd.DataFrame],
    *,
    x_label: str,
    diverging: bool,
    bar_label: str,
    columns: int = 2,
    cell: Callable[[float], str] = "{:.2f}".format,
) -> Figure:
    """Draw heatmaps of query language (rows) by another language (columns), all on one shared scale.

    Args:
        tables: title -> table; languages are put in order of family and script.
        x_label: what the columns are.
        diverging: a scale centred on 0, for differences; else a sequential one from 0 (or the lowest) to the highest.
        bar_label: what the colour means.
        columns: panels a row.
        cell: what is written in a cell of a given value.
    """
    tables = {title: t.reindex(index=ordered(t.index), columns=ordered(t.columns)) for title, t in tables.items()}
    values = np.concatenate([table.to_numpy(dtype=float).ravel() for table in tables.values()])
    top = float(np.nanmax(np.abs(values))) or 1.0
    low, high = (-top, top) if diverging else (min(0.0, float(np.nanmin(values))), float(np.nanmax(values)))
    colours = DIFFERENCES if diverging else SCORES
    columns = min(columns, len(tables))
    rows = -(-len(tables) // columns)
    size = 4.4 if max(next(iter(tables.values())).shape) <= 14 else 6.0
    figure, axes = plt.subplots(
        rows, columns, figsize=(size * columns + 0.8, size * rows), squeeze=False, layout="constrained"
    )
    for place, (title, table) in zip(axes.flat, tables.items(), strict=False):
        _draw_heatmap(table, place, low=low, high=high, colours=colours, title=title, cell=cell)
    for place in axes.flat[len(tables) :]:
        place.set_axis_off()
    figure.supylabel("query language", fontsize=9)
    figure.supxlabel(x_label, fontsize=9)
    scale = plt.cm.ScalarMappable(norm=plt.Normalize(low, high), cmap=colours)
    figure.colorbar(scale, ax=axes, shrink=min(0.7, 6 / (size * rows)), label=bar_label)
    return figure


def language_strips(query: np.ndarray, passage: np.ndarray, languages: Sequence[str]) -> Figure:
    """Draw batches as strips of coloured cells, a column a pair: query language above, passage language below.

    Args:
        query: int [batches, pairs], languages of the queries; -1 where a batch is shorter.
        passage: the same of the passages.
        languages: codes.
    """
    palette = language_colours(languages)
    figure, axes = plt.subplots(
        len(query), 1, figsize=(9, 0.55 * len(query) + 0.9), squeeze=False, layout="constrained"
    )
    colours = ListedColormap([(1, 1, 1), *palette])
    for number, place in enumerate(axes[:, 0]):
        strip = np.stack([query[number], passage[number]]) + 1
        place.imshow(strip, aspect="auto", interpolation="nearest", cmap=colours, vmin=0, vmax=len(languages))
        place.axhline(0.5, color="white", linewidth=1)
        place.set_yticks([0, 1], ["query", "passage"], fontsize=6)
        place.set_xticks([])
        place.set_ylabel(f"batch {number + 1}", rotation=0, ha="right", va="center", fontsize=8)
        place.tick_params(length=0)
        sns.despine(ax=place, left=True, bottom=True)
    handles = [Patch(color=colour, label=code) for colour, code in zip(palette, languages, strict=True)]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 18), fontsize=7, frameon=False)
    return figure


def language_colours(languages: Sequence[str]) -> list[tuple[float, float, float]]:
    """Return one colour a language, neighbours far apart in lightness as well as in hue."""
    hues = sns.color_palette("husl", len(languages))
    return [tuple(np.clip(np.asarray(c) * (1.0 if i % 2 else 0.62), 0, 1)) for i, c in enumerate(hues)]


def training_curve(history: pd.DataFrame, best_step: int) -> Figure:
    """Draw loss and learning rate by step, and the validation score with the step that was kept."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
    left.plot(history["step"], history["loss"], color="tab:blue", linewidth=1)
    left.set(xlabel="step", ylabel="loss", ylim=(min(0.0, 1.05 * history["loss"].min()), None))
    rate = left.twinx()
    rate.plot(history["step"], history["learning_rate"], color="tab:gray", linewidth=1, linestyle=":")
    rate.set_ylabel("learning rate (dotted)")
    checked = history.dropna(subset="validation")
    right.plot(checked["step"], checked["validation"], marker="o", color="tab:orange")
    right.axvline(best_step, color="tab:gray", linestyle="--", linewidth=1)
    right.annotate(
        "kept",
        (best_step, right.get_ylim()[0]),
        ha="right",
        va="bottom",
        fontsize=8,
        xytext=(-3, 3),
        textcoords="offset points",
    )
    right.set(xlabel="step", ylabel="validation nDCG@10, mean of settings")
    return figure


def rank_distance_bars(bars: pd.DataFrame, expected: pd.Series) -> Figure:
    """Draw rank distance by query language, a bar a column of ``bars``, and the random expectation as a dashed line.

    More than eight configurations have one bar each, the mean over query languages, with a line from the language of
    the shortest distance to that of the longest.

    Args:
        bars: [query language x configuration], mean rank distance.
        expected: random rank distance by query language.
    """
    if bars.shape[1] > _MANY:
        return _mean_rank_distances(bars, expected.mean())
    bars = bars.reindex(ordered(bars.index))
    figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
    bars.plot.bar(ax=axes, width=0.8, color=sns.color_palette("colorblind", bars.shape[1]), rot=0)
    axes.axhline(expected.mean(), color="black", linestyle="--", linewidth=1, label="random ranking")
    axes.set(xlabel="query language", ylabel="rank distance (lower is better)")
    axes.legend(fontsize=8, frameon=False, ncols=6, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    sns.despine(figure)
    return figure


def _mean_rank_distances(bars: pd.DataFrame, expected: float) -> Figure:
    means, low, high = bars.mean()[::-1], bars.min()[::-1], bars.max()[::-1]
    figure, axes = plt.subplots(figsize=(9, 0.28 * len(means) + 1.2), layout="constrained")
    axes.barh(means.index.astype(str), means, color="tab:blue", xerr=[means - low, high - means], ecolor="black")
    axes.axvline(expected, color="black", linestyle="--", linewidth=1, label="random ranking")
    axes.set(xlabel="rank distance (lower is better), mean over query languages")
    axes.tick_params(axis="y", labelsize=8, length=0)
    axes.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    sns.despine(figure)
    return figure


def balance_scatter(points: pd.DataFrame) -> Figure:
    """Draw each configuration by its monolingual and crosslingual nDCG@10, the ideal corner marked.

    Args:
        points: columns ``configuration``, ``seed``, ``monolingual``, ``crosslingual``, ``rank_distance``; a row a run.
            The large marker is the mean over seeds, its colour the rank distance. More than eight configurations are
            numbered, their names beside the figure.
    """
    means = points.groupby("configuration", sort=False)[["monolingual", "crosslingual", "rank_distance"]].mean()
    numbered = len(means) > _MANY
    figure, axes = plt.subplots(figsize=(8.6 if numbered else 6.4, 4.8), layout="constrained")
    axes.scatter(points["monolingual"], points["crosslingual"], s=14, color="tab:gray", alpha=0.7, linewidths=0)
    lowest, highest = means["rank_distance"].min(), means["rank_distance"].max()
    for number, (label, row) in enumerate(means.iterrows(), start=1):
        place = (row["monolingual"], row["crosslingual"])
        drawn = axes.scatter(
            *place,
            s=110,
            c=[row["rank_distance"]],
            cmap=SCORES + "_r",
            vmin=lowest,
            vmax=highest,
            edgecolors="black",
            zorder=3,
        )
        said, offset, size = (str(number), (5, 5), 7) if numbered else (str(label), (8, -4), 9)
        axes.annotate(said, place, xytext=offset, textcoords="offset points", fontsize=size, zorder=4)
    best = means["monolingual"].max(), means["crosslingual"].max()
    axes.scatter(*best, marker="+", s=160, color="crimson", zorder=4)
    axes.annotate(
        "ideal corner", best, xytext=(-6, 6), textcoords="offset points", ha="right", fontsize=8, color="crimson"
    )
    axes.axvline(best[0], color="crimson", linewidth=0.6, linestyle=":")
    axes.axhline(best[1], color="crimson", linewidth=0.6, linestyle=":")
    axes.set(xlabel="monolingual nDCG@10", ylabel="crosslingual nDCG@10")
    axes.margins(x=0.08 if numbered else 0.25, y=0.15)
    axes.locator_params(nbins=6)
    figure.colorbar(drawn, ax=axes, label="rank distance (lower is better)")
    if numbered:
        key = [
            Line2D([], [], linestyle="", color="black", markersize=6, marker=f"${n}$", label=label)
            for n, label in enumerate(means.index, start=1)
        ]
        figure.legend(handles=key, loc="outside right upper", fontsize=7, frameon=False)
    return figure


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
