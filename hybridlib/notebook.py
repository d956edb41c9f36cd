"""What notebooks need besides figures: checked parameters and timings."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
from transformers.utils.logging import disable_progress_bar

from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.mixture import CorpusMixtureSampler
from hybridlib.pairs import Pairs
from hybridlib.samplers import PairBatchSampler

_OF_JUPYTER = {"In", "Out"}
_FIRST_CELLS = 4  # "", parameters, papermill's injected parameters, the cell that makes the configuration


def run_config(variables: dict[str, Any], others: tuple[str, ...] = ()) -> RunConfig:
    """Make the configuration of a notebook's variables, and let log lines through.

    papermill only warns of a parameter that it does not know; here such a one is an error. It is looked for while the
    notebook's first cells run, when nothing but parameters is defined.

    Args:
        variables: the notebook's ``globals()``.
        others: parameters of the notebook that are no part of the configuration.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout, force=True)
    logging.getLogger("hybridlib").setLevel(logging.INFO)
    disable_progress_bar()
    simple = (str, int, float, bool, list, tuple, dict, type(None))
    if len(variables.get("In", [])) <= _FIRST_CELLS:
        given = {n for n, v in variables.items() if isinstance(v, simple) and not n.startswith("_")} - _OF_JUPYTER
        unknown = sorted(given - set(RunConfig.model_fields) - set(others))
        if unknown:
            expected = " ".join([*others, *RunConfig.model_fields])
            raise InputError(f"parameters: found unknown parameter {unknown[0]!r}, expected one of {expected}")
    return RunConfig.checked(
        {name: variables[name] for name in RunConfig.model_fields if name in variables}, "parameters"
    )


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Add the wall time of the block to ``seconds[name]``."""
    start = time.perf_counter()
    yield
    seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start


def batch_languages(
    sampler: PairBatchSampler | CorpusMixtureSampler, pairs: Pairs, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return languages of queries and of passages in the first batches of epoch 0, sorted in a batch for the eye.

    Returns:
        Two int [batches, widest] arrays, -1 where a batch is shorter.
    """
    sampler.set_epoch(0)
    shown = [sorted((pairs.language[q], pairs.language[p]) for q, p in batch) for batch in islice(sampler, count)]
    sampler.set_epoch(0)
    table = np.full((2, len(shown), max(map(len, shown))), -1)
    for number, batch in enumerate(shown):
        table[:, number, : len(batch)] = np.asarray(batch).T
    return table[0], table[1]
