import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hybridlib import __main__ as command_line
from hybridlib.errors import InputError
from hybridlib.paths import run_folder, system_folder
from hybridlib.results import environment, write_json
from hybridlib.study import load_study, papermill_command

TEXT = """
title: Mine
defaults: {corpus: scenes, encoder: tiny, train_languages: [en, de]}
runs: [{sampler: untrained}, {sampler: mixed}]
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_REPORTS", str(tmp_path / "reports"))
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT)
    return file


def invoke(*arguments):
    return CliRunner().invoke(command_line.app, [str(argument) for argument in arguments])


def test_plan_lists_every_run_with_its_command(study):
    loaded = load_study(study)
    lines = invoke("plan", study).stdout.splitlines()
    expected = [papermill_command(config, "mine", run) for run, config in loaded.runs().items()]
    assert [line.split(maxsplit=1) for line in lines] == [["open", command] for command in expected]


def finish(folder: Path) -> None:
    folder.mkdir(parents=True)
    for file in ("result.json", "scores.parquet"):
        (folder / file).write_text("{}")


def test_plan_says_which_runs_are_finished(study):
    first, _ = load_study(study).runs()
    finish(run_folder("mine", first))
    assert [line.split()[0] for line in invoke("plan", study).stdout.splitlines()] == ["finished", "open"]


SYSTEMS = "systems: [{of: mixed, debias: [lir]}, {of: [untrained, mixed]}]\n"


def test_plan_lists_the_systems_after_the_runs(study):
    """As commands that a shell reads, wherever the study is."""
    study = study.parent / "a b" / "mine.yaml"
    study.parent.mkdir()
    study.write_text(TEXT + SYSTEMS)
    first, second = load_study(study).derived()
    finish(system_folder("mine", second))
    assert invoke("plan", study).stdout.splitlines()[2:] == [
        f"open     python -m hybridlib derive '{study}' {first}",
        f"finished python -m hybridlib derive '{study}' {second}",
    ]


def test_derive_is_given_study_and_system(study, monkeypatch):
    asked = []
    monkeypatch.setattr("hybridlib.derive_command.derive", lambda *given: asked.append(given) or given[2]("page.html"))
    assert invoke("derive", study, "average-seed1").stdout == "page.html\n"
    assert [given[:2] for given in asked] == [(load_study(study), "average-seed1")]


def test_plan_writes_nothing(study, tmp_path):
    assert invoke("plan", study).exit_code == 0
    assert list(tmp_path.iterdir()) == [study]


def test_commands_of_the_plan_name_the_runs(study):
    names = [shlex.split(line)[3] for line in invoke("plan", study).stdout.splitlines()]
    assert names == [f"{run}.ipynb" for run in load_study(study).runs()]


def test_unknown_run_lists_the_known_ones(study):
    outcome = invoke("run", study, "mixed-seed9")
    assert isinstance(outcome.exception, InputError)
    runs = " ".join(load_study(study).runs())
    assert str(outcome.exception) == f"run: found 'mixed-seed9', expected one of {runs}"


def test_run_gives_the_notebook_its_configuration(study, monkeypatch):
    executed = []
    monkeypatch.setattr("hybridlib.execute.execute_run", lambda *given: executed.append(given) or Path("page.html"))
    run, config = list(load_study(study).runs().items())[1]
    assert invoke("run", study, run).stdout == "page.html\n"
    assert executed == [("mine", run, config)]


def test_run_takes_over_what_another_study_has_finished(study, monkeypatch):
    monkeypatch.setattr("hybridlib.execute.execute_run", lambda *_: pytest.fail("executed"))
    run, config = next(iter(load_study(study).runs().items()))
    source = run_folder("other", run)
    source.mkdir(parents=True)
    write_json(source / "result.json", {"environment": environment(config.threads)})
    for name in ("scores.parquet", "index.html"):
        (source / name).write_text(name)
    target = run_folder("mine", run)
    assert invoke("run", study, run).stdout == f"{target / 'index.html'} (from {source})\n"
    assert (target / "scores.parquet").read_text() == "scores.parquet"


@pytest.mark.parametrize("systems", ["", "systems: [{of: mixed, debias: [lir]}]\n"])
def test_run_without_weights_is_taken_over_if_nothing_is_made_of_it(study, monkeypatch, systems):
    study.write_text(TEXT + systems)
    monkeypatch.setattr("hybridlib.execute.execute_run", lambda *_: "made again")
    run, config = list(load_study(study).runs().items())[1]
    source = run_folder("other", run)
    source.mkdir(parents=True)
    write_json(source / "result.json", {"environment": environment(config.threads)})
    for name in ("scores.parquet", "index.html"):
        (source / name).write_text(name)
    assert ("made again" in invoke("run", study, run).stdout) == bool(systems)


def test_run_that_is_finished_here_is_made_again(study, monkeypatch):
    monkeypatch.setattr("hybridlib.execute.execute_run", lambda *_: "made again")
    run, config = next(iter(load_study(study).runs().items()))
    for name in ("mine", "other"):
        folder = run_folder(name, run)
        folder.mkdir(parents=True)
        write_json(folder / "result.json", {"environment": environment(config.threads)})
        for file in ("scores.parquet", "index.html"):
            (folder / file).write_text(file)
    assert invoke("run", study, run).stdout == "made again\n"


def test_report_gives_the_notebook_its_study(study, monkeypatch):
    executed = []
    monkeypatch.setattr("hybridlib.execute.execute_comparison", lambda *given: executed.append(given) or "page.html")
    assert invoke("report", study).stdout == "page.html\n"
    assert executed == [(load_study(study),)]


def test_similarities_gives_the_notebook_corpus_and_concepts(study, monkeypatch):
    executed = []
    monkeypatch.setattr("hybridlib.execute._execute", lambda *given: executed.append(given) or "page.html")
    assert invoke("similarities", "--corpus", "xm3600", "--concepts", 64).stdout == "page.html\n"
    ((notebook, folder, parameters, _),) = executed
    assert (notebook, folder) == ("4-similarities.ipynb", study.parent / "reports" / "similarities")
    assert parameters == {"corpus": "xm3600", "concepts": 64}


@pytest.mark.parametrize("command", ["plan", "run", "derive", "report"])
def test_every_command_has_help(command):
    outcome = invoke(command, "--help")
    assert outcome.exit_code == 0
    assert "studies/quick.yaml" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "absent.yaml"], "error: absent.yaml: found no such study"),
        (["run", "absent.yaml", "mixed"], "error: absent.yaml: found no such study"),
        (["report", "absent.yaml"], "error: absent.yaml: found no such study"),
        (["run", "mine.yaml", "mixed"], "error: run: found 'mixed', expected one of untrained-seed1-"),
    ],
)
def test_bad_input_ends_with_its_message(study, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(study.parent)
    monkeypatch.setattr(sys, "argv", ["hybridlib", *arguments])
    with pytest.raises(SystemExit) as exit_:
        command_line.main()
    said = capsys.readouterr()
    assert exit_.value.code == 2
    assert said.err.startswith(message)
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_bad_study_ends_without_a_traceback(study):
    study.write_text(TEXT.replace("mixed", "mixd"))
    outcome = subprocess.run(
        [sys.executable, "-m", "hybridlib", "plan", study], capture_output=True, text=True, timeout=120
    )
    assert (outcome.returncode, outcome.stdout) == (2, "")
    (said,) = outcome.stderr.splitlines()
    assert said.startswith(f"error: {study}: found sampler = 'mixd', expected 'untrained', 'mixed', 'monolingual', ")
