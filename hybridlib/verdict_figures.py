"""Heatmaps of what was better, by language pair: three colours, which a legend names."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.colors import ListedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hybridlib.figures import DIFFERENCES, by_family, draw_heatmap, panel_grid

_VERDICTS = {-1: "loss", 0: "tie", 1: "win"}
_WRITTEN = {-1.0: "loss", 1.0: "win"}
_TIE = "0.88"  # grey, as a pair that was not tested is white
_PLACES = (0.3, 0.7)  # of loss and win on the scale that differences have


def verdicts(tables: dict[str, pd.DataFrame], *, x_label: str, columns: int = 2) -> Figure:
    """Draw a win, a tie or a loss a pair of languages, query language (rows) by another language (columns).

    Args:
        tables: title -> table of -1 (loss), 0 (tie) and 1 (win), NaN where nothing was tested; languages are put in
            order of family and script.
        x_label: what the columns are.
        columns: panels a row; the legend stands in a place that is left over, else beside the panels.
    """
    tables = by_family(tables)
    loss, win = (plt.get_cmap(DIFFERENCES)(place) for place in _PLACES)
    colours = {-1: loss, 0: to_rgba(_TIE), 1: win}
    figure, panels, left_over = panel_grid(tables, columns)
    for place, (title, table) in zip(panels, tables.items(), strict=True):
        draw_heatmap(
            table,
            place,
            norm=Normalize(-1, 1),
            colours=ListedColormap(list(colours.values())),
            title=title,
            cell=lambda verdict: _WRITTEN.get(verdict, ""),
        )
    figure.supylabel("query language", fontsize=9)
    figure.supxlabel(x_label, fontsize=9)
    handles = [Patch(facecolor=colours[one], edgecolor="0.5", label=_VERDICTS[one]) for one in (1, 0, -1)]
    if left_over is None:
        figure.legend(handles=handles, loc="outside right center", fontsize=9, frameon=False)
    else:
        left_over.legend(handles=handles, loc="center", fontsize=9, frameon=False)
    return figure
