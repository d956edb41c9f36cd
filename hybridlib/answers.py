"""The answer to the question of all studies, in three sentences with numbers and intervals."""

from __future__ import annotations

from typing import Any

import pandas as pd

from hybridlib.comparison import LEVEL, against, compared_labels, direction
from hybridlib.curves import DIGITS, PANELS
from hybridlib.told import Told

PARENTS = ("monolingual", "crosslingual")
_PLACES = {  # a panel -> what it is called in a sentence
    ("monolingual", "nDCG@10"): "within a language",
    ("crosslingual", "nDCG@10"): "between two languages",
    ("multilingual", "nDCG@10"): "in the pool of all languages",
    ("multilingual", "rank_distance"): "by rank distance",
}
_STANDS = {  # how many parents it beats, loses to -> how it stands to them
    (2, 0): "better than both",
    (1, 0): "better than one, not separable from the other",
    (0, 0): "not separable from either",
    (1, 1): "between them",
    (0, 1): "worse than one, not separable from the other",
    (0, 2): "worse than both",
}


def subject(told: Told) -> str:
    """Return the system that the question is about: hybrid batches with alpha 0.5, else the study's baseline.

    All others were compared with it: where a study has references, it is one of these or the baseline.
    """
    compared = [told.about["baseline"], *(told.about["references"] or told.labels)]
    return "hybrid 0.5" if "hybrid 0.5" in compared and "hybrid 0.5" in told.labels else str(told.about["baseline"])


def answer(told: Told) -> list[str]:
    """Answer the question.

    Returns:
        How its subject stands to the two kinds of batch that hybrid batching mixes, if both are there; what it gains
        and gives up against those that are, with intervals; what is best of all in each setting, and by language bias.
    """
    label = subject(told)
    parents = [one for one in PARENTS if one in told.labels and one != label]
    sentences = [_stands(told, label)] if len(parents) == len(PARENTS) else []
    if said := "; ".join(_differences(told, label, parent) for parent in parents):
        sentences.append(f"By nDCG@10 and in ranks, {said}.")
    return [*sentences, _best(told, label)]


def _stands(told: Told, label: str) -> str:
    places: dict[str, list[str]] = {}
    for panel, place in _PLACES.items():
        rows = [against(told.comparisons, label, parent, *panel) for parent in PARENTS]
        places.setdefault(_STANDS[sum(map(_beats, rows)), sum(map(_loses, rows))], []).append(place)
    said = "; ".join(f"**{stands}** {_listed(where)}" for stands, where in places.items())
    return f"Beside the monolingual and crosslingual batches that it mixes, **{label}** is {said}."


def _beats(row: dict[str, Any]) -> bool:
    return bool(row["holm_p"] < LEVEL and row["difference"] * direction(row["measure"]) > 0)


def _loses(row: dict[str, Any]) -> bool:
    return bool(row["holm_p"] < LEVEL and row["difference"] * direction(row["measure"]) < 0)


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " * (len(words) > 1) + words[-1]


def _differences(told: Told, label: str, parent: str) -> str:
    """Say what a system gains on another and gives up against it, where the two are separable."""
    parts: dict[str, list[str]] = {"gains": [], "gives up": []}
    for panel, place in _PLACES.items():
        row = against(told.comparisons, label, parent, *panel)
        if _beats(row) or _loses(row):
            sign = 1 if row["difference"] > 0 else -1
            ends = sorted(sign * row[end] for end in ("low", "high"))
            size, low, high = (f"{value:z{DIGITS[panel[1]]}}" for value in (sign * row["difference"], *ends))
            parts["gains" if _beats(row) else "gives up"].append(f"{size} [{low}, {high}] {place}")
    said = [f"{verb} {_listed(places)}" for verb, places in parts.items() if places]
    return f"against **{parent}** batches it {' and '.join(said) or 'is not separable anywhere'}"


def parents_table(told: Told) -> pd.DataFrame:
    """Give the subject with its intervals, and below it its difference to each kind of batch that it mixes.

    Returns:
        Ready strings; a difference that is separable from 0 begins with ``*``.
    """
    label = subject(told)
    rows: dict[str, dict[str, str]] = {label: {}}
    for panel in PANELS:
        value, low, high = (told.value(label, *panel, column) for column in ("value", "low", "high"))
        rows[label][" ".join(panel)] = _with_ends(value, low, high, DIGITS[panel[1]])
    for parent in (one for one in PARENTS if one in told.labels and one != label):
        found = {panel: against(told.comparisons, label, parent, *panel) for panel in PANELS}
        rows[f"{label} − {parent}"] = {
            " ".join(panel): "*" * bool(row["holm_p"] < LEVEL)
            + _with_ends(row["difference"], row["low"], row["high"], f"+z{DIGITS[panel[1]]}")
            for panel, row in found.items()
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("batches")


def _with_ends(value: float, low: float, high: float, digits: str) -> str:
    return f"{value:{digits}} [{low:{digits}}, {high:{digits}}]"


def _best(told: Told, label: str) -> str:
    best: dict[str, list[str]] = {}
    labels = [label, *sorted(compared_labels(told.comparisons))]  # of equals the subject, else as the report chose
    for panel in PANELS:
        values = pd.Series({one: told.value(one, *panel) for one in labels})
        first = str((values * direction(panel[1])).idxmax())
        number = f"{values[first]:{DIGITS[panel[1]]}}"
        tied = first != label and against(told.comparisons, label, first, *panel)["holm_p"] >= LEVEL
        best.setdefault(first, []).append(f"{_PLACES[panel]} ({number}{'; not separable' * tied})")
    said = [f"**{first}**{' itself' * (first == label)} {_listed(places)}" for first, places in best.items()]
    return f"Of {len(told.labels)} systems the best is {'; '.join(said)}."
