"""Two things crossed: every objective with every kind of batch, a cell each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from hybridlib.comparison import DIGITS, SAID, direction
from hybridlib.curves import PANELS, called, measured, place

_SORTED_BY = ("multilingual", "nDCG@10")


def grids(points: pd.DataFrame, panels: Sequence[tuple[str, str]] = PANELS) -> dict[tuple[str, str], pd.DataFrame]:
    """Give the cells of each panel.

    Args:
        points: ``series``, ``x``, ``setting``, ``measure``, ``value``.
        panels: (setting, measure) of each, multilingual nDCG@10 among them.

    Returns:
        (setting, measure) -> [series x x], NaN where nothing was run; series with the best mean multilingual nDCG@10
        first and those that lack cells last, numbers x in order, names x as the points have them.
    """
    columns = list(dict.fromkeys(points["x"]))
    if pd.api.types.is_numeric_dtype(points["x"]):
        columns.sort()
    tables = {}
    for setting, measure in panels:
        chosen = points[(points["setting"] == setting) & (points["measure"] == measure)]
        tables[setting, measure] = chosen.pivot_table(index="series", columns="x", values="value").reindex(
            columns=columns
        )
    order = tables[_SORTED_BY].mean(axis=1, skipna=False).sort_values(ascending=False).index
    return {panel: table.reindex(order) for panel, table in tables.items()}


def heatmaps(points: pd.DataFrame, levels: Mapping[str, pd.Series], *, x_label: str) -> Figure:
    """Draw a heatmap a panel, lighter is better, with its numbers; the best of a row of several in bold.

    Args:
        points: see :func:`grids`.
        levels: name -> value by (setting, measure) of what has no cell; said above each panel.
        x_label: what the columns are.
    """
    tables = grids(points)
    rows = len(tables[_SORTED_BY])
    figure, panels = plt.subplots(
        1, len(tables), figsize=(12.8, 1.8 + 0.27 * rows), sharey=True, squeeze=False, layout="constrained"
    )
    for axes, ((setting, measure), table) in zip(panels[0], tables.items(), strict=True):
        sign = direction(measure)
        rivals = (sign * table).where(table.notna().sum(axis=1) > 1)
        best = rivals.eq(rivals.max(axis=1), axis=0)
        sns.heatmap(
            table,
            ax=axes,
            cmap="viridis" if sign > 0 else "viridis_r",
            cbar=False,
            annot=table.map(lambda value, digits=DIGITS[measure]: format(value, digits)),
            fmt="",
            annot_kws={"size": 8},
            linewidths=0.5,
        )
        for text, bold in zip(axes.texts, best.to_numpy()[table.notna().to_numpy()], strict=True):
            text.set_fontweight("bold" if bold else "normal")
        said = [f"{name} {format(level[setting, measure], DIGITS[measure])}" for name, level in levels.items()]
        axes.set_title("\n".join([called(setting, measure), *said]), fontsize=10)
        axes.set_xticklabels([place(column) for column in table])
        axes.set(ylabel="", xlabel=x_label)
        axes.tick_params(axis="x", rotation=20, labelsize=8, length=0)
        axes.tick_params(axis="y", rotation=0, labelsize=8, length=0)
    return figure


@dataclass(frozen=True)
class Tally:
    """What the rows of a panel have in common.

    Attributes:
        wins: column -> of how many rows it is the best, most first.
        by_column: the largest cell of a row less its smallest, the median over the better half of the rows: how far
            another column moves them. So rows that hardly work, of which there may be many, do not hide what the others
            share.
        by_row: column -> its largest cell less its smallest among the same rows, least first: how far another row
            moves them.
    """

    wins: pd.Series
    by_column: float
    by_row: pd.Series


def tallies(points: pd.DataFrame) -> tuple[list[str], dict[tuple[str, str], Tally]]:
    """Count over the rows that have every cell.

    Args:
        points: see :func:`grids`.

    Returns:
        The names of these rows, those with the best mean multilingual nDCG@10 first, and the tally of each panel; none
        where fewer than two rows, or columns, are there. The better half is of :func:`better_half`.
    """
    tables = grids(points, measured(points))
    whole = list(tables[_SORTED_BY].dropna().index)
    if len(whole) < 2 or tables[_SORTED_BY].shape[1] < 2:
        return whole, {}
    found = {}
    for (setting, measure), table in tables.items():
        gains = direction(measure) * table.loc[whole]
        better = gains.loc[better_half(whole)]
        by_column = float((better.max(axis=1) - better.min(axis=1)).median())
        by_row = (better.max() - better.min()).sort_values(kind="stable")
        found[setting, measure] = Tally(gains.idxmax(axis=1).value_counts(), by_column, by_row)
    return whole, found


def better_half(rows: Sequence[str]) -> Sequence[str]:
    """Return the first half of rows, of an odd number with the middle one."""
    return rows[: (len(rows) + 1) // 2]


def spread(tally: Tally, measure: str) -> str:
    """Say how far another row of the better half moves a measure: least and most, with their columns."""
    ends = {place(column): f"{value:{DIGITS[measure]}}" for column, value in tally.by_row.iloc[[0, -1]].items()}
    return " to ".join(f"{value} ({column})" for column, value in ends.items())


def finding(points: pd.DataFrame, x_label: str) -> str:
    """Say what :func:`tallies` counts."""
    whole, found = tallies(points)
    if not found:
        return "Too few cells are there to compare."
    said = []
    for (setting, measure), tally in found.items():
        best = ", ".join(f"{place(column)} for {count}" for column, count in tally.wins.items())
        said.append(
            f"**{_capital(SAID[setting, measure])}** best are {best}; another {x_label} moves by "
            f"{tally.by_column:{DIGITS[measure]}}, another row by {spread(tally, measure)}"
        )
    lacking = sorted(set(points["series"]) - set(whole))
    without = f" Not counted, as they lack cells: {'; '.join(lacking)}." if lacking else ""
    return (
        f"Over {len(whole)} rows; how far another {x_label} (median over rows) or another row (over columns) moves is "
        f"said of the {len(better_half(whole))} that are best in the pool. {'. '.join(said)}.{without}"
    )


def _capital(text: str) -> str:
    """Begin with a capital letter, and leave the others as they are."""
    return text[:1].upper() + text[1:]
