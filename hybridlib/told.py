"""A study as its committed tables tell it: nothing is trained, and no corpus is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hybridlib.errors import InputError
from hybridlib.evaluation import SETTINGS
from hybridlib.results import read_json

_TABLES = ("scores", "summary", "means", "comparisons", "runs")


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
            InputError: if one is missing or is no CSV.
        """
        about = read_json(folder / "study.json")
        try:
            tables = {name: pd.read_csv(folder / f"{name}.csv") for name in _TABLES}
        except (OSError, ValueError) as error:
            raise InputError(f"{folder}: found no complete tables ({error}), expected those of `report`") from None
        return cls(folder, about, **tables)

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.about["name"])

    @property
    def labels(self) -> list[str]:
        """Its systems, in the order of its file."""
        return list(dict.fromkeys(self.summary["configuration"]))

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


def read_studies(reports: Path) -> dict[str, Told]:
    """Read every study that has been reported, by name; demonstrations on made-up texts come last."""
    found = [Told.read(file.parent) for file in sorted(reports.glob("*/study.json"))]
    return {told.name: told for told in sorted(found, key=lambda told: bool(told.about["demonstration"]))}


def main_study(studies: Mapping[str, Told], wanted: tuple[str, ...] = ("methods", "xm3600", "alpha")) -> Told:
    """Return the study that answers the question: the first of those wanted that is there, else the first.

    Raises:
        InputError: if there is none.
    """
    if not studies:
        raise InputError("findings: found no reported study, expected one at least: make study")
    return next((studies[name] for name in wanted if name in studies), next(iter(studies.values())))
