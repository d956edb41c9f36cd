"""A weighted sum of objectives, built from names and arguments."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, get_type_hints

from torch import Tensor, nn

from hybridlib.errors import InputError
from hybridlib.objectives.balanced_infonce import BalancedInfoNCE
from hybridlib.objectives.batch import SHAPES, Batch
from hybridlib.objectives.dcl import DCL
from hybridlib.objectives.dhel import DHEL
from hybridlib.objectives.gist import GIST
from hybridlib.objectives.hybrid_paper import HybridPaper
from hybridlib.objectives.infonce import InfoNCE
from hybridlib.objectives.kl import KL
from hybridlib.objectives.lakda import LaKDA
from hybridlib.objectives.margin_mse import MarginMSE
from hybridlib.objectives.memory_bank_infonce import MemoryBankInfoNCE
from hybridlib.objectives.mimo import MIMODistillation
from hybridlib.objectives.objective import Objective
from hybridlib.objectives.siglip import SigLIP
from hybridlib.objectives.simclr import SimCLR
from hybridlib.objectives.spectral import Spectral
from hybridlib.objectives.supcon import SupCon
from hybridlib.objectives.symmetric_infonce import SymmetricInfoNCE
from hybridlib.objectives.vrns import VRNS

OBJECTIVES: dict[str, type[Objective]] = {
    "infonce": InfoNCE,
    "symmetric_infonce": SymmetricInfoNCE,
    "hybrid_paper": HybridPaper,
    "simclr": SimCLR,
    "supcon": SupCon,
    "dcl": DCL,
    "dhel": DHEL,
    "siglip": SigLIP,
    "spectral": Spectral,
    "vrns": VRNS,
    "balanced_infonce": BalancedInfoNCE,
    "memory_bank": MemoryBankInfoNCE,
    "gist": GIST,
    "margin_mse": MarginMSE,
    "kl": KL,
    "mimo_distillation": MIMODistillation,
    "lakda": LaKDA,
}


class WeightedSum(nn.Module):
    r"""Several objectives as one: :math:`L = \sum_k w_k L_k`.

    Args:
        objectives: by name.
        weights: of the same names; finite, 0 or more, not all 0. An objective of weight 0 is computed all the same.

    Attributes:
        needs: what any of the objectives needs of the :class:`Batch`, in the order of its attributes.

    Example:
        >>> import torch
        >>> batch = Batch(torch.eye(2), torch.eye(2), torch.arange(2))
        >>> total = build({"spectral": {}, "vrns": {"weight": 30}}, concepts=11)
        >>> {name: round(part.item(), 4) for name, part in total.parts(batch).items()}
        {'spectral': -2.0, 'vrns': 0.01}
        >>> round(total(batch).item(), 4)
        -1.7
    """

    def __init__(self, objectives: Mapping[str, Objective], weights: Mapping[str, float]) -> None:
        super().__init__()
        for name in objectives:
            if not 0 <= weights[name] < math.inf:
                raise InputError(f"objective {name}: found weight {weights[name]}, expected 0 or more")
        if not any(weights[name] for name in objectives):
            raise InputError("objective: found no objective of a weight above 0, expected one at least")
        self.objectives = nn.ModuleDict(objectives)
        self.weights = {name: weights[name] for name in objectives}
        needed = {need for objective in objectives.values() for need in objective.needs}
        self.needs = tuple(name for name in SHAPES if name in needed)

    def forward(self, batch: Batch) -> Tensor:
        """Return the weighted sum of all parts, a scalar to be minimised."""
        return self.total(self.parts(batch))

    def parts(self, batch: Batch) -> dict[str, Tensor]:
        """Return each objective's value, a scalar without its weight."""
        return {name: objective(batch) for name, objective in self.objectives.items()}

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of the values of :meth:`parts`."""
        first, *others = (weight * parts[name] for name, weight in self.weights.items())
        return sum(others, start=first)


def build(spec: Mapping[str, Mapping[str, Any]], **known: int) -> WeightedSum:
    """Make the objective that a configuration describes.

    Args:
        spec: for each name of ``OBJECTIVES`` its arguments and ``weight`` (default 1), such as
            ``{"infonce": {"temperature": 0.05}, "vrns": {"weight": 30}}``.
        known: numbers that the caller knows, such as ``concepts`` of the training set, ``dimension`` of the student's
            vectors and ``teacher_dimension``: arguments of these names of any objective, unless ``spec`` has its own.

    Raises:
        InputError: an unknown name or argument, one that is missing, of the wrong type or out of range.
    """
    objectives, weights = {}, {}
    for name, given in spec.items():
        if name not in OBJECTIVES:
            raise InputError(f"objective: found {name!r}, expected some of {' '.join(OBJECTIVES)}")
        if not isinstance(given, Mapping):
            raise InputError(f"objective {name}: found {given!r}, expected arguments by name, such as weight: 1.0")
        kind = OBJECTIVES[name]
        preset = {argument: known[argument] for argument in inspect.signature(kind).parameters if argument in known}
        arguments = {**preset, **given}
        _check_arguments(name, kind, arguments)
        weights[name] = arguments.pop("weight", 1.0)
        objectives[name] = kind(**arguments)
    return WeightedSum(objectives, weights)


def _check_arguments(name: str, kind: type[Objective], given: Mapping[str, Any]) -> None:
    parameters = inspect.signature(kind).parameters
    types = {"weight": float, **get_type_hints(kind.__init__)}
    for argument, value in given.items():
        if argument != "weight" and argument not in parameters:
            known = " ".join(["weight", *parameters])
            raise InputError(f"objective {name}: found unknown argument {argument!r}, expected some of {known}")
        expected = types[argument]
        accepted = (int, float) if expected is float else expected
        if not isinstance(value, accepted) or (isinstance(value, bool) and expected is not bool):
            raise InputError(
                f"objective {name}: found {argument} = {value!r}, expected a value of type {expected.__name__}"
            )
    for argument, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and argument not in given:
            raise InputError(
                f"objective {name}: found no {argument}, expected a value of type {types[argument].__name__}"
            )
