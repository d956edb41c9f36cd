"""The training loop: batches of pairs, one objective, AdamW, validation, the best weights."""

from __future__ import annotations

import copy
import hashlib
import logging
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from hybridlib.checkpoint import Checkpoint, Checkpoints, under
from hybridlib.config import RunConfig
from hybridlib.corpora.corpus import Corpus
from hybridlib.distributed import ALONE, Ranks
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.stepping import Stepping

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Training:
    """What a training run leaves besides the trained encoder.

    Attributes:
        history: a row an update: ``step``, ``loss``, the unweighted ``loss_<objective>`` of each where there are
            several, learned numbers such as ``infonce_temperature``, ``learning_rate``, ``gradient_norm``,
            ``pairs_per_second``, the batch's similarities
            (:func:`hybridlib.objectives.statistics.similarity_statistics`), ``validation`` where there was one, else
            NaN, and ``seconds`` since the start. Of several batches an update these are means.
        best_step: the step whose weights the encoder has now.
        seconds: wall time of training, validations included.
        cpu_seconds: processor time of the same, over all threads: what it cost where other work ran beside it.
        learned: what the objective had learned at that step, such as a projection.
    """

    history: pd.DataFrame
    best_step: int
    seconds: float
    cpu_seconds: float
    learned: dict[str, Tensor]


def train(
    config: RunConfig,
    encoder: DualEncoder,
    corpus: Corpus,
    validate: Callable[[DualEncoder], float],
    learned: Mapping[str, Tensor] | None = None,
    checkpoints: Checkpoints | None = None,
    ranks: Ranks = ALONE,
) -> Training:
    """Train ``encoder`` in place; it ends with the weights of its best validation.

    Args:
        config: of one stage: sampler, objective, optimisation, seed.
        encoder: to be trained.
        corpus: training texts; of a :class:`hybridlib.corpora.joined.JoinedCorpus` each batch is of one part.
        validate: returns the figure to maximise; called every ``validate_every`` steps and after the last.
        learned: ``learned`` of an earlier stage; an objective goes on with what is called as its own.
        checkpoints: where to keep the state of the training from time to time. One that was killed goes on from there
            and ends with the same weights and history (but for times), to the last bit on one machine with one number
            of threads; one that was finished is read and not trained again.
        ranks: the processes that train together, each of which calls this function. The first writes checkpoints, in
            a folder that all can read. The same number of them goes on to the same bits, another one with other
            dropout; batches do not depend on it.

    Raises:
        InputError: if a loss or a gradient is not finite; the message names the step, the batch's concepts and the last
            finite values. The encoder then has the weights of its best validation so far. Also if processes differ in
            what they train, in the checkpoint they find, or at a validation in their weights.
    """
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    stepping = Stepping(config, encoder, corpus, learned or {}, ranks)
    key = f"{config.run_name(corpus.fingerprint)} from {stepping.digest}, rows {_row_order(corpus)}"
    done = _Done(time.perf_counter(), time.process_time())
    ranks.same("training", f"{key}, bfloat16 {encoder.uses_bfloat16}")
    if ranks.rank:
        ranks.seed(config.seed)  # what comes now is dropout, and the first has that of a process alone
    found = checkpoints.newest(key) if checkpoints else None
    ranks.same("newest checkpoint", f"step {found.step if found else 0}")
    if found is not None:
        log.info("going on after step %d of %d", found.step, config.updates)
        done.load(found)
        stepping.load(found.tensors, done.history)
    encoder.train()
    silent = ranks.rank > 0 or not sys.stderr.isatty()
    try:
        for step in tqdm(range(len(done.history) + 1, config.updates + 1), "train", disable=silent):
            row = {**stepping.update(step), "validation": math.nan}
            if step % config.validate_every == 0 or step == config.updates:
                stepping.check_ranks(step)
                row["validation"] = ranks.first_says(float(validate(encoder)))
                encoder.train()
                log.info("step %d of %d: validation nDCG@10 %.4f", step, config.updates, row["validation"])
                done.validated(step, row["validation"], encoder, stepping)
            done.history.append({**row, "seconds": done.seconds})
            if step % max(1, config.updates // 10) == 0:
                log.info("step %d of %d: loss %.4f, %.0f s", step, config.updates, row["loss"], done.seconds)
            if checkpoints and ranks.first_says(checkpoints.due or step == config.updates):
                state = Checkpoint(step, stepping.tensors() | done.tensors(), done.values())
                if ranks.rank == 0:
                    checkpoints.write(state, key)
                ranks.wait()
        if not done.best_state:
            raise InputError("training: found no validation score that is a number, expected one at least")
    finally:
        if done.best_state:
            encoder.load_state_dict(done.best_state)
        encoder.eval()
    return Training(pd.DataFrame(done.history), done.best_step, done.seconds, done.cpu_seconds, done.best_learned)


def _row_order(corpus: Corpus) -> str:
    """Digest the texts in the order of their rows: batches are drawn by row, and equal corpora may be in any order."""
    digest = hashlib.sha256()
    for text in corpus.table["text"]:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


@dataclass
class _Done:
    """What a training has done so far.

    Attributes:
        start, cpu_start: when it began; earlier, where it goes on after a checkpoint, by the time that took.
        history: a row an update.
        best, best_step, best_state, best_learned: highest validation, its step, the weights at that step, and what the
            objective had learned.
    """

    start: float
    cpu_start: float
    history: list[dict[str, float]] = field(default_factory=list)
    best: float = -math.inf
    best_step: int = 0
    best_state: dict[str, Tensor] = field(default_factory=dict)
    best_learned: dict[str, Tensor] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start

    @property
    def cpu_seconds(self) -> float:
        return time.process_time() - self.cpu_start

    def validated(self, step: int, score: float, encoder: DualEncoder, stepping: Stepping) -> None:
        """Keep what there is at a step if it is the best so far."""
        if score > self.best:
            self.best, self.best_step = score, step
            self.best_state, self.best_learned = copy.deepcopy(encoder.state_dict()), stepping.learned

    def tensors(self) -> dict[str, Tensor]:
        parts = {"best": self.best_state, "learned": self.best_learned}
        return {f"{part}.{name}": tensor for part, state in parts.items() for name, tensor in state.items()}

    def values(self) -> dict[str, Any]:
        names = ("history", "best", "best_step", "seconds", "cpu_seconds")
        return {name: getattr(self, name) for name in names}

    def load(self, checkpoint: Checkpoint) -> None:
        values = checkpoint.values
        self.history, self.best, self.best_step = values["history"], values["best"], values["best_step"]
        self.start -= values["seconds"]
        self.cpu_start -= values["cpu_seconds"]
        self.best_state, self.best_learned = (under(part, checkpoint.tensors) for part in ("best", "learned"))
