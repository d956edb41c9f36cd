"""Tests of claims on the numbers of a study: which difference, in which direction, and when it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from hybridlib.claim_numbers import MissingError, StudyNumbers
from hybridlib.comparison import LEVEL, LOWER_IS_BETTER, direction

HOLDS, FAILS, UNCLEAR = "holds", "does not hold", "cannot tell here"
MARGIN, RANK_MARGIN = 0.01, 0.05  # of shares such as nDCG; of ranks, as a share of the baseline's

Setting = Literal["monolingual", "crosslingual", "multilingual"]
Measure = Literal["nDCG@10", "rank_distance", "same_language_share@10"]
_T = TypeVar("_T")
_Several = Annotated[list[_T], BeforeValidator(lambda v: [v] if isinstance(v, str) else v), Field(min_length=1)]


@dataclass(frozen=True)
class Finding:
    """What one comparison says.

    Attributes:
        verdict: holds, does not hold or cannot tell here.
        about: what was compared.
        said: the numbers.
        missing: what is not there.
    """

    verdict: str
    about: str = ""
    said: str = ""
    missing: str = ""


class Checked(BaseModel):
    """Values of a file; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Compared(Checked):
    """Two configurations by rows of ``comparisons.csv``: every combination of what is listed is a comparison.

    The gain is the difference, turned so that positive is better (or as ``expected``, where neither direction is);
    [low, high] is its 95 % interval, p is Holm-corrected, m is ``margin``: of nDCG and shares 0.01 unless given, of
    rank distance a share of the baseline's mean, 0.05 unless given.

    - ``better`` holds if gain > 0 and p < .05. It does not hold if gain < 0 and p < .05, nor if high < m: then no gain
      as large as the margin is left.
    - ``not_worse`` holds if low > -m, and does not hold if high < -m, whatever p.
    - ``flat`` holds if -m < low and high < m, and does not hold if high < -m or low > m, whatever p.

    Otherwise one cannot tell, nor where either configuration has fewer than ``min_seeds`` seeds. The last two are an
    equivalence test (Lakens 2017, with a 95 % interval for his 90 %).
    """

    kind: Literal["better", "not_worse", "flat"]
    configuration: _Several[str]
    baseline: _Several[str]
    setting: _Several[Setting]
    measure: Measure = "nDCG@10"
    margin: float | None = Field(None, gt=0)
    expected: Literal["higher", "lower"] | None = None
    min_seeds: int = Field(1, ge=1, description="more, where the draw of the batches may decide")

    @model_validator(mode="after")
    def _has_a_direction(self) -> Compared:
        if (direction(self.measure) == 0 and self.kind != "flat") != (self.expected is not None):
            raise ValueError(
                f"found {self.kind} by {self.measure} with expected {self.expected}, expected higher or lower where "
                "neither is better, and none elsewhere"
            )
        return self

    def findings(self, numbers: StudyNumbers) -> list[Finding]:
        """Judge every combination."""
        rows = product(self.configuration, self.baseline, self.setting)
        return [_or_missing(partial(self._finding, numbers, *row)) for row in rows]

    def _finding(self, numbers: StudyNumbers, configuration: str, baseline: str, setting: str) -> Finding:
        row = numbers.comparison(configuration, baseline, setting, self.measure)
        found, seeds = self._judged(numbers, row, baseline, setting), int(min(row["seeds"], row["baseline_seeds"]))
        if seeds < self.min_seeds:
            return replace(
                found, verdict=UNCLEAR, said=f"{found.said} ({_count(seeds)} of the {self.min_seeds} it takes)"
            )
        return found

    def _judged(self, numbers: StudyNumbers, row: dict[str, Any], baseline: str, setting: str) -> Finding:
        sign = direction(self.measure) or (-1 if self.expected == "lower" else 1)
        low, high = sorted((sign * row["low"], sign * row["high"]))
        gained, separable = sign * row["difference"] > 0, row["holm_p"] < LEVEL
        said = numbers.said(row["configuration"], baseline, setting, self.measure)
        about = _about(row)
        if self.kind == "better" and separable:
            return Finding(HOLDS if gained else FAILS, about, said)
        if self.kind == "not_worse" and low >= 0:
            return Finding(HOLDS, about, said)
        try:
            margin = self._margin(numbers, baseline, setting)
        except MissingError as error:
            return Finding(UNCLEAR, about, said, str(error))
        said += f" (margin {margin:{',.0f' if self.measure in LOWER_IS_BETTER else '.3f'}})"
        if self.kind == "better":
            return Finding(FAILS if high < margin else UNCLEAR, about, said)
        inside = low > -margin and (self.kind == "not_worse" or high < margin)
        beyond = high < -margin or (self.kind == "flat" and low > margin)
        return Finding(HOLDS if inside else FAILS if beyond else UNCLEAR, about, said)

    def _margin(self, numbers: StudyNumbers, baseline: str, setting: str) -> float:
        if self.measure not in LOWER_IS_BETTER:
            return self.margin or MARGIN
        return (self.margin or RANK_MARGIN) * numbers.mean(baseline, setting, self.measure)


class LargerGain(Checked):
    """A configuration gains more over its baseline than another pair does, by rows of ``comparisons.csv``.

    Holds if the 95 % interval of its gain lies above that of the other, does not hold if it lies below; where they
    overlap one cannot tell. (Two intervals that are apart are more than a test of the difference at .05 asks for.)
    """

    kind: Literal["larger_gain"]
    configuration: str
    baseline: str
    than: list[str] = Field(min_length=2, max_length=2, description="configuration and baseline")
    setting: Setting
    measure: Literal["nDCG@10", "rank_distance"] = "nDCG@10"

    def findings(self, numbers: StudyNumbers) -> list[Finding]:
        """Judge the two gains."""
        return [_or_missing(partial(self._finding, numbers))]

    def _finding(self, numbers: StudyNumbers) -> Finding:
        pairs = (self.configuration, self.baseline), (self.than[0], self.than[1])
        sign = direction(self.measure)
        rows = [numbers.comparison(*pair, self.setting, self.measure) for pair in pairs]
        (low, high), (other_low, other_high) = (sorted((sign * row["low"], sign * row["high"])) for row in rows)
        verdict = HOLDS if low > other_high else FAILS if high < other_low else UNCLEAR
        said, other = (numbers.said(*pair, self.setting, self.measure) for pair in pairs)
        return Finding(verdict, _about(rows[0]), f"{said}, against {_about(rows[1])}: {other}")


class Order(Checked):
    """A number of a run's ``geometry`` falls, or rises, from configuration to configuration.

    Holds if it does in every seed that all of them have, does not hold if it does the reverse in every one; otherwise
    one cannot tell. There is no interval: a run has one such number.
    """

    kind: Literal["order"]
    number: str = Field(description="see hybridlib.geometry.geometry")
    configurations: list[str] = Field(min_length=2)
    expected: Literal["rises", "falls"]

    def findings(self, numbers: StudyNumbers) -> list[Finding]:
        """Judge the numbers of all seeds."""
        return [_or_missing(partial(self._finding, numbers))]

    def _finding(self, numbers: StudyNumbers) -> Finding:
        by_label = [numbers.geometry(label, self.number) for label in self.configurations]
        seeds = sorted(set.intersection(*(set(values) for values in by_label)))
        if not seeds:
            raise MissingError(f"not run: {' and '.join(self.configurations)} with a common seed")
        series = [[values[seed] for values in by_label] for seed in seeds]
        rises, falls = (
            all(sign * (later - earlier) > 0 for values in series for earlier, later in pairwise(values))
            for sign in (1, -1)
        )
        as_expected, reverse = (rises, falls) if self.expected == "rises" else (falls, rises)
        steps = (
            f"seed {seed} {' → '.join(f'{v:.4f}' for v in values)}" for seed, values in zip(seeds, series, strict=True)
        )
        about = f"{self.number.replace('_', ' ')} of {' → '.join(self.configurations)} ({_count(len(seeds))})"
        return Finding(HOLDS if as_expected else FAILS if reverse else UNCLEAR, about, "; ".join(steps))


Test = Compared | LargerGain | Order
KINDS: dict[str, type[Test]] = {"larger_gain": LargerGain, "order": Order}
KINDS |= dict.fromkeys(("better", "not_worse", "flat"), Compared)


def _or_missing(judged: Callable[[], Finding]) -> Finding:
    try:
        return judged()
    except MissingError as error:
        return Finding(UNCLEAR, missing=str(error))


def _about(row: dict[str, Any]) -> str:
    first, second = int(row["seeds"]), int(row["baseline_seeds"])
    seeds = _count(first) if first == second else f"{first} and {_count(second)}"
    return f"{row['configuration']} − {row['baseline']} ({seeds})"


def _count(seeds: int) -> str:
    return f"{seeds} seed{'s' if seeds > 1 else ''}"
