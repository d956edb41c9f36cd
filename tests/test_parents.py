"""Hybrid batches beside the two kinds that they mix, from tables with known numbers."""

import dataclasses

import pandas as pd
import pytest
from told_cases import SYSTEMS, compared, told

from hybridlib import parents
from hybridlib.results import write_csv

CERTAIN = 0.0004
WON = [
    *compared("hybrid 0.5", "monolingual", (-0.05, 0.05, 0.1, 334.0), p=CERTAIN),
    *compared("crosslingual", "hybrid 0.5", (-0.05, 0.05, -0.05, -734.0), p=CERTAIN),
    *compared("crosslingual", "monolingual", p=CERTAIN),
]


def trio(rows=WON, **about):
    return parents.trio_of(told(SYSTEMS, rows, **about))


def test_table_has_the_hybrid_batches_and_their_differences_turned():
    table = parents.parents_table([trio()])
    group = "Mine (1 seed, 1,500 test concepts)"
    rows = ["hybrid", "− monolingual", "− crosslingual", "kept of the lead"]
    assert table.index.tolist() == [(group, row) for row in rows]
    assert table["crosslingual nDCG@10"].tolist() == [
        "0.550 [0.450, 0.650]",
        "*+0.050 [0.040, 0.060]",
        "*-0.050 [-0.060, -0.040]",
        "50 %",
    ]
    assert table["multilingual rank_distance"].tolist()[1:] == ["*+334 [314, 354]", "*+734 [714, 754]", "-84 %"]
    assert set(table["multilingual RR"]) == {"–"}


def test_a_measure_without_intervals_has_its_value_alone():
    one = trio()
    first = one.means[one.means["measure"] == "rank_distance"].assign(measure="RR", value=0.7, low=None, high=None)
    table = parents.parents_table([dataclasses.replace(one, means=pd.concat([one.means, first]))])
    assert table["multilingual RR"].tolist() == ["0.700", "–", "–", "–"]


def test_a_difference_that_is_not_separable_is_not_bold():
    rows = [*compared("hybrid 0.5", "monolingual"), *compared("crosslingual", "hybrid 0.5", p=CERTAIN)]
    table = parents.parents_table([trio(rows)])
    assert [cell[:1] == "*" for cell in table["monolingual nDCG@10"]] == [False, False, True, False]


def test_what_is_kept_of_the_lead_is_said_where_there_is_one():
    whole, *others = (trio(rows) for rows in (WON, [*WON[:8], *compared("crosslingual", "monolingual")], WON[:8]))
    kept = [
        parents.parents_table([one]).loc[(slice(None), "kept of the lead"), "monolingual nDCG@10"] for one in others
    ]
    assert parents.parents_table([whole]).iloc[-1].tolist() == ["50 %", "50 %", "200 %", "–", "-84 %"]
    assert [one.tolist() for one in kept] == [["–"], ["–"]]


def test_the_difference_to_no_training_is_there_where_it_was_tested():
    table = parents.parents_table([trio([*WON, *compared("hybrid 0.5", "untrained", p=CERTAIN)])])
    assert table.index.get_level_values("batches").tolist()[2:4] == ["− crosslingual", "− untrained"]
    assert table.iloc[3].tolist() == [
        "*+0.100 [0.090, 0.110]",
        "*+0.200 [0.190, 0.210]",
        "*+0.300 [0.290, 0.310]",
        "–",
        "*+100 [80, 120]",
    ]


def test_how_hybrid_batches_stand_is_counted_over_tests_with_both_parents():
    """A table without one of them, or without the measure, is not counted."""
    undecided = [*compared("hybrid 0.5", "monolingual"), *compared("crosslingual", "hybrid 0.5", p=CERTAIN)]
    assert parents.finding([trio(), trio(), trio(undecided), trio(WON[:4])]) == (
        "Of these tests (how many in brackets), hybrid batches are **within a language** between them (2); worse than "
        "crosslingual, not separable from monolingual (1). They are **between two languages** between them (2); worse "
        "than crosslingual, not separable from monolingual (1). They are **in the pool of all languages** better than "
        "both (2); worse than crosslingual, not separable from monolingual (1). They are **by rank distance** worse "
        "than both (2); better than crosslingual, not separable from monolingual (1)."
    )
    assert parents.finding([trio(WON[:4])]) == ""


def crossed(*kinds):
    systems = {f"{objective}, {kind}": (0.5, 0.5, 0.5, 9.0) for objective in ("InfoNCE", "DCL") for kind in kinds}
    series = [{"configuration": label, "series": label.split(", ")[0], "x": label.split(", ")[1]} for label in systems]
    return told(systems, axis="sampler", series=series, baseline="InfoNCE, hybrid")


def test_of_objectives_that_of_the_baseline_is_taken():
    kinds = ("monolingual", "hybrid", "crosslingual")
    (found,) = parents.with_objectives([crossed(*kinds), crossed(*kinds[:2]), told(SYSTEMS)])
    assert found.title == "Mine: InfoNCE (1 seed, 1,500 test concepts)"
    assert (found.hybrid, found.parents) == (
        "InfoNCE, hybrid",
        {"monolingual": "InfoNCE, monolingual", "crosslingual": "InfoNCE, crosslingual"},
    )


@pytest.mark.parametrize("written", ["all", "no means", "no hybrid batches"])
def test_tests_elsewhere_are_those_that_compare_all_three(tmp_path, written):
    whole = trio([{**row, "seeds": 2, "concepts": 1190} for row in WON])
    folder = tmp_path / "xquad-r" / "compared"
    folder.mkdir(parents=True)
    rows = whole.comparisons
    write_csv(folder / "comparisons.csv", rows[8:] if written == "no hybrid batches" else rows)
    if written != "no means":
        write_csv(folder / "means.csv", whole.means)
    found = parents.elsewhere(tmp_path, "hybrid 0.5")
    assert [one.title for one in found] == ["Tested on xquad-r (2 seeds, 1,190 test concepts)"] * (written == "all")
    for one in found:
        assert parents.parents_table([one]).to_numpy().tolist() == parents.parents_table([whole]).to_numpy().tolist()


def test_hybrid_batches_may_be_the_baseline_of_every_comparison(tmp_path):
    """As where their folder is named first."""
    rows = [*compared("monolingual", "hybrid 0.5"), *compared("crosslingual", "hybrid 0.5")]
    whole = trio([{**row, "seeds": 3, "baseline_seeds": 2, "concepts": 1190} for row in rows])
    folder = tmp_path / "xquad-r" / "compared"
    folder.mkdir(parents=True)
    write_csv(folder / "comparisons.csv", whole.comparisons)
    write_csv(folder / "means.csv", whole.means)
    (found,) = parents.elsewhere(tmp_path, "hybrid 0.5")
    assert found.title == "Tested on xquad-r (2 seeds, 1,190 test concepts)"
