import json
import platform
from importlib.metadata import version

import pandas as pd
import pytest
import torch
from random_results import evaluated

from hybridlib import results
from hybridlib.errors import InputError
from hybridlib.evaluation import KEYS, macro_means
from hybridlib.results import PACKAGES, Results, environment, result_summary, systems, unlike, write_csv, write_results

ABOUT = {"label": "mine", "seed": None}


@pytest.fixture(scope="module")
def evaluations():
    return {"none": evaluated(0), "lir": evaluated(1)}


def written(folder, evaluations, **about) -> Results:
    geometry = {name: {"uniformity": -1.5} for name in evaluations}
    write_results(folder, evaluations, geometry, {**ABOUT, **about})
    return Results.read(folder)


@pytest.fixture(scope="module")
def read(evaluations, tmp_path_factory):
    return written(tmp_path_factory.mktemp("out") / "new", evaluations)


def test_scores_are_read_as_they_were_written(read, evaluations):
    found = read.scores()
    assert list(found) == ["mine", "mine + lir"]
    for table, evaluation in zip(found.values(), evaluations.values(), strict=True):
        pd.testing.assert_frame_equal(table, evaluation.scores, check_categorical=False)
        assert [table[key].dtype for key in KEYS] == ["category"] * 4


def test_ranks_are_written(read, evaluations):
    table = pd.read_parquet(read.folder / "ranks.parquet")
    for name, evaluation in evaluations.items():
        part = table[table["debias"] == name].drop(columns="debias").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, evaluation.ranks, check_categorical=False)


def test_languages_are_a_row_a_pair(read, evaluations):
    for table, evaluation in zip(read.languages().values(), evaluations.values(), strict=True):
        rows = table.set_index(["query_language", "passage_language"])
        assert len(rows) == 9
        for (asked, held), row in rows.iterrows():
            assert row["top_share"] == pytest.approx(evaluation.top_share.loc[asked, held], nan_ok=True)
            assert row["single_answer"] == pytest.approx(evaluation.single_answer.loc[asked, held], nan_ok=True)
            assert row["even_share"] == evaluation.even_share[held]


def test_result_has_the_macro_means(read, evaluations):
    assert read.result["debiasings"] == ["none", "lir"]
    for name, evaluation in evaluations.items():
        means = read.result["means"][name]
        expected = macro_means(evaluation.means())
        assert list(means) == list(expected.index)
        for setting, measures in means.items():
            assert measures == pytest.approx(expected.loc[setting].dropna().to_dict())
        assert "rank_distance" not in means["monolingual"]


def test_result_says_what_it_is_told(read):
    assert read.result["geometry"] == {"none": {"uniformity": -1.5}, "lir": {"uniformity": -1.5}}
    assert {key: read.result[key] for key in ABOUT} == ABOUT


def test_random_rank_distance_is_that_of_the_languages_with_queries(read, evaluations):
    expected = evaluations["none"].random_rank_distance.dropna().to_dict()
    assert expected.keys() == {"en", "de"}
    assert read.result["random_rank_distance"] == pytest.approx(expected)


def test_csv_has_every_mean_of_a_language_pair(read, evaluations):
    table = pd.read_csv(read.folder / "scores.csv")
    assert table.columns.tolist() == ["debias", *KEYS[:3], "measure", "value"]
    found = table.set_index(["debias", "measure", *KEYS[:3]])["value"].sort_index()
    for name, evaluation in evaluations.items():
        for measure, means in evaluation.means().items():
            assert found[name, measure].to_dict() == pytest.approx(means.dropna().to_dict(), rel=1e-5)


def test_csv_has_six_digits(tmp_path):
    write_csv(tmp_path / "table.csv", pd.DataFrame({"value": [1 / 3, 12345.678]}))
    assert (tmp_path / "table.csv").read_text() == "value\n0.333333\n12345.7\n"


def test_without_the_pool_there_are_no_language_matrices(tmp_path):
    read = written(tmp_path, {"none": evaluated(0, ["crosslingual"])})
    assert list(read.result["means"]["none"]) == ["crosslingual"]
    assert read.result["random_rank_distance"] == {}
    assert read.languages()["mine"].empty


def test_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"found no result\.json, expected finished results of `evaluate`"):
        Results.read(tmp_path)


def test_training_run_is_refused(tmp_path):
    (tmp_path / "result.json").write_text('{"run": "hybrid-0.5-seed1"}')
    with pytest.raises(InputError, match=r"result\.json: found no debiasings"):
        Results.read(tmp_path)


def test_seeds_of_one_label_are_put_together(evaluations, tmp_path):
    plain = {"none": evaluations["none"]}
    some = [written(tmp_path / f"{seed}", plain, seed=seed) for seed in (1, 2)]
    some.append(written(tmp_path / "other", evaluations, label="other"))
    assert {label: len(tables) for label, tables in systems(some).items()} == {"mine": 2, "other": 1, "other + lir": 1}


def test_seeds_of_one_label_differ_in_nothing_else(evaluations, tmp_path):
    """Labels say sampler and alpha alone, so that runs of two studies may be called the same."""
    settings = [{"batch_size": 16, "seed": 1}, {"batch_size": 256, "seed": 2}]
    some = [written(tmp_path / f"{one['seed']}", evaluations, seed=one["seed"], configuration=one) for one in settings]
    with pytest.raises(InputError, match=r"2: found 'mine' with another batch_size than .*1, expected another label"):
        systems(some)
    alike = written(tmp_path / "3", evaluations, seed=3, configuration={**settings[0], "seed": 3})
    assert len(systems([some[0], alike])["mine"]) == 2


def test_one_label_and_seed_twice_is_refused(evaluations, tmp_path):
    some = [written(tmp_path / name, evaluations) for name in ("first", "second")]
    with pytest.raises(InputError, match=r"second: found 'mine' as in .*first, expected another label or seed"):
        systems(some)


def test_summary_has_a_row_a_system_seed_setting_and_measure(read, evaluations, tmp_path):
    seeded = written(tmp_path, {"none": evaluations["none"]}, seed=3, label="trained")
    table = result_summary([read, seeded])
    keys = table.columns.tolist()[:-1]
    assert keys == ["configuration", "seed", "languages", "setting", "measure"]
    assert set(zip(table["configuration"], table["seed"], strict=True)) == {
        ("mine", 0), ("mine + lir", 0), ("trained", 3),
    }  # fmt: skip
    value = table.set_index(keys)["value"]
    for key, number in value.items():
        name = "lir" if key[0].endswith("lir") else "none"
        assert number == read.result["means"][name][key[3]][key[4]]
    assert len(value) == 3 * sum(len(of) for of in read.result["means"]["none"].values())


def test_environment_names_versions_and_machine():
    said = environment(3)
    assert set(said["packages"]) == set(PACKAGES)
    assert (said["packages"]["torch"], said["packages"]["pandas"]) == (version("torch"), pd.__version__)
    assert said["python"] == platform.python_version()
    assert platform.machine() in said["machine"]
    assert (said["gpu"] is None) == (not torch.cuda.is_available())
    assert said["threads"] == 3
    json.dumps(said)


@pytest.mark.parametrize("fast", [False, True])
def test_environment_says_whether_the_processor_takes_bfloat16(monkeypatch, fast):
    monkeypatch.setattr(results, "has_bfloat16", lambda device: fast)
    assert environment(1)["machine"].endswith(", bfloat16") == fast


def made_with(**changes: object) -> dict[str, object]:
    return {"environment": {**environment(1), **changes}}


def test_results_made_alike_have_no_difference():
    assert unlike([made_with(), made_with()]) == ""


def test_differences_of_environments_are_counted():
    newer = made_with(packages={**environment(1)["packages"], "torch": "99"})
    here, torch_here = environment(1)["machine"], version("torch")
    assert unlike([made_with(machine="another"), made_with(), newer]) == (
        f"machine: {here} (2), another (1); torch: {torch_here} (2), 99 (1)"
    )
    assert unlike([made_with(), {"environment": {**environment(1), "older": 1}}]) == "older: None (1), 1 (1)"


def test_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr(results, "PACKAGES", ("torch", "no-such-package-of-anyone"))
    assert environment(1)["packages"]["no-such-package-of-anyone"] is None
