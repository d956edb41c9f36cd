"""Points and levels of a panel of curves that are far off: written at its edge, so that the others keep its height."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from hybridlib.outliers import far_off
from hybridlib.palette import Colour

BEYOND = "beyond the panel, at the value that is written"  # what an arrow at an edge means
_ROW = 0.07  # of the height of a panel, from one line at its edge to the next
_EDGE = 0.04


def far_points(panel: pd.DataFrame) -> np.ndarray:
    """Return which points are far off the others and would take a panel more than twice as high as these need.

    Args:
        panel: ``value``, ``low``, ``high``: means with their intervals.

    Returns:
        bool [n].
    """
    if panel.empty:
        return np.zeros(0, dtype=bool)
    far = far_off((panel["value"] - panel["value"].median()).abs().to_numpy())
    near = panel[~far]
    low, high = near["low"].min(), near["high"].max()
    together = np.maximum(panel["high"], high) - np.minimum(panel["low"], low)
    return np.asarray(far & (together > 2 * (high - low)))


class Edges:
    """The lines that are written at the lower and the upper edge of a panel, one above the other."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.written = False
        self._rows = {True: 0, False: 0}

    def write(self, text: str, *, below: bool, x: float | None = None, colour: str | Colour = "dimgray") -> None:
        """Write a line beside an arrow that points beyond the edge.

        Args:
            text: what is there.
            below: at the lower edge, else at the upper.
            x: where on the axis the arrow stands; at the left end if it is None.
            colour: of the arrow.
        """
        height = _EDGE + _ROW * self._rows[below]
        self._rows[below] += 1
        self.written = True
        height = height if below else 1 - height
        across = self.axes.transAxes if x is None else self.axes.get_xaxis_transform()
        place = (_EDGE if x is None else x, height)
        left = self.axes.transAxes.inverted().transform(across.transform(place))[0] < 0.5
        self.axes.plot(*place, marker="v" if below else "^", color=colour, transform=across, linestyle="", zorder=4)
        self.axes.annotate(
            text, place, xycoords=across, xytext=(6 if left else -6, 0), textcoords="offset points",
            ha="left" if left else "right", va="center", fontsize=8, zorder=4, in_layout=False,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )  # fmt: skip

    def make_room(self) -> None:
        """Lengthen the panel where lines were written, so that they stand beyond all that is drawn."""
        low, high = self.axes.get_ylim()
        below, above = (_ROW * self._rows[side] * (high - low) for side in (True, False))
        self.axes.set_ylim(low - below, high + above)


def arrow_in_legend() -> Line2D:
    """Return what says in a legend what an arrow at an edge means."""
    return Line2D([], [], color="dimgray", marker="v", linestyle="", label=BEYOND)
