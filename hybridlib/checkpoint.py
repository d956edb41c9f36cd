"""Checkpoints of a training: each one file, whole or not there; two are kept, a damaged one is passed over."""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hybridlib.cache import sha256_of

log = logging.getLogger(__name__)
_VALUES = "values.json"  # a tensor of bytes, as a header holds 100 MB at most: the history of 125,000 updates


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Where a training stands.

    Attributes:
        step: updates that are done.
        tensors: by name.
        values: what JSON can hold; NaN and infinity are kept.
    """

    step: int
    tensors: dict[str, Tensor]
    values: dict[str, Any]


class Checkpoints:
    """The checkpoints of one training in a folder of their own.

    A file is called ``<step>-<first half of its SHA-256>.safetensors``, so that a reader can tell a damaged one.

    Args:
        folder: made where it is missing.
        seconds: least time between two checkpoints; the last step of a training is always kept.
    """

    def __init__(self, folder: Path, seconds: float = 60.0) -> None:
        self.folder, self.seconds = folder, seconds
        self.written = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time for a checkpoint."""
        return time.monotonic() - self.written >= self.seconds

    def write(self, checkpoint: Checkpoint, key: str) -> None:
        """Write a checkpoint, then remove all but this one and the one before it of the same training.

        A disk that is full is no reason to lose the training: the failure is logged, and what was there stays.

        Args:
            checkpoint: where the training stands.
            key: names the training; see :meth:`newest`.
        """
        beside = self.folder / f".{secrets.token_hex(8)}.tmp"
        shared = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in checkpoint.tensors.items()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            shared[_VALUES] = torch.frombuffer(bytearray(json.dumps(checkpoint.values).encode()), dtype=torch.uint8)
            save_file(shared, beside, metadata={"key": key})
            with beside.open("r+b") as file:  # Windows flushes no file that is open for reading alone
                os.fsync(file.fileno())
            new = beside.replace(self.folder / f"{checkpoint.step:08d}-{sha256_of(beside)[:32]}.safetensors")
        except (OSError, SafetensorError) as error:
            log.warning("%s: found no way to write a checkpoint (%s), going on without", self.folder, error)
            beside.unlink(missing_ok=True)
            return
        finally:
            self.written = time.monotonic()  # where it failed too: not again at the next step
        others = [file for file in self._files() if file != new]
        before = max((file for file in others if _key(file) == key), key=_age, default=None)
        for old in [*others, *self.folder.glob(".*.tmp")]:
            if old != before:
                old.unlink(missing_ok=True)

    def newest(self, key: str) -> Checkpoint | None:
        """Read the newest checkpoint that is sound and of the training that ``key`` names, or return None."""
        for file in self._files():
            step, _, digest = file.stem.partition("-")
            try:
                if sha256_of(file)[:32] != digest:
                    log.warning("%s: found a damaged checkpoint, going on with the one before", file)
                    continue
                with safe_open(file, framework="pt") as content:
                    metadata: Mapping[str, str] = content.metadata()
                    if metadata["key"] != key:
                        log.warning("%s: found a checkpoint of another training, expected %s", file, key)
                        continue
                    tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
                values = json.loads(tensors.pop(_VALUES).numpy().tobytes())
            except (OSError, SafetensorError, KeyError) as error:
                log.warning("%s: found no checkpoint (%s), going on with the one before", file, error)
                continue
            return Checkpoint(int(step), tensors, values)
        log.info("%s: no checkpoint to go on from; one is kept every %.0f s", self.folder.name, self.seconds)
        return None

    def _files(self) -> list[Path]:
        """List the checkpoints, the newest first."""
        return sorted(self.folder.glob("[0-9]*-*.safetensors"), reverse=True)


def _key(file: Path) -> str | None:
    """Return which training a checkpoint is of; None if that cannot be read."""
    try:
        with safe_open(file, framework="pt") as content:
            return (content.metadata() or {}).get("key")
    except (OSError, SafetensorError):
        return None


def _age(file: Path) -> tuple[int, str]:
    return file.stat().st_mtime_ns, file.name


def under(part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with ``part.``, by the rest of their names."""
    return {name[len(part) + 1 :]: tensor for name, tensor in tensors.items() if name.startswith(f"{part}.")}
