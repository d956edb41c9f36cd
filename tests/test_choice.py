"""What validation chooses along curves."""

import pandas as pd
import pytest

from hybridlib import choice
from hybridlib.evaluation import SETTINGS

LYING = pd.DataFrame(
    [("a 2", "a", 2.0), ("a 1", "a", 1.0), ("b 1", "b", 1.0), ("b 4", "b", 4.0), ("c 1", "c", 1.0)],
    columns=["configuration", "series", "x"],
)
RUNS = pd.DataFrame(
    [
        ("a 2", 1, 0.7), ("a 2", 2, 0.9), ("a 1", 1, 0.75), ("a 1", 2, 0.75), ("b 1", 1, 0.6), ("b 4", 1, 0.5),
        ("c 1", 1, 0.9), ("untrained", 1, float("nan")),
    ],
    columns=["configuration", "seed", "validation"],
)  # fmt: skip
TEST = {"a 2": 0.4, "a 1": 0.3, "b 1": 0.2, "b 4": 0.25, "c 1": 0.9, "untrained": 0.1}


def summary():
    """The three settings lie around their mean; other groups and measures would change it."""
    rows = []
    for label, mean in TEST.items():
        for setting, more in zip(SETTINGS, (-0.1, 0.0, 0.1), strict=True):
            rows += [(label, "all", setting, "nDCG@10", mean + more), (label, "all", setting, "AP", 1.0)]
            rows += [(label, "seen", setting, "nDCG@10", 1.0)]
    return pd.DataFrame(rows, columns=["configuration", "languages", "setting", "measure", "value"])


@pytest.fixture
def found():
    return choice.choices(LYING, RUNS, summary())


def test_each_curve_of_several_points_has_its_mean_scores_in_order(found):
    assert [one.series for one in found] == ["a", "b"]
    assert [one.validation.to_dict() for one in found] == [{1.0: 0.75, 2.0: pytest.approx(0.8)}, {1.0: 0.6, 4.0: 0.5}]
    assert [one.test.to_dict() for one in found] == [
        {1.0: pytest.approx(0.3), 2.0: pytest.approx(0.4)}, {1.0: pytest.approx(0.2), 4.0: pytest.approx(0.25)},
    ]  # fmt: skip


def test_validation_chooses_and_the_test_concepts_say_what_that_loses(found):
    assert [(one.chosen, one.best) for one in found] == [(2.0, 2.0), (1.0, 4.0)]
    assert [one.regret for one in found] == pytest.approx([0.0, 0.05])


def test_of_equals_the_smallest_is_chosen():
    equal = choice.choices(LYING, RUNS.assign(validation=0.5), summary())
    assert [one.chosen for one in equal] == [1.0, 1.0]


def test_table_marks_what_is_chosen(found):
    table = choice.choice_table(found, "batch_size")
    assert table.columns.tolist() == ["1", "2", "4", "batch_size chosen", "test", "best of the test"]
    assert table.loc["a"].tolist() == ["0.750", "*0.800", "–", "2", "0.400", "0.400 at 2"]
    assert table.loc["b"].tolist() == ["*0.600", "–", "0.500", "1", "0.200", "0.250 at 4"]


def test_finding_counts_and_names_the_greatest_loss(found):
    assert choice.finding(found) == (
        "Validation chooses the best of the test concepts (to .001) for 1 of 2 configurations; "
        "the most that is lost is 0.050, by b."
    )
    assert choice.finding(found[:1]).endswith("best of the test concepts (to .001) for 1 of 1 configuration.")


def test_runs_that_were_not_validated_are_on_no_curve():
    assert choice.choices(LYING, RUNS.assign(validation=float("nan")), summary()) == []


def test_of_samplers_one_is_chosen_too():
    names = {1.0: "hybrid", 2.0: "mixed", 4.0: "crosslingual"}
    found = choice.choices(LYING.assign(x=LYING["x"].map(names)), RUNS, summary())
    table = choice.choice_table(found, "sampler")
    assert table.columns.tolist() == [*sorted(names.values()), "sampler chosen", "test", "best of the test"]
    assert table.loc["b"].tolist() == ["0.500", "*0.600", "–", "hybrid", "0.200", "0.250 at crosslingual"]


def test_two_configurations_at_one_place_are_one_point():
    """Crosslingual batches are alpha 0."""
    lying = pd.DataFrame(
        [("a 1", "a", 1.0), ("c 1", "a", 1.0), ("a 2", "a", 2.0)], columns=["configuration", "series", "x"]
    )
    (one,) = choice.choices(lying, RUNS, summary())
    assert one.validation.to_dict() == {1.0: 0.75, 2.0: pytest.approx(0.8)}
    assert (one.chosen, one.best) == (2.0, 2.0)
