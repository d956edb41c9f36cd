"""Systems made of a study's finished runs without training: weights averaged, vectors debiased."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.plain_text import brief, checked_label
from hybridlib.validation import explained


class _Entry(BaseModel):
    """An entry of ``systems`` in a study file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    of: str | list[str] = Field(description="label of a configuration, or of two whose weights are averaged")
    weight: float | list[float] = Field(0.5, description="share of the second in the average; a list: one system each")
    debias: list[Literal["centring", "shift", "lir"]] = Field([], description="debiasings, each a further system")
    label: str | None = Field(None, description="how tables call it")


@dataclass(frozen=True)
class DerivedSystem:
    """An encoder made of one or two finished runs of one seed, tested on their test concepts.

    Attributes:
        label: how tables call it.
        parents: configurations of the runs; of two the weights are averaged.
        weight: share of the second in the average.
        debias: debiasings that it is tested with besides.
    """

    label: str
    parents: tuple[RunConfig, ...]
    weight: float
    debias: tuple[str, ...]

    @property
    def seed(self) -> int:
        """Seed of the runs that it is made of."""
        return self.parents[0].seed

    def labels(self) -> list[str]:
        """Name what it adds to a study: a single run without debiasing is there already."""
        return [*[self.label] * (len(self.parents) > 1), *(f"{self.label} + {name}" for name in self.debias)]

    def name(self, runs: Sequence[str]) -> str:
        """Name its folder by its content.

        Args:
            runs: names of the parents' runs.
        """
        content = json.dumps([*runs, self.weight, *self.debias])
        kind = "average" if len(self.parents) > 1 else f"debiased-{self.parents[0].label().replace(' ', '-')}"
        return f"{kind}-seed{self.seed}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"


def derived_systems(
    entries: Sequence[Any], configs: Sequence[RunConfig], names: Sequence[str], path: Path
) -> tuple[DerivedSystem, ...]:
    """Read ``systems`` of a study file: ``of`` one label with ``debias``, or of two with ``weight``.

    Each entry stands for a system a seed that all its runs have.

    Raises:
        InputError: naming the file, the entry and what was expected.
    """
    by_label: dict[str, dict[int, RunConfig]] = {}
    for config, name in zip(configs, names, strict=True):
        by_label.setdefault(name, {})[config.seed] = config
    found = [system for entry in entries for system in _systems(_checked(entry, path), by_label, path)]
    labels = [(label, system.seed) for system in found for label in system.labels()]
    twice = next((label for label, seed in labels if labels.count((label, seed)) > 1 or label in by_label), None)
    if twice is not None:
        raise InputError(f"{path}: found two systems called {twice!r}, expected another label")
    made: dict[Any, str] = {}
    for system in found:
        first = made.setdefault((system.parents, system.weight, system.debias), system.label)
        if first != system.label:
            raise InputError(f"{path}: found systems {first!r} and {system.label!r} made of the same, expected one")
    return tuple(found)


def _checked(entry: Any, path: Path) -> _Entry:
    if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
        raise InputError(f"{path}: found systems: {brief(entry)}, expected names with values")
    try:
        return _Entry(**entry)
    except ValidationError as error:
        wrong = [explained(item, "part of a system", _Entry.model_fields) for item in error.errors()]
        raise InputError("\n".join(f"{path}: systems: {one}" for one in wrong)) from None


def _systems(entry: _Entry, by_label: Mapping[str, Mapping[int, RunConfig]], path: Path) -> list[DerivedSystem]:
    of = [entry.of] if isinstance(entry.of, str) else entry.of
    for label in of:
        if label not in by_label:
            raise InputError(f"{path}: found systems of {brief(label)}, expected one of {', '.join(by_label)}")
    weighed = "weight" in entry.model_fields_set
    if len(of) not in (1, 2) or (len(of) == 1 and (weighed or not entry.debias)):
        raise InputError(
            f"{path}: found systems of {brief(entry.of)} {'with' if weighed else 'without'} weight and "
            f"{'with' if entry.debias else 'without'} debias, expected two labels, or one with debias alone"
        )
    seeds = set.intersection(*(set(by_label[label]) for label in of))
    if not seeds:
        raise InputError(f"{path}: found systems of {' and '.join(of)} without a common seed, expected one at least")
    weights = entry.weight if isinstance(entry.weight, list) else [entry.weight]
    if not weights or any(not 0 <= weight <= 1 for weight in weights):
        raise InputError(f"{path}: found systems with weight {brief(entry.weight)}, expected 0 to 1")
    made = []
    for weight in weights if len(of) > 1 else [0.0]:
        label = entry.label or (of[0] if len(of) == 1 else f"{of[0]} and {of[1]} averaged")
        label = f"{label} {weight:g}" if len(weights) > 1 else label
        for seed in sorted(seeds):
            parents = tuple(by_label[one][seed] for one in of)
            made.append(DerivedSystem(checked_label(label, f"{path}: label"), parents, weight, tuple(entry.debias)))
    return made
