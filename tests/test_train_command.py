import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from hybridlib import train_command
from hybridlib.__main__ import app
from hybridlib.distributed import Ranks
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.paths import locked
from hybridlib.runs import Run
from hybridlib.train_command import read_config, train

torch.set_num_threads(1)

PARAMETERS = """
encoder: tiny
train_languages: [en, de]
test_languages: [en, ru]
train_concepts: 20
validation_concepts: 8
test_concepts: 12
batch_size: 6
steps: 4
validate_every: 2
learning_rate: 1.0e-3
threads: 1
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "parameters.yaml"
    file.write_text(PARAMETERS)
    return file


def files(folder) -> list[str]:
    return sorted(path.name for path in folder.glob("[!.]*"))


def weights(folder) -> dict[str, torch.Tensor]:
    return DualEncoder.load(str(folder / "encoder")).state_dict()


def test_one_process_trains_tests_and_leaves_a_finished_run(file, tmp_path):
    out = tmp_path / "run"
    result = CliRunner().invoke(app, ["train", str(file), "--out", str(out), "--set", "steps=2", "--set", "seed=3"])
    assert result.exit_code == 0, result.output
    run = Run.read(out)
    assert (run.config.steps, run.config.seed, run.config.batch_size) == (2, 3, 6)
    assert (run.result["processes"], run.result["best_step"]) == (1, 2)
    assert run.result["languages"]["unseen"] == ["ru"]
    assert len(pd.read_csv(out / "history.csv")) == 2
    assert weights(out).keys() == DualEncoder.load("tiny").state_dict().keys()
    assert files(out) == sorted(
        "config.json encoder history.csv ranks.parquet result.json scores.parquet top_share.parquet".split()
    )
    assert f"{run.result['means']['all']['multilingual']['nDCG@10']:.6f}" in result.stdout
    assert str(out) in result.stdout


def test_finished_run_is_left_as_it_is_and_another_configuration_refused(file, tmp_path):
    out, said = tmp_path / "run", []
    train(file, out, [], 60, said.append)
    written = (out / "result.json").stat().st_mtime_ns
    train(file, out, [], 60, said.append)
    assert ((out / "result.json").stat().st_mtime_ns, len(said)) == (written, 2)
    with pytest.raises(InputError, match=r"config\.json: found another configuration, expected the same one or a new"):
        train(file, out, ["steps=5"], 60, said.append)


def test_training_that_was_stopped_goes_on_to_the_same_weights(file, tmp_path, monkeypatch):
    train(file, tmp_path / "whole", [], 60, str)
    monkeypatch.setattr(train_command, "write_run", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(file, tmp_path / "stopped", [], 60, str)
    monkeypatch.undo()
    assert "checkpoints" in files(tmp_path / "stopped")
    train(file, tmp_path / "stopped", [], 60, str)
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")
    first, second = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_folder_with_other_things_in_it_is_refused_and_kept(file, tmp_path):
    (tmp_path / "mine" / "encoder").mkdir(parents=True)
    with pytest.raises(InputError, match=r"mine: found 'encoder' and no config\.json, expected a new folder or that"):
        train(file, tmp_path / "mine", [], 60, str)
    assert files(tmp_path / "mine") == ["encoder"]


def test_folder_that_another_process_works_on_is_refused(file, tmp_path):
    code = f"from hybridlib.paths import *; lock = locked(Path({str(tmp_path)!r})); print(1, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(InputError, match="found another process at work on it, expected one"):
            train(file, tmp_path, [], 60, str)
        other.communicate(b"\n")
    locked(tmp_path).release(force=True)


def test_parallel_texts_need_no_second_text_in_a_language(file, tmp_path):
    """As most bitexts are: nothing is monolingual, and training is crosslingual."""
    lines = [
        {"concept": f"c{i}", "language": language, "text": f"{language} text {i}"}
        for i in range(24)
        for language in ("en", "de")
    ]
    own = tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps(line) + "\n" for line in lines))
    changes = [f"corpus={own}", "sampler=crosslingual", "train_languages=null", "test_languages=null", "batch_size=4"]
    sizes = ["train_concepts=12", "validation_concepts=6", "test_concepts=6", "steps=2", "validate_every=2"]
    train(file, tmp_path / "run", [*changes, *sizes], 60, str)
    means = json.loads((tmp_path / "run" / "result.json").read_text())["means"]["all"]
    assert set(means) == {"crosslingual", "multilingual"}


def test_texts_that_cannot_test_are_refused_before_training_and_claim_no_folder(file, tmp_path, monkeypatch):
    monkeypatch.setattr(train_command, "train_stages", lambda *_: 1 / 0)
    message = "found test texts of scenes for monolingual retrieval, expected concepts in two languages"
    with pytest.raises(InputError, match=message):
        train(file, tmp_path / "run", ["test_languages=[en]"], 60, str)
    assert files(tmp_path / "run") == []
    with pytest.raises(ZeroDivisionError):  # the folder takes the configuration that is put right
        train(file, tmp_path / "run", [], 60, str)
    assert files(tmp_path / "run") == ["config.json"]


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        ("learning_rate=3e-5", "learning_rate", 3e-5),
        ("objective={infonce: {temperature: 0.1}}", "objective", {"infonce": {"temperature": 0.1}}),
        ('objective={"simclr": {}}', "objective", {"simclr": {}}),
        ("train_languages=[en, ru]", "train_languages", ("en", "ru")),
        ("train_languages=null", "train_languages", None),
        ("encoder=a/b=c", "encoder", "a/b=c"),
        ("leave_out_overlap=true", "leave_out_overlap", True),
    ],
)
def test_change_of_a_parameter(file, change, name, value):
    assert getattr(read_config(file, [change]), name) == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("steps", "set: found 'steps', expected name=value"),
        ("steps={", r"set: found '\{' .*expected a value in JSON or YAML"),
        ("step=3", r"parameters\.yaml with --set: found unknown parameter 'step', expected one of steps .*corpus"),
        ("steps=0", "found steps = 0, expected"),
        ("steps=NaN", "found steps = nan"),
        ("sampler=untrained", "found sampler 'untrained', expected one that trains"),
        ("corpus=nothing", "nothing"),
        ("corpus=x.csv", "found corpus 'x.csv', which is not there, expected a .yaml file that names it as its source"),
        ("objective=infonce", r"found objective = 'infonce', expected a mapping such as \{infonce: "),
    ],
)
def test_wrong_change_is_named(file, change, message):
    with pytest.raises(InputError, match=f"(?s){message}"):
        read_config(file, [change])


@pytest.mark.parametrize(
    ("content", "found"), [("- 1", r"found \[1\]"), ("{", "found no YAML"), (None, "no such file")]
)
def test_wrong_file_is_named(tmp_path, content, found):
    file = tmp_path / "parameters.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=rf"(?s)parameters\.yaml: .*{found}.*expected parameters of a run"):
        read_config(file, [])


def test_error_of_one_of_several_processes_says_which(file, tmp_path, monkeypatch):
    @contextmanager
    def third(_):
        yield Ranks(2, 4)

    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").touch()
    monkeypatch.setattr(train_command, "connected", third)
    with pytest.raises(InputError, match=r"process 2 of 4: .*found 'notes\.txt'"):
        train(file, tmp_path / "run", [], 60, str)


def test_torchrun_trains_on_two_processes(file, tmp_path):
    """The slow one: three Python processes start."""
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "hybridlib",
    ]
    command += ["train", str(file), "--out", str(tmp_path / "two"), "--set", "chunk_tokens=100"]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    train(file, tmp_path / "one", ["chunk_tokens=100"], 60, str)
    one, two = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("one", "two"))
    assert (one["processes"], two["processes"]) == (1, 2)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    for setting, values in one["means_before"]["all"].items():
        assert two["means_before"]["all"][setting] == pytest.approx(values, abs=1e-3)
    losses = [pd.read_csv(tmp_path / name / "history.csv")["loss"] for name in ("one", "two")]
    assert losses[1].tolist() == pytest.approx(losses[0].tolist(), abs=0.2)  # the same batches, other dropout
    assert done.stderr.count("step 4 of 4: validation") == 1  # the first process alone logs
    assert done.stdout.count(str(tmp_path / "two")) == 1
