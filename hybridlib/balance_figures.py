"""Maps of monolingual against cross-lingual retrieval: a table of means in, matplotlib figures out."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hybridlib.curves import place
from hybridlib.figures import SCORES
from hybridlib.label_places import name_points
from hybridlib.outliers import far_off

CROWD = 16  # systems whose names a small map has room for
_SHAPES = {"monolingual": ">", "hybrid": "D", "crosslingual": "^"}  # what each is best at: right, between, up
_OTHER, _DEARER = "o", "s"
_SIZE = 80  # of a mark, in square points


def balance_map(means: pd.DataFrame, dearer: Sequence[str] = (), lying: pd.DataFrame | None = None) -> Figure:
    """Draw every system by its monolingual and crosslingual nDCG@10 with intervals, named, the ideal corner marked.

    Those that are far off, so that the others would stand upon one another, are named with their place beside the axes.

    Args:
        means: of :func:`hybridlib.tables.balance_table`; the rank distance is the colour.
        dearer: systems that were trained on more than others: squares, which do not move the corner.
        lying: of :func:`hybridlib.curves.series`: which systems a line joins.
    """
    corner = _corner(means.drop(index=list(dearer)))
    far = far_off(_distances(means, corner))
    means, off = means[~far], means[far]
    figure, axes = plt.subplots(figsize=(9.5, 6.2 if len(means) < CROWD else 8), layout="constrained")
    marks = pd.DataFrame({"shape": np.where(means.index.isin(dearer), _DEARER, _OTHER), "size": _SIZE}, means.index)
    _draw_intervals(axes, means)
    _draw(axes, means, marks, corner)
    if lying is not None:
        _join(axes, means, lying)
    axes.margins(0.06)
    if len(off):
        said = "; ".join(f"{name} at {x:.3f}, {y:.3f}" for name, (x, y) in zip(off.index, _places(off), strict=True))
        axes.set_title(f"Not drawn, as it is far off: {said}", fontsize=8, loc="left", wrap=True)
    _add_bar(figure, [axes], means)
    name_points(figure, axes, np.vstack([_places(means), corner]), [*means.index, "ideal corner"])
    sns.despine(figure)
    return figure


def joined_map(means: pd.DataFrame, lying: pd.DataFrame, axis: str, dearer: Sequence[str] = ()) -> Figure:
    """Draw many systems as :func:`balance_map`: those of one series are joined by a line, and named once.

    The right panel enlarges the half of the series that is nearer to the ideal corner, by the mean of their systems.

    Args:
        means: of :func:`hybridlib.tables.balance_table`; the rank distance is the colour.
        lying: of :func:`hybridlib.curves.series`: which systems a line joins. A sampler is the shape of a point, a
            number its size. A system that is not in it stands alone.
        axis: what the systems of a line differ in.
        dearer: as in :func:`balance_map`.
    """
    corner = _corner(means.drop(index=list(dearer)))
    own = lying.set_index("configuration").reindex(means.index)
    names = own["series"].fillna(own.index.to_series())
    distances = pd.Series(_distances(means, corner), means.index).groupby(names, sort=False)
    near = names.map(distances.mean()) <= distances.mean().median()

    figure, (whole, part) = plt.subplots(1, 2, figsize=(12.8, 7.2), width_ratios=[1, 1.7], layout="constrained")
    marks, handles = _marks(own["x"], axis)
    marks.loc[list(dearer), "shape"] = _DEARER
    for axes, title in ((whole, "all"), (part, "the nearer half, enlarged")):
        _draw(axes, means, marks, corner)
        _join(axes, means, lying)
        axes.set_title(title, fontsize=10)
    _draw_intervals(whole, means)
    whole.margins(0.06)
    _show_only(part, np.vstack([_places(means[near]), corner]))
    whole.indicate_inset(part.viewLim.frozen().bounds, edgecolor="crimson")
    whole.legend(handles=handles, loc="lower right", fontsize=8, frameon=False)
    part.set_ylabel("")
    _add_bar(figure, [whole, part], means)
    named = means.index.isin(distances.idxmin())
    enlarged = np.array([part.viewLim.contains(*point) for point in _places(means)])
    for axes, inside, said in ((whole, near | ~near, named & ~enlarged), (part, enlarged, named)):
        places = np.vstack([_places(means[inside]), corner])
        name_points(figure, axes, places, [*names.where(said, "")[inside], "ideal corner"])
    sns.despine(figure)
    return figure


def _marks(x: pd.Series, axis: str) -> tuple[pd.DataFrame, list[Line2D]]:
    """Return shape and size of each system's mark, and what says them in a legend."""
    shapes, sizes = pd.Series(_OTHER, x.index), pd.Series(float(_SIZE), x.index)
    if pd.api.types.is_numeric_dtype(x):
        sizes = x.rank(method="dense", pct=True).mul(_SIZE).add(_SIZE / 4).fillna(_SIZE)
        ends = {f"{axis} {place(end)}": {"markersize": np.sqrt(sizes[x == end].max())} for end in (x.min(), x.max())}
        said = {name: {"marker": _OTHER, **size} for name, size in ends.items()}
    else:
        shapes = x.map(_SHAPES).fillna(_OTHER)
        said = {name: {"marker": shape} for name, shape in _SHAPES.items() if (x == name).any()}
    handles = [Line2D([], [], color="0.3", linestyle="", label=name, **mark) for name, mark in said.items()]
    return pd.DataFrame({"shape": shapes, "size": sizes}), handles


def _join(axes: Axes, means: pd.DataFrame, lying: pd.DataFrame) -> None:
    """Join the systems of each series in the order of x; samplers as :data:`_SHAPES` has them, others last."""
    samplers = list(_SHAPES)
    drawn = lying[lying["configuration"].isin(means.index)]
    places = drawn["x"].map(lambda x: [*samplers, x].index(x) if isinstance(x, str) else x)
    for _, line in drawn.assign(place=places).groupby("series"):
        ordered = line.sort_values("place")["configuration"]
        axes.plot(*_places(means.loc[ordered]).T, color="0.55", linewidth=0.8, zorder=2)


def _corner(means: pd.DataFrame) -> np.ndarray:
    """Return the best monolingual and the best crosslingual nDCG@10, whoever has them."""
    return _places(means).max(axis=0)


def _places(means: pd.DataFrame) -> np.ndarray:
    """Return float [systems, 2]: monolingual and crosslingual nDCG@10."""
    return np.column_stack([means[setting, "nDCG@10"]["value"] for setting in ("monolingual", "crosslingual")])


def _distances(means: pd.DataFrame, corner: np.ndarray) -> np.ndarray:
    """Return how far each system is from the ideal corner."""
    return np.hypot(*(_places(means) - corner).T)


def _shade(means: pd.DataFrame) -> tuple[pd.Series, Normalize]:
    """Return the rank distances, and their colour scale, which leaves out those that are far off."""
    distance = means["multilingual", "rank_distance"]["value"]
    usual = distance[~far_off((distance - distance.median()).abs().to_numpy())]
    return distance, Normalize(usual.min(), usual.max())


def _draw_intervals(axes: Axes, means: pd.DataFrame) -> None:
    across, up = (means[setting, "nDCG@10"] for setting in ("monolingual", "crosslingual"))
    axes.errorbar(
        across["value"], up["value"],
        xerr=_away(across), yerr=_away(up),
        linestyle="", color="0.85", linewidth=0.8, zorder=1,
    )  # fmt: skip


def _draw(axes: Axes, means: pd.DataFrame, marks: pd.DataFrame, corner: np.ndarray) -> None:
    """Draw points, a shape at a time, and the ideal corner."""
    across, up = (means[setting, "nDCG@10"] for setting in ("monolingual", "crosslingual"))
    distance, scale = _shade(means)
    for shape in dict.fromkeys(marks["shape"]):
        chosen = (marks["shape"] == shape).to_numpy()
        axes.scatter(
            across["value"][chosen], up["value"][chosen], c=distance[chosen],
            s=marks["size"][chosen], marker=shape, cmap=f"{SCORES}_r", norm=scale, edgecolors="black", zorder=3,
        )  # fmt: skip
    axes.scatter(corner[0], corner[1], marker="+", s=200, color="crimson", zorder=4)
    axes.axvline(corner[0], color="crimson", linewidth=0.6, linestyle=":")
    axes.axhline(corner[1], color="crimson", linewidth=0.6, linestyle=":")
    axes.set(xlabel="monolingual nDCG@10 (better →)", ylabel="crosslingual nDCG@10 (better ↑)")


def _away(means: pd.DataFrame) -> list[pd.Series]:
    """How far the ends of intervals are from the means; none is negative, though rounding may say so."""
    return [(means["value"] - means["low"]).clip(lower=0), (means["high"] - means["value"]).clip(lower=0)]


def _show_only(axes: Axes, places: np.ndarray) -> None:
    """Set the limits of axes to some places, with a margin."""
    low, high = places.min(axis=0), places.max(axis=0)
    margin = 0.06 * (high - low)
    axes.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))


def _add_bar(figure: Figure, panels: list[Axes], means: pd.DataFrame) -> None:
    """Say beside the panels which rank distance a colour is."""
    distance, scale = _shade(means)
    colours = plt.cm.ScalarMappable(norm=scale, cmap=f"{SCORES}_r")
    beyond = "max" if distance.max() > scale.vmax else "neither"
    figure.colorbar(colours, ax=panels, label="rank distance (lighter is less biased)", extend=beyond)
