from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from random_scores import MEASURES, TESTED, score_rows, three_systems

from hybridlib.comparison import (
    KEYS,
    comparisons,
    contributions,
    least_p,
    mean_over_seeds,
    pair_verdicts,
    score_table,
    summary_table,
)
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.evaluation import SETTINGS, SHARE, macro_means, mean_by_pair
from hybridlib.significance import compare, holm


def run(label: str, scores: pd.DataFrame, seed: int = 1) -> SimpleNamespace:
    sampler, _, alpha = label.partition(" ")
    config = RunConfig(sampler=sampler, alpha=float(alpha or 0.5), seed=seed)
    return SimpleNamespace(
        label=config.label(), config=config, folder=Path(f"{sampler}-seed{seed}"), scores=lambda: scores
    )


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize(("setting", "measure"), TESTED)
def test_contributions_sum_to_the_difference_of_macro_means(setting, measure, missing):
    first, second = score_rows(1, missing=missing), score_rows(2, missing=missing)
    expected = [macro_means(mean_by_pair(scores)).loc[setting, measure] for scores in (first, second)]
    table = contributions(first, second, setting, measure)
    assert table.mean(axis=1).sum() == pytest.approx(expected[0] - expected[1])


def test_columns_of_contributions_sum_to_the_differences_of_language_pairs():
    first, second = score_rows(1, missing=0.3), score_rows(2, missing=0.3)
    difference = (mean_by_pair(first) - mean_by_pair(second)).loc["crosslingual", "nDCG@10"]
    sums = contributions(first, second, "crosslingual", "nDCG@10").sum()
    assert {pair: sums[pair] for pair in sums.index} == pytest.approx(difference.to_dict())


def test_contribution_of_a_missing_query_is_0():
    first, second = score_rows(1, concepts=4), score_rows(2, concepts=4)
    gone = (first["setting"] == "monolingual") & (first["query_language"] == "de") & (first["concept"] == "c2")
    table = contributions(*(s[~gone].reset_index(drop=True) for s in (first, second)), "monolingual", "nDCG@10")
    assert table.shape == (4, 3)
    assert table.loc["c2", ("de", "de")] == 0
    assert (table.to_numpy() != 0).sum() == 11


def test_contributions_change_sign_with_the_order():
    first, second = score_rows(1), score_rows(2)
    there, back = (contributions(*pair, "monolingual", "nDCG@10") for pair in ((first, second), (second, first)))
    pd.testing.assert_frame_equal(there, -back)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_interval_is_as_wide_as_where_the_difference_is_taken_anew_of_each_draw(shift):
    """Though three tenths of the queries are missing, and whatever the difference is."""
    first, second = score_rows(1, concepts=200, missing=0.3, ndcg=shift), score_rows(2, concepts=200, missing=0.3)
    row = comparisons({"second": [second], "first": [first]}).iloc[0]
    moved = first.assign(difference=first["nDCG@10"] - second["nDCG@10"])[first["setting"] == "monolingual"]
    cells = moved.pivot(index="concept", columns="query_language", values="difference")
    draws = np.random.default_rng(0).integers(0, len(cells), (2000, len(cells)))
    low, high = np.quantile(np.nanmean(cells.to_numpy()[draws], axis=1).mean(axis=1), [0.025, 0.975])
    assert row["difference"] == pytest.approx(cells.mean().mean())
    assert tuple(row[["low", "high"]]) == pytest.approx((low, high), abs=0.1 * (high - low))


def verdict_table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, (50, 3)) / 50
    return pd.DataFrame(noise - noise.mean(0) + np.array([1.0, 0.0, -1.0]) / 50, columns=["wins", "ties", "loses"])


def test_verdicts_are_win_tie_and_loss():
    assert pair_verdicts(verdict_table(), flips=999).to_dict() == {"wins": 1, "ties": 0, "loses": -1}


def test_verdicts_turn_with_the_sign():
    assert pair_verdicts(-verdict_table(), flips=999).to_dict() == {"wins": -1, "ties": 0, "loses": 1}


def test_verdicts_are_corrected_over_the_pairs():
    """A difference with p of about 0.02 is separable alone and not among ten."""
    values = np.random.default_rng(0).normal(0, 1, 50)
    values += 0.34 - values.mean()
    alone, noise = pd.DataFrame({"x": values}), np.random.default_rng(1).normal(0, 1, (50, 9))
    assert 0.005 < compare(values, flips=999).p < 0.05
    together = pd.concat([alone, pd.DataFrame(noise - noise.mean(0))], axis=1)
    assert pair_verdicts(alone, flips=999)["x"] == 1
    assert pair_verdicts(together, flips=999)["x"] == 0


def test_comparisons_have_a_row_a_pair_of_systems_and_test():
    table = comparisons(three_systems(), flips=99)
    pairs = [("monolingual", "mixed"), ("hybrid 0.5", "mixed"), ("hybrid 0.5", "monolingual")]
    expected = [(*pair, *test) for pair in pairs for test in TESTED]
    assert list(zip(*(table[name] for name in list(table.columns)[:4]), strict=True)) == expected


def test_comparisons_have_these_columns():
    expected = "configuration baseline setting measure difference low high p holm_p wins ties losses concepts"
    assert list(comparisons(three_systems(), flips=99).columns) == [*expected.split(), "seeds", "baseline_seeds"]


def test_difference_is_configuration_minus_baseline():
    systems = three_systems()
    table = comparisons(systems, flips=99).set_index(["configuration", "baseline", "setting", "measure"])
    means = {label: macro_means(mean_by_pair(tables[0])) for label, tables in systems.items()}
    for test in TESTED:
        found = table.loc[("monolingual", "mixed", *test)]
        assert found["difference"] == pytest.approx(means["monolingual"].loc[test] - means["mixed"].loc[test]), test
        assert found["low"] < found["difference"] < found["high"]


def test_p_and_interval_are_those_of_the_contributions_of_concepts():
    systems = three_systems()
    row = comparisons(systems, flips=999).iloc[0]
    table = contributions(systems["monolingual"][0], systems["mixed"][0], "monolingual", "nDCG@10")
    expected = compare(table.mean(axis=1).to_numpy(), flips=999)
    assert tuple(row[["difference", "low", "high", "p"]]) == pytest.approx(tuple(expected))


def test_holm_is_within_a_measure_of_a_setting():
    table = comparisons(three_systems(), flips=499)
    for _, rows in table.groupby(["setting", "measure"]):
        assert len(rows) == 3
        assert rows["holm_p"].tolist() == pytest.approx(holm(rows["p"].to_numpy()).tolist())
    assert (table["holm_p"] > table["p"]).any()


def test_many_systems_that_differ_clearly_are_separable():
    """The least p that flips can give must stay below 0.05 times 105 tests, however few flips are asked for."""
    scores = {f"s{i}": score_rows(i, ndcg=i) for i in range(15)}
    systems = {
        label: [table[table["setting"] == "monolingual"].reset_index(drop=True)] for label, table in scores.items()
    }
    table = comparisons(systems, flips=99)
    assert len(table) == 105
    assert (table["holm_p"] < 0.05).all()


def test_more_is_a_win_for_ndcg_a_loss_for_rank_distance_and_neither_for_the_share():
    """A share of the top ten may be too low: a debiased system avoids the query's language."""
    systems = three_systems()
    del systems["hybrid 0.5"]
    found = {
        (row["setting"], row["measure"]): (row["wins"], row["ties"], row["losses"])
        for row in comparisons(systems, flips=999).to_dict("records")
    }
    assert all(pd.isna(count) for count in found.pop(("multilingual", SHARE)))
    assert found == {
        ("monolingual", "nDCG@10"): (3, 0, 0),
        ("crosslingual", "nDCG@10"): (6, 0, 0),
        ("multilingual", "nDCG@10"): (3, 0, 0),
        ("multilingual", "rank_distance"): (0, 0, 3),
    }


def test_equal_systems_tie_everywhere():
    scores = score_rows(1)
    table = comparisons({"a": [scores], "b": [scores]}, flips=99)
    assert (table["difference"] == 0).all()
    assert (table["p"] == 1).all()
    assert table["ties"].dropna().tolist() == [3, 6, 3, 3]


def test_seeds_of_a_system_are_averaged_and_counted():
    mixed, other = [score_rows(seed) for seed in (1, 2, 3)], score_rows(4)
    table = comparisons({"mixed": mixed, "monolingual": [other]}, flips=99)
    assert table[["concepts", "seeds", "baseline_seeds"]].drop_duplicates().to_numpy().tolist() == [[30, 1, 3]]
    means = [macro_means(mean_by_pair(scores)).loc["monolingual", "nDCG@10"] for scores in (*mixed, other)]
    assert table["difference"][0] == pytest.approx(means[3] - np.mean(means[:3]))


def test_mean_over_seeds_is_the_mean_of_each_query():
    tables = [score_rows(seed) for seed in (1, 2)]
    found = mean_over_seeds(tables, "mixed")
    pd.testing.assert_frame_equal(found[KEYS], tables[0][KEYS])
    for name in MEASURES:
        expected = (tables[0][name] + tables[1][name]) / 2
        assert found[name].to_numpy() == pytest.approx(expected.to_numpy(), nan_ok=True)


def test_settings_that_a_collection_does_not_have_are_left_out():
    tables = [score_rows(seed) for seed in (1, 2)]
    some = [table[table["setting"] != "monolingual"].reset_index(drop=True) for table in tables]
    found = comparisons({"a": some[:1], "b": some[1:]}, flips=99)
    assert found["setting"].unique().tolist() == ["crosslingual", "multilingual"]


def test_measures_that_were_not_asked_for_are_left_out():
    tables = [score_rows(seed).drop(columns="nDCG@10") for seed in (1, 2)]
    found = comparisons({"a": tables[:1], "b": tables[1:]}, flips=99)
    assert found["measure"].tolist() == ["rank_distance", SHARE]


def test_without_ndcg_the_first_measure_of_quality_is_tested():
    tables = [
        score_rows(seed).rename(columns={"nDCG@10": "AP"}).assign(RR=0.0).drop(columns=["rank_distance", SHARE])
        for seed in (1, 2)
    ]
    found = comparisons({"a": tables[:1], "b": tables[1:]}, flips=99)
    expected = [*((setting, "AP") for setting in SETTINGS), ("multilingual", "RR")]
    assert list(zip(found["setting"], found["measure"], strict=True)) == expected


@pytest.mark.parametrize(
    ("systems", "message"),
    [
        ({"a": [score_rows(1)]}, r"found 1 systems \(a\) and 5 measures that they share, expected two systems"),
        ({"a": [score_rows(1)], "b": [score_rows(1)[KEYS]]}, r"found 2 systems \(a, b\) and 0 measures"),
    ],
)
def test_nothing_to_compare_is_refused(systems, message):
    with pytest.raises(InputError, match=f"comparisons: {message}"):
        comparisons(systems, flips=99)


def test_seeds_tested_on_other_queries_are_refused():
    with pytest.raises(InputError, match="mixed: found other test queries in run 2 than in the first"):
        comparisons({"mixed": [score_rows(1), score_rows(1, concepts=29)]}, flips=99)


def renamed(scores: pd.DataFrame) -> pd.DataFrame:
    return scores.assign(concept=scores["concept"].cat.rename_categories(lambda name: f"other {name}"))


@pytest.mark.parametrize("other", [score_rows(2, concepts=29), renamed(score_rows(2))], ids=["fewer", "as many"])
def test_systems_tested_on_other_queries_are_refused(other):
    with pytest.raises(InputError, match="monolingual: found other test queries than those of mixed"):
        comparisons({"mixed": [score_rows(1)], "monolingual": [other]}, flips=99)


def test_score_table_has_the_mean_of_every_pair_and_measure():
    scores = score_rows(1)
    table = score_table([run("mixed", scores, 5)])
    assert set(table["run"]) == {"mixed-seed5"}
    assert set(table["seed"]) == {5}
    found = table.set_index(["setting", "query_language", "passage_language", "measure"])["value"]
    expected = mean_by_pair(scores).stack().dropna()
    assert len(found) == len(expected) == 12 + 3 + 3
    assert {key: found[key] for key in found.index} == pytest.approx(expected.to_dict())


def test_summary_has_the_means_of_every_run():
    means = {"all": {"monolingual": {"AP": 0.1}, "multilingual": {"AP": 0.2}}, "seen": {"monolingual": {"AP": 0.3}}}
    one = run("mixed", score_rows(1), 5)
    one.result = {"means": means}
    assert summary_table([one]).to_numpy().tolist() == [
        ["mixed", 5, "all", "monolingual", "AP", 0.1],
        ["mixed", 5, "all", "multilingual", "AP", 0.2],
        ["mixed", 5, "seen", "monolingual", "AP", 0.3],
    ]


@pytest.mark.parametrize(("rows", "expected"), [(1, 1 / 10_001), (100, 100 / 20_001), (1000, 1000 / 200_001)])
def test_least_p_is_that_of_a_difference_no_flip_reaches(rows, expected):
    """With ten thousand flips, or forty a row where these are more; a table of five measures, of rows each."""
    table = pd.DataFrame({"setting": "monolingual", "measure": [f"m{row % 5}" for row in range(5 * rows)]})
    assert least_p(table) == pytest.approx(expected)
