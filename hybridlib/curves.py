"""Curves over a parameter of a study: alpha, batch size, number of training concepts, temperature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hybridlib.comparison import DIGITS, FIRST_HIT, SAID, direction
from hybridlib.config import RunConfig
from hybridlib.evaluation import SETTINGS
from hybridlib.far_points import Edges, arrow_in_legend, far_points
from hybridlib.palette import system_colours

PANELS = [*((setting, "nDCG@10") for setting in SETTINGS), ("multilingual", "rank_distance")]
WITH_FIRST_HIT = [*PANELS[:3], FIRST_HIT, *PANELS[3:]]
_DRAWN_BY_ALPHA = ("hybrid", "hybrid_even")
_ENDS = {"crosslingual": 0.0, "monolingual": 1.0}  # alpha of batches that are never, or always, monolingual
_MARKERS = "osD^vPX*"
_FEW = 4  # curves that fit a small panel
_FULLY_SAID = 2  # curves of which each is told
_REACH = 1.05  # heights of the curves, beyond which a level is not drawn
_STYLES = ["--", ":", "-.", (0, (5, 1, 1, 1))]


def series(names: Mapping[RunConfig, str], axis: str) -> pd.DataFrame:
    """Say for each configuration of a study on which curve it lies, and where.

    Over alpha the curve ``hybrid`` goes from ``crosslingual`` batches (0) through those of a constant alpha, such as
    ``hybrid 0.5``, to ``monolingual`` ones (1); those of ``hybrid_even`` lie on one of that name, and what else a label
    says, such as ``, batch_size 16``, names a curve of its own. Over another parameter, such as ``batch_size``, the
    curve of ``a, batch_size 16, b`` is ``a, b``; over the sampler, that of ``a, hybrid`` is ``a``. A label that does
    not say the parameter lies on none.

    Args:
        names: configuration -> its label in the study.
        axis: one of :data:`hybridlib.study.AXES`.

    Returns:
        A row a label: ``configuration``, ``series``, ``x``, which is a number, but the name of a sampler.
    """
    rows: list[tuple[str, str, float | str]] = []
    for config, label in names.items():
        x: float | str | None
        if axis == "alpha":
            said = config.label()
            kind = "hybrid" if config.sampler in _ENDS else config.sampler
            name, x = f"{kind}{label.removeprefix(said)}", _alpha(config) if label.startswith(said) else None
        elif axis == "sampler":
            said = f", {config.sampler}"
            name, x = label.replace(said, ""), config.sampler if said in label else None
        else:
            x = _temperature(config) if axis == "temperature" else getattr(config, axis)
            said = f", {axis} {x}"
            name, x = label.replace(said, ""), x if said in label else None
        if x is not None:
            rows.append((label, name, x if isinstance(x, str) else float(x)))
    return pd.DataFrame(rows, columns=["configuration", "series", "x"]).drop_duplicates()


def _alpha(config: RunConfig) -> float | None:
    if config.sampler in _DRAWN_BY_ALPHA:
        return config.alpha if config.alpha_end is None else None
    return _ENDS.get(config.sampler)


def _temperature(config: RunConfig) -> float | None:
    """Return the temperature of the objectives, if it is one."""
    said = {arguments["temperature"] for arguments in config.objective.values() if "temperature" in arguments}
    return said.pop() if len(said) == 1 else None


def curves(points: pd.DataFrame, seeds: pd.DataFrame, levels: Mapping[str, pd.Series], *, x_label: str) -> Figure:
    """Draw nDCG@10 of the three settings, RR in the pool and the rank distance over a parameter, a panel each.

    A point that is far off and would take a panel more than twice as high is an arrow at its edge, with its value.

    Args:
        points: ``series``, ``x``, ``setting``, ``measure``, ``value``, ``low``, ``high``: means with their intervals.
        seeds: ``series``, ``x``, ``setting``, ``measure``, ``value``: single runs.
        levels: name -> value by (setting, measure) of what has no place on the axis, drawn as a horizontal line; one
            that would take a panel more than twice as high is written at its edge.
        x_label: what the axis is; all but alpha are drawn on a logarithmic one.
    """
    names = list(dict.fromkeys(points["series"]))
    colours = system_colours(names)
    drawn = measured(points)
    rows = 1 if len(names) <= _FEW else 2
    size = 12.8, 3.4 * rows + 0.2 * len(names) * (rows - 1)
    figure, grid = plt.subplots(rows, -(-len(drawn) // rows), squeeze=False, figsize=size, layout="constrained")
    panels, beyond = grid.ravel()[: len(drawn)], False
    for left_over in grid.ravel()[len(drawn) :]:
        left_over.set_axis_off()
    for axes, (setting, measure) in zip(panels, drawn, strict=True):
        panel = points[(points["setting"] == setting) & (points["measure"] == measure)]
        far = far_points(panel)
        away = panel.loc[far, ["series", "x"]]
        shown = panel.assign(**{number: panel[number].mask(far) for number in ("value", "low", "high")})
        for name, marker in zip(names, _MARKERS * len(names), strict=False):
            line = _chosen(shown, setting, measure, name).sort_values("x")
            dots = _chosen(seeds, setting, measure, name)
            dots = dots[~dots["x"].isin(away[away["series"] == name]["x"])]
            axes.fill_between(line["x"], line["low"], line["high"], color=colours[name], alpha=0.15, linewidth=0)
            axes.plot(line["x"], line["value"], marker=marker, markersize=4, color=colours[name], label=name)
            axes.scatter(dots["x"], dots["value"], s=9, color=colours[name], alpha=0.5, linewidths=0)
        if x_label != "alpha":
            _logarithmic(axes, sorted(set(points["x"])))
        edges = Edges(axes)
        for one in panel[far].itertuples():
            below = one.value < panel["value"].median()
            edges.write(f"{one.value:{DIGITS[measure]}}", below=below, x=one.x, colour=colours[one.series])
        own = {name: level[setting, measure] for name, level in levels.items() if (setting, measure) in level.index}
        _draw_levels(axes, own, panel[~far], DIGITS[measure], edges)
        edges.make_room()
        beyond |= edges.written
        axes.set_title(f"{setting} {measure}".removeprefix("multilingual ") if measure != "nDCG@10" else setting)
        axes.set(xlabel=x_label, ylabel=measure if direction(measure) > 0 else "rank distance (lower is better)")
    named = {name: handle for axes in panels for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    handles = [*named.values(), *([arrow_in_legend()] if beyond else [])]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    sns.despine(figure)
    return figure


def _draw_levels(axes: Axes, levels: Mapping[str, float], panel: pd.DataFrame, digits: str, edges: Edges) -> None:
    low, high = panel["low"].min(), panel["high"].max()
    reach = _REACH * (high - low)
    for (name, value), style in zip(levels.items(), _STYLES * len(levels), strict=False):
        if low - reach <= value <= high + reach or pd.isna(reach):
            axes.axhline(value, color="tab:gray", linestyle=style, linewidth=1, label=name)
        else:
            edges.write(f"{name} {value:{digits}}", below=value < low)


def level(means: pd.DataFrame, label: str) -> pd.Series:
    """Return the means of a system by (setting, measure), from the table of means."""
    chosen = means[(means["configuration"] == label) & (means["languages"] == "all")]
    return chosen.set_index(["setting", "measure"])["value"]


def place(x: float | str) -> str:
    """Say a place on an axis: a number such as ``0.25`` or ``1,024``, or the name of a sampler."""
    return x if isinstance(x, str) else f"{x:,g}"


def called(setting: str, measure: str) -> str:
    """Return what a panel is called in a sentence."""
    return setting if measure == "nDCG@10" else "rank distance"


def finding(points: pd.DataFrame, axis: str) -> str:
    """Say where the best and the worst of each curve lie, and of many curves how many are best where."""
    lines = points.groupby("series")["x"].nunique()
    if (lines > 1).sum() > _FULLY_SAID:
        return _most(points[points["series"].isin(lines[lines > 1].index)], axis)
    said = []
    for name, line in points.groupby("series", sort=False):
        if line["x"].nunique() < 2:
            continue
        parts = []
        for setting, measure in measured(line):
            values = line[(line["setting"] == setting) & (line["measure"] == measure)].set_index("x")["value"]
            order, digits = values.sort_values(ascending=direction(measure) < 0), DIGITS[measure]
            parts.append(
                f"{SAID[setting, measure]} best at {place(order.index[0])} ({order.iloc[0]:{digits}}), "
                f"worst at {place(order.index[-1])} ({order.iloc[-1]:{digits}})"
            )
        said.append(f"**{name}** over {axis}: {'; '.join(parts)}.")
    return " ".join(said)


def _most(points: pd.DataFrame, axis: str) -> str:
    """Say in each panel how far curves move, and at which x how many are best, and which if they are few."""
    said = []
    for setting, measure in measured(points):
        chosen = points[(points["setting"] == setting) & (points["measure"] == measure)]
        width = chosen.groupby("series")["value"].agg(lambda values: values.max() - values.min())
        signed = (direction(measure) * chosen.set_index("x")["value"]).groupby(chosen["series"].to_numpy())
        best = signed.idxmax()
        parts = [
            f"at {place(x)} for {'all' if len(names) == len(best) else _some(list(names.index))}"
            for x, names in best.groupby(best)
        ]
        ends = " to ".join(dict.fromkeys(f"{end:{DIGITS[measure]}}" for end in (width.min(), width.max())))
        said.append(f"{SAID[setting, measure]} they move by {ends} (best {', '.join(parts)})")
    return f"**{points['series'].nunique()} curves** over {axis}: {'; '.join(said)}."


def measured(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the panels that a table with columns ``setting`` and ``measure`` has rows of."""
    known = set(zip(table["setting"], table["measure"], strict=True))
    return [panel for panel in WITH_FIRST_HIT if panel in known]


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= _FULLY_SAID else f"{len(names)} of them"


def _chosen(table: pd.DataFrame, setting: str, measure: str, name: str) -> pd.DataFrame:
    return table[(table["setting"] == setting) & (table["measure"] == measure) & (table["series"] == name)]


def _logarithmic(axes: Axes, ticks: Sequence[float]) -> None:
    axes.set_xscale("log", base=2)
    place_ticks(axes, ticks, ticks)
    axes.minorticks_off()


def place_ticks(axes: Axes, places: Sequence[float], said: Sequence[float]) -> None:
    """Put a tick at each place, which says a number."""
    axes.set_xticks(places, [place(number) for number in said], rotation=45, fontsize=8)
