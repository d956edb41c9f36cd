"""How far each thing that a study varies moves retrieval in the pool of all languages, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from hybridlib.comparison import DIGITS, PLACES
from hybridlib.curves import place
from hybridlib.told import Told

_PANEL = ("multilingual", "nDCG@10")


def effects(studies: Iterable[Told]) -> str:
    """Say from which worst to which best nDCG@10 goes over the axis of each study, less that of its baseline.

    Studies differ in training and in test concepts, so that their levels cannot be compared; the differences are on the
    curve of the baseline, and the baseline's own is 0.

    A study of samplers tells of two: of kinds of batch with its baseline's objective, and of what else it trains, such
    as the objective, with its baseline's kind of batch.

    Args:
        studies: those without an axis, or without another point beside the baseline, say nothing.
    """
    said = [one for told in studies for one in _of_study(told)]
    if not said:
        return ""
    return f"Next to each study's baseline, nDCG@10 {PLACES[_PANEL]} goes from worst to best {'; '.join(said)}."


def _of_study(told: Told) -> Iterator[str]:
    points = told.lying
    own = points[points["configuration"] == told.about["baseline"]]
    if own.empty:
        return
    by_sampler = told.about["axis"] == "sampler"
    ways = [(told.about["axis"], "series", "x")] + [("objective", "x", "series")] * by_sampler
    for what, same, other in ways:
        line = points[points[same] == own[same].iloc[0]]
        values = pd.Series({name: told.value(label, *_PANEL) for label, name in line[["configuration", other]].values})
        if len(values) > 1:
            ends = (values.idxmin(), values.idxmax())
            gains = values - told.value(told.about["baseline"], *_PANEL)
            worst, best = (f"{gains[end]:+z{DIGITS[_PANEL[1]]}} ({place(end)})" for end in ends)
            yield f"by **{what}** {worst} to {best}"
