"""The rules of each test of a claim, both ways."""

import pandas as pd
import pytest
from claim_cases import VERDICTS, claims_of, pair, row, verdict_of, write_runs

from hybridlib.claims import judge


@pytest.mark.parametrize(
    ("low", "high", "p", "holds"),
    [
        (0.002, 0.004, 0.04, True),  # small, but certain
        (0.002, 0.104, 0.05, None),
        (-0.030, 0.005, 0.30, False),  # no gain of .01 is left
        (-0.030, 0.011, 0.30, None),
        (-0.050, -0.001, 0.04, False),
        (0.001, 0.009, 0.06, None),  # what Holm's correction leaves undecided is not refuted by its size
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_better(tmp_path, low, high, p, holds, turned):
    rows = [row(-high, -low, p, "b", "a") if turned else row(low, high, p)]
    assert verdict_of(tmp_path, [pair("better")], rows).verdict == VERDICTS[holds]


@pytest.mark.parametrize(
    ("low", "high", "p", "holds"),
    [
        (-0.009, 0.020, 0.90, True),
        (-0.009, -0.001, 0.01, True),  # worse for certain, and by less than the margin
        (-0.011, -0.001, 0.01, None),  # worse for certain, and perhaps by more
        (-0.011, 0.001, 0.05, None),
        (-0.030, -0.011, 0.01, False),
        (-0.030, -0.01001, 0.01, None),  # printed as the margin
        (0.020, 0.040, 0.01, True),
    ],
)
def test_not_worse(tmp_path, low, high, p, holds):
    assert verdict_of(tmp_path, [pair("not_worse")], [row(low, high, p)]).verdict == VERDICTS[holds]


@pytest.mark.parametrize(
    ("low", "high", "p", "holds"),
    [
        (-0.009, 0.009, 0.90, True),
        (0.001, 0.009, 0.01, True),
        (0.001, 0.011, 0.01, None),
        (-0.011, -0.001, 0.01, None),
        (0.011, 0.030, 0.01, False),
        (-0.030, -0.011, 0.01, False),
        (-0.011, 0.001, 0.05, None),
        (-0.001, 0.011, 0.05, None),
    ],
)
def test_flat(tmp_path, low, high, p, holds):
    assert verdict_of(tmp_path, [pair("flat")], [row(low, high, p)]).verdict == VERDICTS[holds]


@pytest.mark.parametrize("kind", ["better", "not_worse", "flat"])
def test_margin_is_the_one_that_is_given(tmp_path, kind):
    """It decides each of these: a gain up to .02, a loss down to -.02."""
    rows = [row(-0.02, 0.02, 0.5)]
    decided = {0.019: None, 0.021: kind != "better"}
    found = {margin: verdict_of(tmp_path, [pair(kind, margin=margin)], rows).verdict for margin in decided}
    assert found == {margin: VERDICTS[holds] for margin, holds in decided.items()}


@pytest.mark.parametrize(
    ("kind", "low", "high", "p", "holds"),
    [
        ("better", -90, -10, 0.01, True),
        ("better", 10, 90, 0.01, False),
        ("better", -49, 90, 0.50, False),
        ("better", -51, 90, 0.50, None),
        ("not_worse", 10, 49, 0.01, True),
        ("not_worse", 10, 51, 0.01, None),
        ("not_worse", 51, 90, 0.01, False),
        ("not_worse", -90, 51, 0.20, None),
        ("flat", -51, 10, 0.20, None),
        ("flat", -49, 49, 0.20, True),
    ],
)
def test_rank_distance_is_better_when_lower_and_its_margin_a_share_of_the_baselines(
    tmp_path, kind, low, high, p, holds
):
    found = verdict_of(
        tmp_path, [pair(kind, measure="rank_distance")], [row(low, high, p, measure="rank_distance")], 1000.0
    )
    assert found.verdict == VERDICTS[holds]


def test_rank_distance_without_means_is_said_and_decided_only_where_no_margin_is_needed(tmp_path):
    rows = [row(-90, -10, 0.01, measure="rank_distance"), row(10, 90, 0.01, "a", "c", measure="rank_distance")]
    for kind in ("better", "not_worse"):
        assert verdict_of(tmp_path, [pair(kind, measure="rank_distance")], rows).verdict == "holds"
    found = verdict_of(tmp_path, [pair("not_worse", baseline="c", measure="rank_distance")], rows)
    assert (found.verdict, found.reason) == ("cannot tell here", "not run: the study mine has no means.csv yet.")
    assert found.ours == "a − c (3 and 2 seeds): rank distance +50 [+10, +90], p = 0.010."


@pytest.mark.parametrize(("seeds", "holds"), [(1, True), (2, True), (3, None)])
def test_fewer_seeds_than_a_test_takes_decide_nothing(tmp_path, seeds, holds):
    """The row has 3 seeds of the one and 2 of the other."""
    found = verdict_of(tmp_path, [pair("better", min_seeds=seeds)], [row(0.02, 0.04, 0.01)])
    assert found.verdict == VERDICTS[holds]
    assert ("(2 seeds of the 3 it takes)" in found.ours) == (holds is None)
    assert "+0.030" in found.ours


@pytest.mark.parametrize(
    ("kind", "low", "high", "moved", "holds"),
    [
        ("better", 0.02, 0.04, (-0.029, 0.029), True),
        ("better", 0.02, 0.04, (-0.031, 0.031), None),
        ("better", -0.04, -0.02, (-0.029, 0.029), False),
        ("better", -0.04, -0.02, (-0.031, 0.031), None),
        ("better", -0.03, 0.005, (-0.021, 0.021), False),
        ("better", -0.03, 0.005, (-0.023, 0.023), None),
        ("not_worse", 0.02, 0.04, (-0.031, 0.031), None),
        ("not_worse", -0.004, 0.004, (-0.009, 0.009), True),
        ("not_worse", -0.004, 0.004, (-0.011, 0.011), None),
        ("flat", -0.004, 0.004, (-0.011, 0.011), None),
        ("flat", 0.02, 0.04, (-0.019, 0.019), False),
        ("flat", 0.02, 0.04, (-0.021, 0.021), None),
    ],
)
@pytest.mark.parametrize(("measure", "scale"), [("nDCG@10", 1), ("rank_distance", -5000)])
def test_seeds_that_disagree_decide_nothing(tmp_path, kind, low, high, moved, holds, measure, scale):
    """A share's margin is .01, that of ranks 50."""
    ends, moved = sorted((scale * low, scale * high)), [scale * by for by in moved]
    p = 0.01 if kind == "better" and low * high > 0 else 0.5
    found = verdict_of(tmp_path, [pair(kind, measure=measure)], [row(*ends, p, measure=measure)], 1000.0, moved)
    assert found.verdict == VERDICTS[holds]
    assert ("(the seeds disagree: gains of " in found.ours) == (holds is None)


def test_the_gains_of_seeds_that_disagree_are_said(tmp_path):
    rows = [row(-40, -20, 0.01, measure="rank_distance")]
    found = verdict_of(tmp_path, [pair("better", measure="rank_distance")], rows, moved=(31, -70))
    assert found.ours.endswith("(the seeds disagree: gains of -1, +100).")


def test_what_was_not_trained_has_no_seeds_to_wait_for(tmp_path):
    rows = [row(0.02, 0.04, 0.01, baseline="untrained", seeds=(2, 1))]
    tests = [pair("better", baseline="untrained")]
    assert verdict_of(tmp_path, tests, rows, moved=(-0.029, 0.029)).verdict == "holds"
    assert verdict_of(tmp_path, tests, rows, moved=(-0.029, -0.031)).verdict == "cannot tell here"
    assert verdict_of(tmp_path, tests, [{**rows[0], "seeds": 1}]).verdict == "cannot tell here"


@pytest.mark.parametrize(("concepts", "holds"), [(29, None), (30, True)])
def test_few_concepts_decide_nothing(tmp_path, concepts, holds):
    found = verdict_of(tmp_path, [pair("better")], [row(0.02, 0.04, 0.01, concepts=concepts)])
    assert found.verdict == VERDICTS[holds]
    assert ("(29 concepts of the 30 it takes)" in found.ours) == (holds is None)


def test_larger_gain_needs_seeds_that_agree(tmp_path):
    test = {**pair("larger_gain"), "than": ["c", "d"]}
    rows = [row(0.02, 0.03, 0.5), row(0.0, 0.01, 0.5, "c", "d")]
    assert verdict_of(tmp_path, [test], rows, moved=(-0.019, 0.019)).verdict == "holds"
    found = verdict_of(tmp_path, [test], rows, moved=(-0.021, 0.021))
    assert found.verdict == "cannot tell here"
    assert "(the seeds disagree: gains of -0.001, +0.041)" in found.ours


def test_larger_gain_compares_the_seeds_that_both_pairs_have(tmp_path):
    """The first pair has three, of which the first goes the other way; the second pair has the last two."""
    test = {**pair("larger_gain"), "than": ["c", "d"]}
    rows = [row(0.02, 0.03, 0.5), row(0.0, 0.01, 0.5, "c", "d")]
    verdict_of(tmp_path, [test], rows, moved=(-0.03, 0.0, 0.0))
    file = tmp_path / "mine" / "summary.csv"
    table = pd.read_csv(file)
    table[(table["seed"] > 0) | table["configuration"].isin(["a", "b"])].to_csv(file, index=False)
    assert judge(claims_of(tmp_path, {"tests": [test]})[0], tmp_path).verdict == "holds"


@pytest.mark.parametrize(("expected", "holds"), [("higher", True), ("lower", False)])
def test_shares_move_as_the_claim_expects(tmp_path, expected, holds):
    share = "same_language_share@10"
    tests = [pair("better", measure=share, expected=expected)]
    assert verdict_of(tmp_path, tests, [row(0.1, 0.2, 0.01, measure=share)]).verdict == VERDICTS[holds]


@pytest.mark.parametrize(
    ("small", "large", "holds"),
    [((0.02, 0.03), (0.00, 0.01), True), ((0.00, 0.01), (0.02, 0.03), False), ((0.00, 0.02), (0.01, 0.03), None)],
)
@pytest.mark.parametrize(("measure", "scale"), [("nDCG@10", 1), ("rank_distance", -1000)])
def test_larger_gain_needs_intervals_that_are_apart(tmp_path, small, large, holds, measure, scale):
    test = {**pair("larger_gain", measure=measure), "than": ["c", "d"]}
    ends = [sorted(scale * end for end in pair_ends) for pair_ends in (small, large)]
    rows = [row(*ends[0], 0.5, measure=measure), row(*ends[1], 0.5, "c", "d", measure=measure)]
    assert verdict_of(tmp_path, [test], rows).verdict == VERDICTS[holds]


@pytest.mark.parametrize(
    ("series", "expected", "holds"),
    [
        ([(3, 2, 1), (6, 5, 4)], "falls", True),
        ([(3, 2, 1), (6, 5, 4)], "rises", False),
        ([(3, 2, 1), (4, 5, 6)], "falls", None),
        ([(3, 1, 2), (6, 5, 4)], "falls", None),
        ([(3, 1, 2), (6, 4, 5)], "falls", False),  # one step is enough
        ([(2, 2, 1), (2, 2, 1)], "falls", None),
        ([(3, 2, 1)], "falls", None),
    ],
)
def test_order_holds_if_every_seed_agrees(tmp_path, series, expected, holds):
    values = [("abc"[place], seed, {"x": v}) for seed, one in enumerate(series) for place, v in enumerate(one)]
    write_runs(tmp_path / "mine", [*values, ("a", 9, {"x": 0})])  # a seed that the others do not have
    tests = [{"kind": "order", "number": "x", "configurations": ["a", "b", "c"], "expected": expected}]
    found = verdict_of(tmp_path, tests)
    assert found.verdict == VERDICTS[holds]
    assert f"({len(series)} seed{'s' * (len(series) > 1)}): seed 0 {series[0][0]:.4f} → " in found.ours


@pytest.mark.parametrize(("last", "holds"), [(1.0, True), (1.5, None), (2.5, None), (2.7, False)])
def test_a_step_within_the_margin_decides_nothing(tmp_path, last, holds):
    write_runs(tmp_path / "mine", [(label, 1, {"x": x}) for label, x in zip("abc", (3, 2, last), strict=True)])
    test = {"kind": "order", "number": "x", "configurations": ["a", "b", "c"], "expected": "falls"}
    assert verdict_of(tmp_path, [{**test, "margin": 0.6, "min_seeds": 1}]).verdict == VERDICTS[holds]


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        ([("a", 1, {"x": 1})], "not run: b in the study mine."),
        ([("a", 1, {"x": 1}), ("b", 1, {})], "not measured: x of b in the study mine."),
        ([("a", 1, {"x": 1}), ("b", 2, {"x": 1})], "not run: a and b with a common seed."),
    ],
)
def test_order_of_what_is_not_there(tmp_path, runs, reason):
    write_runs(tmp_path / "mine", runs)
    found = verdict_of(tmp_path, [{"kind": "order", "number": "x", "configurations": ["a", "b"], "expected": "falls"}])
    assert (found.verdict, found.ours, found.reason) == ("cannot tell here", "", reason)
