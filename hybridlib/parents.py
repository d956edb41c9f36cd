"""Hybrid batches beside the two kinds that they mix: in studies, with another objective, on texts of other corpora."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan, nan
from pathlib import Path

import pandas as pd

from hybridlib.answers import basis, said_basis, subject
from hybridlib.comparison import DIGITS, SAID, against, compared_labels, direction, verdict
from hybridlib.curves import WITH_FIRST_HIT
from hybridlib.errors import InputError
from hybridlib.stands import PARENTS, standing
from hybridlib.told import COMPARED, MEANS, Told, read_table

UNTRAINED = "untrained"
_COMPARED_RESULTS = "*/*/comparisons.csv"


@dataclass(frozen=True, eq=False)
class Trio:
    """Hybrid batches and the two kinds that they mix, tested on one collection.

    Attributes:
        title: what a table calls it.
        name: what a sentence calls it.
        hybrid: label of the hybrid batches.
        parents: kind of batch -> its label.
        means: content of ``means.csv``.
        comparisons: content of ``comparisons.csv``.
    """

    title: str
    name: str
    hybrid: str
    parents: dict[str, str]
    means: pd.DataFrame
    comparisons: pd.DataFrame

    def value(self, label: str, setting: str, measure: str) -> tuple[float, float, float]:
        """Return a mean over all languages with the ends of its interval, NaN where there is none."""
        wanted = (label, "all", setting, measure)
        rows = self.means[(self.means[["configuration", "languages", "setting", "measure"]] == wanted).all(axis=1)]
        value, low, high = rows[["value", "low", "high"]].to_numpy(float)[0] if len(rows) else [nan] * 3
        return value, low, high


def trio_of(told: Told) -> Trio:
    """Return the subject of a study, see :func:`hybridlib.answers.subject`, with those of its parents that it has."""
    label = subject(told)
    parents = {one: one for one in PARENTS if one in told.labels and one != label}
    title = f"{told.about['title']} ({basis(told, label)})"
    return Trio(title, told.name, label, parents, told.means, told.comparisons)


def with_objectives(studies: Iterable[Told]) -> list[Trio]:
    """Return the three samplers of each study over them, with the objective of its baseline."""
    found = []
    for told in studies:
        points = told.lying
        own = points.loc[points["configuration"] == told.about["baseline"], "series"]
        if told.about["axis"] != "sampler" or own.empty:
            continue
        labels = points[points["series"] == own.iloc[0]].set_index("x")["configuration"]
        if {"hybrid", *PARENTS} <= set(labels.index):
            title = f"{told.about['title']}: {own.iloc[0]} ({basis(told, labels['hybrid'])})"
            parents = {one: labels[one] for one in PARENTS}
            found.append(Trio(title, told.name, labels["hybrid"], parents, told.means, told.comparisons))
    return found


def elsewhere(evaluations: Path, label: str) -> list[Trio]:
    """Return what `compare` found of runs with the three kinds of batch on other texts, in folders of ``evaluations``.

    Args:
        evaluations: a folder of folders.
        label: of the hybrid batches.
    """
    found = []
    for file in sorted(evaluations.glob(_COMPARED_RESULTS)):
        compared = read_table(file, COMPARED)
        means = file.with_name("means.csv")
        if {label, *PARENTS} <= set(compared_labels(compared)) and means.exists():
            seeds = int(against(compared, label, PARENTS[0], *WITH_FIRST_HIT[0])["seeds"])
            counted = said_basis(seeds, int(compared["concepts"].max()))
            name = file.parent.parent.name
            same = {one: one for one in PARENTS}
            found.append(Trio(f"Tested on {name} ({counted})", name, label, same, read_table(means, MEANS), compared))
    return found


def parents_table(trios: Sequence[Trio]) -> pd.DataFrame:
    """Give hybrid batches, their difference to the kinds that they mix and to no training, and what they keep.

    With means h of hybrid batches, b of the better of the two kinds and w of the worse, they keep 100 (h - w) / (b - w)
    percent, which is said where the two are separable.

    Args:
        trios: a group of rows each.

    Returns:
        Ready strings, with intervals; a difference that is separable from 0 begins with ``*``, what was not tested is
        ``–``.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for trio in trios:
        said: dict[str, Callable[[Trio, tuple[str, str]], str]] = {
            "hybrid": _level,
            **{f"− {parent}": partial(_difference, label) for parent, label in trio.parents.items()},
        }
        if UNTRAINED in compared_labels(trio.comparisons):
            said[f"− {UNTRAINED}"] = partial(_difference, UNTRAINED)
        if len(trio.parents) == len(PARENTS):
            said["kept of the lead"] = _kept
        for name, say in said.items():
            rows[trio.title, name] = {" ".join(panel): say(trio, panel) for panel in WITH_FIRST_HIT}
    return pd.DataFrame(rows.values(), pd.MultiIndex.from_tuples(rows, names=["study", "batches"]))


def finding(trios: Sequence[Trio]) -> str:
    """Count how hybrid batches stand to both parents over tests: by what is separable."""
    said = []
    for panel in WITH_FIRST_HIT:
        counts = Counter(filter(None, (_standing(trio, panel) for trio in trios)))
        if counts:
            said.append(f"**{SAID[panel]}** {'; '.join(f'{stands} ({n})' for stands, n in counts.most_common())}")
    return f"Of these tests (how many in brackets), hybrid batches are {'. They are '.join(said)}." if said else ""


def _standing(trio: Trio, panel: tuple[str, str]) -> str:
    try:
        found = {
            parent: against(trio.comparisons, trio.hybrid, label, *panel) for parent, label in trio.parents.items()
        }
    except InputError:  # not compared
        return ""
    return standing({parent: verdict(row) for parent, row in found.items()}) if len(found) == len(PARENTS) else ""


def _level(trio: Trio, panel: tuple[str, str]) -> str:
    value, low, high = trio.value(trio.hybrid, *panel)
    digits = DIGITS[panel[1]]
    if isnan(value):
        return "–"
    return f"{value:{digits}}" if isnan(low) else f"{value:{digits}} [{low:{digits}}, {high:{digits}}]"


def _difference(label: str, trio: Trio, panel: tuple[str, str]) -> str:
    try:
        row = against(trio.comparisons, trio.hybrid, label, *panel)
    except InputError:  # not compared
        return "–"
    digits = f"z{DIGITS[panel[1]]}"
    said = f"{row['difference']:+{digits}} [{row['low']:{digits}}, {row['high']:{digits}}]"
    return "*" * bool(verdict(row)) + said


def _kept(trio: Trio, panel: tuple[str, str]) -> str:
    one, other = trio.parents.values()
    try:
        row = against(trio.comparisons, one, other, *panel)
    except InputError:  # not compared
        return "–"
    if not verdict(row):
        return "–"
    hybrid, *ends = (direction(panel[1]) * trio.value(label, *panel)[0] for label in (trio.hybrid, one, other))
    return f"{100 * (hybrid - min(ends)) / (max(ends) - min(ends)):.0f} %"
