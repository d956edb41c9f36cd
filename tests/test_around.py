"""What stands around the baseline of a study, from tables with known numbers."""

import pandas as pd
import pytest
from told_cases import compared

from hybridlib import around

LINE = pd.DataFrame(
    [("a 16", "a", 16.0), ("a 64", "a", 64.0), ("a 1024", "a", 1024.0), ("a 8", "a", 8.0), ("b 32", "b", 32.0)],
    columns=["configuration", "series", "x"],
)
ROWS = pd.DataFrame([*compared("a 16", "a 64"), *compared("a 64", "a 1024"), *compared("a 8", "a 64")])


def test_both_neighbours_are_told_and_turned():
    before, after = around.neighbours(ROWS, LINE, "a 64", "batch_size")
    assert before.startswith("batch_size 16 against **a 64**: within a language +0.100 [")
    assert "by rank distance +100 [" in before
    assert after.startswith("batch_size 1,024 against **a 64**: within a language -0.100 [")


@pytest.mark.parametrize(
    ("lying", "baseline"),
    [(LINE, "untrained"), (LINE.assign(x="hybrid"), "a 64"), (LINE, "b 32"), (LINE[1:], "a 1024")],
    ids=["on no curve", "names", "alone on its curve", "not compared"],
)
def test_without_neighbours_that_were_compared_nothing_is_said(lying, baseline):
    rows = ROWS[:4] if baseline == "a 1024" else ROWS
    assert around.neighbours(rows, lying, baseline, "batch_size") == []


def test_what_lies_on_no_curve_is_told_if_it_was_trained_and_compared():
    rows = pd.DataFrame([*compared("accumulated", "a 64"), *compared("untrained", "a 64"), *compared("a 16", "a 64")])
    labels = ["untrained", "a 16", "a 64", "accumulated", "not compared"]
    (said,) = around.off_axis(rows, LINE, "a 64", labels)
    assert said.startswith("Not on a curve, against a 64 in the pool: accumulated +0.300 [")
    assert said.count("[") == 1
    assert around.off_axis(rows, LINE, "a 64", labels[:3]) == []
