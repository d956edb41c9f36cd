import os
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from hybridlib import splits
from hybridlib.config import RunConfig
from hybridlib.study import load_study

NEED_DATA = pytest.mark.skipif("HYBRIDLIB_DATA" not in os.environ, reason="the study names a file in $HYBRIDLIB_DATA")
STUDIES = [
    pytest.param(file, id=file.stem, marks=NEED_DATA if "$HYBRIDLIB_DATA" in file.read_text(encoding="utf-8") else ())
    for file in sorted((Path(__file__).parents[1] / "studies").glob("*.yaml"))
]
RUNS = {
    "alpha": 43,
    "batch-scaling": 75,
    "data-size": 21,
    "methods": 25,
    "objectives": 103,
    "objectives-short": 22,
    "quick": 9,
    "smoke": 5,
    "temperatures": 53,
    "xm3600": 13,
    "zero-shot": 5,
}


@pytest.mark.parametrize("file", STUDIES)
def test_studies_of_the_project_load(file):
    study = load_study(file)
    assert (study.name, len(study.configs)) == (file.stem, RUNS[file.stem])
    assert study.baseline in study.names
    assert study.title != study.name
    assert study.question.endswith("?")


@pytest.mark.parametrize("file", STUDIES)
def test_configurations_of_a_study_differ_in_label_or_seed(file):
    """Else the comparison of the finished runs would refuse them."""
    study = load_study(file)
    assert len({(name, config.seed) for config, name in study.labels().items()}) == len(study.configs)


def test_objectives_take_the_temperatures_that_validation_chose():
    """As the committed table of the study temperatures says, for every objective that is in both."""
    folder = Path(__file__).parents[1]
    table = pd.read_csv(folder / "reports" / "temperatures" / "tables" / "choice.csv", index_col=0)
    chosen = table["temperature chosen"]
    taken = {}
    for config, label in load_study(folder / "studies" / "objectives.yaml").labels().items():
        for arguments in config.objective.values():
            if "temperature" in arguments and config.sampler != "untrained":
                taken.setdefault(label.rsplit(", ", 1)[0], set()).add(arguments["temperature"])
    assert taken == {label: {temperature} for label, temperature in chosen.items()}


def test_demonstrations_are_the_studies_on_scenes(study_of):
    assert study_of("runs: [{}]").is_demonstration
    assert study_of("runs: [{corpus: scenes}, {corpus: xm3600}]").is_demonstration
    assert study_of("runs: [{corpus: xm3600, train_corpora: [scenes]}]").is_demonstration
    assert study_of("runs: [{corpus: xm3600, first_stage: {train_corpora: [scenes]}}]").is_demonstration
    assert not study_of("runs: [{corpus: xm3600}]").is_demonstration


def test_grid_is_every_combination(study_of):
    study = study_of("grid: {sampler: [mixed, hybrid], seed: [1, 2, 3]}")
    expected = [RunConfig(sampler=s, seed=n) for s, n in product(["mixed", "hybrid"], [1, 2, 3])]
    assert list(study.configs) == expected


def test_runs_stand_before_the_grid(study_of):
    study = study_of("grid: {seed: [1, 2]}\nruns: [{sampler: untrained}, {sampler: mixed}]")
    assert [config.label() for config in study.configs] == ["untrained", "mixed", "hybrid 0.5", "hybrid 0.5"]


def test_defaults_hold_for_runs_and_grid_alike(study_of):
    study = study_of("defaults: {steps: 7}\ngrid: {seed: [1, 2]}\nruns: [{sampler: mixed}]")
    assert [config.steps for config in study.configs] == [7, 7, 7]


def test_runs_and_grid_go_before_defaults(study_of):
    study = study_of("defaults: {seed: 9, steps: 7}\ngrid: {seed: [1]}\nruns: [{seed: 2, sampler: mixed}]")
    assert [(config.seed, config.steps) for config in study.configs] == [(2, 7), (1, 7)]


def test_grid_over_language_lists(study_of):
    study = study_of("grid: {train_languages: [[en, de], ['no']], seed: [1]}")
    assert [config.train_languages for config in study.configs] == [("en", "de"), ("no",)]


def test_title_and_baseline_have_defaults(study_of):
    study = study_of("runs: [{sampler: mixed}, {sampler: hybrid, alpha: 0.25}]")
    assert (study.name, study.title, study.question, study.baseline) == ("mine", "mine", "", "mixed")


def test_baseline_may_be_any_label(study_of):
    assert study_of("baseline: hybrid 0.25\nruns: [{sampler: mixed}, {alpha: 0.25}]").baseline == "hybrid 0.25"


def test_what_is_compared_and_shown_has_defaults(study_of):
    study = study_of("runs: [{}]")
    assert (study.references, study.shown, study.axis, study.systems) == ((), (), None, ())


def test_systems_are_labels_like_the_others(study_of):
    text = """
        references: [mixed + lir, mixed]
        shown: [hybrid 0.5, between]
        axis: batch_size
        runs: [{sampler: mixed}, {}]
        systems: [{of: mixed, debias: [lir]}, {of: [mixed, hybrid 0.5], label: between}]
    """
    study = study_of(text)
    assert (study.references, study.shown, study.axis) == (
        ("mixed + lir", "mixed"),
        ("hybrid 0.5", "between"),
        "batch_size",
    )
    assert [system.label for system in study.systems] == ["mixed", "between"]
    assert study.names == ("mixed", "hybrid 0.5")


def test_a_list_of_seeds_is_a_run_each(study_of):
    study = study_of("grid: {steps: [5]}\nruns: [{sampler: mixed, seed: [3, 1], label: ours}, {alpha: 0.25}]")
    assert [(config.label(), config.seed) for config in study.configs] == [
        ("mixed", 3), ("mixed", 1), ("hybrid 0.25", 1), ("hybrid 0.5", 1),
    ]  # fmt: skip
    assert study.names == ("ours", "ours", "hybrid 0.25", "hybrid 0.5")


@pytest.mark.parametrize(
    ("grid", "labels"),
    [
        ("{batch_size: [32, 64]}", ["hybrid 0.5, batch_size 32", "hybrid 0.5, batch_size 64"]),
        (
            "{sampler: [monolingual, hybrid], alpha: [0.2, 0.8]}",
            ["monolingual, alpha 0.2", "monolingual, alpha 0.8", "hybrid 0.2", "hybrid 0.8"],
        ),
        ("{seed: [1, 2]}", ["hybrid 0.5", "hybrid 0.5"]),
        ("{accumulate: [1, 4]}", ["hybrid 0.5", "hybrid 0.5, accumulate 4"]),
        (
            "{first_stage: [null, {objective: {dcl: {}}}, {objective: {dcl: {}}, steps: 5}]}",
            ["hybrid 0.5", "hybrid 0.5, after dcl", "hybrid 0.5, after dcl steps 5"],
        ),
    ],
)
def test_configurations_have_labels_that_tell_them_apart(study_of, grid, labels):
    assert list(study_of(f"grid: {grid}").labels().values()) == labels


def test_runs_may_be_called_by_a_label(study_of):
    study = study_of("baseline: ours\nruns: [{label: ours, seed: 1}, {label: ours, seed: 2}, {sampler: mixed}]")
    assert study.names == ("ours", "ours", "mixed")
    assert [config.seed for config in study.configs] == [1, 2, 1]


def test_run_names_are_those_of_configuration_and_data(study_of):
    runs = study_of("grid: {sampler: [mixed, hybrid], seed: [1, 2]}").runs()
    assert [name.rsplit("-", 1)[0] for name in runs] == [
        "mixed-seed1",
        "mixed-seed2",
        "hybrid-0.5-seed1",
        "hybrid-0.5-seed2",
    ]
    assert len({name.rsplit("-", 1)[1] for name in runs}) == 4


def test_systems_are_named_by_the_runs_that_they_are_made_of(study_of):
    text = "{}\nsystems: [{{of: mixed, debias: [lir]}}, {{of: [mixed, hybrid 0.5]}}]"
    study = study_of(text.format("runs: [{sampler: mixed, seed: [1, 2]}, {}]"))
    found = study.derived()
    assert list(found.values()) == list(study.systems)
    names = {config: run for run, config in study.runs().items()}
    assert list(found) == [system.name([names[parent] for parent in system.parents]) for system in study.systems]
    longer = study_of(text.format("defaults: {steps: 9}\nruns: [{sampler: mixed, seed: [1, 2]}, {}]"))
    assert set(longer.derived()).isdisjoint(found)


@pytest.mark.parametrize("run", ["{{corpus: {}}}", "{{train_corpora: [{}]}}"])
def test_run_name_follows_the_corpora(study_of, tmp_path, run):
    file, names = tmp_path / "own.jsonl", []
    for word in ("one", "two"):
        file.write_text(f'{{"concept": "c", "language": "en", "query": "{word}", "passage": "three"}}\n')
        for loader in (splits._corpus, splits._selected):  # a process loads a corpus once
            loader.cache_clear()
        names += study_of(f"runs: [{run.format(file)}]").runs()
    assert len(set(names)) == 2
