"""What a system that was evaluated is: how its encoder was trained, or whose vectors they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hybridlib.config import RunConfig
from hybridlib.findings import configuration
from hybridlib.plain_text import as_label, listed


def origin(result: Mapping[str, Any]) -> str:
    """Say in a sentence what the ``result.json`` of :mod:`hybridlib.evaluate_command` is of, as Markdown."""
    length = result.get("max_length")
    cut = f" Texts are cut to {length} tokens." if length else ""
    label = f"**{as_label(result['label'])}**"
    if result.get("embeddings"):
        return f"{label}: vectors in `{as_label(result['embeddings'])}`."
    if result.get("configuration") is None:
        return f"{label}: the encoder {as_label(result['encoder'])} as it is.{cut}"
    run = f"run `{as_label(result['run'])}`"
    if result.get("encoder"):
        return f"{label}: the encoder {as_label(result['encoder'])}, on the test texts of {run}.{cut}"
    config = RunConfig.checked(result["configuration"], f"{result['run']}: configuration")
    names = (corpus.removeprefix("$HYBRIDLIB_DATA/") for corpus in config.train_corpora or (config.corpus,))
    corpora = listed([as_label(name) for name in names])
    trained = "" if config.sampler == "untrained" else f" Trained on {corpora}."
    called = "" if result["label"] == config.label() else f"{label}: "
    return f"{called}{configuration(config)}{trained} This is {run}.{cut}"
