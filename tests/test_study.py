import os
from itertools import product
from pathlib import Path

import pytest

from hybridlib import splits
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.study import load_study

NEED_DATA = pytest.mark.skipif("HYBRIDLIB_DATA" not in os.environ, reason="the study names a file in $HYBRIDLIB_DATA")
STUDIES = [
    pytest.param(file, id=file.stem, marks=NEED_DATA if "$HYBRIDLIB_DATA" in file.read_text(encoding="utf-8") else ())
    for file in sorted((Path(__file__).parents[1] / "studies").glob("*.yaml"))
]
RUNS = {
    "alpha": 40,
    "batch-scaling": 60,
    "data-size": 21,
    "methods": 23,
    "objectives-short": 22,
    "quick": 9,
    "smoke": 5,
    "temperatures": 40,
    "xm3600": 13,
    "zero-shot": 5,
}


@pytest.fixture
def study_of(tmp_path):
    """Write a study file and load it."""

    def load(text, name="mine.yaml"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return load_study(file)

    return load


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


BAD = {
    "not YAML": ("runs: [{", ["no YAML", "expected a study file"]),
    "a Python tag": ("title: !!python/name:os.system", ["no YAML", "python/name:os.system"]),
    "a list": ("[1, 2]", ["found [1, 2]", "expected names with values"]),
    "nothing": ("", ["found None", "expected names with values"]),
    "number as a name": ("1: 2", ["found {1: 2}", "expected names with values"]),
    "unknown key": ("colour: red\nruns: [{}]", ["found 'colour'", "expected one of title question baseline"]),
    "title is a number": ("title: 3\nruns: [{}]", ["found title: 3", "expected a str"]),
    "runs is no list": ("runs: {seed: 1}", ["found runs: {'seed': 1}", "expected a list"]),
    "grid is no mapping": ("grid: [seed]", ["found grid: ['seed']", "expected a dict"]),
    "grid without a list": ("grid: {seed: 3}", ["found grid seed: 3", "expected a list of values"]),
    "grid of nothing": ("grid: {seed: []}", ["found grid seed: []", "expected a list of values"]),
    "run is a number": ("runs: [3]", ["found 3", "expected names with values"]),
    "unknown parameter": ("runs: [{stepz: 3}]", ["unknown parameter 'stepz'", "expected one of corpus"]),
    "unknown default": ("defaults: {stepz: 3}\nruns: [{}]", ["unknown parameter 'stepz'", "expected one of corpus"]),
    "alpha 1.5": ("runs: [{alpha: 1.5}]", ["found alpha = 1.5", "expected less than or equal to 1"]),
    "steps as text": ("runs: [{steps: many}]", ["found steps = 'many'", "expected a valid integer"]),
    "seed yes": ("runs: [{seed: yes}]", ["found seed = True", "expected a valid integer"]),
    "no corpus": ("runs: [{corpus: nowhere.jsonl}]", ["found corpus 'nowhere.jsonl'", "expected scenes, xm3600"]),
    "corpus no file": ("runs: [{corpus: wiki}]", ["found corpus 'wiki'", "expected scenes, xm3600"]),
    "no seeds": ("runs: [{seed: []}, {}]", ["found seed = (", "expected a valid integer"]),
    "seed twice": ("runs: [{seed: [1, 1]}]", ["found 1 runs that are asked for twice"]),
    "seed as a word": ("runs: [{seed: [one]}]", ["found seed = 'one'", "expected a valid integer"]),
    "reference no label": ("references: [best]\nruns: [{}]", ["found references 'best'", "expected one of hybrid 0.5"]),
    "reference a list": ("references: [[a]]\nruns: [{}]", ["found references ['a']", "expected one of hybrid 0.5"]),
    "references a text": ("references: best\nruns: [{}]", ["found references: 'best'", "expected a list"]),
    "shown no label": ("shown: [3]\nruns: [{}]", ["found shown 3", "expected one of hybrid 0.5"]),
    "axis of none": ("axis: steps\nruns: [{}]", ["found axis 'steps'", "expected one of alpha, batch_size, train_con"]),
    "systems no list": ("systems: {of: mixed}\nruns: [{}]", ["found systems: {'of': 'mixed'}", "expected a list"]),
    "system of none": ("systems: [{of: best, debias: [lir]}]\nruns: [{}]", ["found systems of 'best'", "hybrid 0.5"]),
    "baseline a system": (
        "baseline: hybrid 0.5 + lir\nsystems: [{of: hybrid 0.5, debias: [lir]}]\nruns: [{}]",
        ["found baseline 'hybrid 0.5 + lir', expected one of hybrid 0.5"],
    ),
    "runs twice": ("runs: [{seed: 1}, {}, {seed: 2}]", ["found 1 runs that are asked for twice", "expected each once"]),
    "grid and runs": ("runs: [{seed: 2}]\ngrid: {seed: [1, 2]}", ["1 runs that are asked for twice"]),
    "baseline no label": ("baseline: best\nruns: [{}]", ["found baseline 'best'", "expected one of hybrid 0.5"]),
    "no run": ("title: Empty", ["found no run", "expected a grid or runs"]),
    "empty runs": ("runs: []\ngrid: {}", ["found no run", "expected a grid or runs"]),
    "training corpus no file": ("runs: [{train_corpora: [xm3600, wiki]}]", ["found corpus 'wiki'", "xm3600"]),
    "corpus of a stage": ("runs: [{first_stage: {train_corpora: [wiki]}}]", ["found corpus 'wiki'", "xm3600"]),
    "languages twice": ("runs: [{train_languages: [en, en]}]", ["train_languages: found en en", "different language"]),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_errors_name_file_value_and_expectation(study_of, tmp_path, text, said):
    with pytest.raises(InputError) as error:
        study_of(text)
    assert str(error.value).startswith(f"{tmp_path / 'mine.yaml'}: ")
    assert [part for part in said if part not in str(error.value)] == []


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


@pytest.mark.parametrize("runs", ["[{label: a}, {label: a, steps: 9}]", "[{label: mixed}, {sampler: mixed}]"])
def test_label_of_two_configurations(study_of, runs):
    with pytest.raises(InputError, match=r"mine.yaml: found label '(a|mixed)' for two configurations"):
        study_of(f"runs: {runs}")


def test_every_wrong_parameter_of_a_run_is_named(study_of):
    with pytest.raises(InputError) as error:
        study_of("runs: [{alpha: 2, steps: 0, colour: red}]")
    assert [line.split("found ")[1].split(",")[0] for line in str(error.value).splitlines()] == [
        "alpha = 2",
        "steps = 0",
        "unknown parameter 'colour'",
    ]


def test_missing_study_lists_those_beside_it(study_of, tmp_path):
    study_of("runs: [{}]", "there.yaml")
    with pytest.raises(InputError, match=r"absent\.yaml: found no such study, expected one of: there$"):
        load_study(tmp_path / "absent.yaml")


def test_missing_study_in_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="none is there"):
        load_study(tmp_path / "absent.yaml")


def test_folder_is_no_study(tmp_path):
    (tmp_path / "studies").mkdir()
    with pytest.raises(InputError, match="studies: found"):
        load_study(tmp_path / "studies")


def test_bytes_are_no_study(tmp_path):
    (tmp_path / "mine.yaml").write_bytes(b"title: \xff\xfe")
    with pytest.raises(InputError, match="found no YAML"):
        load_study(tmp_path / "mine.yaml")


@pytest.mark.parametrize("name", ["My Study.yaml", "a..b.yaml", ".yaml"])
def test_file_name_must_be_a_folder_name(study_of, name):
    with pytest.raises(InputError, match="study: found the name"):
        study_of("runs: [{}]", name)


@pytest.mark.parametrize("tag", ["object/apply:os.system", "object/new:subprocess.check_call", "object/apply:eval"])
def test_python_tags_are_refused_and_not_run(study_of, tmp_path, tag):
    proof = tmp_path / "proof"
    code = f"open({str(proof)!r}, 'w')" if tag.endswith("eval") else f"touch {proof}"
    with pytest.raises(InputError, match="found no YAML"):
        study_of(f'title: !!python/{tag} ["{code}"]\nruns: [{{}}]')
    assert not proof.exists()


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


@pytest.mark.parametrize("name", ["figures", "tables", "evaluate", "similarities"])
def test_names_of_folders_of_all_studies_are_refused(tmp_path, name):
    file = tmp_path / f"{name}.yaml"
    file.write_text("grid: {sampler: [mixed]}")
    with pytest.raises(InputError, match=f"found a study called {name}, expected another name"):
        load_study(file)
