"""How a system stands to its parents, from comparisons with known numbers."""

import pandas as pd
import pytest
from claim_cases import row
from told_cases import compared

from hybridlib.comparison import FIRST_HIT
from hybridlib.stands import beside_parents

CERTAIN = 0.0004


def stands(*rows, label="hybrid 0.5", **options):
    return beside_parents(pd.DataFrame([one for part in rows for one in part]), label, **options)


def both(first, second):
    """Hybrid batches against monolingual with the one p, crosslingual against hybrid, 0.2 better, with the other."""
    return compared("hybrid 0.5", "monolingual", p=first), compared("crosslingual", "hybrid 0.5", p=second)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (0.2, 0.2, "**not separable from either** within a language (+0.100 [-0.010, 0.210], -0.100 [-0.210, 0.010])"),
        (
            CERTAIN,
            0.2,
            "**better than monolingual, not separable from crosslingual** within a language (+0.100 [0.090, 0.110], ",
        ),
        (
            0.2,
            CERTAIN,
            "**worse than crosslingual, not separable from monolingual** within a language (+0.100 [-0.010, 0.210], ",
        ),
        (CERTAIN, CERTAIN, "**between them** within a language (+0.100 [0.090, 0.110], -0.100 [-0.110, -0.090])"),
    ],
)
def test_what_the_tests_say_is_said_with_its_numbers(first, second, expected):
    """The row in which hybrid batches are the baseline is turned."""
    assert expected in stands(*both(first, second))


@pytest.mark.parametrize(("sign", "expected"), [(1, "better than both"), (-1, "worse than both")])
def test_fewer_ranks_of_distance_are_better(sign, expected):
    values = tuple(sign * value for value in (0.1, 0.1, 0.1, -100.0))
    said = stands(*(compared("hybrid 0.5", parent, values, CERTAIN) for parent in ("monolingual", "crosslingual")))
    assert said.startswith(
        f"Beside monolingual and crosslingual batches, which it mixes, **hybrid 0.5** is **{expected}**"
    )
    assert said.count("**") == 4
    assert f"and by rank distance ({'+' * (sign < 0)}{-100 * sign} [" in said


def test_the_first_hit_is_told_where_it_was_tested():
    """Hybrid batches may lead both parents by RR and be between them by nDCG."""
    hits = [
        row(0.01, 0.03, CERTAIN, "hybrid 0.5", "monolingual", *FIRST_HIT),
        row(-0.02, 0.01, 0.3, "crosslingual", "hybrid 0.5", *FIRST_HIT),
    ]
    said = stands(*both(CERTAIN, CERTAIN), hits)
    assert (
        "**better than monolingual, not separable from crosslingual** by the first hit in the pool (RR) (+0.020 "
        "[0.010, 0.030], +0.005 [-0.010, 0.020])"
    ) in said


def test_an_interval_that_holds_zero_keeps_its_sign():
    """A test and an interval may disagree where both are near."""
    said = stands(compared("hybrid 0.5", "monolingual", (-0.005, 0.0, 0.0, 0.0), p=CERTAIN))
    assert "is **worse** within a language (-0.005 [-0.015, 0.005])" in said


def test_one_parent_alone_is_said_alone():
    said = stands(compared("crosslingual", "monolingual", p=CERTAIN), label="monolingual", basis="one seed")
    assert said.startswith("Beside crosslingual batches, **monolingual** is **worse** within a language (-0.100 [")
    assert said.endswith(" over test concepts; separable is what is so after Holm's correction (one seed).")


def test_a_system_that_was_compared_with_neither_says_nothing():
    assert stands(compared("mixed", "monolingual"), compared("crosslingual", "mixed")) == ""


def test_what_does_not_mix_batches_is_not_said_to():
    said = stands(compared("mixed", "monolingual"), compared("mixed", "crosslingual"), label="mixed")
    assert said.startswith("Beside monolingual and crosslingual batches, **mixed** is ")
