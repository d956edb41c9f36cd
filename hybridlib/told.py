"""A study as its committed tables tell it: nothing is trained, and no corpus is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hybridlib.errors import InputError
from hybridlib.evaluation import SETTINGS
from hybridlib.plain_text import brief, one_line
from hybridlib.results import read_json

_COLUMNS = {
    "scores": "run configuration seed setting query_language passage_language measure value",
    "summary": "configuration seed languages setting measure value",
    "means": "configuration languages setting measure value low high",
    "comparisons": "configuration baseline setting measure difference low high holm_p wins losses "
    "seeds baseline_seeds seed_error",
    "runs": "run configuration pairs seconds",
}
MEANS = _COLUMNS["means"].split()
COMPARED = [name for name in _COLUMNS["comparisons"].split() if name != "seed_error"] + ["concepts"]
_TEXTS = set(
    "run configuration baseline languages setting measure query_language passage_language "
    "source table encoder test_set sampler".split()
)
_ABOUT = (
    "name title question demonstration baseline references axis series missing corpus notes concepts languages "
    "fingerprint environment random_rank_distance encoder"
).split()
_ANSWERS = ("methods", "xm3600", "alpha")


@dataclass(frozen=True)
class Told:
    """What ``report`` wrote of a study.

    Attributes:
        folder: the study's.
        about: see :meth:`hybridlib.study_results.StudyResults.about`.
        scores, summary, means, comparisons, runs: see there; one CSV each.
    """

    folder: Path
    about: dict[str, Any]
    scores: pd.DataFrame
    summary: pd.DataFrame
    means: pd.DataFrame
    comparisons: pd.DataFrame
    runs: pd.DataFrame

    @classmethod
    def read(cls, folder: Path) -> Told:
        """Read the tables of a study's folder.

        Raises:
            InputError: if one is missing, is no CSV or has not its columns; if ``study.json`` is incomplete, or is of
                another study than the folder's name says.
        """
        about = read_json(folder / "study.json")
        absent = [key for key in _ABOUT if key not in about]
        if absent:
            raise InputError(f"{folder}/study.json: found no {absent[0]}, expected what `report` writes")
        if about["name"] != folder.absolute().name:
            raise InputError(f"{folder}/study.json: found the study {brief(about['name'])}, expected the folder's name")
        return cls(
            folder, about, **{name: read_table(folder / f"{name}.csv", _COLUMNS[name].split()) for name in _COLUMNS}
        )

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.about["name"])

    @property
    def labels(self) -> list[str]:
        """Its systems, in the order of its file."""
        return list(dict.fromkeys(self.summary["configuration"]))

    @property
    def lying(self) -> pd.DataFrame:
        """Which systems lie on curves, and where: of :func:`hybridlib.curves.series`; empty without an axis."""
        return pd.DataFrame(self.about["series"], columns=["configuration", "series", "x"])

    def on_axis(self, table: pd.DataFrame) -> pd.DataFrame:
        """Give the rows over all languages of the systems that lie on curves, with ``series`` and ``x``."""
        return self.lying.merge(table[table["languages"] == "all"])

    def value(self, label: str, setting: str, measure: str, column: str = "value") -> float:
        """Return a mean over seeds, or another column of ``means``, of a system over all languages.

        Raises:
            InputError: if the study has no such number.
        """
        table = self.means
        kept = table[(table["configuration"] == label) & (table["languages"] == "all")]
        found = kept.loc[(kept["setting"] == setting) & (kept["measure"] == measure), column]
        if len(found) != 1:
            raise InputError(f"{self.folder}/means.csv: found no {setting} {measure} of {label}, expected one")
        return float(found.iloc[0])

    def by_pair(self, label: str, measure: str = "nDCG@10") -> pd.DataFrame:
        """Return a measure by [query language x passage language] of a trained or untrained run, mean over seeds."""
        table = self.scores
        kept = table[(table["configuration"] == label) & (table["measure"] == measure)]
        kept = kept[kept["setting"].isin(SETTINGS[:2])]
        wide = kept.pivot_table(index="query_language", columns="passage_language", values="value", aggfunc="mean")
        return wide.rename_axis(None).rename_axis(None, axis=1)

    def by_query_language(self, label: str, measure: str = "rank_distance") -> pd.Series:
        """Return a measure of the pooled ranking by query language, mean over seeds."""
        table = self.scores
        kept = table[(table["configuration"] == label) & (table["measure"] == measure)]
        return kept[kept["setting"] == "multilingual"].groupby("query_language")["value"].mean().rename_axis(None)


def run_labels(folder: Path) -> dict[str, str]:
    """Return what a study calls each of its runs, by their names; nothing if it has not been reported."""
    file = folder / "runs.csv"
    return dict(read_table(file, ["run", "configuration"]).to_numpy()) if file.exists() else {}


def read_studies(reports: Path) -> dict[str, Told]:
    """Read every study that has been reported, by name; demonstrations on made-up texts come last."""
    found = [Told.read(file.parent) for file in sorted(reports.glob("*/study.json"))]
    return {told.name: told for told in sorted(found, key=lambda told: bool(told.about["demonstration"]))}


def distinct(studies: Iterable[Told], labels: Iterable[str]) -> list[Told]:
    """Leave out a study all of whose runs of some systems another has too; of equal ones the first stays."""
    found, wanted = list(studies), set(labels)
    runs = [set(one.runs.loc[one.runs["configuration"].isin(wanted), "run"]) for one in found]
    return [
        one
        for place, (one, own) in enumerate(zip(found, runs, strict=True))
        if not any(own < other or (own == other and earlier < place) for earlier, other in enumerate(runs))
    ]


def main_study(studies: Mapping[str, Told], named: str | None = None) -> Told:
    """Return the study that answers the question: the one named, else methods, xm3600 or alpha, else the first.

    Raises:
        InputError: if there is none, or none of that name.
    """
    if not studies:
        raise InputError("findings: found no reported study, expected one at least: make study")
    if named is not None and named not in studies:
        raise InputError(f"main: found {brief(named)}, expected one of the reported studies {' '.join(studies)}")
    return studies[named or next((name for name in _ANSWERS if name in studies), next(iter(studies)))]


def read_table(file: Path, columns: list[str]) -> pd.DataFrame:
    """Read columns of a table; texts stay as they are: no label is taken for a number or for a missing value."""
    types = {name: str if name in _TEXTS else float for name in columns}
    try:
        return pd.read_csv(file, usecols=columns, dtype=types, keep_default_na=False, na_values=[""])[columns]
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: found no table ({one_line(str(error))}), expected that of `report`") from None
