"""Tests of claims on the numbers of a study: which difference, in which direction, and when it counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, product
from math import inf
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from hybridlib.claim_numbers import MissingError, StudyNumbers
from hybridlib.comparison import DIGITS, LEVEL, LOWER_IS_BETTER, direction
from hybridlib.evaluation import SHARE

HOLDS, FAILS, UNCLEAR = "holds", "does not hold", "cannot tell here"
MARGIN, RANK_MARGIN = 0.01, 0.05  # of shares such as nDCG; of ranks, as a share of the baseline's
MIN_SEEDS, MIN_CONCEPTS = 2, 30  # below these a bootstrap over concepts or a single training decides nothing

Setting = Literal["monolingual", "crosslingual", "multilingual"]
Measure = Literal["nDCG@10", "rank_distance", "same_language_share@10"]
_FORM = {**DIGITS, SHARE: ".3f"}
_Judged = tuple[str, float, float]  # a verdict and the range of gains that it speaks of
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
    [low, high] is its 95 % interval, p is Holm-corrected (both as :mod:`hybridlib.seed_error` widens them), m is
    ``margin``: of nDCG and shares 0.01 unless given, of rank distance a share of the baseline's mean, 0.05 unless
    given.

    - ``better`` holds if gain > 0 and p < .05. It does not hold if gain < 0 and p < .05, nor if low <= 0 and high < m:
      then no gain as large as the margin is left.
    - ``not_worse`` holds if low > -m, and does not hold if high < -m, whatever p.
    - ``flat`` holds if -m < low and high < m, and does not hold if high < -m or low > m, whatever p.

    Otherwise one cannot tell. Nor can one where either configuration has fewer than ``min_seeds`` seeds, where a seed
    that both have says otherwise (its own gain lies outside the range that the verdict speaks of), or with fewer than
    30 concepts: of one seed intervals and p know at most how much other systems' seeds differ, and nothing of its own.

    The last two are an equivalence test (Lakens 2017, with a 95 % interval for his 90 %). low, high and m are compared
    as they are printed, to three decimals and whole ranks: more a bootstrap does not know, and a reader can check it.
    """

    kind: Literal["better", "not_worse", "flat"]
    configuration: _Several[str]
    baseline: _Several[str]
    setting: _Several[Setting]
    measure: Measure = "nDCG@10"
    margin: float | None = Field(None, gt=0)
    expected: Literal["higher", "lower"] | None = None
    min_seeds: int = Field(MIN_SEEDS, ge=1)

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
        sign = direction(self.measure) or (-1 if self.expected == "lower" else 1)
        ends = sorted((sign * row["low"], sign * row["high"]))
        about, said = _about(row), numbers.said(configuration, baseline, setting, self.measure)
        judged = self._without_margin(sign * row["difference"], ends[0], row["holm_p"])
        if judged is None:
            try:
                margin = self._margin(numbers, baseline, setting)
            except MissingError as error:
                return Finding(UNCLEAR, about, said, str(error))
            said += f" (margin {margin:{_FORM[self.measure]}})"
            judged = self._by_margin(*(_as_printed(value, self.measure) for value in (*ends, margin)))
        verdict, floor, ceiling = judged
        gains = [sign * gain for gain in numbers.by_seed(configuration, baseline, setting, self.measure)]
        doubt = _few(numbers, row, self.min_seeds) or _disagree(gains, floor, ceiling, self.measure)
        return Finding(UNCLEAR if doubt else verdict, about, said + doubt)

    def _without_margin(self, gain: float, low: float, p: float) -> _Judged | None:
        """Judge what needs no margin: a verdict, and the gains that it speaks of."""
        if self.kind == "better" and p < LEVEL:
            return (HOLDS, 0.0, inf) if gain > 0 else (FAILS, -inf, 0.0)
        return (HOLDS, 0.0, inf) if self.kind == "not_worse" and low >= 0 else None

    def _by_margin(self, low: float, high: float, margin: float) -> _Judged:
        if self.kind == "better":
            ranges = [(FAILS, -inf, margin)] * (low <= 0)
        else:
            ranges = [(HOLDS, -margin, inf if self.kind == "not_worse" else margin), (FAILS, -inf, -margin)]
            ranges += [(FAILS, margin, inf)] * (self.kind == "flat")
        return next((one for one in ranges if one[1] < low and high < one[2]), (UNCLEAR, -inf, inf))

    def _margin(self, numbers: StudyNumbers, baseline: str, setting: str) -> float:
        if self.measure not in LOWER_IS_BETTER:
            return self.margin or MARGIN
        return (self.margin or RANK_MARGIN) * numbers.mean(baseline, setting, self.measure)


class LargerGain(Checked):
    """A configuration gains more over its baseline than another pair does, by rows of ``comparisons.csv``.

    Holds if the 95 % interval of its gain lies above that of the other, does not hold if it lies below; where they
    overlap one cannot tell. (Two intervals that are apart are more than a test of the difference at .05 asks for.)
    Seeds and concepts as for :class:`Compared`.
    """

    kind: Literal["larger_gain"]
    configuration: str
    baseline: str
    than: list[str] = Field(min_length=2, max_length=2, description="configuration and baseline")
    setting: Setting
    measure: Literal["nDCG@10", "rank_distance"] = "nDCG@10"
    min_seeds: int = Field(MIN_SEEDS, ge=1)

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
        gain, other_gain = (numbers.by_seed(*pair, self.setting, self.measure) for pair in pairs)
        lead = (sign * (gain - other_gain)).dropna().tolist()  # of the seeds that both have
        ends = {HOLDS: (0.0, inf), FAILS: (-inf, 0.0), UNCLEAR: (-inf, inf)}[verdict]
        few = next((few for few in (_few(numbers, row, self.min_seeds) for row in rows) if few), "")
        doubt = few or _disagree(lead, *ends, self.measure)
        said = f"{said}, against {_about(rows[1])}: {other}{doubt}"
        return Finding(UNCLEAR if doubt else verdict, _about(rows[0]), said)


class Order(Checked):
    """A number of a run's ``geometry`` falls, or rises, from configuration to configuration.

    Holds if it does at every step in every seed that all of them have, does not hold if one step is the reverse in
    every one; otherwise one cannot tell, nor with fewer than ``min_seeds`` of them. There is no interval: a run has one
    such number. A step that is no larger than ``margin`` decides nothing: more than seeds differ, it makes up for few.
    """

    kind: Literal["order"]
    number: str = Field(description="see hybridlib.geometry.geometry")
    configurations: list[str] = Field(min_length=2)
    expected: Literal["rises", "falls"]
    margin: float = Field(0.0, ge=0)
    min_seeds: int = Field(MIN_SEEDS, ge=1)

    def findings(self, numbers: StudyNumbers) -> list[Finding]:
        """Judge the numbers of all seeds."""
        return [_or_missing(partial(self._finding, numbers))]

    def _finding(self, numbers: StudyNumbers) -> Finding:
        by_label = [numbers.geometry(label, self.number) for label in self.configurations]
        seeds = sorted(set.intersection(*(set(values) for values in by_label)))
        if not seeds:
            raise MissingError(f"not run: {' and '.join(self.configurations)} with a common seed")
        series = [[values[seed] for values in by_label] for seed in seeds]
        sign = 1 if self.expected == "rises" else -1
        by_step = zip(
            *([sign * (later - earlier) for earlier, later in pairwise(values)] for values in series), strict=True
        )
        moves = [(min(step), max(step)) for step in by_step]
        as_expected = all(least > self.margin for least, _ in moves)
        reverse = any(most < -self.margin for _, most in moves)
        steps = (
            f"seed {seed} {' → '.join(f'{v:.4f}' for v in values)}" for seed, values in zip(seeds, series, strict=True)
        )
        about = f"{self.number.replace('_', ' ')} of {' → '.join(self.configurations)} ({_count(len(seeds))})"
        few = _too_few(len(seeds), self.min_seeds, "seed")
        verdict = UNCLEAR if few else HOLDS if as_expected else FAILS if reverse else UNCLEAR
        return Finding(verdict, about, "; ".join(steps) + few)


Test = Compared | LargerGain | Order
KINDS: dict[str, type[Test]] = {"larger_gain": LargerGain, "order": Order}
KINDS |= dict.fromkeys(("better", "not_worse", "flat"), Compared)


def _or_missing(judged: Callable[[], Finding]) -> Finding:
    try:
        return judged()
    except MissingError as error:
        return Finding(UNCLEAR, missing=str(error))


def _as_printed(value: float, measure: str) -> float:
    return float(format(value, _FORM[measure]).replace(",", ""))


def _few(numbers: StudyNumbers, row: dict[str, Any], least: int) -> str:
    """Say that a comparison rests on too few seeds or concepts, if it does."""
    sides = {"configuration": "seeds", "baseline": "baseline_seeds"}
    seeds = [int(row[count]) for side, count in sides.items() if numbers.is_trained(row[side])]
    return _too_few(min(seeds, default=least), least, "seed") or _too_few(int(row["concepts"]), MIN_CONCEPTS, "concept")


def _too_few(count: int, least: int, what: str) -> str:
    return f" ({_count(count, what)} of the {least} it takes)" if count < least else ""


def _disagree(gains: Sequence[float], floor: float, ceiling: float, measure: str) -> str:
    """Say the gains of single seeds, if one is outside the range that a verdict speaks of."""
    if all(floor < gain < ceiling for gain in gains):
        return ""
    return f" (the seeds disagree: gains of {', '.join(f'{gain:+{_FORM[measure]}}' for gain in gains)})"


def _about(row: dict[str, Any]) -> str:
    first, second = int(row["seeds"]), int(row["baseline_seeds"])
    seeds = _count(first) if first == second else f"{first} and {_count(second)}"
    return f"{row['configuration']} − {row['baseline']} ({seeds})"


def _count(number: int, what: str = "seed") -> str:
    return f"{number} {what}{'s' if number > 1 else ''}"
