"""The three samplers of every test side by side: those of papers, and those here."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from hybridlib.palette import system_colours
from hybridlib.published import SAMPLERS, SHOWN, tests_of

_SHAPES = dict(zip(SAMPLERS, "so^", strict=True))
_PANELS = SHOWN[:3]  # AP of the three settings


def three_samplers(published: pd.DataFrame, ours: pd.DataFrame) -> Figure:
    """Draw AP of each setting in a panel: a row a test, whose three samplers are joined by a line.

    Args:
        published: see :func:`hybridlib.published.read_published`.
        ours: see :func:`hybridlib.published.here`.
    """
    tests = [*tests_of(published), *tests_of(ours)]
    colours = system_colours(list(SAMPLERS))
    figure, panels = plt.subplots(
        1, len(_PANELS), figsize=(12.8, 1.4 + 0.32 * len(tests)), sharey=True, layout="constrained"
    )
    for axes, panel in zip(panels, _PANELS, strict=True):
        for row, (_, values) in enumerate(tests):
            trio = values[panel]
            axes.plot([trio.min(), trio.max()], [row, row], color="0.75", linewidth=1.5, zorder=1)
        for sampler in SAMPLERS:
            places = [values[panel][sampler] for _, values in tests]
            axes.scatter(
                places,
                range(len(tests)),
                marker=_SHAPES[sampler],
                color=colours[sampler],
                s=34,
                label=sampler,
                zorder=2,
            )
        axes.axhline(len(tests_of(published)) - 0.5, color="black", linewidth=0.6)
        axes.set_title(panel[0], fontsize=10)
        axes.set_xlabel("AP (better →)", fontsize=9)
        axes.tick_params(labelsize=8)
    panels[0].set_yticks(range(len(tests)), [name for name, _ in tests], fontsize=8)
    panels[0].invert_yaxis()
    handles, said = panels[0].get_legend_handles_labels()
    figure.legend(handles, said, title="batches", loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    sns.despine(figure)
    return figure
