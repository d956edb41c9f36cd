import pandas as pd
import pytest

from hybridlib.evaluation import SHARE
from hybridlib.tables import BIAS_COLUMNS, NDCG_COLUMNS, measure_table, significance_table

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
    return {**row, **numbers, **values}


TWO = summary_of({("mixed", *MONO): [0.5, 0.6], ("hybrid 0.5", *MONO): [0.7, 0.9]})


def test_values_are_mean_and_sample_deviation():
    table = measure_table(TWO, [MONO])
    assert table["monolingual nDCG@10"].tolist() == ["0.550 ± 0.071", "*0.800 ± 0.141"]


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


def test_own_share_is_best_when_low():
    column = ("multilingual", SHARE)
    table = measure_table(summary_of({("mixed", *column): [0.2], ("hybrid 0.5", *column): [0.3]}), [column])
    assert table[f"multilingual {SHARE}"].tolist() == ["*0.200", "0.300"]


@pytest.mark.parametrize(("holm_p", "mark"), [(0.049, ""), (0.05, " ≈"), (0.9, " ≈")])
@pytest.mark.parametrize("pair", [("hybrid 0.5", "mixed"), ("mixed", "hybrid 0.5")], ids=" against ".join)
def test_values_that_are_not_separable_from_the_best_are_marked(holm_p, mark, pair):
    table = measure_table(TWO, [MONO], pd.DataFrame([comparison(*pair, holm_p=holm_p)]))
    assert table["monolingual nDCG@10"].tolist() == [f"0.550 ± 0.071{mark}", "*0.800 ± 0.141"]


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


@pytest.mark.parametrize(("holm_p", "bold"), [(0.0499, True), (0.05, False)])
def test_significant_differences_are_bold(holm_p, bold):
    table = significance_table(pd.DataFrame([comparison("mixed", "untrained", holm_p=holm_p)]))
    assert table["difference"].iloc[0].startswith("*") is bold
