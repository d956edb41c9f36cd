"""The curves of a study beside the one of its baseline: differences at the same place on the axis."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from hybridlib.comparison import DIGITS, LEVEL, PLACES, against, direction
from hybridlib.curves import PANELS, called, place_ticks
from hybridlib.palette import system_colours

_SPREAD = 0.35  # of the way to the next place on the axis that the points of all curves take


def beside(lying: pd.DataFrame, comparisons: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Compare every curve with the curve on which the baseline lies, wherever both have a point that was tested.

    Args:
        lying: of :func:`hybridlib.curves.series`, over a number.
        comparisons: of :func:`hybridlib.comparison.comparisons`.
        baseline: a label, such as ``hybrid 0.5, train_concepts 2400``.

    Returns:
        A row a curve, place and panel of :data:`hybridlib.curves.PANELS`: ``series``, ``reference`` (the baseline's
        curve), ``x``, ``setting``, ``measure``, ``difference`` (curve - reference), ``low``, ``high`` and ``holm_p``.
        Curves that meet the reference at one place alone are left out.
    """
    own = lying[lying["configuration"] == baseline]["series"]
    reference = own.iloc[0] if len(own) else None
    points = lying[lying["series"] == reference].set_index("x")["configuration"]
    tested = {frozenset(pair) for pair in zip(comparisons["configuration"], comparisons["baseline"], strict=True)}
    panels = set(zip(comparisons["setting"], comparisons["measure"], strict=True))
    rows = []
    for label, name, x in lying[lying["series"] != reference].itertuples(index=False):
        other = points.get(x)
        if other is None or frozenset((label, other)) not in tested:
            continue
        for setting, measure in (panel for panel in PANELS if panel in panels):
            row = against(comparisons, label, other, setting, measure)
            numbers = (row[column] for column in ("difference", "low", "high", "holm_p"))
            rows.append((name, reference, x, setting, measure, *numbers))
    table = pd.DataFrame(rows, columns="series reference x setting measure difference low high holm_p".split())
    return table[table.groupby("series")["x"].transform("nunique") > 1].reset_index(drop=True)


def differences(table: pd.DataFrame, *, x_label: str) -> Figure:
    """Draw how far each curve lies from the baseline's, a panel a measure; upwards is better in all.

    Args:
        table: of :func:`beside`; a point is filled where ``holm_p`` is below 0.05.
        x_label: what the axis is.
    """
    names = list(dict.fromkeys(table["series"]))
    colours = system_colours(names)
    places = sorted(set(table["x"]))
    asides = np.linspace(-_SPREAD / 2, _SPREAD / 2, len(names)) if len(names) > 1 else [0.0]
    figure, panels = plt.subplots(1, len(PANELS), figsize=(12.8, 3.6), layout="constrained")
    for axes, (setting, measure) in zip(panels, PANELS, strict=True):
        for name, aside in zip(names, asides, strict=True):
            line = _of(table, name, setting, measure).sort_values("x")
            across = [places.index(x) + aside for x in line["x"]]
            axes.vlines(across, line["low"], line["high"], color=colours[name], linewidth=1.5)
            axes.plot(across, line["difference"], color=colours[name], linewidth=0.8, label=name)
            faces = [colours[name] if p < LEVEL else "white" for p in line["holm_p"]]
            axes.scatter(across, line["difference"], s=26, c=faces, edgecolors=[colours[name]], zorder=3)
        axes.axhline(0, color="black", linewidth=0.8)
        place_ticks(axes, range(len(places)), places)
        axes.set_title(called(setting, measure))
        axes.set(xlabel=x_label, ylabel=f"{measure} minus {table['reference'].iloc[0]}")
        if direction(measure) < 0:
            axes.invert_yaxis()
    handles, said = panels[0].get_legend_handles_labels()
    figure.legend(handles, said, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    sns.despine(figure)
    return figure


def finding(table: pd.DataFrame, axis: str) -> list[str]:
    """Say for each curve at how many places it is separably better or worse than the baseline's, and by how much."""
    said = []
    for name, part in table.groupby("series", sort=False):
        parts = []
        for setting, measure in PANELS:
            rows = _of(part, str(name), setting, measure)
            if len(rows):
                parts.append(f"{PLACES[setting, measure]} {_tally(rows, measure)}")
        reference = part["reference"].iloc[0]
        said.append(f"**{name}** against **{reference}** at the same {axis}: {'; '.join(parts)}.")
    return said


def _tally(rows: pd.DataFrame, measure: str) -> str:
    """Say at how many places a curve is better, worse or neither."""
    gain = direction(measure) * rows["difference"]
    sure = rows["holm_p"] < LEVEL
    parts = []
    for word, chosen in (("better", rows[sure & (gain > 0)]), ("worse", rows[sure & (gain < 0)])):
        if len(chosen):
            ends = (chosen["difference"].min(), chosen["difference"].max())
            span = " to ".join(dict.fromkeys(format(end, "+" + DIGITS[measure]) for end in ends))
            where = "all" if len(chosen) == len(rows) else f"{len(chosen)} of {len(rows)}"
            parts.append(f"{word} at {where} ({span})")
    return ", ".join(parts) or f"not separable at any of {len(rows)}"


def _of(table: pd.DataFrame, name: str, setting: str, measure: str) -> pd.DataFrame:
    return table[(table["series"] == name) & (table["setting"] == setting) & (table["measure"] == measure)]
