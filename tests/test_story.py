"""The story of studies, from tables with known numbers."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from claim_cases import row
from told_cases import TESTS, told

from hybridlib import story

SYSTEMS = {
    "monolingual": (0.8, 0.5, 0.6, 900.0),
    "crosslingual": (0.7, 0.6, 0.65, 500.0),
    "hybrid 0.5": (0.75, 0.55, 0.7, 1234.0),
}


def compared(first, second, differences=(0.1, 0.2, 0.3, 100.0), p=0.2):
    """Rows that compare two systems by every test, with intervals of 0.02 (of ranks 40)."""
    halves = [0.01, 0.01, 0.01, 20]
    return [
        row(value - half, value + half, p, first, second, *test)
        for test, value, half in zip(TESTS, differences, halves, strict=True)
    ]


EVERY_PAIR = [
    *compared("hybrid 0.5", "monolingual", (-0.05, 0.05, 0.1, 334.0), p=0.0004),
    *compared("crosslingual", "hybrid 0.5", (-0.05, 0.05, -0.05, -734.0)),
    *compared("crosslingual", "monolingual"),
]


def test_answer_says_what_is_reached_how_it_stands_to_its_parents_and_what_is_best():
    """The row in which hybrid batches are the baseline is turned; fewer ranks are better."""
    reached, parents, best = story.answer(told(SYSTEMS, EVERY_PAIR))
    assert reached == (
        "**hybrid 0.5** reaches an nDCG@10 of 0.750 [0.650, 0.850] monolingual, 0.550 [0.450, 0.650] crosslingual, "
        "0.700 [0.600, 0.800] multilingual, with a rank distance of 1,234 (62% of a random ranking's)."
    )
    assert parents == (
        "Against **monolingual** batches its nDCG@10 moves by -0.050 [-0.060, -0.040], p < 0.001 monolingual, "
        "+0.050 [+0.040, +0.060], p < 0.001 crosslingual, +0.100 [+0.090, +0.110], p < 0.001 multilingual, its rank "
        "distance by +334 [+314, +354], p < 0.001; against **crosslingual** batches its nDCG@10 moves by "
        "+0.050 [+0.040, +0.060], p = 0.200 monolingual, -0.050 [-0.060, -0.040], p = 0.200 crosslingual, "
        "+0.050 [+0.040, +0.060], p = 0.200 multilingual, its rank distance by +734 [+714, +754], p = 0.200."
    )
    assert best == (
        "The best of 3 systems is **monolingual** by monolingual nDCG@10 (0.800; hybrid 0.5 is separable from it); "
        "**crosslingual** by crosslingual nDCG@10 (0.600; hybrid 0.5 is not separable from it); **hybrid 0.5** itself "
        "by multilingual nDCG@10; **crosslingual** by rank distance (500; hybrid 0.5 is not separable from it)."
    )


@pytest.mark.parametrize("missing", ["monolingual", "crosslingual"])
def test_a_parent_that_is_not_there_is_left_out(missing):
    rows = [one for one in EVERY_PAIR if missing not in (one["configuration"], one["baseline"])]
    systems = {label: values for label, values in SYSTEMS.items() if label != missing}
    _, parents, best = story.answer(told(systems, rows))
    assert parents.count("gainst **") == 1
    assert parents.startswith("Against **")
    assert f"**{missing}**" not in parents
    assert best.startswith("The best of 2 systems is ")


def test_without_both_parents_there_are_two_sentences():
    systems = {"mixed": SYSTEMS["monolingual"], "hybrid 0.5": SYSTEMS["hybrid 0.5"]}
    reached, best = story.answer(told(systems, compared("hybrid 0.5", "mixed")))
    assert reached.startswith("**hybrid 0.5** reaches")
    assert best.startswith("The best of 2 systems is **mixed** by monolingual nDCG@10 (0.800; ")


def test_a_parent_is_not_compared_with_itself():
    systems = {label: SYSTEMS[label] for label in ("monolingual", "crosslingual")}
    found = told(systems, compared("crosslingual", "monolingual"), baseline="monolingual")
    _, parents, best = story.answer(found)
    assert parents.startswith("Against **crosslingual** batches its nDCG@10 moves by -0.100 ")
    assert "**monolingual** itself by monolingual nDCG@10" in best


def test_a_system_that_is_best_in_everything_is_so_itself():
    best = story.answer(told({**SYSTEMS, "hybrid 0.5": (0.9, 0.9, 0.9, 1.0)}, EVERY_PAIR))[-1]
    assert best == (
        "The best of 3 systems is **hybrid 0.5** itself by monolingual nDCG@10; **hybrid 0.5** itself by crosslingual "
        "nDCG@10; **hybrid 0.5** itself by multilingual nDCG@10; **hybrid 0.5** itself by rank distance."
    )


def test_of_equals_the_subject_is_best_and_else_the_first_by_name():
    """As in ``StudyResults.comparisons``, which compares all with this one and not with its equal."""
    same = (0.9, 0.55, 0.9, 1.0)
    systems = {"z": same, "a": same, "crosslingual": (0.1, 0.55, 0.1, 5.0), "hybrid 0.5": SYSTEMS["hybrid 0.5"]}
    rows = [*compared("hybrid 0.5", "a"), *compared("hybrid 0.5", "crosslingual"), *compared("z", "a")]
    best = story.answer(told(systems, rows))[-1]
    assert "**a** by monolingual nDCG@10 (0.900; " in best
    assert "**hybrid 0.5** itself by crosslingual nDCG@10" in best
    assert "**a** by rank distance (1; " in best


@pytest.mark.parametrize(
    ("references", "baseline", "expected"),
    [
        ([], "mixed", "hybrid 0.5"),
        (["mixed", "hybrid 0.5"], "mixed", "hybrid 0.5"),
        (["mixed"], "hybrid 0.5", "hybrid 0.5"),
        (["mixed"], "monolingual", "monolingual"),
    ],
)
def test_subject_is_hybrid_batches_if_all_were_compared_with_them(references, baseline, expected):
    assert story.subject(told(SYSTEMS, references=references, baseline=baseline)) == expected


def test_subject_of_a_study_without_hybrid_batches_is_its_baseline():
    found = told({"mixed": SYSTEMS["monolingual"], "hybrid 0.25": SYSTEMS["hybrid 0.5"]}, baseline="mixed")
    assert story.subject(found) == "mixed"


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
        (SEEDS, {"notes": ["A few", "B left out"]}, "1 to 2 seeds a system. A few. B left out."),
        (
            SEEDS[:2],
            {"missing": ["run-1", "run-2"], "notes": ["A"]},
            "2 seeds a system. A. **Not complete:** 2 runs or systems are not finished.",
        ),
    ],
    ids=["one seed", "two seeds", "unlike", "notes", "not complete"],
)
def test_basis_says_what_the_numbers_rest_on(seeds, about, expected):
    assert story.basis(told({}, summary=seeds, **about)) == BASIS + expected


def test_method_table_is_sorted_with_the_cost_of_each():
    runs = [("crosslingual", 10.0), ("crosslingual", 21.0), ("hybrid 0.5", 12345.6), ("monolingual", 0.0)]
    table = story.method_table(told(SYSTEMS, EVERY_PAIR, runs, references=["monolingual"]))
    assert table.index.tolist() == ["hybrid 0.5 (a)", "crosslingual", "monolingual (b)"]
    assert table["training seconds"].tolist() == ["12,346", "16", "0"]
    assert table["multilingual nDCG@10"].tolist() == ["*0.700ᵇ", "0.650 ≈", "0.600"]
    assert table["multilingual rank_distance"].tolist() == ["1,234 ≈", "*500", "900ᵃ ≈"]
    assert table.map(type).eq(str).all(axis=None)


def test_seeds_are_one_row_that_is_placed_by_their_mean():
    seeds = [("low", 1, 0.1), ("low", 2, 0.3), ("between", 1, 0.25), ("high", 1, 0.1), ("high", 2, 0.9)]
    runs = [(label, 1.0) for label in ("low", "between", "high")]
    table = story.method_table(told({}, summary=seeds, runs=runs, baseline="low"))
    assert table.index.tolist() == ["high", "between", "low (a)"]
    assert table["seeds"].tolist() == ["2", "1", "2"]
    assert table["multilingual nDCG@10"].tolist() == ["*0.500 ± 0.566", "0.250", "0.200 ± 0.141"]


def test_costs_that_are_not_known_are_a_dash():
    """As of a system whose run is gone; where another seed's is known, that counts."""
    runs = [("monolingual", np.nan), ("crosslingual", np.nan), ("crosslingual", 7.0)]
    table = story.method_table(told(SYSTEMS, EVERY_PAIR, runs))
    costs = dict(zip(table.index, table["training seconds"], strict=True))
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
        "training hours": ["1.5", "0.0"],
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
        "Python 3.11, torch 2.13; x86, 2 cores. Test texts: SHA-256 `abc`. This page is made of committed tables alone "
        "by `make findings`."
    )
