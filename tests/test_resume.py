"""A training that is stopped and started again ends as one that was never stopped."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from hybridlib.checkpoint import Checkpoints
from hybridlib.config import RunConfig
from hybridlib.corpora import scenes
from hybridlib.corpora.joined import joined
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.paths import locked
from hybridlib.training import Training, train

torch.set_num_threads(1)

TIMES = ["seconds", "pairs_per_second"]
CASES = {
    "mixed": {"sampler": "mixed"},
    "monolingual, learned temperature": {
        "sampler": "monolingual",
        "objective": {"infonce": {"learn_temperature": True}},
    },
    "crosslingual, in chunks": {"sampler": "crosslingual", "chunk_tokens": 100},
    "hybrid, memory bank, accumulated": {"objective": {"memory_bank": {"size": 20}}, "accumulate": 2},
    "moving alpha, second queries": {"alpha": 1.0, "alpha_end": 0.0, "objective": {"lakda": {}}},
    "both pairs": {"sampler": "both_pairs", "objective": {"supcon": {}}},
    "projection and teacher": {"objective": {"mimo_distillation": {}}, "teacher": "tiny", "teacher_language": "en"},
    "several corpora": {"train_corpora": ("a", "b")},
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))


def config(**values) -> RunConfig:
    quick = {"encoder": "tiny", "batch_size": 8, "steps": 9, "learning_rate": 1e-3, "validate_every": 2, "threads": 1}
    return RunConfig(**{**quick, **values})


class Killed(BaseException):
    """What no code of the project catches."""


def corpus_of(settings: RunConfig):
    corpus = scenes.load(count=30, languages=("en", "de", "ru"))
    parts = [corpus.select(concepts=corpus.concepts[:18]), corpus.select(concepts=corpus.concepts[18:])]
    return corpus if settings.train_corpora is None else joined(parts)


def trained(settings: RunConfig, folder: Path | None = None, deaths=()) -> tuple[DualEncoder, Training, int]:
    """Train until it ends, dying in the forward passes of the given numbers; also return how many passes there were."""
    passes, deaths = 0, set(deaths)

    def count(*_):
        nonlocal passes
        passes += 1
        if passes in deaths:
            raise Killed

    def validate(encoder: DualEncoder) -> float:
        """A number that depends on every weight, and goes up and down."""
        encoder.encode(["one", "two"], progress=False)
        return float(torch.sin(1000 * sum(p.double().sum() for p in encoder.parameters())))

    for drawn in range(len(deaths) + 1):
        torch.rand(drawn)  # a new process may have drawn other random numbers
        encoder = DualEncoder.load("tiny")
        encoder.model.register_forward_pre_hook(count)
        try:
            checkpoints = Checkpoints(folder, seconds=0) if folder else None
            return encoder, train(settings, encoder, corpus_of(settings), validate, checkpoints=checkpoints), passes
        except Killed:
            pass
    raise AssertionError("died more often than planned")


def assert_same(first: tuple[DualEncoder, Training, int], second: tuple[DualEncoder, Training, int]) -> None:
    """Equal to the last bit, but for times."""
    (encoder, one, _), (other, two, _) = first, second
    weights, others = encoder.state_dict(), other.state_dict()
    assert all(torch.equal(tensor, others[name]) for name, tensor in weights.items())
    assert all(torch.equal(tensor, two.learned[name]) for name, tensor in one.learned.items())
    assert one.best_step == two.best_step
    pd.testing.assert_frame_equal(one.history.drop(columns=TIMES), two.history.drop(columns=TIMES), check_exact=True)
    assert two.history["seconds"].is_monotonic_increasing


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_training_that_dies_anywhere_ends_as_one_that_does_not(values, tmp_path):
    whole = trained(config(**values))
    assert whole[1].best_step > 1
    deaths = np.random.default_rng(len(str(values))).choice(np.arange(2, whole[2]), 3, replace=False)
    assert_same(whole, trained(config(**values), tmp_path / "checkpoints", deaths))


def test_finished_training_is_read_and_not_trained_again(tmp_path):
    first = trained(config(), tmp_path)
    again = trained(config(), tmp_path)
    assert_same(first, again)
    assert again[2] == 0


@pytest.mark.parametrize("other", [{"seed": 2}, {"learning_rate": 2e-3}])
def test_checkpoints_of_another_configuration_are_not_used(tmp_path, other):
    trained(config(), tmp_path)
    assert_same(trained(config(**other)), trained(config(**other), tmp_path))


def test_checkpoints_of_the_same_texts_in_another_order_are_not_used(tmp_path, monkeypatch):
    """Equal corpora have one fingerprint, but batches are drawn by row."""
    trained(config(), tmp_path)
    given = corpus_of(config())
    turned = replace(given, dataset=given.dataset.select(range(len(given.dataset))[::-1]))
    assert turned.fingerprint == given.fingerprint
    monkeypatch.setitem(globals(), "corpus_of", lambda _: turned)
    assert trained(config(), tmp_path)[2] == trained(config())[2] > 0


def test_damaged_newest_checkpoint_costs_an_update_and_no_more(tmp_path):
    whole = trained(config())
    trained(config(), tmp_path)
    newest = max(tmp_path.glob("*.safetensors"))
    newest.write_bytes(newest.read_bytes()[:-1])
    assert_same(whole, trained(config(), tmp_path))


SCRIPT = """
import sys, torch
sys.path.insert(0, {tests!r})
import test_resume
from hybridlib.checkpoint import Checkpoints
from safetensors.torch import save_file
from pathlib import Path
settings = test_resume.config(**{values!r})
encoder, training, _ = test_resume.trained(settings, Path({folder!r}))
save_file({{name: t.contiguous() for name, t in encoder.state_dict().items()}}, {out!r})
training.history.to_parquet({out!r} + ".parquet")
"""


def processes(tmp_path: Path, name: str, values: dict, kills: int, rng: random.Random) -> Path:
    """Train in processes of their own, of which ``kills`` are killed at random times; return the file of weights."""
    out, folder = tmp_path / f"{name}.safetensors", tmp_path / name
    code = SCRIPT.format(tests=str(Path(__file__).parent), values=values, folder=str(folder), out=str(out))
    command = [sys.executable, "-c", code]
    while kills:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not list(folder.glob("*")):
            time.sleep(0.01)  # until it trains
        time.sleep(rng.random() * 0.4)
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills -= 1
    subprocess.run(command, check=True, capture_output=True)
    return out


def test_processes_killed_at_any_moment_end_with_the_same_weights(tmp_path):
    """``HYBRIDLIB_KILLS=30`` kills more often than twice."""
    values, rng = {"steps": 60, "batch_size": 6, "chunk_tokens": 60}, random.Random(0)
    kills = int(os.environ.get("HYBRIDLIB_KILLS", "2"))
    whole, killed = (processes(tmp_path, name, values, n, rng) for name, n in (("whole", 0), ("killed", kills)))
    weights = load_file(killed)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in load_file(whole).items())
    one, two = (pd.read_parquet(f"{file}.parquet").drop(columns=TIMES) for file in (whole, killed))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_folder_is_locked_until_its_process_dies(tmp_path):
    code = (
        f"import time; from pathlib import Path; from hybridlib.paths import locked; "
        f"lock = locked(Path({str(tmp_path)!r})); print('locked', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "locked\n"
    with pytest.raises(InputError, match="found another process at work on it, expected one"):
        locked(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    lock = locked(tmp_path)
    assert locked(tmp_path) is lock
    lock.release(force=True)
