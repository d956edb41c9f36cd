"""What figures and tables call the configurations of a study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hybridlib.config import RunConfig
from hybridlib.plain_text import as_label

_OFF = {name: field.default for name, field in RunConfig.model_fields.items() if field.default in (None, False, 0)}
_OFF["accumulate"] = 1


def labels(configs: Sequence[RunConfig]) -> list[str]:
    """Name each configuration so that those which differ in more than their seed have different names.

    A parameter that some configurations of one sampler switch on is said of these alone.

    Example:
        >>> labels([RunConfig(sampler="mixed"), RunConfig(batch_size=8), RunConfig(batch_size=16, accumulate=2)])
        ['mixed', 'hybrid 0.5, batch_size 8', 'hybrid 0.5, batch_size 16, accumulate 2']
    """
    alike: dict[str, list[dict[str, Any]]] = {}
    for config in configs:
        alike.setdefault(config.label(), []).append(config.model_dump())
    varied = {
        label: [key for key in RunConfig.model_fields if key != "seed" and any(o[key] != group[0][key] for o in group)]
        for label, group in alike.items()
    }
    names = []
    for config in configs:
        said = [_said(config, key) for key in varied[config.label()] if getattr(config, key) != _OFF.get(key, ...)]
        names.append(as_label(", ".join([config.label(), *said])))
    return names


def _said(config: RunConfig, key: str) -> str:
    """Say the value of a parameter."""
    value = getattr(config, key)
    if key == "objective":
        return config.objective_label()
    if key == "first_stage" and value is not None:
        others = [f"{name} {given}" for name, given in value.items() if name != "objective"]
        return " ".join(["after", config.stages()[0].objective_label(), *others])
    return f"{key} {' '.join(value) if isinstance(value, tuple) else value}"
