"""What all runs of a study have in common, and in what they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from hybridlib.config import RunConfig
from hybridlib.plain_text import listed

_SAID: dict[str, Callable[[RunConfig], str]] = {
    "sampler": lambda config: config.sampler,
    "alpha": lambda config: f"{config.alpha:g}",
    "objective": RunConfig.objective_label,
    "batch_size": lambda config: f"{config.batch_size}",
    "accumulate": lambda config: f"{config.accumulate}",
    "updates": lambda config: f"{config.updates}",
    "learning_rate": lambda config: f"{config.learning_rate:g}",
    "warmup": lambda config: f"{config.warmup:g}",
    "weight_decay": lambda config: f"{config.weight_decay:g}",
    "train_concepts": lambda config: "all" if config.train_concepts is None else f"{config.train_concepts:,}",
    "max_length": lambda config: f"{config.max_length}",
    "trim_vocabulary": lambda config: "yes" if config.trim_vocabulary else "no",
    "precision": lambda config: config.precision,
    "seed": lambda config: f"{config.seed}",
}
_USUAL = {"accumulate": "1"}  # said where it is another


def held_constant(configs: Sequence[RunConfig]) -> str:
    """Say the parameters that all trained runs share, and name those in which they differ; nothing without any.

    Of a run in two stages these are the parameters of the last.
    """
    values = {name: set(said.values()) for name, said in _said(configs).items()}
    same = {name: next(iter(found)) for name, found in values.items() if len(found) == 1}
    parts = [f"{name} {value}" for name, value in same.items() if _USUAL.get(name) != value]
    different = [name for name, found in values.items() if len(found) > 1]
    if not parts:
        return ""
    return f"The same in all that was trained: {', '.join(parts)}." + (
        f" Different: {listed(different)}." if different else ""
    )


def varied(names: Mapping[RunConfig, str]) -> pd.DataFrame:
    """Give the parameters in which trained systems differ, but for the seed: a row a system, as strings.

    Args:
        names: configuration -> label of its system.
    """
    said = _said(list(names))
    columns = {name: values for name, values in said.items() if name != "seed" and len(set(values.values())) > 1}
    rows = {
        label: {name: values[config] for name, values in columns.items()}
        for config, label in names.items()
        if config.sampler != "untrained"
    }
    return pd.DataFrame(rows.values(), pd.Index(rows, name="configuration"), dtype=object)


def _said(configs: Sequence[RunConfig]) -> dict[str, dict[RunConfig, str]]:
    """Return parameter -> trained configuration -> its value."""
    trained = [config for config in configs if config.sampler != "untrained"]
    return {name: {config: said(config) for config in trained} for name, said in _SAID.items()}
