"""Where to write the names of points in a figure so that they do not hide one another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Bbox

_SIDES = [(x, y) for x in (1, -1, 0) for y in (0, 1, -1) if x or y]
_WAYS = [(distance * x, distance * y) for distance in (10, 18, 30, 44) for x, y in _SIDES]  # in points
_REACH = 4.5  # of a point's mark from its centre, in points


def name_points(figure: Figure, axes: Axes, points: np.ndarray, names: Sequence[str], *, size: float = 8) -> None:
    """Write a name beside each point, with a thin line to it where the name stands away.

    Each name in turn takes, of 32 places around its point, the one that covers least of other points and of names
    written before, the nearest of equals.

    Args:
        figure: that the axes are in.
        axes: with its limits set; they are not changed.
        points: float [n, 2], in data coordinates.
        names: n texts; a point without one is only kept free.
        size: of the letters, in points.
    """
    figure.canvas.draw()
    scale = figure.dpi / 72
    reach = _REACH * scale
    centres = axes.transData.transform(np.asarray(points, dtype=float))
    taken = [Bbox.from_extents(x - reach, y - reach, x + reach, y + reach) for x, y in centres]
    for point, name, own in zip(points, names, list(taken), strict=True):
        if not name:
            continue
        written = axes.annotate(
            name, point, xytext=(0, 0), textcoords="offset points", fontsize=size, ha="center", va="center",
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "0.4", "shrinkA": 0, "shrinkB": 4}, zorder=5,
            path_effects=[withStroke(linewidth=2, foreground="white")],
        )  # fmt: skip
        box = written.get_window_extent()
        costs = []
        for x, y in _WAYS:
            moved = box.translated(
                x * scale + np.sign(x) * box.width / 2, y * scale + (np.sign(y) * box.height / 2 if not x else 0)
            )
            hidden = sum(_shared(moved, other) for other in taken if other is not own)
            costs.append((hidden + _outside(moved, axes.get_window_extent()), abs(x) + abs(y), moved))
        _, _, best = min(costs, key=lambda cost: cost[:2])
        written.set_position(
            (
                ((best.x0 + best.x1) / 2 - (box.x0 + box.x1) / 2) / scale,
                ((best.y0 + best.y1) / 2 - (box.y0 + box.y1) / 2) / scale,
            )
        )
        taken.append(best)


def _shared(first: Bbox, second: Bbox) -> float:
    """Area that two boxes share."""
    both = Bbox.intersection(first, second)
    return 0.0 if both is None else both.width * both.height


def _outside(box: Bbox, frame: Bbox) -> float:
    """Area of a box that lies outside a frame."""
    return box.width * box.height - _shared(box, frame)
