"""Where to write the names of points in a figure so that each is seen to be its point's, and none hides another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from hybridlib.rectangles import across, apart, crossing, shared

_GAPS = (3.0, 10.0, 18.0, 28.0, 40.0, 56.0, 76.0)  # from a mark to its name, in points
_TURNS = np.radians([0, 180, 45, -45, 135, -135, 90, -90, 22, -22, 158, -158, 68, -68, 112, -112])
_REACH = 4.5  # of a point's mark from its centre, in points
_BESIDE = 6.0  # points from a mark within which a name needs no line to it
_SWEEPS = 12  # times that every name may move
_TRIALS = 8  # orders in which names move, of which the best counts
_ROOM = 2.0  # points that are kept free around a name
_PAPER = "white"


def name_points(figure: Figure, axes: Axes, points: np.ndarray, names: Sequence[str], *, size: float = 8) -> None:
    """Write a name beside each point, with a thin line to it where the name stands away or beside other points.

    Each name has 112 places around its point. Names move, one after the other, to the place that is best while the
    others stay, until none moves: it hides no mark, no other name, not the legend and little of lines, its own line
    crosses little, and it is near.

    Args:
        figure: that the axes are in.
        axes: with its limits set; they are not changed.
        points: float [n, 2], in data coordinates.
        names: n texts; a point without one is only kept free.
        size: of the letters, in points.
    """
    figure.canvas.draw()
    scale = 72 / figure.dpi  # points a pixel
    centres = axes.transData.transform(np.asarray(points, dtype=float)).reshape(-1, 2) * scale
    drawn = _lines_of(axes) * scale
    chosen = [(place, name) for place, name in enumerate(map(str, names)) if name]
    if len(centres) != len(names):
        raise ValueError(f"name_points: found {len(names)} names, expected one for each of {len(centres)} points")
    sizes = np.array([_extent(axes, name, size) * scale for _, name in chosen]).reshape(-1, 2)
    frame = axes.get_window_extent().get_points().ravel() * scale
    legend = axes.get_legend()
    taken = np.empty((0, 4)) if legend is None else legend.get_window_extent().get_points().reshape(1, 4) * scale
    boxes = _places(centres, [place for place, _ in chosen], sizes, frame, taken, drawn)
    for box, (place, name) in zip(boxes, chosen, strict=True):
        tied = _tied(box, centres[place], np.delete(centres, place, axis=0))
        _write(axes, points[place], name, size, box - np.tile(centres[place], 2), tied)


def _extent(axes: Axes, name: str, size: float) -> np.ndarray:
    """Return how wide and high a name is, in pixels."""
    measured = axes.text(0, 0, name, fontsize=size)
    extent = measured.get_window_extent().size
    measured.remove()
    return np.asarray(extent)


def _lines_of(axes: Axes) -> np.ndarray:
    """Return the straight pieces of all lines that axes have, float [m, 2, 2], in pixels."""
    pieces = [np.empty((0, 2, 2))]
    for line in axes.lines:
        if line.get_linestyle() != "None":
            ends = line.get_transform().transform(line.get_xydata())
            pieces.append(np.stack([ends[:-1], ends[1:]], axis=1))
    for lines in axes.collections:
        if isinstance(lines, LineCollection):
            pieces += [lines.get_transform().transform(ends)[None] for ends in lines.get_segments() if len(ends) == 2]
    return np.concatenate(pieces)


def _write(axes: Axes, point: np.ndarray, name: str, size: float, box: np.ndarray, tied: bool) -> None:
    """Write a name on paper of its own in a box, float [4], around its point; a line may tie the two."""
    nearest = np.clip(0, box[:2], box[2:])
    tie = {"arrowstyle": "-", "linewidth": 0.7, "color": "0.15", "shrinkA": 0, "shrinkB": 0}
    axes.annotate(
        name, tuple(point), xytext=tuple((box[:2] + box[2:]) / 2), textcoords="offset points", fontsize=size,
        ha="center", va="center", zorder=5, in_layout=False,
        arrowprops=tie | {"relpos": tuple((nearest - box[:2]) / (box[2:] - box[:2]))} if tied else None,
        bbox={"boxstyle": "square,pad=0", "facecolor": _PAPER, "edgecolor": "none", "alpha": 0.75},
        path_effects=[withStroke(linewidth=2, foreground=_PAPER)],
    )  # fmt: skip


def _around(centre: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the boxes that a name may take, float [places, 4], and the distance of each from the mark, in points."""
    gaps, turns = (grid.ravel() for grid in np.meshgrid(_GAPS, _TURNS, indexing="ij"))
    way = np.column_stack([np.cos(turns), np.sin(turns)]).round(3)
    middle = centre + way * (_REACH + gaps)[:, None] + np.sign(way) * size / 2
    return np.hstack([middle - size / 2, middle + size / 2]), gaps


def _places(
    centres: np.ndarray,
    named: Sequence[int],
    sizes: np.ndarray,
    frame: np.ndarray,
    taken: np.ndarray,
    drawn: np.ndarray,
) -> np.ndarray:
    """Return the box of each name, float [names, 4].

    Args:
        centres: float [n, 2], of all marks, in points as all else.
        named: which of them have a name.
        sizes: float [names, 2].
        frame: float [4], of the axes.
        taken: float [k, 4], boxes that are not free.
        drawn: float [m, 2, 2], lines.
    """
    marks = np.hstack([centres - _REACH, centres + _REACH])
    ways = [_around(centres[place], size) for place, size in zip(named, sizes, strict=True)]
    alone = [
        _cost_alone(boxes, gaps, centres[place], np.delete(marks, place, axis=0), frame, taken, drawn)
        for place, (boxes, gaps) in zip(named, ways, strict=True)
    ]
    tried = [_settled(ways, centres[list(named)], alone, order) for order in _orders(len(named))]
    _, at = min(tried, key=lambda found: found[0])
    return np.array([boxes[best] for (boxes, _), best in zip(ways, at, strict=True)]).reshape(-1, 4)


def _orders(count: int) -> list[np.ndarray]:
    """Return the orders in which names are moved: that in which they are given, and some by lot, always the same."""
    lot = np.random.default_rng(0)
    return [np.arange(count), *(lot.permutation(count) for _ in range(_TRIALS - 1))]


def _settled(
    ways: Sequence[tuple[np.ndarray, np.ndarray]], centres: np.ndarray, alone: Sequence[np.ndarray], order: np.ndarray
) -> tuple[float, list[int]]:
    """Move one name after the other until none moves; returns what the last round cost, and the place of each."""
    at = [int(np.argmin(cost)) for cost in alone]
    total = 0.0
    for _ in range(_SWEEPS):
        before, total = list(at), 0.0
        for one in order:
            others = [other for other in range(len(at)) if other != one]
            boxes = np.array([ways[other][0][at[other]] for other in others]).reshape(-1, 4)
            ties = _ties(boxes, centres[others].reshape(-1, 2))
            cost = alone[one] + _cost_among(ways[one][0], centres[one], boxes, ties)
            at[one] = int(np.argmin(cost))
            total += float(cost[at[one]])
        if at == before:
            break
    return total, at


def _cost_alone(
    boxes: np.ndarray,
    gaps: np.ndarray,
    centre: np.ndarray,
    marks: np.ndarray,
    frame: np.ndarray,
    taken: np.ndarray,
    drawn: np.ndarray,
) -> np.ndarray:
    """Return what each place costs if there were no other names: about its distance in points."""
    area = np.prod(boxes[0, 2:] - boxes[0, :2])
    outside = area - shared(boxes, frame[None])[:, 0]
    hidden = shared(boxes, np.vstack([marks, taken])).sum(axis=1)
    struck = across(drawn, boxes).sum(axis=0)
    ties = _ties(boxes, centre)
    through = across(ties, marks).sum(axis=1)
    nearest = apart(boxes, marks).min(axis=1, initial=np.inf)
    taken_for_another = 2 * (_BESIDE + 2 - nearest).clip(min=0)
    return gaps / 3 + 10 * outside + 4 * hidden + 0.15 * struck + 1.5 * through + taken_for_another


def _cost_among(boxes: np.ndarray, centre: np.ndarray, others: np.ndarray, their_ties: np.ndarray) -> np.ndarray:
    """Return what each place costs because of other names and the lines from these to their points."""
    room = np.array([-_ROOM, -_ROOM, _ROOM, _ROOM])
    ties = _ties(boxes, centre)
    hidden = 4 * shared(boxes + room, others).sum(axis=1)
    struck = 3 * (across(ties, others).sum(axis=1) + across(their_ties, boxes).sum(axis=0))
    return hidden + struck + 40 * crossing(ties, their_ties).sum(axis=1)


def _ties(boxes: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the lines from centres to the nearest points of boxes: float [n, 2, 2]."""
    return np.stack([np.broadcast_to(centres, boxes[:, :2].shape), np.clip(centres, boxes[:, :2], boxes[:, 2:])], 1)


def _tied(box: np.ndarray, centre: np.ndarray, others: np.ndarray) -> bool:
    """Whether a name stands away from its point, or about as near to another."""
    own, *further = (np.hypot(*(point - np.clip(point, box[:2], box[2:]))) for point in (centre, *others))
    return bool(own > _REACH + _BESIDE or min(further, default=np.inf) < own + _BESIDE)
