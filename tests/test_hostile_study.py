"""Studies made to do harm: refused before anything is executed, in little time."""

import math
import shlex
import sys

import pytest

from hybridlib import __main__ as command_line
from hybridlib import execute, study
from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.study import load_study, papermill_command
from hybridlib.study_names import labels


@pytest.fixture
def file_of(tmp_path):
    def written(text):
        file = tmp_path / "mine.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


CODE = ["alpha=0;import os", "alpha\nimport os\nx", "__import__", "class", "x; x", "ALPHA", "alpha ", "alpha.x"]


@pytest.mark.parametrize("name", CODE)
@pytest.mark.parametrize("place", ["defaults: {{{}: 1}}\nruns: [{{}}]", "runs: [{{{}: 1}}]", "grid: {{{}: [1]}}"])
def test_a_name_that_is_no_parameter_never_reaches_papermill(file_of, monkeypatch, name, place):
    """Papermill writes the names of parameters into the notebook as code."""
    reached = []
    monkeypatch.setattr(execute.papermill, "execute_notebook", lambda *given, **options: reached.append(options))
    file = file_of(place.format('"' + name.replace("\n", "\\n") + '"'))
    monkeypatch.setattr(sys, "argv", ["hybridlib", "run", str(file), "hybrid-0.5-seed1-00000000"])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert (ended.value.code, reached) == (2, [])


@pytest.mark.parametrize("name", CODE)
def test_such_a_name_is_refused_inside_an_objective_and_a_first_stage(name):
    for values in ({"objective": {name: {}}}, {"objective": {"infonce": {name: 1}}}, {"first_stage": {name: 1}}):
        with pytest.raises(InputError):
            RunConfig.checked(values)


BAD = {
    "label of a formula": ("runs: [{label: '=1+1'}]", "label: found '=1+1', expected a line of at most 200"),
    "label of two lines": ('runs: [{label: "a\\n# b"}]', r"label: found 'a\n# b'"),
    "label with a link": ("runs: [{label: '[a](https:b)'}]", "label: found '[a](https:b)'"),
    "label that turns": ('runs: [{label: "a\\u202eb"}]', r"label: found 'a\u202eb'"),
    "label of mathematics": (r"runs: [{label: '$\frac{$'}]", r"label: found '$\\frac{$'"),
    "label that is a list": ("runs: [{label: [a]}]", "label: found ['a'], expected a line"),
    "label of a system": (
        "runs: [{}]\nsystems: [{of: hybrid 0.5, debias: [lir], label: '=1+1'}]",
        "label: found '=1+1', expected a line of at most 200",
    ),
    "part of a system": (
        'runs: [{}]\nsystems: [{of: hybrid 0.5, "a\\e[2J": 1}]',
        r"systems: found unknown part of a system 'a\\x1b[2J'",
    ),
    "title that turns": ('title: "a\\u2067b"\nruns: [{}]', r"title: found 'a\u2067b'"),
    "title with a tag": ("title: <script>alert(1)</script>\nruns: [{}]", "title: found '<script>alert(1)</script>'"),
    "question for the terminal": ('question: "a\\e[2J"\nruns: [{}]', r"found question: 'a\x1b[2J'"),
    "corpus that turns": ('runs: [{corpus: "xm3600:a\\u202eb"}]', r"corpus: found 'xm3600:a\u202eb'"),
    "corpus with NUL": ('runs: [{corpus: "xm3600:a\\0b"}]', r"corpus: found 'xm3600:a\x00b'"),
    "path of two lines": ('runs: [{corpus_path: "a\\nb"}]', r"corpus_path: found 'a\nb'"),
    "encoder for the terminal": ('runs: [{encoder: "\\e]0;x\\a"}]', r"encoder: found '\x1b]0;x\x07'"),
    "language that turns": ('runs: [{train_languages: ["\\u202e"]}]', r"train_languages: found '\u202e'"),
    "parameter twice": ("runs: [{steps: 3, steps: 4}]", ":1: found the name 'steps' again"),
    "a day as a number": ("runs: [{objective: {infonce: {temperature: 2020-01-01}}}]", "found temperature = datetime"),
    "bytes": ("runs: [{corpus: !!binary aGk=}]", "found corpus = b'hi', expected a valid string"),
    "set": ("runs: [{train_languages: !!set {en, de}}]", "found train_languages = {'de', 'en'}"),
    "size above all": (
        f"runs: [{{objective: {{memory_bank: {{size: {10**21}, temperature: 1}}}}}}]",
        "smaller numbers",
    ),
    "a million runs": (f"grid: {{seed: {list(range(1000))}, steps: {list(range(1, 1001))}}}", "found 1,000,000 runs"),
    "aliases": ("runs: &a [{first_stage: *a}]", "found a value that contains itself"),
    "long path": (f"runs: [{{corpus: {'x' * 300}.jsonl}}]", "corpus: found 'xxxx"),
    "long value": (f"runs: [{{alpha: {'x' * 10**5}}}]", "found alpha = 'xxxx"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_hostile_studies_are_refused(file_of, text, said):
    with pytest.raises(InputError) as error:
        load_study(file := file_of(text))
    assert str(error.value).startswith(f"{file}:")
    assert said in str(error.value)
    assert len(str(error.value)) < 3_000
    assert all(line.isprintable() for line in str(error.value).splitlines())


def test_a_memory_bank_takes_no_memory_before_the_training(file_of):
    large = "{memory_bank: {size: 1000000000000, temperature: 0.05}}"
    assert len(load_study(file_of(f"runs: [{{objective: {large}}}]")).configs) == 1


def test_labels_of_many_runs_are_made_in_time_that_grows_with_them(monkeypatch):
    dumps = []
    monkeypatch.setattr(RunConfig, "model_dump", lambda self, **_: dumps.append(1) or dict(self))
    configs = [RunConfig(steps=steps) for steps in range(1, 101)]
    dumps.clear()
    assert len(set(labels(configs))) == 100
    assert len(dumps) == 100


def test_a_label_made_of_paths_is_a_label():
    configs = [RunConfig(train_corpora=("$A/x_*.jsonl", f"$B/{name}")) for name in ("[1].jsonl", "<2>.jsonl")]
    assert labels(configs) == [
        f"hybrid 0.5, train_corpora _A/x__.jsonl _B/{name}" for name in ("_1_.jsonl", "_2_.jsonl")
    ]


@pytest.mark.parametrize("corpus", ["xm3600:$(touch x)", "xm3600:`x`", "xm3600:'; x; '", 'xm3600:"x"', "xm3600:-rf"])
def test_the_command_of_a_run_quotes_its_values(corpus):
    command = papermill_command(RunConfig(corpus=corpus), "mine", "a-run")
    assert corpus in shlex.split(command)


def test_more_runs_than_any_study_has_are_counted_and_not_made(file_of, monkeypatch):
    monkeypatch.setattr(study, "product", lambda *_: pytest.fail("made"))
    grid = {name: list(range(1, 1001)) for name in ("seed", "steps", "batch_size", "accumulate")}
    with pytest.raises(InputError, match=f"found {math.prod(map(len, grid.values())):,} runs, expected at most 1,000"):
        load_study(file_of(f"grid: {grid}"))
