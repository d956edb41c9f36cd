"""What another seed changes."""

import numpy as np
import pandas as pd
import pytest
from random_scores import score_rows

from hybridlib.comparison import comparisons
from hybridlib.seeds import between_seeds, finding, seed_spread


def means_of(values, setting, measure="nDCG@10", languages="all"):
    rows = [(label, seed, value) for label, seeds in values.items() for seed, value in enumerate(seeds)]
    table = pd.DataFrame(rows, columns=["configuration", "seed", "value"])
    return table.assign(setting=setting, measure=measure, languages=languages)


def test_seed_spread_is_pooled_over_systems_with_seeds():
    """Variances 2 of three seeds and 8 of two: sqrt((2 * 2 + 1 * 8) / 3) = 2."""
    seeds = {"a": [1 - 2**0.5, 1, 1 + 2**0.5], "b": [1, 5], "untrained": [9]}
    small = {one: [value / 1000 for value in values] for one, values in seeds.items()}
    summary = pd.concat(
        [
            means_of(small, "monolingual"),
            means_of(seeds, "multilingual", "rank_distance"),
            means_of({"a": [5, 9]}, "monolingual", languages="unseen"),
        ]
    )
    said = "0.002 within a language and 2 by rank distance (standard deviation, pooled over 2 systems)"
    assert seed_spread(summary) == f"Another seed moves a mean by {said}."
    assert seed_spread(summary[summary["configuration"] == "untrained"]) == ""


def test_two_seeds_are_compared_as_two_systems_are():
    seeds = [score_rows(number) for number in range(3)]
    found = between_seeds({"a": seeds, "alone": [score_rows(9)]})
    assert set(found["configuration"]) == {"a"}
    assert len(found) == 3 * 4
    tests = [("monolingual", "nDCG@10"), ("multilingual", "rank_distance")]
    expected = comparisons({"second": [seeds[1]], "first": [seeds[0]]}).set_index(["setting", "measure"])
    for setting, measure in tests:
        own = found[(found["setting"] == setting) & (found["measure"] == measure)].iloc[0]
        assert own[["difference", "p"]].tolist() == pytest.approx(
            expected.loc[(setting, measure), ["difference", "p"]].tolist()
        )


def test_finding_counts_the_pairs_that_a_test_takes_for_different():
    rows = [("a", "monolingual", "nDCG@10", p) for p in (0.049, 0.05, 0.01)]
    rows += [("a", "multilingual", "rank_distance", p) for p in (0.5, 0.6, 0.7)]
    pairs = pd.DataFrame(rows, columns=["configuration", "setting", "measure", "p"])
    assert finding(pairs).startswith(
        "By sign flips over concepts alone p is below 0.05 (not corrected) for 2 within a language and 0 by rank "
        "distance of 3 pairs of seeds of one system"
    )


def test_nothing_is_said_where_no_system_has_two_seeds():
    pairs = between_seeds({"a": [score_rows(1)], "b": [score_rows(2)]})
    assert (finding(pairs), np.shape(pairs)) == ("", (0, 5))
