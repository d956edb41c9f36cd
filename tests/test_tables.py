from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hybridlib.evaluation import BIAS, SHARE
from hybridlib.tables import (
    ALL_BIAS_COLUMNS,
    BIAS_COLUMNS,
    NDCG_COLUMNS,
    balance_points,
    balance_table,
    geometry_table,
    headed,
    language_tables,
    measure_table,
    moments_table,
    pair_table,
    ranked,
    significance_table,
    upright,
)

MONO, POOL, FAR = ("monolingual", "nDCG@10"), ("multilingual", "nDCG@10"), ("multilingual", "rank_distance")


def summary_of(values, languages="all"):
    """A summary table of {(configuration, setting, measure): values by seed}."""
    rows = [
        (label, seed, languages, setting, measure, value)
        for (label, setting, measure), by_seed in values.items()
        for seed, value in enumerate(by_seed, start=1)
    ]
    return pd.DataFrame(rows, columns=["configuration", "seed", "languages", "setting", "measure", "value"])


def comparison(configuration, baseline, column=MONO, holm_p=0.01, **values):
    row = {"configuration": configuration, "baseline": baseline, "setting": column[0], "measure": column[1]}
    numbers = {"difference": 0.1, "low": 0.05, "high": 0.15, "holm_p": holm_p, "wins": 3, "ties": 2, "losses": 1}
    numbers |= {"seeds": 1, "baseline_seeds": 1, "low": 0.05 if holm_p < 0.05 else -0.05}
    return {**row, **numbers, **values}


TWO = summary_of({("mixed", *MONO): [0.5, 0.6], ("hybrid 0.5", *MONO): [0.7, 0.9]})


def test_values_are_mean_and_sample_deviation():
    table = measure_table(TWO, [MONO])
    assert table["monolingual nDCG@10"].tolist() == ["0.550 ± 0.071", "*0.800 ± 0.141"]


def test_nothing_is_best_without_a_rival():
    table = measure_table(summary_of({("mixed", *MONO): [0.5]}), [MONO])
    assert table.loc["mixed", "monolingual nDCG@10"] == "0.500"


def test_one_seed_has_no_deviation():
    table = measure_table(summary_of({("mixed", *MONO): [0.5], ("hybrid 0.5", *MONO): [0.4]}), [MONO])
    assert table["monolingual nDCG@10"].tolist() == ["*0.500", "0.400"]


def test_configurations_keep_their_order():
    assert measure_table(TWO, [MONO]).index.tolist() == ["mixed", "hybrid 0.5"]


def test_seeds_are_counted():
    table = measure_table(summary_of({("mixed", *MONO): [0.5], ("hybrid 0.5", *MONO): [0.7, 0.9]}), [MONO])
    assert table["seeds"].tolist() == ["1", "2"]


def test_rank_distance_is_best_when_low():
    table = measure_table(summary_of({("mixed", *FAR): [1234.6], ("hybrid 0.5", *FAR): [987.2]}), [FAR])
    assert table["multilingual rank_distance"].tolist() == ["1,235", "*987"]


def test_own_share_has_no_best():
    """It is unbiased at the even share, so the lower of two may be the worse."""
    column = ("multilingual", SHARE)
    tested = pd.DataFrame([comparison("hybrid 0.5", "mixed", column, holm_p=0.9)])
    table = measure_table(summary_of({("mixed", *column): [0.2], ("hybrid 0.5", *column): [0.3]}), [column], tested)
    assert table[f"multilingual {SHARE}"].tolist() == ["0.200", "0.300"]


def test_each_bias_measure_has_its_digits_and_its_direction():
    values = {(label, *column): [number] for column in ALL_BIAS_COLUMNS for label, number in (("a", 0.4), ("b", 0.31))}
    table = measure_table(summary_of(values), ALL_BIAS_COLUMNS)
    cells = {name: table[f"multilingual {name}"].tolist() for name in BIAS}
    assert cells.pop("rank_distance") == cells.pop("max_rank") == ["0", "*0"]
    assert cells.pop("max_rank_normalised") == ["*0.4", "0.3"]
    assert cells.pop(SHARE) == cells.pop("language_preference") == ["0.400", "0.310"]
    assert list(cells.values()) == [["*0.400", "0.310"]] * 3


@pytest.mark.parametrize(
    ("found", "mark"),
    [
        ({"holm_p": 0.049, "low": -0.01}, ""),
        ({"holm_p": 0.05, "low": 0.0}, " ≈"),
        ({"holm_p": 0.9, "low": -0.3, "high": 0.0}, " ≈"),
        ({"holm_p": 0.9, "low": 0.001}, ""),
        ({"holm_p": 0.9, "low": -0.2, "high": -0.001}, ""),
    ],
    ids=["separable", "may be equal", "may be equal, below", "neither, above", "neither, below"],
)
@pytest.mark.parametrize("pair", [("hybrid 0.5", "mixed"), ("mixed", "hybrid 0.5")], ids=" against ".join)
def test_values_that_may_be_as_good_as_the_best_are_marked(found, mark, pair):
    table = measure_table(TWO, [MONO], pd.DataFrame([comparison(*pair, **found)]))
    assert table["monolingual nDCG@10"].tolist() == [f"0.550 ± 0.071{mark}", "*0.800 ± 0.141"]


def test_of_values_that_written_tables_do_not_tell_apart_the_best_is_the_one_compared_with_all():
    """The report chose it by more digits."""
    values = {"a": 0.7123456, "b": 0.7123459, "c": 0.5}
    summary = summary_of({(label, *MONO): [float(f"{value:.6g}")] for label, value in values.items()})
    rows = [comparison("a", "b", holm_p=0.9), comparison("b", "c")]
    table = measure_table(summary, [MONO], pd.DataFrame(rows))
    assert table["monolingual nDCG@10"].tolist() == ["0.712 ≈", "*0.712", "0.500"]


def test_a_raised_letter_names_the_reference_that_a_value_is_better_than():
    """Separably better: by the row of the two, turned where needed; of rank distances the shorter one."""
    distance = ("multilingual", "rank_distance")
    values = {"mixed": (0.5, 90), "hybrid 0.5": (0.8, 50), "mono": (0.3, 40)}
    summary = summary_of(
        {(label, *test): [v] for label, pair in values.items() for test, v in zip([MONO, distance], pair, strict=True)}
    )
    rows = [("hybrid 0.5", "mixed", 0.3, -40), ("mono", "mixed", -0.2, -50), ("hybrid 0.5", "mono", 0.5, 10)]
    compared = [
        comparison(
            first, second, test, difference=moved, holm_p=0.9 if (first, second) == ("hybrid 0.5", "mono") else 0.01
        )
        for first, second, *both in rows
        for test, moved in zip([MONO, distance], both, strict=True)
    ]
    table = measure_table(summary, [MONO, distance], pd.DataFrame(compared), references=["mono", "mixed", "not there"])
    assert table.index.tolist() == ["mixed (a)", "hybrid 0.5", "mono (b)"]
    assert table["monolingual nDCG@10"].tolist() == ["0.500ᵇ", "*0.800ᵃ", "0.300 ≈"]
    assert table["multilingual rank_distance"].tolist() == ["90", "50ᵃ ≈", "*40ᵃ"]


def test_measures_that_were_not_tested_are_not_marked():
    tested = pd.DataFrame([comparison("hybrid 0.5", "mixed", POOL, holm_p=0.9)])
    assert measure_table(TWO, [MONO], tested)["monolingual nDCG@10"].tolist()[0] == "0.550 ± 0.071"


def test_missing_value_is_a_dash():
    values = summary_of({("mixed", *MONO): [0.5], ("hybrid 0.5", *MONO): [0.7], ("mixed", *POOL): [0.4]})
    assert measure_table(values, [POOL])["multilingual nDCG@10"].tolist() == ["*0.400", "–"]


def test_columns_without_values_are_left_out():
    assert measure_table(TWO, [*NDCG_COLUMNS, *BIAS_COLUMNS]).columns.tolist() == ["seeds", "monolingual nDCG@10"]


def test_language_groups_are_apart():
    unseen = summary_of({("mixed", *MONO): [0.1], ("hybrid 0.5", *MONO): [0.2]}, "unseen")
    table = measure_table(pd.concat([TWO, unseen]), [MONO], languages="unseen")
    assert table["monolingual nDCG@10"].tolist() == ["0.100", "*0.200"]


def test_significance_table_says_every_comparison():
    rows = [
        comparison("hybrid 0.5", "mixed", MONO, 0.0123),
        comparison("hybrid 0.5", "mixed", FAR, 0.2, difference=-1234.5, low=-2000.4, high=10.2),
    ]
    table = significance_table(pd.DataFrame(rows))
    assert table.index.tolist() == [
        "hybrid 0.5 − mixed: monolingual nDCG@10",
        "hybrid 0.5 − mixed: multilingual rank_distance",
    ]
    assert table.iloc[0].tolist() == ["*+0.100", "[+0.050, +0.150]", "0.0123", "3 / 2 / 1"]
    assert table.iloc[1].tolist() == ["-1,234", "[-2,000, +10]", "0.2000", "3 / 2 / 1"]


def test_measures_without_a_better_value_have_no_wins():
    counts = dict.fromkeys(("wins", "ties", "losses"), pd.NA)
    table = significance_table(pd.DataFrame([comparison("a", "b", ("multilingual", SHARE), **counts)]))
    assert table["wins / ties / losses"].tolist() == ["–"]


@pytest.mark.parametrize(("holm_p", "bold"), [(0.0499, True), (0.05, False)])
def test_significant_differences_are_bold(holm_p, bold):
    table = significance_table(pd.DataFrame([comparison("mixed", "untrained", holm_p=holm_p)]))
    assert table["difference"].iloc[0].startswith("*") is bold


def test_moments_stand_side_by_side_in_each_group_of_languages():
    """A single language that was not trained on has no crosslingual mean."""
    rows = {"all": ["monolingual", "crosslingual", "multilingual"], "unseen": ["monolingual", "multilingual"]}
    index = pd.MultiIndex.from_tuples([(group, one) for group, settings in rows.items() for one in settings])
    before = pd.DataFrame(
        {"nDCG@10": [0.1, 0.2, 0.3, 0.4, 0.5], "rank_distance": [np.nan, np.nan, 1234, np.nan, 5]}, index
    )
    table = moments_table({"before": before, "hybrid 0.5": before / 2})
    assert table.index.tolist() == [
        ("monolingual", "nDCG@10"), ("crosslingual", "nDCG@10"), ("multilingual", "nDCG@10"),
        ("multilingual", "rank_distance"),
    ]  # fmt: skip
    assert table["all languages", "hybrid 0.5"].tolist() == ["0.050", "0.100", "0.150", "617"]
    assert table["unseen languages", "before"].tolist() == ["0.400", "–", "0.500", "5"]


def test_pair_table_is_of_the_two_settings_with_one_passage_language():
    index = pd.MultiIndex.from_tuples(
        [
            ("monolingual", "en", "en"), ("monolingual", "de", "de"), ("crosslingual", "en", "de"),
            ("multilingual", "en", "all"), ("multilingual", "de", "all"),
        ],
        names=["setting", "query_language", "passage_language"],
    )  # fmt: skip
    index = index.set_levels([pd.CategoricalIndex(level) for level in index.levels])
    table = pair_table(pd.DataFrame({"AP": [0.1, 0.2, 0.3, 0.4, 0.5], "RR": 0.0}, index), "AP")
    assert table.loc["en", ["en", "de"]].tolist() == [0.1, 0.3]
    assert table.loc["de", "de"] == 0.2
    assert np.isnan(table.loc["de", "en"])
    assert table.shape == (2, 2)
    assert table.columns.dtype == table.index.dtype == "str"


def results(*pairs, geometry=None):
    """Stand-ins for Results: (label, numbers by language pair)."""
    keys = pd.MultiIndex.from_product([["en", "de"], ["en", "de"]], names=["query_language", "passage_language"])
    return [
        SimpleNamespace(
            languages=lambda label=label, values=values: {
                label: pd.DataFrame(
                    {"top_share": values, "even_share": [0.5] * 4, "single_answer": np.asarray(values) / 2}, keys
                ).reset_index()
            },
            label=lambda name, label=label: label if name == "none" else f"{label} + {name}",
            result={"geometry": geometry},
        )
        for label, values in pairs
    ]


def test_language_tables_are_means_over_seeds():
    found = language_tables(results(("a", [1, 2, 3, 4]), ("b", [0, 0, 0, 1]), ("a", [3, 2, 1, 0])))
    assert list(found) == ["a", "b"]
    assert found["a"]["top_share"].loc["en", ["en", "de"]].tolist() == [2, 2]
    assert found["a"]["top_share"].loc["de", ["en", "de"]].tolist() == [2, 2]
    assert found["b"]["top_share"].loc["de", "de"] == 1
    assert found["b"]["single_answer"].loc["de", "de"] == 0.5
    assert (found["b"]["even_share"] == 0.5).all(axis=None)


def test_balance_points_are_a_row_a_system_and_seed_in_their_order():
    cross = ("crosslingual", "nDCG@10")
    summary = summary_of(
        {
            ("z", *FAR): [10, 20], ("z", *MONO): [0.1, 0.2], ("z", *cross): [0.3, 0.4], ("z", *POOL): [0.9, 0.9],
            ("a", *cross): [0.6], ("a", *MONO): [0.5], ("a", *FAR): [30], ("a", "monolingual", "AP"): [0.7],
        }
    )  # fmt: skip
    points = balance_points(pd.concat([summary, summary_of({("z", *MONO): [0.8]}, "unseen")]))
    columns = ["configuration", "seed", "monolingual", "crosslingual", "rank_distance"]
    assert points[columns].to_numpy().tolist() == [
        ["z", 1, 0.1, 0.3, 10], ["z", 2, 0.2, 0.4, 20], ["a", 1, 0.5, 0.6, 30],
    ]  # fmt: skip


def test_balance_table_has_intervals_a_row_a_system_in_their_order():
    cross = ("crosslingual", "nDCG@10")
    numbers = {
        ("z", *FAR): 10,
        ("z", *MONO): 0.1,
        ("z", *cross): 0.3,
        ("a", *cross): 0.6,
        ("a", *FAR): 30,
        ("a", *MONO): 0.5,
    }
    means = summary_of({key: [value] for key, value in numbers.items()} | {("z", *POOL): [0.9]})
    others = means.assign(languages="unseen", value=7)
    means = means.assign(low=means["value"] - 0.125, high=means["value"] + 0.25)
    table = balance_table(pd.concat([others, means]))
    assert table.index.tolist() == ["z", "a"]
    assert {(*key[1:], key[0]): value for key, value in table.stack([0, 1], future_stack=True)["value"].items()} == {
        (*key[1:], key[0]): value for key, value in numbers.items()
    }
    assert table["monolingual", "nDCG@10"]["low"].tolist() == pytest.approx([-0.025, 0.375])
    assert table["multilingual", "rank_distance"]["high"].tolist() == [10.25, 30.25]


def test_geometry_is_the_mean_over_seeds():
    of = [
        results(("b", [0] * 4), geometry={"none": {"uniformity": -1, "alignment": 1}}),
        results(("b", [0] * 4), geometry={"none": {"uniformity": -2, "alignment": 2}}),
        results(("a", [0] * 4), geometry={"none": {"uniformity": -3, "alignment": 0}, "lir": {"uniformity": -4}}),
    ]
    table = geometry_table([one for some in of for one in some])
    assert table.index.tolist() == ["b", "a", "a + lir"]
    assert table["uniformity"].tolist() == ["-1.500", "-3.000", "-4.000"]
    assert table["alignment"].tolist() == ["1.500", "0.000", "–"]


def test_upright_table_has_systems_as_columns_and_says_nothing_twice():
    table = pd.DataFrame({"seeds": ["1", "1"], "multilingual AP": ["*0.3", "0.2"]}, index=["one", "two"])
    turned = upright(table)
    assert (turned.index.name, turned.index.tolist(), turned.columns.tolist()) == ("measure", ["AP"], ["one", "two"])
    several = upright(table.assign(seeds=["1", "3"], **{"monolingual AP": "0.5"}))
    assert several.index.tolist() == [("", "seeds"), ("multilingual", "AP"), ("monolingual", "AP")]


def test_headed_puts_measures_above_their_settings():
    table = measure_table(TWO, [MONO]).assign(**{"training seconds": ["1", "2"]})
    assert headed(table).columns.tolist() == [("", "seeds"), ("nDCG@10", "monolingual"), ("", "training seconds")]
    assert headed(table).to_numpy().tolist() == table.to_numpy().tolist()


def test_systems_are_ranked_by_the_pool_of_all_languages():
    """Neither other settings nor groups of languages count; seeds by their mean."""
    values = {("a", *POOL): [0.1, 0.5], ("b", *POOL): [0.4], ("c", *POOL): [0.2], ("c", *MONO): [0.9]}
    summary = summary_of(values)
    summary = pd.concat([summary, summary.assign(languages="seen", value=1 - summary["value"])])
    assert list(dict.fromkeys(ranked(summary)["configuration"])) == ["b", "a", "c"]
    assert len(ranked(summary)) == len(summary)
