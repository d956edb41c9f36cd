"""What a study has found: made-up runs, and systems made of them, of random vectors."""

import dataclasses
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from random_results import corpus, evaluated

from hybridlib import study_results
from hybridlib.comparison import against, comparisons, score_table
from hybridlib.config import RunConfig
from hybridlib.corpora.corpus import Split
from hybridlib.errors import InputError
from hybridlib.evaluation import SETTINGS, SHARE
from hybridlib.means import means_table
from hybridlib.paths import run_folder, system_folder
from hybridlib.results import write_results
from hybridlib.runs import write_run
from hybridlib.seed_error import compared_with_seeds
from hybridlib.seed_variance import paired_variance
from hybridlib.significance import bootstrap_interval
from hybridlib.study import load_study
from hybridlib.study_results import StudyResults, overview

TEXT = """
baseline: mixed
runs: [{sampler: monolingual}, {sampler: mixed, seed: [1, 2]}]
systems:
  - {of: mixed, debias: [centring]}
  - {of: [monolingual, mixed], label: between}
"""
TRAINED = {"monolingual": ["en"], "mixed": ["en", "de"]}
EVALUATIONS = {("monolingual", 1): 0, ("mixed", 1): 1, ("mixed", 2): 2, ("between", 1): 0}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Every run and system is finished; the system ``between`` has the scores of the monolingual run."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "mine.yaml").write_text(TEXT)
    study = load_study(folder / "mine.yaml")
    for run, config in study.runs().items():
        split = Split(corpus().select(languages=TRAINED[config.sampler]), corpus(), corpus())
        evaluation = evaluated(EVALUATIONS[config.sampler, config.seed])
        place, seconds = folder / "reports" / "mine" / "runs" / run, {"train, processor": 10.0 * config.seed}
        write_run(place, config, split, evaluation, evaluation, None, seconds, {"uniformity": -config.seed})
    names = {config: run for run, config in study.runs().items()}
    for name, system in study.derived().items():
        number = EVALUATIONS[system.label, system.seed]
        evaluations = {"none": evaluated(number), **{one: evaluated(10 + number) for one in system.debias}}
        about = {"label": system.label, "seed": system.seed, "run": names[system.parents[0]]}
        encoder = "encoder" if len(system.parents) > 1 else None
        geometry = {debiasing: {"uniformity": -9} for debiasing in evaluations}
        place = folder / "reports" / "mine" / "systems" / name
        write_results(place, evaluations, geometry, {**about, "encoder": encoder})
    return folder


@pytest.fixture
def study(written, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_REPORTS", str(written / "reports"))
    return load_study(written / "mine.yaml")


@pytest.fixture
def own(written, tmp_path, monkeypatch):
    """The same in a folder of the test's own."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("HYBRIDLIB_REPORTS", str(tmp_path / "reports"))
    return load_study(tmp_path / "mine.yaml")


@pytest.fixture
def results(study):
    return StudyResults.read(study)


def test_runs_and_systems_are_read_in_the_order_of_the_file(results, study):
    assert [(run.label, run.config.seed) for run in results.runs] == [("monolingual", 1), ("mixed", 1), ("mixed", 2)]
    assert [system.folder.name for system in results.systems] == list(study.derived())
    assert results.missing == []


def test_what_is_not_finished_is_missing(own):
    run, system = list(own.runs())[2], next(iter(own.derived()))
    (run_folder("mine", run) / "scores.parquet").unlink()
    (system_folder("mine", system) / "result.json").unlink()
    found = StudyResults.read(own)
    assert found.missing == [run, system]
    assert (len(found.runs), len(found.systems)) == (2, 2)


@pytest.mark.parametrize(("unfinished", "there"), [([0, 1, 2], ""), ([1, 2], ", monolingual")])
def test_without_the_baseline_nothing_is_read(own, unfinished, there):
    for number in unfinished:
        (run_folder("mine", list(own.runs())[number]) / "result.json").unlink()
    with pytest.raises(InputError) as error:
        StudyResults.read(own)
    assert str(error.value) == (
        f"{own.path}: found finished runs of between, mixed + centring{there}, "
        "expected those of the baseline mixed and of another system"
    )


def test_systems_made_of_one_configuration_are_enough_to_compare_it_with(own):
    (run_folder("mine", next(iter(own.runs()))) / "result.json").unlink()
    assert {run.label for run in StudyResults.read(own).runs} == {"mixed"}


def test_a_system_is_called_as_the_study_calls_it_now(own):
    own.path.write_text(TEXT.replace("between", "half way"))
    assert list(StudyResults.read(load_study(own.path)).scores())[-1] == "half way"


def test_scores_are_a_table_a_seed_of_every_system(results):
    """The plain vectors of a system of one run are those of the run, which is there already."""
    scores = results.scores()
    expected = {"monolingual": [0], "mixed": [1, 2], "mixed + centring": [11, 12], "between": [0]}
    assert list(scores) == list(expected)
    for label, numbers in expected.items():
        assert len(scores[label]) == len(numbers)
        for table, number in zip(scores[label], numbers, strict=True):
            pd.testing.assert_frame_equal(table.astype(str), evaluated(number).scores.astype(str))


KEYS = ["languages", "setting", "measure"]


def rows_of(summary, label, seed):
    chosen = summary[(summary["configuration"] == label) & (summary["seed"] == seed)]
    return chosen.astype({"setting": str}).set_index(KEYS)["value"].to_dict()


def test_summary_of_a_system_is_made_as_that_of_a_run(results):
    """Of the same scores the same numbers, in the seen and unseen languages of the first run that it is made of."""
    summary = results.summary()
    expected = rows_of(summary, "monolingual", 1)
    assert {languages for languages, *_ in expected} == {"all", "seen", "unseen"}
    assert rows_of(summary, "between", 1) == pytest.approx(expected)


def test_summary_has_every_system_and_seed_once(results):
    summary = results.summary()
    assert not summary.duplicated(["configuration", "seed", *KEYS]).any()
    systems = {"monolingual": [1], "mixed": [1, 2], "mixed + centring": [1, 2], "between": [1]}
    found = summary[["configuration", "seed"]].drop_duplicates().itertuples(index=False, name=None)
    assert list(found) == [(label, seed) for label, seeds in systems.items() for seed in seeds]
    mean = evaluated(12).means().loc["multilingual", "nDCG@10"].mean()
    assert rows_of(summary, "mixed + centring", 2)["all", "multilingual", "nDCG@10"] == pytest.approx(mean)


def test_score_table_is_that_of_the_runs(results, study):
    assert list(score_table(results.runs)["run"].unique()) == list(study.runs())


def test_costs_of_a_system_are_those_of_the_runs_that_it_is_made_of(results, study):
    costs = results.costs(study)
    assert costs.columns.tolist() == (
        "run configuration seed pairs updates seconds validation one_language_batches uniformity".split()
    )
    updates = RunConfig().updates
    expected = [
        ("monolingual", 1, updates, 10, -1),
        ("mixed", 1, updates, 10, -1),
        ("mixed", 2, updates, 20, -2),
        ("mixed + centring", 1, updates, 10, -9),
        ("mixed + centring", 2, updates, 20, -9),
        ("between", 1, 2 * updates, 20, -9),
    ]
    columns = ["configuration", "seed", "updates", "seconds", "uniformity"]
    assert list(costs[columns].itertuples(index=False, name=None)) == expected
    assert (costs["pairs"] == 64 * costs["updates"]).all()
    assert costs["run"].tolist() == [*study.runs(), *study.derived()]


def test_costs_of_a_system_whose_run_is_gone_are_unknown(own):
    (run_folder("mine", list(own.runs())[2]) / "result.json").unlink()
    costs = StudyResults.read(own).costs(own).set_index(["configuration", "seed"])
    unknown = costs.loc[("mixed + centring", 2)]
    assert unknown[["pairs", "updates", "seconds"]].isna().all()
    assert unknown["uniformity"] == -9
    assert costs["seconds"].notna().sum() == 4


def test_about_says_what_was_studied(results, study):
    about = results.about(dataclasses.replace(study, axis="alpha", references=("between",)))
    assert json.loads(json.dumps(about)) == about
    assert [about[key] for key in ("name", "baseline", "references")] == ["mine", "mixed", ["between"]]
    assert about["series"] == [{"configuration": "monolingual", "series": "hybrid", "x": 1.0}]
    assert (about["demonstration"], about["missing"], about["corpus"]) == (True, [], "mine")
    assert about["languages"] == {"all": ["en", "de", "fr"], "seen": ["en"], "unseen": ["de", "fr"]}
    assert results.about(study)["series"] == []


def test_top_share_is_the_mean_over_seeds_of_the_systems_asked_for(results):
    found = results.top_share(["mixed", "mixed + centring"])
    assert list(found) == ["mixed", "mixed + centring"]
    for label, numbers in (("mixed", (1, 2)), ("mixed + centring", (11, 12))):
        expected = np.mean([evaluated(number).top_share.loc[["de", "en"], ["de", "en", "fr"]] for number in numbers], 0)
        assert found[label].loc[["de", "en"], ["de", "en", "fr"]].to_numpy() == pytest.approx(expected)


def mean_and_moves_by_loops(tables, setting, measure):
    """The macro mean of the mean over seeds, and how far each concept moves it from what it is."""
    pairs = {}
    for table in tables:
        for row in table[table["setting"] == setting].to_dict("records"):
            cell = pairs.setdefault((row["query_language"], row["passage_language"]), {})
            cell[row["concept"]] = cell.get(row["concept"], 0) + row[measure] / len(tables)
    concepts = sorted({concept for cell in pairs.values() for concept in cell}, key=lambda name: int(name[1:]))
    means = [np.mean(list(cell.values())) for cell in pairs.values()]
    moves = [
        sum((cell.get(c, mean) - mean) / len(cell) for cell, mean in zip(pairs.values(), means, strict=True))
        for c in concepts
    ]
    return np.mean(means), np.array(moves) / len(pairs)


POOL_TESTS = [("multilingual", measure) for measure in ("RR", "rank_distance", SHARE)]
TESTS = [*((setting, "nDCG@10") for setting in SETTINGS), *POOL_TESTS]


@pytest.mark.parametrize(("setting", "measure"), TESTS)
@pytest.mark.parametrize("label", ["mixed", "between"])
def test_intervals_are_the_bootstrap_by_concept(results, label, setting, measure):
    scores = results.scores()
    table = means_table(scores, results.summary()).set_index(["configuration", "languages", "setting", "measure"])
    row = table.loc[(label, "all", setting, measure)]
    mean, moves = mean_and_moves_by_loops(scores[label], setting, measure)
    assert row["value"] == pytest.approx(mean)
    assert row["low"] < row["value"] < row["high"]
    assert tuple(row[["low", "high"]] - mean) == pytest.approx(bootstrap_interval(moves))


def test_means_are_over_seeds_with_their_deviation(results):
    scores, summary = results.scores(), results.summary()
    table = means_table(scores, summary)
    expected = "configuration languages setting measure value deviation seeds low high"
    assert table.columns.tolist() == expected.split()
    assert not table.duplicated(expected.split()[:4]).any()
    rows = table.set_index(expected.split()[:4])
    values = [rows_of(summary, "mixed", seed)["seen", "monolingual", "AP"] for seed in (1, 2)]
    row = rows.loc[("mixed", "seen", "monolingual", "AP")]
    assert tuple(row[["value", "deviation", "seeds"]]) == pytest.approx((np.mean(values), np.std(values, ddof=1), 2))
    assert rows.loc[("between", "all", "monolingual", "AP"), "seeds"] == 1
    assert np.isnan(rows.loc[("between", "all", "monolingual", "AP"), "deviation"])


def test_only_what_is_tested_of_all_languages_has_an_interval(results):
    table = means_table(results.scores(), results.summary())
    known = table[table["low"].notna()]
    assert set(known["languages"]) == {"all"}
    assert set(zip(known["setting"], known["measure"], strict=True)) == set(TESTS)
    assert (table["low"].isna() == table["high"].isna()).all()


def test_without_references_every_pair_is_compared(results, study):
    scores, summary = results.scores(), results.summary()
    trainings = {"monolingual": "monolingual", "mixed": "mixed", "mixed + centring": "mixed", "between": "both"}
    expected = compared_with_seeds(comparisons(scores), summary, trainings)
    pd.testing.assert_frame_equal(results.comparisons(study, scores, summary), expected)


def test_no_seed_changes_what_was_not_trained(results, study):
    """One training alone has two seeds here, so that nothing is known of those with one, but of the untrained all."""
    summary = results.summary()
    panel = "monolingual", "nDCG@10"
    paired = paired_variance(summary, "mixed", "mixed + centring", *panel)[0]
    own = summary[(summary["configuration"] == "mixed") & (summary["languages"] == "all")]
    variance = own.groupby(["setting", "measure"])["value"].var()[panel]
    untrained = dataclasses.replace(results.runs[0], config=RunConfig(sampler="untrained"))
    known = StudyResults([untrained, *results.runs[1:]], results.systems, [])
    for one, expected in ((results, np.nan), (known, (variance / 2) ** 0.5)):
        table = one.comparisons(study, one.scores(), summary)
        errors = {
            other: against(table, "mixed", other, *panel)["seed_error"] for other in one.scores() if other != "mixed"
        }
        assert errors["monolingual"] == pytest.approx(expected, nan_ok=True)
        assert errors["mixed + centring"] == pytest.approx((paired / 2) ** 0.5)
        assert np.isnan(errors["between"])


def test_with_references_all_are_compared_with_these_and_with_the_best(results, study, monkeypatch):
    """With that of all and that of those not trained on more; the share of the query's language has no best."""
    given = {}
    monkeypatch.setattr(study_results, "comparisons", lambda scores, references: given.update(found=references))
    monkeypatch.setattr(study_results, "compared_with_seeds", lambda *_: None)
    values = {
        ("monolingual", "nDCG@10"): {"mixed": [0.9, 0.1], "monolingual": [0.6], "between": [0.7]},
        ("crosslingual", "nDCG@10"): {"mixed": [0.8, 0.9], "monolingual": [0.6], "between": [0.3]},
        ("multilingual", "nDCG@10"): {"mixed": [0.5, 0.5], "monolingual": [0.2], "between": [0.3]},
        ("multilingual", "RR"): {"mixed": [0.5, 0.5], "monolingual": [0.2], "between": [0.3]},
        ("multilingual", "rank_distance"): {"mixed": [50, 60], "monolingual": [70], "between": [60]},
        ("multilingual", SHARE): {"mixed + centring": [0.9]},
    }
    rows = [
        (label, seed, languages, *test, value if languages == "all" else -value)
        for test, systems in values.items()
        for label, found in systems.items()
        for seed, value in enumerate(found)
        for languages in ("all", "seen")
    ]
    summary = pd.DataFrame(rows, columns=["configuration", "seed", *KEYS, "value"])
    chosen = SimpleNamespace(baseline="mixed", references=("mixed + centring",), runs=study.runs, derived=study.derived)
    results.comparisons(chosen, results.scores(), summary)
    assert given["found"] == ["mixed", "mixed + centring", "between", "monolingual"]


MANY = [f"s{number}" for number in range(9)]


@pytest.mark.parametrize(
    ("labels", "shown", "references", "expected"),
    [
        (MANY[:8], (), ("s1",), MANY[:8]),
        (MANY[:8], ("s5", "s2"), ("s1",), ["s2", "s3", "s5"]),
        (MANY, (), ("s7", "s1"), ["s1", "s3", "s7"]),
        (MANY, ("s5",), ("s1",), ["s3", "s5"]),
        (MANY, (), (), MANY),
        (MANY, ("s3",), (), MANY),
        (MANY[:4], ("s8",), (), MANY[:4]),
    ],
    ids=["few", "chosen of few", "references of many", "chosen of many", "many", "baseline alone", "not finished"],
)
def test_overview_is_what_the_study_shows(labels, shown, references, expected):
    study = SimpleNamespace(baseline="s3", shown=shown, references=references)
    assert overview(study, labels) == expected
