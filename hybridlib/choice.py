"""What validation would choose along the curves of a study, and what that is worth on the test concepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pandas as pd

from hybridlib.curves import place
from hybridlib.evaluation import SETTINGS


@dataclass(frozen=True)
class Choice:
    """The point of a curve that validation chooses, and the one that the test concepts would.

    Attributes:
        series: name of the curve.
        validation: x -> score on the validation concepts, mean over seeds.
        test: x -> mean nDCG@10 of the three settings on the test concepts, mean over seeds.
    """

    series: str
    validation: pd.Series
    test: pd.Series

    @property
    def chosen(self) -> float | str:
        """The x of the best validation score, the smallest of equals."""
        return cast("float | str", self.validation.idxmax())

    @property
    def best(self) -> float | str:
        """The x of the best test score, the smallest of equals."""
        return cast("float | str", self.test.idxmax())

    @property
    def regret(self) -> float:
        """What is lost on the test concepts by choosing on validation: 0 or more."""
        return float(self.test[self.best] - self.test[self.chosen])


def choices(lying: pd.DataFrame, runs: pd.DataFrame, summary: pd.DataFrame) -> list[Choice]:
    """Give a choice for each curve with two points or more, which must have been validated on the same concepts.

    Of two configurations at one place, such as crosslingual batches and alpha 0, the first stands for both.

    Args:
        lying: of :func:`hybridlib.curves.series`.
        runs: of :meth:`hybridlib.study_results.StudyResults.costs`.
        summary: of :meth:`hybridlib.study_results.StudyResults.summary`.
    """
    tested = summary[
        (summary["languages"] == "all") & (summary["measure"] == "nDCG@10") & summary["setting"].isin(SETTINGS)
    ]
    scores = pd.DataFrame(
        {
            "validation": runs.groupby("configuration")["validation"].mean(),
            "test": tested.groupby("configuration")["value"].mean(),
        }
    )
    points = lying.merge(scores.dropna(), left_on="configuration", right_index=True).drop_duplicates(["series", "x"])
    curves = {str(name): part.set_index("x").sort_index() for name, part in points.groupby("series", sort=False)}
    return [Choice(name, part["validation"], part["test"]) for name, part in curves.items() if len(part) > 1]


def choice_table(found: list[Choice], axis: str) -> pd.DataFrame:
    """Give a row a curve: validation score at each x, the best starting with ``*``; what is chosen, and its worth."""
    rows = {}
    for one in found:
        scores = {place(x): f"{'*' if x == one.chosen else ''}{score:.3f}" for x, score in one.validation.items()}
        rows[one.series] = {
            **scores,
            f"{axis} chosen": place(one.chosen),
            "test": f"{one.test[one.chosen]:.3f}",
            "best of the test": f"{one.test[one.best]:.3f} at {place(one.best)}",
        }
    xs = sorted({x for one in found for x in one.validation.index})
    columns = [*map(place, xs), f"{axis} chosen", "test", "best of the test"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).fillna("–").rename_axis("configuration")


def finding(found: list[Choice]) -> str:
    """Say how often validation chooses what is best on the test concepts (to .001), and what the others lose."""
    right = sum(round(one.regret, 3) == 0 for one in found)
    worst = max(found, key=lambda one: one.regret)
    lost = f"; the most that is lost is {worst.regret:.3f}, by {worst.series}" if right < len(found) else ""
    kinds = f"configuration{'s' * (len(found) > 1)}"
    return f"Validation chooses the best of the test concepts (to .001) for {right} of {len(found)} {kinds}{lost}."
