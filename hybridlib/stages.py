"""A run in one or two stages, such as MIMO's distillation before its contrastive training (arXiv 2605.31171)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from hybridlib.checkpoint import Checkpoints
from hybridlib.config import RunConfig
from hybridlib.corpora import Split
from hybridlib.distributed import ALONE, Ranks
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.splits import run_splits
from hybridlib.training import Training, train


def train_stages(
    config: RunConfig,
    encoder: DualEncoder,
    split: Split,
    validate: Callable[[DualEncoder], float],
    checkpoints: Path | None = None,
    ranks: Ranks = ALONE,
) -> Training:
    """Train ``first_stage``, if there is one, then the rest; each ends with the weights of its best validation.

    What an objective of the first stage learned, such as a projection, one of the same name goes on with.

    Args:
        config: of the run.
        encoder: to be trained.
        split: of the run; the first stage has its own training texts.
        validate: as for :func:`hybridlib.training.train`.
        checkpoints: a folder for them; each stage has its own in it.
        ranks: the processes that train together.

    Returns:
        Both stages as one training: steps, seconds and the history go on, which then has a column ``stage``.
    """
    *earlier, last = config.stages()
    places = [Checkpoints(checkpoints / f"stage-{n}") if checkpoints else None for n in (1, 2)]
    if not earlier:
        return train(last, encoder, split.train, validate, checkpoints=places[0], ranks=ranks)
    first = train(earlier[0], encoder, run_splits(earlier[0]).train, validate, checkpoints=places[0], ranks=ranks)
    second = train(last, encoder, split.train, validate, first.learned, places[1], ranks)
    shifted = {
        "step": second.history["step"] + earlier[0].updates,
        "seconds": second.history["seconds"] + first.seconds,
    }
    history = pd.concat([first.history.assign(stage=1), second.history.assign(**shifted, stage=2)], ignore_index=True)
    return Training(
        history,
        second.best_step + earlier[0].updates,
        first.seconds + second.seconds,
        first.cpu_seconds + second.cpu_seconds,
        second.learned,
    )
