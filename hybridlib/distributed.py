r"""Several processes train one encoder: each embeds its share of a batch's texts, and all see the whole batch's loss.

Every process draws the same batches, of ``batch_size`` pairs whatever the number of processes, so the kind of a batch,
its languages and the number of batches are the same everywhere. It embeds its share of the texts; the vectors of all
are gathered, in which its own keep their graph. The loss of the whole batch depends on the weights through the vectors
alone, so its gradient is a sum over processes :math:`r` and their texts:

.. math:: \frac{dL}{d\theta} = \sum_r \sum_{i \in r} \frac{\partial L}{\partial v_i} \frac{\partial v_i}{\partial\theta}

Each process computes its part of it, which needs no exchange, and the parts are added up: once an update, however many
batches are accumulated, and with GradCache as without. A parameter of the objective has its whole gradient everywhere.
Weights and optimiser then stay equal, to the last bit where the processors are of one kind.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from hybridlib.errors import InputError

__all__ = ["ALONE", "Ranks", "Shard", "connected"]
_PATIENCE = timedelta(days=1)
_BUCKET = 1 << 23  # numbers added up at once: 32 MB as float32


@dataclass(frozen=True, eq=False)
class Ranks:
    """The processes at work, and which of them this one is; a single one exchanges nothing.

    All of them call the same methods in the same order.

    Attributes:
        rank: number of this process; the first writes files and logs.
        size: number of processes.
        patient: a group for waits that may be long, as for a file that the first process writes. Of a process that
            dies the others learn at once, as its connections close; of one that hangs after a day.
    """

    rank: int = 0
    size: int = 1
    patient: dist.ProcessGroup | None = None

    def shard(self, rows: Sequence[Sequence[int]]) -> Shard:
        """Deal token rows out by length, so that every process has as many, and as long ones, as the others."""
        if self.size == 1:
            return Shard(self, list(range(len(rows))), rows)
        order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
        return Shard(self, order, [rows[row] for row in order[self.rank :: self.size]])

    def sum_gradients(self, shared: Iterable[Tensor], whole: Iterable[Tensor]) -> None:
        """Give every process the gradient of the whole batch.

        Args:
            shared: parameters whose gradient is that of this process's texts; they are added up.
            whole: parameters whose gradient is already whole; all processes take that of the first.
        """
        if self.size == 1:
            return
        shared, whole = ([p for p in some if p.requires_grad] for some in (shared, whole))
        parameters = [*shared, *whole]
        used = torch.tensor([p.grad is not None for p in parameters], dtype=torch.uint8)
        dist.all_reduce(used, dist.ReduceOp.MAX)
        for parameter, is_used in zip(parameters, used.tolist(), strict=True):
            if is_used and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        if self.rank:
            for parameter in whole:
                if parameter.grad is not None:
                    parameter.grad.zero_()
        for bucket in _buckets([p.grad for p in parameters if p.grad is not None]):
            flat = torch.cat([gradient.reshape(-1) for gradient in bucket])
            dist.all_reduce(flat)
            for gradient, part in zip(bucket, flat.split([g.numel() for g in bucket]), strict=True):
                gradient.copy_(part.view_as(gradient))

    def everyones(self, tensor: Tensor, group: dist.ProcessGroup | None = None) -> list[Tensor]:
        """Return the tensors of all processes, which are of one shape."""
        if self.size == 1:
            return [tensor]
        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.all_gather(parts, tensor, group)
        return parts

    def first_says(self, value: float) -> float:
        """Return the number that the first process has."""
        if self.size == 1:
            return value
        said = torch.tensor(value, dtype=torch.float64)
        dist.broadcast(said, 0)
        return said.item()

    def firsts(self, what: str, values: np.ndarray) -> np.ndarray:
        """Return the array that the first process has; raise ``InputError`` unless all have one of that shape."""
        if self.size == 1:
            return values
        self.same(f"{what}, shape and type", f"{values.shape} {values.dtype}")
        taken = torch.from_numpy(values.copy())
        dist.broadcast(taken, 0, self.patient)
        return taken.numpy()

    def same(self, what: str, value: str) -> None:
        """Raise ``InputError`` on every process unless all have the same value."""
        own = torch.frombuffer(bytearray(hashlib.sha256(value.encode()).digest()), dtype=torch.uint8)
        different = [rank for rank, one in enumerate(self.everyones(own, self.patient)) if not torch.equal(one, own)]
        if different:
            raise InputError(
                f"{what}: found {value!r} on process {self.rank} and other values on {' '.join(map(str, different))}, "
                "expected the same on all"
            )

    def wait(self) -> None:
        """Wait for all processes, however long it takes."""
        if self.size > 1:
            dist.all_reduce(torch.zeros(1), group=self.patient)

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Let the first process go through the block, then all others, who find in caches what it put there."""
        if self.rank:
            self.wait()
        try:
            yield
        finally:
            if not self.rank:
                self.wait()
        self.wait()

    def seed(self, *numbers: int) -> None:
        """Seed dropout by ``numbers``, differently on each process."""
        digest = hashlib.sha256(repr((numbers, self.rank)).encode()).digest()
        torch.manual_seed(int.from_bytes(digest[:4], "little"))


ALONE = Ranks()


@dataclass(frozen=True, eq=False)
class Shard:
    """The share of one process of a list of token rows.

    Attributes:
        ranks: the processes.
        order: row numbers in the order in which they were dealt out: one to each process, and again.
        rows: those of this process.
    """

    ranks: Ranks
    order: list[int]
    rows: Sequence[Sequence[int]]

    def joined(self, own: Tensor) -> Tensor:
        """Return the vectors of all rows, [n, d], in the order of the list; gradients flow to ``own`` alone.

        Args:
            own: [len(rows), d], vectors of this process's rows.
        """
        rank, size = self.ranks.rank, self.ranks.size
        if size == 1:
            return own
        padded = own.new_zeros(-(-len(self.order) // size), *own.shape[1:])
        padded[: len(own)] = own.detach()
        dealt = torch.stack(self.ranks.everyones(padded), dim=1).flatten(0, 1)[: len(self.order)]
        dealt[rank::size] = own
        back = torch.empty(len(self.order), dtype=torch.long)
        back[self.order] = torch.arange(len(self.order))
        return dealt[back.to(own.device)]


@contextmanager
def connected(seconds: float) -> Iterator[Ranks]:
    """Yield the processes that ``torchrun`` or ``accelerate launch`` started; without these, this one alone.

    Each takes the GPU of its ``LOCAL_RANK`` where there are any: vectors and gradients then go through NCCL, the rest
    through gloo.

    Args:
        seconds: after which an exchange fails where another process does not answer.

    Raises:
        InputError: if a machine has GPUs, but fewer than processes, or ``WORLD_SIZE`` is not of these launchers.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    needed = {"RANK", "MASTER_ADDR", "MASTER_PORT", *(["LOCAL_RANK"] if torch.cuda.is_available() else [])}
    if missing := needed - set(os.environ):
        raise InputError(
            f"processes: found WORLD_SIZE {os.environ['WORLD_SIZE']} without {', '.join(sorted(missing))}, expected a "
            "start by torchrun or accelerate launch; for a process alone: unset WORLD_SIZE"
        )
    backend = "gloo"
    if torch.cuda.is_available():
        local, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= gpus:
            raise InputError(f"processes: found LOCAL_RANK {local} on a machine of {gpus} GPUs, expected one for each")
        torch.cuda.set_device(local)
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend, timeout=timedelta(seconds=seconds))
    patient = dist.new_group(backend="gloo", timeout=_PATIENCE)
    yield Ranks(dist.get_rank(), dist.get_world_size(), patient)
    dist.destroy_process_group()  # not after an error, when others may never answer


def _buckets(tensors: Iterable[Tensor]) -> Iterator[list[Tensor]]:
    """Divide tensors, in their order, into lists of about 32 MB; a larger tensor is alone."""
    bucket: list[Tensor] = []
    for tensor in tensors:
        if bucket and sum(one.numel() for one in bucket) + tensor.numel() > _BUCKET:
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket
