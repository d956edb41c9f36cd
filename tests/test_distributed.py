"""Two processes together do what one does: the same losses, gradients, vectors; and none waits for a dead one.

One pair of processes runs :func:`work`, all cases one after the other; the tests read what it left in files.
"""

import itertools
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file

from hybridlib.checkpoint import Checkpoints
from hybridlib.config import RunConfig, Sampler, objective_needs
from hybridlib.corpora import scenes
from hybridlib.corpora.collection import Collection
from hybridlib.corpora.joined import joined
from hybridlib.distributed import ALONE, Ranks, connected
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.evaluator import Evaluator
from hybridlib.objectives import OBJECTIVES
from hybridlib.stepping import Stepping
from hybridlib.training import train

torch.set_num_threads(1)

RANKS = ("rank 0", "rank 1")
HANGS = 3  # seconds


def of_objective(spec: dict) -> dict:
    """Return what a configuration must have for an objective."""
    needs = objective_needs(spec)
    values = {"objective": spec, "hard_negatives": int("hard_negatives" in needs)}
    return values | ({"teacher": "tiny"} if any(need.startswith("teacher") for need in needs) else {})


# Of 5 pairs, or 6 where it must be even: 10 or 12 texts, 15 with hard negatives or second queries.
CASES = {
    **{f"{name} batches": {"sampler": name} for name in Sampler.__args__ if name != "untrained"},
    **{name: of_objective({name: {}}) for name in OBJECTIVES},
    "learned temperature": of_objective({"infonce": {"learn_temperature": True}}),
    "weighted, accumulated": {**of_objective({"simclr": {}, "vrns": {"weight": 30.0}}), "accumulate": 3},
    "hard negatives": {"hard_negatives": 1},
    "several corpora": {"train_corpora": ("a", "b"), "accumulate": 2},
}
CHUNKS = {"whole": None, "in chunks": 120}
EVERY = list(itertools.product(CASES, CHUNKS))


def config(**values) -> RunConfig:
    size = 6 if values.get("sampler") == "both_pairs" else 5
    quick = {"encoder": "tiny", "batch_size": size, "steps": 3, "learning_rate": 1e-3, "max_gradient_norm": 1e9}
    return RunConfig(**{**quick, "validate_every": 2, "threads": 1, **values})


@cache
def corpus(several: bool = False):
    whole = scenes.load(count=20, languages=("en", "de", "ru"))
    return joined([whole.select(concepts=part) for part in np.split(whole.concepts, [12])]) if several else whole


def gradients(settings: RunConfig, ranks: Ranks, precision: str = "float32") -> dict[str, torch.Tensor]:
    """Return loss and gradients of one update without dropout."""
    torch.manual_seed(0)  # of the objectives' projections
    encoder = DualEncoder.load("tiny").eval()
    encoder.precision = precision
    stepping = Stepping(settings, encoder, corpus(settings.train_corpora is not None), {}, ranks)
    row = stepping.update(1)
    modules = {"encoder": encoder, "objective": stepping.objective}
    found = {f"{name}.{n}": p.grad for name, module in modules.items() for n, p in module.named_parameters()}
    return {"loss": torch.tensor(row["loss"])} | {name: grad for name, grad in found.items() if grad is not None}


class StoppedError(Exception):
    pass


def trained(folder: Path, ranks: Ranks, stops: bool = False) -> dict[str, torch.Tensor]:
    """Train with dropout and checkpoints, validate over all processes; stop at the second validation if asked to."""
    settings, encoder = config(steps=5, validate_every=1, chunk_tokens=60), DualEncoder.load("tiny")
    evaluator, calls = Evaluator(Collection.from_corpus(corpus()), encoder, ranks), itertools.count(1)

    def validate(encoder: DualEncoder) -> float:
        if stops and next(calls) == 3:
            raise StoppedError
        return evaluator.balance(encoder)

    training = train(settings, encoder, corpus(), validate, checkpoints=Checkpoints(folder, seconds=0), ranks=ranks)
    history = training.history[["loss", "gradient_norm", "validation"]].to_numpy()
    return {**encoder.state_dict(), "history": torch.tensor(history.tolist()), "drawn next": torch.rand(3)}


def work(folder: Path) -> None:
    """What both processes do; of the numbers of a process alone each computes half."""
    with connected(60) as ranks:
        name = RANKS[ranks.rank]
        torch.set_default_dtype(torch.float64)
        for number, (case, how) in enumerate(EVERY):
            settings = config(**CASES[case], chunk_tokens=CHUNKS[how])
            save_file(gradients(settings, ranks), folder / f"{case}, {how}, {name}")
            if number % 2 == ranks.rank:
                save_file(gradients(settings, ALONE), folder / f"{case}, {how}, alone")
        torch.set_default_dtype(torch.float32)
        for who, which in {name: ranks, "alone": ALONE}.items():
            save_file(gradients(config(), which, "bfloat16"), folder / f"bfloat16, {who}")
            encoder = DualEncoder.load("tiny")
            vectors = Evaluator(Collection.from_corpus(corpus()), encoder, which).cached(encoder)
            save_file({"queries": torch.from_numpy(vectors.queries)}, folder / f"vectors, {who}")
            if ranks.rank:
                break
        save_file(trained(folder / "whole", ranks), folder / f"trained, {name}")
        with suppress(StoppedError):
            trained(folder / "stopped", ranks, stops=True)
        save_file(trained(folder / "stopped", ranks), folder / f"went on, {name}")
        with pytest.raises(InputError, match=f"weights: found '{ranks.rank}' on process {ranks.rank} and other"):
            ranks.same("weights", str(ranks.rank))
        taken = ranks.firsts("rows", np.array([[1, 2], [3, 4 + ranks.rank]]))
        assert taken.tolist() == [[1, 2], [3, 4]]
        with pytest.raises(InputError, match=r"rows, shape and type: found .* on process"):
            ranks.firsts("rows", np.zeros(1 + ranks.rank))
    hang(folder, ranks.rank)
    die(ranks.rank)


def hang(folder: Path, rank: int) -> None:
    os.environ["MASTER_PORT"] = os.environ["PORT_2"]
    begun = time.monotonic()
    try:
        with connected(HANGS) as ranks:
            if rank == 1:
                time.sleep(HANGS + 3)
            ranks.first_says(1.0)
    except RuntimeError:
        (folder / f"hang {rank}").write_text(json.dumps(time.monotonic() - begun))
        dist.destroy_process_group()


def die(rank: int) -> None:
    os.environ["MASTER_PORT"] = os.environ["PORT_3"]
    with connected(60) as ranks:
        if rank == 1:
            raise InputError("found no luck, expected some")
        ranks.wait()


def started(folder: Path, **environment: str) -> subprocess.Popen:
    here = str(Path(__file__).parent)
    code = f"import sys; sys.path.insert(0, {here!r}); from test_distributed import *; work(Path({str(folder)!r}))"
    own = {"OMP_NUM_THREADS": "1", "HYBRIDLIB_CACHE": str(folder / "cache"), **environment}
    return subprocess.Popen([sys.executable, "-c", code], env=os.environ | own, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The folder of files, then exit code and messages of each process."""
    folder, sockets = tmp_path_factory.mktemp("processes"), [socket.socket() for _ in range(3)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    together = {"MASTER_ADDR": "127.0.0.1", "WORLD_SIZE": "2"}
    together |= dict(zip(("MASTER_PORT", "PORT_2", "PORT_3"), ports, strict=True))
    processes = [started(folder, **together, RANK=str(rank)) for rank in (0, 1)]
    try:
        messages = [process.communicate(timeout=300)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return folder, [process.returncode for process in processes], messages


def results(done, what: str, names=("alone", *RANKS)) -> list[dict[str, torch.Tensor]]:
    folder, _, messages = done
    assert all((folder / f"{what}, {name}").exists() for name in names), "\n".join(messages)
    return [load_file(folder / f"{what}, {name}") for name in names]


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(tensor, second[name]) for name, tensor in first.items())


@pytest.mark.parametrize("case", map(", ".join, EVERY))
def test_loss_and_every_gradient_are_those_of_one_process(done, case):
    alone, first, second = results(done, case)
    assert same(first, second)
    assert first.keys() == alone.keys()
    largest = max(tensor.abs().max().item() for tensor in alone.values())
    for name, expected in alone.items():
        assert expected.abs().max() > 0 or name == "loss"
        torch.testing.assert_close(first[name], expected, rtol=1e-6, atol=1e-9 * largest, msg=name)


def test_bfloat16_gives_nearly_the_loss_of_one_process(done):
    alone, first, second = results(done, "bfloat16")
    assert same(first, second)
    torch.testing.assert_close(first["loss"], alone["loss"], rtol=0.02, atol=0)


def test_vectors_of_an_evaluation_are_those_of_one_process(done):
    alone, first, second = results(done, "vectors")
    assert same(first, second)
    torch.testing.assert_close(first["queries"], alone["queries"], rtol=0, atol=1e-6)


def test_weights_and_history_stay_equal_where_dropout_differs(done):
    first, second = results(done, "trained", RANKS)
    assert not torch.equal(first.pop("drawn next"), second.pop("drawn next"))
    assert same(first, second)
    assert not torch.equal(first["history"][0], first["history"][1])


def test_training_that_stops_goes_on_to_the_same_bits(done):
    whole, went_on = (results(done, what, RANKS) for what in ("trained", "went on"))
    assert all(same(*pair) for pair in zip(whole, went_on, strict=True))


def test_one_process_goes_on_with_the_checkpoint_of_two_and_says_so(done, caplog):
    folder = done[0] / "whole"
    newest = max(folder.glob("*.safetensors"))
    newest.unlink()
    found = trained(folder, ALONE)
    assert "found a checkpoint of 2 processes, going on with 1: dropout differs" in caplog.text
    before = results(done, "trained", RANKS)[0]["history"]
    assert torch.equal(found["history"][:4], before[:4])
    assert found["history"][4, 0] != before[4, 0]


def test_process_that_hangs_is_given_up(done):
    assert HANGS - 1 < json.loads((done[0] / "hang 0").read_text()) < HANGS + 3


def test_process_that_dies_ends_the_other_with_its_error(done):
    _, codes, (first, second) = done
    assert all(codes)
    assert "hybridlib.errors.InputError: found no luck, expected some" in second
    assert "RuntimeError" in first and "closed" in first.lower()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_every_row_is_dealt_to_one_process_and_lengths_are_even(size):
    lengths = np.random.default_rng(0).integers(1, 60, 40).tolist()
    rows = [[number] * length for number, length in enumerate(lengths)]
    shards = [Ranks(rank, size).shard(rows).rows for rank in range(size)]
    assert sorted(itertools.chain(*shards)) == sorted(rows)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    tokens = [sum(map(len, shard)) for shard in shards]
    assert max(tokens) - min(tokens) <= max(lengths)


@pytest.mark.parametrize("chunk_tokens", CHUNKS.values(), ids=CHUNKS)
def test_processes_without_a_text_take_part(chunk_tokens):
    """Two pairs, as a small language may have, are 4 texts for 5 processes, each of which is played in turn."""
    encoder = DualEncoder.load("tiny").double().eval()
    stepping = Stepping(config(chunk_tokens=chunk_tokens), encoder, corpus(), {})
    texts = stepping.texts.of(next(stepping.batches)[:2], 0)
    vectors = encoder(texts.tokens).detach()

    class Played(Ranks):
        def everyones(self, tensor, group=None):
            parts = [vectors[self.shard(texts.tokens).order[rank :: self.size]] for rank in range(self.size)]
            return [torch.cat([part, tensor.new_zeros(len(tensor) - len(part), tensor.shape[1])]) for part in parts]

    def share(ranks: Ranks) -> tuple[float, dict[str, torch.Tensor]]:
        stepping.ranks = ranks
        encoder.zero_grad()
        loss = stepping._add_gradient(texts, 1)["loss"]
        return loss, {name: p.grad for name, p in encoder.named_parameters() if p.grad is not None}

    loss, gradient = share(ALONE)
    shares = [share(Played(rank, 5)) for rank in range(5)]
    assert [found for found, _ in shares] == pytest.approx([loss] * 5)
    assert [bool(part) for _, part in shares] == [True] * 4 + [False]
    for name, expected in gradient.items():
        torch.testing.assert_close(sum(part[name] for _, part in shares[:4]), expected, rtol=1e-9, atol=1e-12, msg=name)


def test_more_processes_than_pairs_are_refused():
    with pytest.raises(InputError, match="batch_size: found 5 for 6 processes, expected a pair for each at least"):
        Stepping(config(), DualEncoder.load("tiny"), corpus(), {}, Ranks(0, 6))
