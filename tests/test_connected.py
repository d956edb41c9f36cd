"""What the environment must say for processes to find each other, and which GPU each takes."""

import pytest
import torch
import torch.distributed as dist

from hybridlib.distributed import connected
from hybridlib.errors import InputError


def test_a_scheduler_that_starts_no_processes_is_told(monkeypatch):
    """Some set WORLD_SIZE for their own use."""
    monkeypatch.setenv("WORLD_SIZE", "4")
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="found WORLD_SIZE 4 without MASTER_ADDR, MASTER_PORT, RANK, expected a start"):
        connected(60).__enter__()


def test_gpus_are_taken_where_there_are_some(monkeypatch):
    """No GPU is needed for this, so it shows what is asked of torch and not that it is done."""
    asked, place = {}, {"MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
    for name, value in {"WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1", **place}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: asked.update(device=device))
    monkeypatch.setattr(dist, "init_process_group", lambda backend, timeout: asked.update(backend=backend, s=timeout))
    monkeypatch.setattr(dist, "new_group", lambda **options: options["backend"])
    monkeypatch.setattr(dist, "get_rank", lambda: 3)
    monkeypatch.setattr(dist, "get_world_size", lambda: 4)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: asked.update(ended=True))
    with connected(60) as ranks:
        assert (ranks.rank, ranks.size, ranks.patient) == (3, 4, "gloo")
        assert (asked["device"], asked["backend"], asked["s"].total_seconds()) == (1, "cpu:gloo,cuda:nccl", 60)
    assert asked["ended"]
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(InputError, match="found LOCAL_RANK 2 on a machine of 2 GPUs, expected one for each"):
        connected(60).__enter__()
