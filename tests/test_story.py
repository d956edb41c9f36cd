"""The story of studies, from tables with known numbers."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from told_cases import SYSTEMS, TESTS, compared, told

from hybridlib import story

EVERY_PAIR = [
    *compared("hybrid 0.5", "monolingual", (-0.05, 0.05, 0.1, 334.0), p=0.0004),
    *compared("crosslingual", "hybrid 0.5", (-0.05, 0.05, -0.05, -734.0)),
    *compared("crosslingual", "monolingual"),
]


BASIS = (
    "Study [Mine](mine/index.html) on captions: tiny trained on 2,400 concepts in 2 languages, tested on 1,500 others "
    "in 3, 1 of them not trained on; "
)
SEEDS = [("a", 1, 0.5), ("a", 2, 0.5), ("b", 1, 0.5)]


@pytest.mark.parametrize(
    ("seeds", "about", "expected"),
    [
        (SEEDS[1:], {}, "1 seed a system."),
        (SEEDS[:2], {}, "2 seeds a system."),
        (SEEDS, {}, "1 to 2 seeds a system."),
        (
            SEEDS[:2],
            {"missing": ["run-1", "run-2"]},
            "2 seeds a system. **Not complete:** 2 runs or systems are not finished.",
        ),
    ],
    ids=["one seed", "two seeds", "unlike", "not complete"],
)
def test_basis_says_what_the_numbers_rest_on(seeds, about, expected):
    assert story.basis(told({}, summary=seeds, **about)) == BASIS + expected


def test_method_table_is_sorted_with_the_cost_of_each():
    runs = [("crosslingual", 10.0), ("crosslingual", 21.0), ("hybrid 0.5", 12345.6), ("monolingual", 0.0)]
    table = story.method_table(told(SYSTEMS, EVERY_PAIR, runs, references=["monolingual"]))
    assert table.index.tolist() == ["hybrid 0.5 (a)", "crosslingual", "monolingual (b)"]
    assert table["", "training seconds"].tolist() == ["12,346", "16", "0"]
    assert table["nDCG@10", "multilingual"].tolist() == ["*0.700ᵇ", "0.650 ≈", "0.600"]
    assert table["rank_distance", "multilingual"].tolist() == ["1,234 ≈", "*500", "900ᵃ ≈"]
    assert ("", "seeds") not in table
    assert table.map(type).eq(str).all(axis=None)


def test_seeds_are_one_row_that_is_placed_by_their_mean():
    seeds = [("low", 1, 0.1), ("low", 2, 0.3), ("between", 1, 0.25), ("high", 1, 0.1), ("high", 2, 0.9)]
    runs = [(label, 1.0) for label in ("low", "between", "high")]
    table = story.method_table(told({}, summary=seeds, runs=runs, baseline="low"))
    assert table.index.tolist() == ["high", "between", "low (a)"]
    assert table["", "seeds"].tolist() == ["2", "1", "2"]
    assert table["nDCG@10", "multilingual"].tolist() == ["*0.500 ± 0.566", "0.250", "0.200 ± 0.141"]


def test_costs_that_are_not_known_are_a_dash():
    """As of a system whose run is gone; where another seed's is known, that counts."""
    runs = [("monolingual", np.nan), ("crosslingual", np.nan), ("crosslingual", 7.0)]
    table = story.method_table(told(SYSTEMS, EVERY_PAIR, runs))
    costs = dict(zip(table.index, table["", "training seconds"], strict=True))
    assert costs == {"hybrid 0.5 (a)": "–", "crosslingual": "7", "monolingual": "–"}


SERIES = [
    {"configuration": label, "series": "hybrid", "x": x}
    for label, x in (("monolingual", 1.0), ("crosslingual", 0.0), ("hybrid 0.5", 0.5))
]


def test_curves_go_through_the_systems_that_lie_on_the_axis():
    """Numbers of some languages alone lie on none."""
    whole = told({**SYSTEMS, "untrained": (0.1, 0.2, 0.3, 4.0)}, axis="alpha", series=SERIES)
    tables = {name: getattr(whole, name) for name in ("means", "summary")}
    both = {name: pd.concat([table, table.assign(languages="seen", value=9.0)]) for name, table in tables.items()}
    points, seeds, levels = story.curve_tables(dataclasses.replace(whole, **both))
    chosen = points[points["measure"] == "rank_distance"].set_index("x")["value"]
    assert chosen.to_dict() == {1.0: 900, 0.0: 500, 0.5: 1234}
    assert set(points["series"]) == {"hybrid"}
    assert {"low", "high"} <= set(points)
    assert len(points) == len(seeds) == 3 * len(TESTS)
    assert list(levels) == ["untrained"]
    assert levels["untrained"].to_dict() == dict(zip(TESTS, (0.1, 0.2, 0.3, 4.0), strict=True))


def test_without_an_axis_there_are_no_curves():
    points, seeds, levels = story.curve_tables(told(SYSTEMS))
    assert (len(points), len(seeds), levels) == (0, 0, {})


def test_study_table_has_a_row_a_study_even_if_two_have_one_title():
    runs = [("a", 3600.0), ("a", 1800.0), ("b", np.nan)]
    first = told({"a": SYSTEMS["monolingual"], "b": SYSTEMS["crosslingual"]}, runs=runs, missing=["run-9"])
    second = told({"a": SYSTEMS["monolingual"]}, demonstration=True)
    table = story.study_table({"one": first, "two": second})
    assert table.index.tolist() == ["Mine", "Mine"]
    assert table.to_dict("list") == {
        "systems": ["2", "1"],
        "runs": ["3", "1"],
        "not finished": ["1", "0"],
        "training hours": ["1.5 (known of 2 runs)", "0.0"],
        "made-up texts": ["no", "yes"],
        "command": ["make study STUDY=one", "make study STUDY=two"],
    }


def test_what_is_made_of_runs_is_no_run_and_costs_nothing_again():
    found = told(SYSTEMS, runs=[("monolingual", 3600.0), ("crosslingual", 3600.0), ("weights averaged", 7200.0)])
    scores = found.scores[found.scores["configuration"] != "weights averaged"]
    table = story.study_table({"mine": dataclasses.replace(found, scores=scores)})
    assert (table["runs"].item(), table["training hours"].item()) == ("2", "2.0")


def test_colophon_names_what_is_installed_and_the_texts():
    assert story.colophon(told({})) == (
        "Python 3.11, torch 2.13; x86, 2 cores (study Mine; the page of each says its own). Test texts: SHA-256 `abc`. "
        "This page is made of committed tables alone "
        "by `make findings`."
    )
