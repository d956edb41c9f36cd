"""Claims of papers, each judged by tests on the results of a study: it holds, it does not, or one cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
from pydantic import BaseModel, Field, ValidationError

from hybridlib.claim_numbers import StudyNumbers
from hybridlib.claim_tests import FAILS, HOLDS, KINDS, UNCLEAR, Checked, Test
from hybridlib.errors import InputError
from hybridlib.paths import NAME
from hybridlib.plain_text import brief
from hybridlib.validation import explained
from hybridlib.yaml_file import read_yaml

_M = TypeVar("_M", bound=BaseModel)


class Claim(Checked):
    """A claim of a paper and the tests that all must hold."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    paper: str = Field(pattern=r"^\d{4}\.\d{5}$", description="arXiv number")
    where: str = Field(description="table, figure or section")
    claim: str = Field(description="in a sentence")
    published: str = Field(description="the published numbers")
    study: str = Field(pattern=f"^{NAME.pattern}$", description="that tests it")
    tests: list[Test] = Field(min_length=1)
    command: str | None = Field(None, description="that runs it again; None: make study")
    differs: str = Field(description="the likeliest reason if ours differs")

    @property
    def source(self) -> str:
        """Paper and place in it."""
        return f"{self.paper}, {self.where}"

    @property
    def rerun(self) -> str:
        """The command that runs it again."""
        return self.command or f"make study STUDY={self.study}"


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Attributes:
        claim: the claim.
        verdict: holds (all tests do), does not hold (any does not) or cannot tell here.
        ours: differences with intervals, p and seeds; empty if nothing was run.
        reason: why it may not hold, or why one cannot tell; and what is missing.
    """

    claim: Claim
    verdict: str
    ours: str
    reason: str

    @property
    def found(self) -> str:
        """What is found here, ending with the reason."""
        return f"{self.ours} {self.reason}".strip()


def load_claims(path: str | Path) -> tuple[Claim, ...]:
    """Read a file of claims: a list, whose entries have the fields of :class:`Claim`.

    Raises:
        FileNotFoundError: if there is no such file.
        InputError: naming the file, the claim and what was expected.
    """
    entries = read_yaml(Path(path), "a list of claims")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(f"{path}: found {brief(entries)}, expected a list of claims, names with values each")
    claims = []
    for number, entry in enumerate(entries, start=1):
        where = f"{path}: claim {brief(entry.get('id', number))}"
        tests = entry.get("tests")
        listed = tests if isinstance(tests, list) else [tests]
        claims.append(_checked(Claim, {**entry, "tests": [_test(values, where) for values in listed]}, where))
    ids = [claim.id for claim in claims]
    twice = next((name for name in ids if ids.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: found two claims {twice}, expected each once")
    return tuple(claims)


def judge(claim: Claim, reports: Path) -> Verdict:
    """Judge a claim by ``<reports>/<study>``; results that are not there are named, and nothing stands in for them.

    Raises:
        InputError: if a file of results is broken.
    """
    numbers = StudyNumbers(reports / claim.study)
    found = [finding for test in claim.tests for finding in test.findings(numbers)]
    verdicts = {finding.verdict for finding in found}
    verdict = FAILS if FAILS in verdicts else UNCLEAR if UNCLEAR in verdicts else HOLDS
    ours: dict[str, list[str]] = {}
    for finding in found:
        if finding.said:
            apart = f": {finding.verdict}" * (len(verdicts) > 1)
            ours.setdefault(finding.about, []).append(finding.said + apart)
    open_ = sum(finding.verdict == UNCLEAR and not finding.missing for finding in found)
    reasons = [
        *([claim.differs] if verdict == FAILS or (verdict == UNCLEAR and open_) else []),
        *(
            [f"undecided: {open_} of {len(found)} comparisons."]
            if verdict == UNCLEAR and open_ and len(found) > 1
            else []
        ),
        *(f"{missing}." for missing in dict.fromkeys(finding.missing for finding in found) if missing),
    ]
    said = " ".join(f"{about}: {'; '.join(parts)}." for about, parts in ours.items())
    return Verdict(claim, verdict, said, " ".join(reasons))


def claims_table(verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """One row a claim, of ready strings for :func:`hybridlib.show.table`; ``ours`` ends with the reason."""
    rows = [
        {
            "claim": one.claim.claim,
            "paper": one.claim.source,
            "published": one.claim.published,
            "ours": one.found,
            "verdict": one.verdict,
            "reproduce": one.claim.rerun,
        }
        for one in verdicts
    ]
    columns = "claim paper published ours verdict reproduce".split()
    return pd.DataFrame(rows, [one.claim.id for one in verdicts], columns)


def tally(verdicts: Sequence[Verdict]) -> str:
    """Say how many claims hold, do not hold, and cannot be told."""
    counts = [sum(one.verdict == verdict for one in verdicts) for verdict in (HOLDS, FAILS, UNCLEAR)]
    said = ", ".join(f"{verdict}: {count}" for verdict, count in zip((HOLDS, FAILS, UNCLEAR), counts, strict=True))
    return f"Of {len(verdicts)} claim{'s' * (len(verdicts) != 1)}, {said}."


def _test(values: Any, where: str) -> Test:
    kind = values.get("kind") if isinstance(values, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"{where}: found the test {brief(values)}, expected its kind to be one of {' '.join(KINDS)}")
    return _checked(KINDS[kind], values, f"{where}: {kind}")


def _checked(model: type[_M], values: dict[Any, Any], where: str) -> _M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        wrong = [explained(item, "name", model.model_fields) for item in error.errors()]
        raise InputError("\n".join(f"{where}: {one}" for one in wrong)) from None
