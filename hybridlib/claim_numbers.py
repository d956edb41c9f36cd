"""Results of a study that a claim is judged by; nothing stands in for what is not there."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from hybridlib import findings
from hybridlib.comparison import against, compared_labels
from hybridlib.errors import InputError
from hybridlib.evaluation import BIAS
from hybridlib.told import COMPARED, read_table


class MissingError(Exception):
    """What a test needs is not among the results."""


class StudyNumbers:
    """Numbers in the folder of a study, whose tables are read when they are needed.

    Every method raises :class:`MissingError` if the study has no such number yet, an InputError if a file is broken.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def comparison(self, configuration: str, baseline: str, setting: str, measure: str) -> dict[str, Any]:
        """Return the row of ``comparisons.csv`` that compares two configurations, turned to ``configuration``."""
        known = compared_labels(self._comparisons)
        for label in (configuration, baseline):
            if label not in known:
                raise self._missing("not run", label)
        try:
            return against(self._comparisons, configuration, baseline, setting, measure)
        except InputError:
            raise self._missing("not compared", f"{configuration} with {baseline} by {setting} {measure}") from None

    def said(self, configuration: str, baseline: str, setting: str, measure: str) -> str:
        """Say what was measured and the difference, with its interval and p."""
        name = measure.replace("_", " ") if measure in BIAS else f"{setting} {measure}"
        return f"{name} {findings.difference(self._comparisons, configuration, baseline, setting, measure)}"

    def mean(self, configuration: str, setting: str, measure: str) -> float:
        """Return the mean of a configuration over seeds and all languages, of ``means.csv``."""
        table = self._table("means.csv", ["configuration", "languages", "setting", "measure", "value"])
        wanted = (configuration, "all", setting, measure)
        found = table.loc[(table.iloc[:, :4] == wanted).all(axis=1), "value"]
        if found.empty:
            raise self._missing("not measured", f"{setting} {measure} of {configuration}")
        return float(found.iloc[0])

    def by_seed(self, configuration: str, baseline: str, setting: str, measure: str) -> pd.Series:
        """Return seed -> the difference of two configurations, in each seed that both have, of ``summary.csv``.

        What was not trained is the same in every seed.
        """
        table = self._table("summary.csv", ["configuration", "seed", "languages", "setting", "measure", "value"])
        table = table[(table[["languages", "setting", "measure"]] == ("all", setting, measure)).all(axis=1)]
        values = {
            one: table[table["configuration"] == one].set_index("seed")["value"] for one in (configuration, baseline)
        }
        first, second = (found if self.is_trained(one) else float(found.mean()) for one, found in values.items())
        return pd.Series(first - second).dropna().sort_index()

    def is_trained(self, label: str) -> bool:
        """Whether a configuration is other than the encoder as it was, by the pairs of its runs in ``runs.csv``."""
        runs = self._table("runs.csv", ["configuration", "pairs"])
        return not (runs.loc[runs["configuration"] == label, "pairs"] == 0).any()

    def geometry(self, configuration: str, number: str) -> dict[int, float]:
        """Return a number of the geometry of a configuration's test texts, of ``runs.csv``, by seed."""
        runs = self._table("runs.csv", ["configuration", "seed"])
        chosen = runs["configuration"] == configuration
        if not chosen.any():
            raise self._missing("not run", configuration)
        if number not in pd.read_csv(self._folder / "runs.csv", nrows=0):
            raise self._missing("not measured", number.replace("_", " "))
        values = self._table("runs.csv", [number])[number][chosen]
        if values.isna().any():
            raise self._missing("not measured", f"{number.replace('_', ' ')} of {configuration}")
        return dict(zip(runs["seed"][chosen].astype(int), values, strict=True))

    @cached_property
    def _comparisons(self) -> pd.DataFrame:
        return self._table("comparisons.csv", COMPARED)

    def _table(self, name: str, columns: list[str]) -> pd.DataFrame:
        file = self._folder / name
        if not file.exists():
            raise MissingError(f"not run: the study {self._folder.name} has no {name} yet")
        return read_table(file, columns)

    def _missing(self, how: str, what: str) -> MissingError:
        return MissingError(f"{how}: {what} in the study {self._folder.name}")
