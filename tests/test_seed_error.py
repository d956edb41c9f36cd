"""Intervals and p that hold other seeds: against scipy's t test, loops, simulations."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import digamma, polygamma
from scipy.stats import t, ttest_1samp, ttest_rel

from hybridlib.seed_error import compared_with_seeds, how, means_with_seeds, over
from hybridlib.seed_variance import paired_variance, seed_variances

PANEL = {"setting": "monolingual", "measure": "nDCG@10"}


def means_of(values, **panel):
    rows = [(label, seed, value) for label, seeds in values.items() for seed, value in enumerate(seeds)]
    table = pd.DataFrame(rows, columns=["configuration", "seed", "value"])
    return table.assign(languages="all", **{**PANEL, **panel})


def row_of(values, first="a", second="b", *, half=0.0, p=1e-4, concepts=500):
    """What a comparison of concepts alone says of two systems."""
    difference = np.mean(values[first]) - np.mean(values[second])
    return {
        "configuration": first, "baseline": second, **PANEL, "difference": difference, "low": difference - half,
        "high": difference + half, "p": p, "holm_p": p, "concepts": concepts, "seeds": len(values[first]),
        "baseline_seeds": len(values[second]),
    }  # fmt: skip


def drawn(rng, spreads, seeds):
    return {f"s{place}": rng.normal(0.5, spread, seeds).tolist() for place, spread in enumerate(spreads)}


def trained(values, *fixed):
    """Every system by a training of its own, but for those that no seed has changed."""
    return {label: label for label in values if label not in fixed}


def naive_variance(values, label):
    """Smyth (2004), sections 3 and 6.2, system by system; d_0 by bisection."""
    many = {one: seeds for one, seeds in values.items() if len(seeds) > 1}
    e, expected = [], []
    for seeds in many.values():
        d = len(seeds) - 1
        mean = sum(seeds) / len(seeds)
        s2 = sum((value - mean) ** 2 for value in seeds) / d
        e.append(np.log(s2) - digamma(d / 2) + np.log(d / 2))
        expected.append(polygamma(1, d / 2))
    excess = np.var(e, ddof=1) - np.mean(expected)
    low, high = 1e-6, 1e6
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if polygamma(1, middle / 2) > excess else (low, middle)
    prior = np.exp(np.mean(e) + digamma(low / 2) - np.log(low / 2))
    seeds = values[label]
    own = np.var(seeds, ddof=1) * (len(seeds) - 1) if len(seeds) > 1 else 0.0
    total = sum(len(one) - 1 for one in many.values())
    moderated = (low * prior + own) / (low + len(seeds) - 1)
    return max(moderated, own / max(len(seeds) - 1, 1)), min(low + len(seeds) - 1, total)


@pytest.mark.parametrize("label", ["s0", "s3", "alone"])
def test_variances_are_those_of_the_formula(label):
    values = drawn(np.random.default_rng(0), [0.001, 0.003, 0.01, 0.05, 0.2], 3) | {"alone": [0.4]}
    row = seed_variances(means_of(values), trained(values)).loc[("monolingual", "nDCG@10", label)]
    assert tuple(row[["variance", "freedom"]]) == pytest.approx(naive_variance(values, label))


def test_a_variance_above_the_usual_stays():
    """So that a system whose seeds differ more than others has no interval that is too narrow."""
    values = {f"s{place}": [0.0, 0.01, 0.02] for place in range(5)} | {"wild": [0.0, 0.02, 0.04]}
    rows = seed_variances(means_of(values), trained(values))["variance"].loc["monolingual", "nDCG@10"]
    assert rows["wild"] == pytest.approx(4e-4)
    assert 1e-4 < rows["s0"] < 4e-4


def test_what_is_made_of_a_training_does_not_say_what_is_usual():
    """Ten debiased forms of one training would else outweigh the others."""
    values = drawn(np.random.default_rng(5), [0.001, 0.003, 0.01], 3)
    copies = {f"s0 + {number}": values["s0"] for number in range(10)}
    alone, among = (
        seed_variances(means_of(one), trained(values) | dict.fromkeys(copies, "s0"))
        for one in (values, values | copies)
    )
    for label in values:
        row = "monolingual", "nDCG@10", label
        assert among.loc[row].tolist() == pytest.approx(alone.loc[row].tolist())
    assert among.loc[("monolingual", "nDCG@10", "s0 + 3"), "variance"] == pytest.approx(
        alone.loc[("monolingual", "nDCG@10", "s0"), "variance"]
    )


def test_systems_of_one_training_are_paired_by_seed():
    """As a paired t test of two differences; concepts do not move it here."""
    values = {"a": [0.50, 0.60, 0.40], "a + lir": [0.51, 0.612, 0.409], "b": [0.3, 0.5, 0.4]}
    made = trained(values) | {"a + lir": "a"}
    rows = [row_of(values, "a + lir", "a"), row_of(values, "a + lir", "b")]
    table = compared_with_seeds(pd.DataFrame(rows), means_of(values), made)
    expected = ttest_rel(values["a + lir"], values["a"])
    ends = expected.confidence_interval()
    assert tuple(table.loc[0, ["low", "high", "p"]]) == pytest.approx((ends.low, ends.high, expected.pvalue))
    assert table.loc[0, "freedom"] == pytest.approx(2)
    assert table.loc[1, "seed_error"] > 10 * table.loc[0, "seed_error"]


def test_one_seed_says_nothing_of_a_difference_within_a_training():
    values = {"a": [0.5], "a + lir": [0.51], "b": [0.3, 0.5, 0.4], "c": [0.3, 0.4, 0.4]}
    given = pd.DataFrame([row_of(values, "a + lir", "a", half=0.02)])
    table = compared_with_seeds(given, means_of(values), trained(values) | {"a + lir": "a"})
    pd.testing.assert_frame_equal(table[list(given)], given)
    assert np.isnan(paired_variance(means_of(values), "a + lir", "a", *PANEL.values())[0])


def test_the_prior_is_found_again():
    """Variances are d_0 s_0^2 / chi^2 with d_0 = 6 and s_0 = 0.01: what a system without seeds gets."""
    rng = np.random.default_rng(1)
    values = drawn(rng, 0.01 * np.sqrt(6 / rng.chisquare(6, size=4000)), 4) | {"alone": [0.5]}
    row = seed_variances(means_of(values), trained(values)).loc[("monolingual", "nDCG@10", "alone")]
    assert row["freedom"] == pytest.approx(6, rel=0.1)
    assert row["variance"] == pytest.approx(1e-4, rel=0.05)


def test_equal_spreads_give_every_system_one_variance():
    """Their logarithm is that of chi^2 with 2 degrees of freedom: exp(-psi(1)) of the variance of 1e-4."""
    values = {f"s{place}": [place, place + 0.01, place + 0.02] for place in range(4)} | {"alone": [9]}
    rows = seed_variances(means_of(values), trained(values))
    assert rows["variance"].tolist() == pytest.approx([1e-4 * np.exp(0.5772156649)] * 5)
    assert set(rows["freedom"]) == {8.0}


def test_a_system_alone_has_its_own_variance_as_a_t_test_has():
    values = {"a": [0.51, 0.54, 0.50], "b": [0.5]}
    row = compared_with_seeds(pd.DataFrame([row_of(values)]), means_of(values), trained(values, "b")).iloc[0]
    expected = ttest_1samp(values["a"], 0.5)
    ends = expected.confidence_interval()
    assert tuple(row[["low", "high", "p"]]) == pytest.approx((ends.low - 0.5, ends.high - 0.5, expected.pvalue))
    assert (row["freedom"], row["seed_error"]) == pytest.approx((2, np.std(values["a"], ddof=1) / 3**0.5))


def test_concepts_and_seeds_add_up():
    values = drawn(np.random.default_rng(3), [0.001, 0.004, 0.02, 0.1], 3)
    row = compared_with_seeds(
        pd.DataFrame([row_of(values, "s1", "s2", half=0.05)]), means_of(values), trained(values)
    ).iloc[0]
    of_concepts = (0.05 / 1.959964) ** 2
    parts = [(variance / 3, freedom) for variance, freedom in (naive_variance(values, one) for one in ("s1", "s2"))]
    whole = of_concepts + sum(part for part, _ in parts)
    freedom = whole**2 / (of_concepts**2 / 499 + sum(part**2 / own for part, own in parts))
    half = t.ppf(0.975, freedom) * whole**0.5
    assert row["freedom"] == pytest.approx(freedom, rel=1e-5)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half, rel=1e-5)
    assert (row["low"] + row["high"]) / 2 == pytest.approx(row["difference"])
    assert row["p"] == pytest.approx(2 * t.sf(abs(row["difference"]) / whole**0.5, freedom), rel=1e-4)
    assert row["sign_flip_p"] == 1e-4


def test_what_two_systems_share_counts_once():
    """Of equal spreads there is one estimate; it has the 2 degrees of freedom of a t test of two times two values."""
    values = {"a": [0.50, 0.52], "b": [0.60, 0.62]}
    row = compared_with_seeds(pd.DataFrame([row_of(values)]), means_of(values), trained(values)).iloc[0]
    assert row["freedom"] == pytest.approx(2)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(t.ppf(0.975, 2) * row["seed_error"])


def test_what_is_the_same_in_all_seeds_and_concepts_has_an_interval():
    values = {"a": [1.0, 1.0], "b": [1.0, 1.0]}
    row = compared_with_seeds(pd.DataFrame([row_of(values, p=1.0)]), means_of(values), trained(values)).iloc[0]
    assert tuple(row[["low", "high", "p"]]) == pytest.approx((0, 0, 1))
    means = pd.DataFrame([{"configuration": "a", **PANEL, "value": 1.0, "low": 1.0, "high": 1.0, "seeds": 2}])
    assert means_with_seeds(means, means_of(values), trained(values), 500).loc[0, ["low", "high"]].tolist() == [1, 1]


def test_no_seeds_change_nothing():
    values = {"a": [0.5], "b": [0.4]}
    given = pd.DataFrame([row_of(values, half=0.01)])
    table = compared_with_seeds(given, means_of(values), trained(values, "b"))
    pd.testing.assert_frame_equal(table[list(given)], given)
    assert table["seed_error"].isna().all()
    assert over(table) == "test concepts"
    assert "do not hold other seeds" in how(table)


def test_what_was_not_trained_has_no_seeds():
    values = {"a": [0.5], "b": [0.4], "c": [0.3, 0.31]}
    given = pd.DataFrame([row_of(values, half=0.01), row_of(values, "c", "a", half=0.01)])
    table = compared_with_seeds(given, means_of(values), trained(values, "a", "b"))
    alone = given.drop(columns="holm_p").head(1)
    pd.testing.assert_frame_equal(table[list(alone)].head(1), alone)
    assert table["seed_error"].tolist() == pytest.approx([0, 0.005])
    assert over(table) == "test concepts and seeds"


def test_where_one_system_alone_has_seeds_it_is_said_that_others_do_not_hold_them():
    values = {"a": [0.5, 0.52], "b": [0.4], "c": [0.3]}
    rows = [row_of(values, "a", "c", half=0.01), row_of(values, "b", "c", half=0.01)]
    table = compared_with_seeds(pd.DataFrame(rows), means_of(values), trained(values, "c"))
    assert over(table) == "test concepts and, where they are known, seeds"
    assert "They do not hold other seeds where" in how(table)
    assert "They do not hold" not in how(table.head(1))


def test_the_larger_p_stays():
    values = {"a": [0.51, 0.54, 0.50], "b": [0.5]}
    table = compared_with_seeds(pd.DataFrame([row_of(values, p=0.9)]), means_of(values), trained(values, "b"))
    assert table["p"].tolist() == [0.9]


def test_holm_is_within_a_measure():
    values = {"a": [0.5], "b": [0.4], "c": [0.3]}
    rows = [row_of(values, p=0.01), row_of(values, "a", "c", p=0.02)]
    rows += [{**row, "measure": "rank_distance"} for row in rows[:1]]
    table = compared_with_seeds(pd.DataFrame(rows), means_of(values), trained(values, "a", "b", "c"))
    assert table["holm_p"].tolist() == [0.02, 0.02, 0.01]


@pytest.mark.parametrize("spreads", [[0.01] * 8, [0.001, 0.002, 0.004, 0.008, 0.016, 0.03, 0.06, 0.1]])
def test_of_equal_systems_few_are_separable(spreads):
    """The true difference is 0; that of concepts moves it by 0.005 as well."""
    rng = np.random.default_rng(4)
    wrong = []
    for _ in range(150):
        values = drawn(rng, spreads, 3)
        rows = [row_of(values, f"s{2 * pair}", f"s{2 * pair + 1}", half=1.96 * 0.005) for pair in range(4)]
        table = pd.DataFrame(rows)
        moved = rng.normal(0, 0.005, len(table))
        table[["difference", "low", "high"]] += moved[:, None]
        wrong += (compared_with_seeds(table, means_of(values), trained(values))["p"] < 0.05).tolist()
    assert 0.02 < np.mean(wrong) < 0.08


def test_means_widen_as_differences_to_something_fixed_do():
    values = {"a": [0.51, 0.54, 0.50], "b": [0.0]}
    means = pd.DataFrame(
        [{"configuration": "a", **PANEL, "value": np.mean(values["a"]), "low": 0.5, "high": 0.54, "seeds": 3},
         {"configuration": "b", **PANEL, "value": 0.0, "low": -0.02, "high": 0.02, "seeds": 1}]
    )  # fmt: skip
    table = means_with_seeds(means, means_of(values), trained(values, "b"), 500)
    row = compared_with_seeds(pd.DataFrame([row_of(values, half=0.02)]), means_of(values), trained(values, "b")).iloc[0]
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx(row[["low", "high"]].tolist())
    assert table.loc[1, ["low", "high"]].tolist() == [-0.02, 0.02]
