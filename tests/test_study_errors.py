import pytest

from hybridlib.errors import InputError
from hybridlib.study import load_study

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
    "unknown parameter": ("runs: [{stepz: 3}]", ["unknown parameter 'stepz'", "expected one of steps "]),
    "unknown default": ("defaults: {stepz: 3}\nruns: [{}]", ["unknown parameter 'stepz'", "expected one of steps "]),
    "alpha 1.5": ("runs: [{alpha: 1.5}]", ["found alpha = 1.5", "expected less than or equal to 1"]),
    "steps as text": ("runs: [{steps: many}]", ["found steps = 'many'", "expected a valid integer"]),
    "seed yes": ("runs: [{seed: yes}]", ["found seed = True", "expected a valid integer"]),
    "no corpus": (
        "runs: [{corpus: nowhere.jsonl}]",
        ["found corpus 'nowhere.jsonl', but no such file in", "expected a file"],
    ),
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
    "equal numbers": (
        "runs: [{objective: {infonce: {temperature: 1}}}, {objective: {infonce: {temperature: 1.0}}}]",
        ["found 1 runs that are asked for twice"],
    ),
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


@pytest.mark.parametrize("name", ["mine", "mine.yaml"])
def test_a_bare_name_is_told_its_file(tmp_path, name):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text("runs: [{}]")
    with pytest.raises(InputError, match=r"found no such study, expected .*studies/mine\.yaml$"):
        load_study(tmp_path / name)


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


@pytest.mark.parametrize("name", ["figures", "tables", "evaluate", "similarities"])
def test_names_of_folders_of_all_studies_are_refused(tmp_path, name):
    file = tmp_path / f"{name}.yaml"
    file.write_text("grid: {sampler: [mixed]}")
    with pytest.raises(InputError, match=f"found a study called {name}, expected another name"):
        load_study(file)
