"""Figures of a run: arrays and tables in, matplotlib figures out. Colours are safe for colour-blind readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hybridlib.languages import breaks, ordered

SCORES, DIFFERENCES = "viridis", "PuOr"
_TITLE = 44  # letters above a panel
_FEW = 14  # languages of which cells have room for numbers
_SMALL, _LARGE = 4.4, 6.0  # inches a panel
_NUMBER, _LANGUAGE = 7, 8  # size of letters in points; on a page that shrinks a figure by a third, 8 px and 9


def panel_grid(tables: dict[str, pd.DataFrame], columns: int) -> tuple[Figure, list[Axes], Axes | None]:
    """Return a figure, an axes a table, and the first place that is left over in the last row, if one is.

    Args:
        tables: title -> table; the first says how large panels are.
        columns: panels a row, two at most where languages are many.
    """
    size = _SMALL if max(next(iter(tables.values())).shape) <= _FEW else _LARGE
    columns = min(columns, len(tables), 2 if size == _LARGE else len(tables))
    rows = -(-len(tables) // columns)
    beside = 0.8 if rows * columns == len(tables) else 0.0  # inches for what says the colours
    figure, axes = plt.subplots(
        rows, columns, figsize=(size * columns + beside, size * rows), squeeze=False, layout="constrained"
    )
    places = list(axes.flat)
    for place in places[len(tables) :]:
        place.set_axis_off()
    return figure, places[: len(tables)], places[len(tables)] if len(places) > len(tables) else None


def draw_heatmap(
    table: pd.DataFrame, axes: Axes, *, norm: Normalize, colours: Colormap, title: str, cell: Callable[[float], str]
) -> None:
    """Draw [query language x other language] with family separators; words in the cells where they fit."""
    few = max(table.shape) <= _FEW
    sns.heatmap(
        table,
        ax=axes,
        norm=norm,
        cmap=colours,
        square=True,
        cbar=False,
        linewidths=0,
        annot=table.map(cell) if few else None,
        fmt="",
        annot_kws={"size": _NUMBER},
        xticklabels=True,
        yticklabels=True,
    )
    for position in breaks(list(table.index)):
        axes.axhline(position, color="white", linewidth=1.5 if few else 0.7)
    for position in breaks(list(table.columns)):
        axes.axvline(position, color="white", linewidth=1.5 if few else 0.7)
    axes.set_title(fill(title, _TITLE), fontsize=10)
    axes.set_xlabel("")
    axes.set_ylabel("")
    axes.tick_params(labelsize=_LANGUAGE, length=0)
    axes.tick_params(axis="y", rotation=0)
    axes.tick_params(axis="x", rotation=0 if few else 90)


def by_family(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Put the languages of rows and columns in order of family and script."""
    return {title: t.reindex(index=ordered(t.index), columns=ordered(t.columns)) for title, t in tables.items()}


def heatmaps(
    tables: dict[str, pd.DataFrame],
    *,
    x_label: str,
    diverging: bool,
    bar_label: str,
    columns: int = 2,
    cell: Callable[[float], str] = "{:z.2f}".format,
    within: float = 1.0,
) -> Figure:
    """Draw heatmaps of query language (rows) by another language (columns), all on one shared scale.

    Args:
        tables: title -> table; languages are put in order of family and script.
        x_label: what the columns are.
        diverging: a scale for differences, white at 0, on which equal steps up and down are equal steps of colour; it
            goes only as far as the cells do. Else a sequential one from 0 (or the lowest) to the highest.
        bar_label: what the colour means.
        columns: panels a row; the scale stands in a place that is left over, else beside the panels.
        cell: what is written in a cell of a given value.
        within: share of the cells, by absolute value, that a diverging scale covers; beyond its ends, which then have
            arrows, colours stay the same.
    """
    tables = by_family(tables)
    values = np.concatenate([table.to_numpy(dtype=float).ravel() for table in tables.values()])
    norm, colours, beyond = _differences(values, within) if diverging else _scores(values)
    figure, panels, left_over = panel_grid(tables, columns)
    for place, (title, table) in zip(panels, tables.items(), strict=True):
        draw_heatmap(table, place, norm=norm, colours=colours, title=title, cell=cell)
    figure.supylabel("query language", fontsize=9)
    figure.supxlabel(x_label, fontsize=9)
    scale = plt.cm.ScalarMappable(norm=norm, cmap=colours)
    if left_over is None:
        shrink = min(0.7, 6 / figure.get_size_inches()[1])
        figure.colorbar(scale, ax=panels, shrink=shrink, label=bar_label, extend=beyond)
    else:
        place = left_over.inset_axes((0.1, 0.6, 0.8, 0.06))
        figure.colorbar(scale, cax=place, orientation="horizontal", label=bar_label, extend=beyond)
    return figure


def _scores(values: np.ndarray) -> tuple[Normalize, Colormap, str]:
    """Return a scale from 0 or the lowest value to the highest, its colours, and on which sides values are beyond."""
    return Normalize(min(0.0, float(np.nanmin(values))), float(np.nanmax(values))), plt.get_cmap(SCORES), "neither"


def _differences(values: np.ndarray, within: float) -> tuple[Normalize, Colormap, str]:
    """Return the same of a scale around 0: of its colours the part that a share of the values needs."""
    least, most = min(0.0, float(np.nanmin(values))), max(0.0, float(np.nanmax(values)))
    furthest = max(-least, most)
    top = float(np.nanquantile(np.abs(values), within)) or furthest or 1.0
    low, high = (max(least, -top), min(most, top)) if furthest else (-top, top)
    part = plt.get_cmap(DIFFERENCES)(np.linspace(low / top, high / top, 256) / 2 + 0.5)
    beyond = {(True, True): "both", (True, False): "min", (False, True): "max", (False, False): "neither"}
    return Normalize(low, high), ListedColormap(part), beyond[least < low, most > high]


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
