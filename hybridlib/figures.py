"""Figures of a run: arrays and tables in, matplotlib figures out. Colours are safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hybridlib.languages import breaks, ordered

SCORES, DIFFERENCES = "viridis", "PuOr"
_TITLE = 44  # letters above a panel


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
    axes.set_title(fill(title, _TITLE), fontsize=10)
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
    within: float = 1.0,
) -> Figure:
    """Draw heatmaps of query language (rows) by another language (columns), all on one shared scale.

    Args:
        tables: title -> table; languages are put in order of family and script.
        x_label: what the columns are.
        diverging: a scale centred on 0, for differences; else a sequential one from 0 (or the lowest) to the highest.
        bar_label: what the colour means.
        columns: panels a row.
        cell: what is written in a cell of a given value.
        within: share of the cells, by absolute value, that a diverging scale covers; beyond its ends, which then have
            arrows, colours stay the same.
    """
    tables = {title: t.reindex(index=ordered(t.index), columns=ordered(t.columns)) for title, t in tables.items()}
    values = np.concatenate([table.to_numpy(dtype=float).ravel() for table in tables.values()])
    most = float(np.nanmax(np.abs(values)))
    top = (float(np.nanquantile(np.abs(values), within)) if diverging else most) or most or 1.0
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
    beyond = "both" if diverging and most > top else "neither"
    figure.colorbar(scale, ax=axes, shrink=min(0.7, 6 / (size * rows)), label=bar_label, extend=beyond)
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
