import numpy as np
import pandas as pd
import pytest
from claim_cases import row

from hybridlib import findings
from hybridlib.config import RunConfig
from hybridlib.evaluation import SETTINGS, SHARE, Evaluation
from hybridlib.languages import name

CODES = ["en", "de", "zh"]


def evaluation_of(top_share, even_share):
    return Evaluation(
        scores=pd.DataFrame(),
        ranks=pd.DataFrame(),
        top_share=pd.DataFrame(top_share, CODES, CODES),
        even_share=pd.Series(even_share, CODES),
        single_answer=pd.DataFrame(),
        random_rank_distance=pd.Series(dtype=float),
    )


def test_scores_by_setting_in_the_order_of_settings():
    means = {"multilingual": {"nDCG@10": 0.3711}, "monolingual": {"nDCG@10": 0.6689}, "crosslingual": {"nDCG@10": 0.46}}
    assert findings.scores_by_setting(means) == "0.669 monolingual, 0.460 crosslingual, 0.371 multilingual"
    assert findings.scores_by_setting({"multilingual": {"nDCG@10": 0.5}}) == "0.500 multilingual"


def moment(*values):
    return {setting: {"nDCG@10": value} for setting, value in zip(SETTINGS, values, strict=True)}


def test_change_goes_from_before_to_after():
    said = findings.change(moment(0.1, 0.2, 0.3), moment(0.4, 0.5, 0.6))
    assert said == "nDCG@10: monolingual 0.100 → 0.400, crosslingual 0.200 → 0.500, multilingual 0.300 → 0.600."


def test_change_of_one_moment_in_the_settings_that_it_has():
    assert findings.change(moment(0.1, 0.2, 0.3)).endswith("monolingual 0.100, crosslingual 0.200, multilingual 0.300.")
    assert findings.change(*[{"crosslingual": {"nDCG@10": 0.25}}] * 2) == "nDCG@10: crosslingual 0.250 → 0.250."


def test_extremes_name_the_cells():
    values = np.random.default_rng(0).random((3, 3)).round(3)
    said = findings.extremes(pd.DataFrame(values, CODES, CODES), "nDCG@10")
    high, low = (np.unravel_index(place, (3, 3)) for place in (values.argmax(), values.argmin()))
    assert f"highest nDCG@10 is {values.max():.3f} ({CODES[high[0]]} → {CODES[high[1]]})" in said
    assert f"lowest {values.min():.3f} ({CODES[low[0]]} → {CODES[low[1]]})" in said


def test_extremes_skip_empty_cells():
    said = findings.extremes(pd.DataFrame([[np.nan, 0.4], [0.6, np.nan]], CODES[:2], CODES[:2]), "nDCG@10")
    assert said == "The highest nDCG@10 is 0.600 (de → en), the lowest 0.400 (en → de)."


def test_own_language_is_the_mean_of_the_diagonal_at_each_moment():
    before = evaluation_of(np.full((3, 3), 1 / 3), [0.5, 0.25, 0.25])
    after = evaluation_of([[0.6, 0.2, 0.2], [0.1, 0.3, 0.6], [0.5, 0.5, 0.0]], [0.5, 0.25, 0.25])
    said = findings.own_language({"before": before, "mixed": after})
    assert "share of the top ten: 33% before, 30% mixed; even would be 33%." in said


def test_own_language_skips_languages_without_queries():
    share = [[0.6, 0.2, 0.2], [np.nan] * 3, [0.5, 0.5, 0.0]]
    assert "30% untrained" in findings.own_language({"untrained": evaluation_of(share, [0.4, 0.3, 0.3])})


def test_own_language_is_judged_by_the_last_moment_against_the_even_share():
    """German holds less of its top ten than English, but more above what is even."""
    before = evaluation_of([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.0, 0.0, 1.0]], [0.7, 0.2, 0.1])
    after = evaluation_of([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.5, 0.4, 0.1]], [0.7, 0.2, 0.1])
    said = findings.own_language({"before": before, "mixed": after})
    assert said.endswith("German queries favour their own language most (mixed: 60%).")


def test_distance_change_is_the_mean_and_its_share_of_random():
    bars = pd.DataFrame({"before": [3000.0, 1000.0], "after": [400.0, 1600.0]}, ["en", "zh"])
    said = findings.distance_change(bars, pd.Series([5000.0, 3000.0], ["en", "zh"]))
    assert "2,000 before (50.0% of random), 1,000 after (25.0% of random)" in said
    assert f"after: longest for {name('zh')} queries, 1,600" in said


def test_of_many_distances_the_ends_are_said():
    bars = pd.DataFrame({f"run {i}": [1000.0 + (7 * i) % 10] for i in range(9)}, ["en"])
    said = findings.distance_change(bars, pd.Series([4000.0], ["en"]))
    assert said.startswith(
        "Mean rank distance, of 9 the shortest and the longest: 1,000 run 0 (25.0% of random), "
        "1,009 run 7 (25.2% of random) (run 0: longest for English"
    )


def test_batches_of_one_language_and_crossing_pairs_are_counted():
    query = np.array([[0, 0, 0], [1, 1, -1], [0, 1, 2], [2, 2, 2]])
    passage = np.array([[0, 0, 0], [1, 1, -1], [0, 2, 1], [2, 2, 0]])
    said = findings.batch_languages(query, passage)
    assert said == "2 of these 4 batches are of one language; 27% of the pairs cross languages."  # 3 of 11


def test_similarities_are_those_of_the_last_space():
    numbers = {"positive_all_mean": 0.9, "negative_all_mean": 0.7, "negative_same_mean": 0.75}
    spaces = pd.DataFrame({"before": 0.0, "mixed": {**numbers, "negative_other_mean": 0.68, "language_probe": 0.97}})
    assert findings.similarities(spaces) == (
        "mixed: mean similarity of positives 0.900, negatives 0.700; negatives of one language +0.070 nearer than "
        "those of two; the language is told from the vector in 97% of cases."
    )


def test_overlap_is_counted_over_all_languages():
    shared = pd.DataFrame({"texts": [1000, 3000], "shared": [0, 10], "share": [0, 1 / 300]}, ["en", "de"])
    assert findings.overlap(shared).startswith("10 of 4,000 test texts (0.2%) stand among the training texts")


def test_learning_compares_the_first_and_the_last_tenth():
    loss = np.linspace(3, 1, 40)
    history = pd.DataFrame({"loss": loss, "pairs_per_second": [*[100.0] * 39, 9000.0]})
    said = findings.learning(history, 30)
    assert f"from {loss[:4].mean():.3f} to {loss[-4:].mean():.3f}" in said
    assert "weights of step 30 of 40 were kept; 100 pairs a second" in said


def test_learning_in_a_single_step():
    history = pd.DataFrame({"loss": [2.0], "pairs_per_second": [50.0]})
    assert "from 2.000 to 2.000" in findings.learning(history, 1)


def summary_of(values, measure="nDCG@10", setting="monolingual", languages="all"):
    rows = [
        (label, seed, languages, setting, measure, value)
        for label, by_seed in values.items()
        for seed, value in enumerate(by_seed)
    ]
    return pd.DataFrame(rows, columns=["configuration", "seed", "languages", "setting", "measure", "value"])


def test_answer_names_the_best_of_each_setting_and_the_least_biased():
    summary = pd.concat(
        [
            summary_of({"mixed": [0.1, 0.9], "hybrid 0.5": [0.6, 0.6]}, setting="monolingual"),
            summary_of({"mixed": [0.4, 0.5], "hybrid 0.5": [0.3, 0.5]}, setting="crosslingual"),
            summary_of({"mixed": [0.2, 0.2], "hybrid 0.5": [0.3, 0.2]}, setting="multilingual"),
            summary_of({"mixed": [900, 800], "hybrid 0.5": [1000, 2000]}, "rank_distance", "multilingual"),
            summary_of({"mixed": [1, 1], "hybrid 0.5": [0, 0]}, setting="monolingual", languages="unseen"),
        ]
    )
    assert findings.answer(summary) == (
        "Best within a language: **hybrid 0.5** (0.600); between two languages: **mixed** (0.450); in the pool of all "
        "languages: **hybrid 0.5** (0.250); by rank distance: **mixed** (850)."
    )


def test_answer_tells_the_first_hit_where_it_is_tested():
    values = {"mixed": [0.4, 0.5], "hybrid 0.5": [0.3, 0.5]}
    summary = pd.concat([summary_of(values, measure, "multilingual") for measure in ("nDCG@10", "RR")])
    hits = pd.DataFrame([row(-0.1, 0.1, 0.5, "mixed", "hybrid 0.5", "multilingual", "RR")])
    assert findings.answer(summary, hits).endswith(
        "; by the first hit in the pool (RR): **mixed** (0.450; not separable from hybrid 0.5)."
    )
    assert "RR" not in findings.answer(summary, hits.assign(measure="nDCG@10"))


def test_answer_says_what_is_not_separable_from_the_best():
    labels = ["first", *"abcdef"]
    summary = pd.concat(
        [
            summary_of({one: [1 - place / 100] for place, one in enumerate(labels)}, setting="monolingual"),
            summary_of({one: [place / 100] for place, one in enumerate(labels)}, setting="multilingual"),
        ]
    )
    rows = [
        row(-0.1, 0.1, 0.05, "first", one, setting)
        for one in labels[1:6]
        for setting in ("monolingual", "multilingual")
    ]
    rows += [row(-0.1, 0.1, 0.05, "f", "a", "multilingual"), row(-0.1, 0.1, 0.049, "f", "b", "multilingual")]
    assert findings.answer(summary, pd.DataFrame(rows)) == (
        "Best within a language: **first** (1.000; of 5 compared with it not separable from 5 others); in the pool of "
        "all languages: **f** (0.060; of 2 compared with it not separable from a)."
    )


def test_the_best_of_equals_leaves_out_what_was_trained_on_more():
    summary = summary_of({"a": [0.5], "b": [0.6], "twice": [0.9]})
    rows = pd.DataFrame([row(0.05, 0.15, 0.01, "b", "a", "monolingual")])
    said = findings.answer_of_equals(summary, rows, ["twice"])
    assert said == (
        "Best within a language: **b** (0.600). Without what was trained on more pairs: **twice**. One seed: intervals "
        "and p say what other test concepts would give, not another training."
    )
    seeds = summary_of({"a": [0.5, 0.4], "b": [0.6, 0.7]})
    assert findings.answer_of_equals(seeds, rows, []) == "Best within a language: **b** (0.650)."


def test_a_name_with_a_comma_stands_in_quotes_among_others():
    rows = pd.DataFrame([row(0.0, 0.1, 0.5, "first", one, "monolingual") for one in ("both pairs, SupCon", "mixed")])
    said = findings.not_told_from(rows, "first", ["both pairs, SupCon", "mixed"], "monolingual", "nDCG@10")
    assert said == "; not separable from “both pairs, SupCon” and mixed"


@pytest.mark.parametrize(("p", "said"), [(0.2, "; not separable from second"), (0.01, "")])
def test_what_is_not_separable_is_so_by_the_corrected_p_and_not_by_the_interval(p, said):
    rows = pd.DataFrame([row(0.01, 0.1, p, "first", "second", "monolingual")])
    assert findings.not_told_from(rows, "first", ["second"], "monolingual", "nDCG@10") == said


def test_configuration_says_what_is_trained():
    objective = {"infonce": {"temperature": 0.02}, "vrns": {"weight": 30}}
    config = RunConfig(
        sampler="hybrid", alpha=0.25, batch_size=32, steps=40, objective=objective, seed=3, encoder="tiny"
    )
    said = findings.configuration(config)
    assert "**hybrid 0.25** batches of 32 pairs, 40 steps" in said
    assert "infonce (temperature 0.02) + vrns (weight 30), learning rate 5e-05; seed 3; tiny." in said


def test_untrained_configuration_trains_nothing():
    said = findings.configuration(RunConfig(sampler="untrained", encoder="tiny"))
    assert said == "**untrained**: tiny as it is."


POINTS = pd.DataFrame(
    {
        "configuration": ["mixed", "mixed", "hybrid 0.5", "monolingual"],
        "seed": [1, 2, 1, 1],
        "monolingual": [0.5, 0.7, 0.7, 0.9],
        "crosslingual": [0.5, 0.3, 0.7, 0.2],
    }
)


def test_balance_says_what_the_corner_is_made_of():
    said = findings.balance(POINTS)
    assert said.startswith("The ideal corner, (0.900, 0.700), has the monolingual nDCG@10 of **")


def test_balance_of_a_single_configuration():
    """A study may ask for one configuration, in several seeds."""
    assert "**mixed**" in findings.balance(POINTS[POINTS["configuration"] == "mixed"])


def test_share_in_pool_is_the_mean_over_seeds_in_all_languages():
    summary = pd.concat(
        [
            summary_of({"mixed": [0.2, 0.4], "hybrid 0.5": [0.5, 0.3], "untrained": [0.1]}, SHARE, "multilingual"),
            summary_of({"untrained": [0.99]}, SHARE, "multilingual", languages="unseen"),
        ]
    )
    said = findings.share_in_pool(summary)
    assert "highest for hybrid 0.5 (40%), lowest for untrained (10%)" in said


SUMMARY = pd.concat(
    [
        *(summary_of({"e5": [0.7, 0.5], "lir": [0.4, 0.4]}, name) for name in ("nDCG@10", "AP")),
        summary_of({"e5": [0.3, 0.3], "lir": [0.9, 0.7]}, setting="multilingual"),
        summary_of({"e5": [100, 300], "lir": [50, 60]}, "rank_distance", "multilingual"),
        summary_of({"e5": [0.2, 0.4], "lir": [0.1, 0.1]}, SHARE, "multilingual"),
    ]
)
ONE = "**e5** has a mean nDCG@10 of 0.600 monolingual, 0.300 multilingual"
SHARED = "; 30% of its top ten are in the query's language."


@pytest.mark.parametrize(
    ("column", "left_out", "labels", "expected"),
    [
        ("measure", "", ["e5"], ONE + SHARED),
        ("measure", "", ["e5", "lir"], f"{ONE}{SHARED} {findings.answer(SUMMARY)}"),
        ("measure", "nDCG@10", ["e5", "lir"], f"**e5** has a mean AP of 0.600 monolingual{SHARED}"),
        ("setting", "multilingual", ["lir", "e5"], "**lir** has a mean nDCG@10 of 0.400 monolingual."),
    ],
)
def test_evaluation_is_answered_by_means_share_and_the_best(column, left_out, labels, expected):
    assert findings.evaluation_answer(SUMMARY[SUMMARY[column] != left_out], labels) == expected


def test_own_excess_is_the_mean_of_the_diagonal():
    tables = {"e5": pd.DataFrame([[0.3, 0.9], [0.9, 0.1]]), "lir": pd.DataFrame([[-0.05, 0.9], [0.9, np.nan]])}
    assert findings.own_excess(tables) == "Mean excess of the own language: e5 +20%, lir -5%."
