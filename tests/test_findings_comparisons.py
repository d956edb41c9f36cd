"""Sentences on comparisons of configurations."""

import pandas as pd
import pytest

from hybridlib import findings
from hybridlib.evaluation import SETTINGS


def row(configuration, baseline, setting="monolingual", measure="nDCG@10", **values):
    keys = {"configuration": configuration, "baseline": baseline, "setting": setting, "measure": measure}
    numbers = {"difference": 0.1, "low": 0.05, "high": 0.2, "holm_p": 0.01, "wins": 3, "ties": 2, "losses": 1}
    numbers |= {"seeds": 1, "baseline_seeds": 1}
    return {**keys, **numbers, **values}


@pytest.mark.parametrize(
    ("pair", "expected"),
    [(("hybrid 0.5", "mixed"), "+0.100 [-0.050, +0.200]"), (("mixed", "hybrid 0.5"), "-0.100 [-0.200, +0.050]")],
    ids=["as stored", "the other way round"],
)
def test_difference_turns_with_the_pair(pair, expected):
    table = pd.DataFrame([row("hybrid 0.5", "mixed", difference=0.1, low=-0.05, high=0.2, holm_p=0.0123)])
    assert findings.difference(table, *pair, "monolingual", "nDCG@10") == f"{expected}, p = 0.012"


def test_small_p_is_not_said_to_be_zero():
    table = pd.DataFrame([row("a", "b", holm_p=0.0004)])
    assert findings.difference(table, "a", "b", "monolingual", "nDCG@10").endswith("p < 0.001")


def test_rank_distances_have_no_decimals():
    table = pd.DataFrame([row("a", "b", "multilingual", "rank_distance", difference=-1234.4, low=-2000, high=-10)])
    said = findings.difference(table, "b", "a", "multilingual", "rank_distance")
    assert said.startswith("+1,234 [+10, +2,000]")


def test_difference_is_of_the_setting_and_measure_asked_for():
    rows = [
        row("a", "b", s, m, difference=d) for s, m, d in [("monolingual", "nDCG@10", 0.3), ("multilingual", "AP", 0)]
    ]
    rows.append(row("a", "b", "multilingual", "nDCG@10", difference=0.7))
    assert findings.difference(pd.DataFrame(rows), "a", "b", "multilingual", "nDCG@10").startswith("+0.700")


def test_wins_and_losses_turn_with_the_pair():
    table = pd.DataFrame(
        [
            row("hybrid 0.5", "mixed", "crosslingual", wins=7, ties=2, losses=1),
            row("untrained", "hybrid 0.5", "crosslingual", wins=4, ties=3, losses=5),
        ]
    )
    said = findings.wins_and_losses(table, "hybrid 0.5", ["untrained", "mixed"])
    assert said == (
        "Cross-lingual pairs against hybrid 0.5: untrained wins 4, ties 3, loses 5; mixed wins 1, ties 2, loses 7."
    )
    assert "untrained" not in findings.wins_and_losses(table, "hybrid 0.5", ["mixed"])


def compared(*pairs, settings=SETTINGS):
    """Comparisons of (configuration, baseline, difference) triples in every setting."""
    rows = [
        row(first, second, setting, measure, difference=d, low=d, high=d)
        for first, second, d in pairs
        for setting, measure in [*((s, "nDCG@10") for s in settings), ("multilingual", "rank_distance")]
    ]
    return pd.DataFrame(rows)


def test_separated_says_what_is_better_and_worse_than_a_reference():
    """A row in which the reference is the configuration is turned; what is not separable is counted."""
    rows = [
        row("good", "mixed", difference=0.25),
        row("mixed", "bad", difference=0.125),
        row("unsure", "mixed", holm_p=0.05),
        row("good", "bad", difference=0.5),
        row("good", "mixed", "multilingual", difference=-0.5),
        row("good", "mixed", "multilingual", "rank_distance", difference=-9),
    ]
    assert findings.separated(pd.DataFrame(rows), "mixed") == (
        "Against mixed, by nDCG@10. Monolingual: better: good (+0.250); worse: bad (-0.125); not separable: 1. "
        "Multilingual: better: none; worse: good (-0.500); not separable: 0."
    )


def test_of_many_that_are_separable_the_furthest_is_named():
    rows = [row(f"good {n}", "mixed", difference=0.1 + n / 100) for n in range(5)]
    rows += [row(f"bad {n}", "mixed", difference=-0.1 - n / 100) for n in range(4)]
    assert findings.separated(pd.DataFrame(rows), "mixed") == (
        "Against mixed, by nDCG@10. Monolingual: better: 5, furthest good 4 (+0.140); worse: "
        "bad 3 (-0.130), bad 2 (-0.120), bad 1 (-0.110), bad 0 (-0.100); not separable: 0."
    )
