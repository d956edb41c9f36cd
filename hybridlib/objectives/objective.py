"""What all objectives have in common: a batch in, a scalar out, in full precision; some have a temperature."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from hybridlib.errors import InputError
from hybridlib.objectives.batch import Batch


class Objective(nn.Module, ABC):
    """A loss of one batch; subclasses write :meth:`loss`, which runs outside autocast.

    Attributes:
        needs: names of the optional :class:`Batch` tensors that it cannot do without.
        takes_hard_negatives: whether hard negatives change it.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    takes_hard_negatives: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()

    def forward(self, batch: Batch) -> Tensor:
        """Return the loss, a float32 scalar (float64 for float64 vectors), to be minimised."""
        with torch.autocast(batch.queries.device.type, enabled=False):
            return self.loss(batch)

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """Return the loss, a scalar."""


class TemperatureObjective(Objective):
    r"""An objective whose similarities are divided by a temperature.

    Args:
        temperature: positive; its starting value if it is learned.
        learn_temperature: train :math:`\log(1/t)` with the encoder, held at t >= 0.01 as CLIP does.
    """

    def __init__(self, temperature: float = 0.05, *, learn_temperature: bool = False) -> None:
        super().__init__()
        check_positive(type(self).__name__, "temperature", temperature)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)), requires_grad=learn_temperature)

    @property
    def temperature(self) -> Tensor:
        """The temperature, a scalar."""
        return torch.exp(-self.log_scale)

    def forward(self, batch: Batch) -> Tensor:
        """Return the loss, a float32 scalar (float64 for float64 vectors), to be minimised."""
        if self.log_scale.requires_grad:
            with torch.no_grad():
                self.log_scale.clamp_(max=math.log(100.0))
        return super().forward(batch)

    def scaled(self, similarities: Tensor) -> Tensor:
        """Return similarities divided by the temperature."""
        return similarities / self.temperature.to(similarities.dtype)


def check_positive(objective: str, name: str, value: float) -> None:
    """Raise ``InputError`` unless ``value`` is a positive, finite number."""
    if not 0 < value < math.inf:
        raise InputError(f"{objective}: found {name} {value}, expected a positive number")


def check_at_least(objective: str, name: str, value: int, least: int) -> None:
    """Raise ``InputError`` if ``value`` is below ``least``."""
    if value < least:
        raise InputError(f"{objective}: found {name} {value}, expected {least} or more")


def check_dimension(objective: str, name: str, vectors: Tensor, dimension: int) -> None:
    """Raise ``InputError`` unless the vectors [..., d] have ``dimension`` coordinates."""
    if vectors.shape[-1] != dimension:
        raise InputError(f"{objective}: found {name} of dimension {vectors.shape[-1]}, expected {dimension}")
