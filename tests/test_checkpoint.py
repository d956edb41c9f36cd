import fcntl
import logging
import math
import os

import pytest
import torch

from hybridlib import checkpoint
from hybridlib.checkpoint import Checkpoint, Checkpoints, under

KEY = "a training"


def at(step: int) -> Checkpoint:
    tensors = {"weights.a": torch.full((3, 2), float(step)), "random.0": torch.arange(5, dtype=torch.uint8)}
    return Checkpoint(step, tensors, {"best": -math.inf, "history": [{"loss": math.nan, "step": step}]})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "some" / "checkpoints"


def written(folder, *steps) -> Checkpoints:
    checkpoints = Checkpoints(folder)
    for step in steps:
        checkpoints.write(at(step), KEY)
    return checkpoints


def test_newest_is_read_as_it_was_written(folder):
    found = written(folder, 3, 12).newest(KEY)
    assert found.step == 12
    assert found.tensors.keys() == at(12).tensors.keys()
    assert all(torch.equal(tensor, found.tensors[name]) for name, tensor in at(12).tensors.items())
    assert found.values["best"] == -math.inf
    assert math.isnan(found.values["history"][0]["loss"])


def test_there_is_none_at_first(folder):
    assert Checkpoints(folder).newest(KEY) is None


def test_the_newest_two_are_kept(folder):
    written(folder, 1, 2, 10, 9)
    assert sorted(file.name.partition("-")[0] for file in folder.iterdir()) == ["00000009", "00000010"]


def test_checkpoints_of_another_training_make_room_for_those_of_this_one(folder):
    written(folder, 8, 9)
    checkpoints = Checkpoints(folder)
    for step, kept in ((1, [1]), (2, [1, 2]), (3, [2, 3])):
        checkpoints.write(at(step), "another")
        assert sorted(int(file.name.partition("-")[0]) for file in folder.iterdir()) == kept
        assert checkpoints.newest("another").step == step


def test_a_new_process_keeps_the_checkpoint_it_goes_on_from(folder):
    written(folder, 1)
    written(folder, 2)
    assert sorted(file.name.partition("-")[0] for file in folder.iterdir()) == ["00000001", "00000002"]


def test_the_file_is_flushed_to_the_disk_as_windows_does_it(folder, monkeypatch, caplog):
    """Windows refuses to flush a file that is open for reading alone."""
    flushed = []

    def flush(number: int) -> None:
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(9, "Bad file descriptor")
        flushed.append(number)

    monkeypatch.setattr(checkpoint.os, "fsync", flush)
    assert written(folder, 1).newest(KEY).step == 1
    assert len(flushed) == 1
    assert not caplog.messages


@pytest.mark.parametrize("damage", ["a bit", "cut", "emptied"])
def test_damaged_newest_falls_back_to_the_one_before_and_says_so(folder, caplog, damage):
    checkpoints = written(folder, 1, 2)
    newest = max(folder.iterdir())
    data = bytearray(newest.read_bytes())
    data[-3] ^= 1
    newest.write_bytes({"a bit": bytes(data), "cut": bytes(data[:-9]), "emptied": b""}[damage])
    with caplog.at_level(logging.WARNING, logger="hybridlib"):
        assert checkpoints.newest(KEY).step == 1
    assert caplog.messages == [f"{newest}: found a damaged checkpoint, going on with the one before"]


def test_both_damaged_is_none(folder):
    checkpoints = written(folder, 1, 2)
    for file in folder.iterdir():
        file.write_bytes(b"")
    assert checkpoints.newest(KEY) is None


def test_checkpoint_of_another_training_is_passed_over(folder, caplog):
    with caplog.at_level(logging.WARNING, logger="hybridlib"):
        assert written(folder, 1).newest("another") is None
    assert "found a checkpoint of another training, expected another" in caplog.text


def test_full_disk_is_logged_and_leaves_what_was_there(folder, monkeypatch, caplog):
    checkpoints = written(folder, 1)

    def full(tensors, file, metadata):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with caplog.at_level(logging.WARNING, logger="hybridlib"):
        checkpoints.write(at(2), KEY)
    assert "No space left on device" in caplog.text
    assert not checkpoints.due  # not again at the next step
    assert [file.name.partition("-")[0] for file in folder.iterdir()] == ["00000001"]


def test_what_a_killed_process_left_half_written_is_removed(folder):
    folder.mkdir(parents=True)
    (folder / ".0123456789abcdef.tmp").write_bytes(b"half")
    assert written(folder, 1).newest(KEY).step == 1
    assert len(list(folder.iterdir())) == 1


def test_tensors_that_share_memory_are_written(folder):
    weights = torch.arange(6.0)
    checkpoints = Checkpoints(folder)
    checkpoints.write(Checkpoint(1, {"a": weights, "b": weights[1:], "c": weights.reshape(2, 3).T}, {}), KEY)
    found = checkpoints.newest(KEY).tensors
    assert torch.equal(found["b"], weights[1:])
    assert torch.equal(found["c"], weights.reshape(2, 3).T)


def test_due_after_so_many_seconds(folder, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    checkpoints = Checkpoints(folder, seconds=60)
    now[0] = 159.0
    assert not checkpoints.due
    now[0] = 160.0
    assert checkpoints.due
    checkpoints.write(at(1), KEY)
    assert not checkpoints.due


def test_values_may_be_larger_than_the_header_of_a_file_may(tmp_path):
    """The history of a long training: 100 MB, which safetensors refuses in its header."""
    checkpoints = Checkpoints(tmp_path)
    checkpoints.write(Checkpoint(1, {"a": torch.ones(2)}, {"history": "x" * 100_000_001}), KEY)
    found = checkpoints.newest(KEY)
    next(tmp_path.iterdir()).unlink()  # no 100 MB are left for pytest to keep
    assert len(found.values["history"]) == 100_000_001
    assert list(found.tensors) == ["a"]


def test_under_takes_a_part():
    tensors = {"a.x.y": torch.ones(1), "ab.x": torch.zeros(1)}
    assert under("a", tensors) == {"x.y": torch.ones(1)}
