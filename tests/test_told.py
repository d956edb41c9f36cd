"""A study as its tables tell it, and what is refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from random_results import evaluated
from told_cases import report, told

from hybridlib.errors import InputError
from hybridlib.told import Told, main_study, read_studies, run_labels

TEXT = """
title: Mine
baseline: monolingual
defaults: {encoder: tiny}
runs: [{sampler: untrained}, {sampler: monolingual}, {sampler: mixed, seed: [1, 2]}]
systems: [{of: mixed, debias: [centring]}]
"""
LABELS = ["untrained", "monolingual", "mixed", "mixed + centring"]
TABLES = ["scores", "summary", "means", "comparisons", "runs"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A study as ``report`` leaves it."""
    return report(tmp_path_factory.mktemp("study") / "reports", TEXT)


@pytest.fixture
def study(written):
    return Told.read(written)


@pytest.fixture
def copied(written, tmp_path):
    """Copy the tables to a folder of another name, with changes in what ``study.json`` says."""

    def copy(name="mine", **changes):
        folder = tmp_path / name
        folder.mkdir()
        for file in written.glob("*.csv"):
            shutil.copy(file, folder)
        about = json.loads((written / "study.json").read_text())
        (folder / "study.json").write_text(json.dumps({**about, "name": name, **changes}))
        return folder

    return copy


def test_systems_are_in_the_order_of_the_file(study):
    assert (study.name, study.labels) == ("mine", LABELS)


def test_value_is_the_mean_over_seeds_with_its_interval(study):
    by_seed = [evaluated(number).means().loc["multilingual", "nDCG@10"].mean() for number in (2, 3)]
    assert study.value("mixed", "multilingual", "nDCG@10") == pytest.approx(np.mean(by_seed), rel=1e-5)
    low, high = (study.value("mixed", "multilingual", "nDCG@10", column) for column in ("low", "high"))
    assert low < np.mean(by_seed) < high


@pytest.mark.parametrize(
    "asked", [("absent", "multilingual", "nDCG@10"), ("mixed", "bilingual", "AP"), ("mixed", "multilingual", "best")]
)
def test_a_number_that_is_not_there_is_refused(study, asked):
    label, setting, measure = asked
    with pytest.raises(InputError) as error:
        study.value(*asked)
    assert str(error.value) == f"{study.folder}/means.csv: found no {setting} {measure} of {label}, expected one"


def means_of(numbers):
    """Means by language pair over some of the evaluations."""
    return sum(evaluated(number).means() for number in numbers) / len(numbers)


def test_pairs_are_of_single_languages_and_means_over_seeds(study):
    found, means = study.by_pair("mixed"), means_of((2, 3))["nDCG@10"]
    assert (found.index.tolist(), found.columns.tolist()) == (["de", "en"], ["de", "en", "fr"])
    for (query, passage), value in found.stack().items():
        setting = "monolingual" if query == passage else "crosslingual"
        assert value == pytest.approx(means[setting, query, passage], rel=1e-5)


def test_rank_distance_is_by_query_language(study):
    found = study.by_query_language("mixed")
    expected = means_of((2, 3)).loc["multilingual", "rank_distance"].droplevel("passage_language")
    assert found.to_dict() == pytest.approx(expected.to_dict(), rel=1e-5)
    assert set(found.index) == {"de", "en"}


def test_labels_that_look_like_numbers_or_nothing_are_labels(tmp_path):
    names = "64", "null", "1e3", "NA"
    runs = [{"label": name, "steps": number} for number, name in enumerate(names, start=1)]
    folder = report(tmp_path / "reports", json.dumps({"runs": runs, "defaults": {"validate_every": 1}}))
    found = Told.read(folder)
    assert tuple(found.labels) == names
    assert set(found.comparisons["configuration"]) | set(found.comparisons["baseline"]) == set(names)
    for name in names:
        assert found.value(name, "monolingual", "nDCG@10") > 0
        assert found.by_pair(name).notna().all(axis=None)
    assert set(run_labels(folder).values()) == set(names)


def test_measures_that_are_not_tested_have_no_interval(study):
    assert np.isnan(study.value("mixed", "monolingual", "AP", "low"))
    assert study.value("mixed", "monolingual", "AP") > 0


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    "content", [None, b"", b"\xff\xfe\x00", b"one,two\n1,2\n"], ids=["gone", "empty", "bytes", "other"]
)
def test_a_table_that_is_not_there_or_none_is_named(copied, name, content):
    folder = copied()
    file = folder / f"{name}.csv"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as error:
        Told.read(folder)
    said = str(error.value)
    assert said.startswith(f"{file}: found no table (")
    assert said.endswith("), expected that of `report`")
    assert "\n" not in said


@pytest.mark.parametrize(("name", "column"), [("means", "low"), ("runs", "seconds"), ("scores", "value")])
def test_words_where_numbers_should_be_are_refused(copied, name, column):
    folder = copied()
    table = pd.read_csv(folder / f"{name}.csv", dtype=str)
    table.loc[0, column] = "much"
    table.to_csv(folder / f"{name}.csv", index=False)
    with pytest.raises(InputError, match=rf"{name}\.csv: found no table \(.*much"):
        Told.read(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "{", "found no JSON"),
        (lambda text: "[]", "found no object"),
        (lambda text: text.replace('"series"', '"lines"'), "found no series, expected what `report` writes"),
        (lambda text: text.replace('"name": "mine"', '"name": "yours"'), "found the study 'yours', expected"),
    ],
    ids=["broken", "list", "incomplete", "of another"],
)
def test_a_description_that_is_none_is_refused(copied, change, message):
    file = copied() / "study.json"
    file.write_text(change(file.read_text()))
    with pytest.raises(InputError) as error:
        Told.read(file.parent)
    assert str(error.value).startswith(f"{file}: {message}")


def test_a_folder_that_was_not_reported_is_refused_by_itself_and_passed_over_among_others(copied, tmp_path):
    folder = copied()
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match=r"other/study\.json: found no JSON"):
        Told.read(tmp_path / "other")
    assert [told.folder for told in read_studies(tmp_path).values()] == [folder]


def test_studies_are_in_order_and_demonstrations_last(copied, tmp_path):
    for name, made_up in {"c": False, "a": True, "d": True, "b": False}.items():
        copied(name, demonstration=made_up)
    assert list(read_studies(tmp_path)) == ["b", "c", "a", "d"]


def test_no_reports_no_studies(tmp_path):
    assert read_studies(tmp_path / "nowhere") == {}


def studies(*names):
    return {name: told({}, name=name) for name in names}


@pytest.mark.parametrize(
    ("names", "named", "expected"),
    [
        (["alpha", "b", "methods", "xm3600"], None, "methods"),
        (["alpha", "b", "xm3600"], None, "xm3600"),
        (["a", "alpha"], None, "alpha"),
        (["b", "a"], None, "b"),
        (["b", "methods"], "b", "b"),
    ],
)
def test_main_study_is_the_one_named_else_that_of_methods_else_the_first(names, named, expected):
    assert main_study(studies(*names), named).name == expected


@pytest.mark.parametrize("named", ["c", ""])
def test_a_main_study_that_is_not_there_is_refused(named):
    with pytest.raises(InputError) as error:
        main_study(studies("a", "b"), named)
    assert str(error.value) == f"main: found {named!r}, expected one of the reported studies a b"


def test_without_a_study_there_is_nothing_to_tell():
    with pytest.raises(InputError, match="found no reported study, expected one at least: make study"):
        main_study({}, None)


def test_runs_are_called_as_in_their_study(written, tmp_path):
    names = run_labels(written)
    runs = {name: label for name, label in names.items() if (written / "runs" / name).is_dir()}
    assert list(runs.values()) == ["untrained", "monolingual", "mixed", "mixed"]
    assert run_labels(tmp_path) == {}
