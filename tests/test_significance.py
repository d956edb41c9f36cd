from itertools import product

import numpy as np
import pytest
from scipy import stats

from hybridlib import significance
from hybridlib.errors import InputError
from hybridlib.significance import bootstrap_interval, compare, holm, sign_flip


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 2 to 3 rows and of 3 columns, as large tables have them."""
    monkeypatch.setattr(significance, "_NUMBERS", 30)
    monkeypatch.setattr(significance, "_SUMS", 600)


def exact_p(contributions: np.ndarray) -> float:
    """Share of all 2^n sign vectors whose sum is at least as far from 0."""
    sums = np.array(list(product([-1, 1], repeat=len(contributions)))) @ contributions
    return float(np.mean(np.abs(sums) >= abs(contributions.sum()) - 1e-9))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("count", [3, 7, 10])
def test_sign_flip_as_by_enumeration(seed, count):
    rng = np.random.default_rng(seed)
    contributions = rng.integers(-8, 12, count) / 16 if seed % 2 else rng.normal(0.3, 1, count)
    expected, flips = exact_p(contributions), 20_000
    spread = np.sqrt(expected * (1 - expected) / flips)
    assert sign_flip(contributions, flips=flips) == pytest.approx(expected, abs=5 * spread + 1 / flips)


def test_sign_flip_of_many_ties_as_by_enumeration():
    """Sums of whole numbers of a unit without a finite binary form are equal but for rounding."""
    rng = np.random.default_rng(0)
    table, flips = rng.integers(-1, 3, (12, 20)) / 3600, 20_000
    expected = np.array([exact_p(column) for column in table.T * 3600])
    spread = np.sqrt(expected * (1 - expected) / flips)
    assert (np.abs(sign_flip(table, flips=flips) - expected) <= 5 * spread + 1 / flips).all()
    assert len(set(expected)) > 5


def test_sign_flip_as_scipy():
    contributions = np.random.default_rng(3).normal(0.5, 1, 11)
    expected = stats.permutation_test(
        (contributions,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=False
    ).pvalue
    assert expected == pytest.approx(exact_p(contributions))
    assert sign_flip(contributions, flips=20_000) == pytest.approx(expected, abs=0.02)


def test_p_is_uniform_under_the_null():
    samples = np.random.default_rng(0).normal(size=(40, 1000))
    p = sign_flip(samples, flips=999)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(p <= 0.05) == pytest.approx(0.05, abs=0.025)


def test_p_of_a_large_difference_is_the_smallest_there_is():
    assert sign_flip(np.ones(60), flips=999) == pytest.approx(1 / 1000)


def test_p_counts_every_flip():
    p = float(sign_flip(np.random.default_rng(0).normal(size=20), flips=2500))
    assert p * 2501 == pytest.approx(round(p * 2501))
    assert 0 < p <= 1


def test_p_is_two_sided():
    contributions = np.random.default_rng(1).normal(0.3, 1, 15)
    assert sign_flip(contributions) == sign_flip(-contributions)


def test_p_does_not_depend_on_the_unit():
    contributions = np.random.default_rng(2).normal(0.3, 1, 15)
    assert sign_flip(contributions) == sign_flip(contributions * 2.0**-20)


@pytest.mark.parametrize("contributions", [[0.0] * 5, [0.1, 0.1, 0.1, -0.3], [0.1, 0.2, 0.3, -0.6]])
def test_p_of_no_difference_is_1(contributions):
    """Also where rounding leaves a sum of 1e-16 instead of 0: every flipped sum is at least as far from 0."""
    assert sign_flip(np.array(contributions), flips=999) == 1.0


def test_flipped_sums_that_equal_the_observed_one_count():
    contributions = np.full(8, 0.1)  # exactly two of 256 sign vectors reach the sum
    assert sign_flip(contributions, flips=50_000) == pytest.approx(2 / 256, abs=0.002)


def test_tests_in_columns_are_the_tests_one_by_one():
    table = np.random.default_rng(4).normal(0.1, 1, (30, 5))
    alone = [float(sign_flip(column, flips=1500)) for column in table.T]
    assert sign_flip(table, flips=1500).tolist() == alone


def test_sign_flip_in_small_blocks_as_by_enumeration(small_blocks):
    """Blocks that do not end with a byte of random bits."""
    contributions = np.random.default_rng(9).normal(0.3, 1, 11)
    assert sign_flip(contributions, flips=9001) == pytest.approx(exact_p(contributions), abs=0.025)


@pytest.mark.parametrize("test", [sign_flip, bootstrap_interval, compare])
def test_contributions_that_are_not_finite_are_refused(test):
    table = np.ones((4, 3))
    table[2, 1] = np.nan
    with pytest.raises(InputError, match="found nan in row 2, column 1, expected finite"):
        test(table)


@pytest.mark.parametrize("test", [sign_flip, bootstrap_interval])
def test_no_contributions_are_refused(test):
    with pytest.raises(InputError, match=r"found none, of shape \(0,\)"):
        test(np.zeros(0))


@pytest.mark.parametrize("test", [sign_flip, lambda c, seed: bootstrap_interval(c, seed=seed)])
def test_seed_fixes_the_result(test):
    contributions = np.random.default_rng(5).normal(0.1, 1, 30)
    assert test(contributions, seed=1) == test(contributions, seed=1)
    assert test(contributions, seed=1) != test(contributions, seed=2)


def naive_holm(p: list[float]) -> list[float]:
    """Adjusted p = the largest of p_(k) * (m - k) over the smaller ones up to it, at most 1."""
    adjusted = []
    for value in p:
        steps = [min(1.0, (len(p) - k) * q) for k, q in enumerate(sorted(p)) if q <= value]
        adjusted.append(max(steps))
    return adjusted


def test_holm_by_hand():
    # in order 0.005 * 4, 0.01 * 3, 0.03 * 2, 0.04 * 1 -> 0.06
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@pytest.mark.parametrize("seed", range(10))
def test_holm_as_by_loops(seed):
    rng = np.random.default_rng(seed)
    p = rng.integers(1, 30, rng.integers(1, 12)) / rng.choice([30, 300])  # with ties
    assert holm(p) == pytest.approx(naive_holm(p.tolist()))


def test_holm_keeps_one_p_as_it_is():
    assert holm(np.array([0.2])).tolist() == [0.2]


def test_holm_rejects_no_more_than_without_and_no_less_than_bonferroni():
    p = np.random.default_rng(6).random(20) ** 3
    assert (holm(p) >= p).all()
    assert (holm(p) <= np.minimum(20 * p, 1)).all()


def test_bootstrap_interval_covers_the_true_sum():
    rng = np.random.default_rng(0)
    covered = 0
    for sample in range(300):
        low, high = bootstrap_interval(rng.normal(0.2, 1, 50), draws=600, seed=sample)
        covered += low <= 0.2 * 50 <= high
    assert 0.9 <= covered / 300 <= 0.98


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_bootstrap_interval_as_by_enumeration(level):
    contributions = np.array([-3.0, 0.5, 1.0, 4.25, 2.0])
    sums = contributions[np.array(list(product(range(5), repeat=5)))].sum(1)  # of all 5^5 samples
    low, high = bootstrap_interval(contributions, level=level)
    for end, share in ((low, (1 - level) / 2), (high, (1 + level) / 2)):
        assert np.mean(sums < end - 1e-9) - 0.02 <= share <= np.mean(sums <= end + 1e-9) + 0.02


def test_bootstrap_in_columns_is_that_of_each_column(small_blocks):
    table = np.random.default_rng(8).normal(0.1, 1, (11, 7))
    low, high = bootstrap_interval(table, draws=200)
    alone = np.array([bootstrap_interval(column, draws=200) for column in table.T])
    assert low == pytest.approx(alone[:, 0])
    assert high == pytest.approx(alone[:, 1])


def test_bootstrap_interval_is_that_of_a_normal_sum():
    contributions = np.random.default_rng(1).normal(0, 1, 400)
    low, high = bootstrap_interval(contributions)
    half = stats.norm.ppf(0.975) * contributions.std() * np.sqrt(400)
    assert (low, high) == pytest.approx((contributions.sum() - half, contributions.sum() + half), abs=0.06 * half)


def test_bootstrap_interval_of_a_mean_shrinks_with_the_root_of_the_concepts():
    values = np.random.default_rng(2).normal(size=1600)
    widths = [np.diff(bootstrap_interval(values[:n] / n))[0] for n in (100, 1600)]
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.15)


def test_higher_level_is_a_wider_interval():
    contributions = np.random.default_rng(3).normal(size=50)
    low, high = bootstrap_interval(contributions, level=0.8)
    lower, higher = bootstrap_interval(contributions, level=0.99)
    assert lower < low < high < higher


def test_bootstrap_interval_of_equal_contributions_is_a_point():
    assert bootstrap_interval(np.full(20, 0.25), draws=1500) == (5.0, 5.0)


def test_compare_puts_difference_interval_and_p_together():
    contributions = np.random.default_rng(7).normal(0.2, 1, 40)
    found = compare(contributions, flips=1500, seed=3)
    assert found.difference == pytest.approx(contributions.sum())
    assert (found.low, found.high) == bootstrap_interval(contributions, draws=1500, seed=3)
    assert found.p == sign_flip(contributions, flips=1500, seed=3)
    assert all(isinstance(value, float) for value in found)


def test_interval_of_compare_is_drawn_of_the_influence_around_the_difference():
    contributions, moves = np.random.default_rng(7).normal(0.2, 1, (2, 40))
    found = compare(contributions, influence=moves - moves.mean(), flips=500)
    ends = np.array(bootstrap_interval(moves - moves.mean(), draws=500)) + contributions.sum()
    assert tuple(found) == pytest.approx((contributions.sum(), *ends, float(sign_flip(contributions, flips=500))))


def test_compare_in_columns_is_that_of_each_column():
    table = np.random.default_rng(7).normal(0.2, 1, (40, 3))
    alone = [compare(column, flips=500) for column in table.T]
    for name, values in compare(table, flips=500)._asdict().items():
        assert values == pytest.approx([getattr(one, name) for one in alone])
