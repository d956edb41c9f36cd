"""The training loop: batches of pairs, one objective, AdamW, validation, the best checkpoint."""

from __future__ import annotations

import copy
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from hybridlib.config import RunConfig
from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.joined import JoinedCorpus
from hybridlib.encoders.encoder import DualEncoder, Role
from hybridlib.errors import InputError
from hybridlib.gradcache import cached_backward
from hybridlib.mixture import CorpusMixtureSampler
from hybridlib.objectives import Batch as EmbeddedBatch
from hybridlib.objectives.compose import WeightedSum, build
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.statistics import similarity_statistics
from hybridlib.pairs import Pairs
from hybridlib.samplers import (
    Batch,
    CrosslingualBatchSampler,
    HybridBatchSampler,
    MixedBatchSampler,
    MonolingualBatchSampler,
    PairBatchSampler,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Training:
    """What a training run leaves besides the trained encoder.

    Attributes:
        history: a row a step: ``step``, ``loss``, the unweighted ``loss_<objective>`` of each where there are several,
            learned numbers such as ``infonce_temperature``, ``learning_rate``, ``gradient_norm``, ``pairs_per_second``,
            the batch's similarities (:func:`hybridlib.objectives.statistics.similarity_statistics`), ``validation``
            where there was one, else NaN, and ``seconds`` since the start.
        best_step: the step whose weights the encoder has now.
        seconds: wall time of training, validations included.
        cpu_seconds: processor time of the same, over all threads: what it cost where other work ran beside it.
    """

    history: pd.DataFrame
    best_step: int
    seconds: float
    cpu_seconds: float


def make_sampler(config: RunConfig, corpus: Corpus) -> PairBatchSampler | CorpusMixtureSampler:
    """Return the sampler that a configuration names; of joined corpora one that draws the corpus of each batch.

    Raises:
        InputError: if a corpus has too few concepts for it; the message names the corpus.
    """
    if not isinstance(corpus, JoinedCorpus):
        return _pair_sampler(config, corpus, config.seed)
    seeds = np.random.SeedSequence(config.seed).generate_state(len(corpus.parts)).tolist()
    samplers = [_pair_sampler(config, part, seed) for part, seed in zip(corpus.parts, seeds, strict=True)]
    return CorpusMixtureSampler(samplers, seed=config.seed, corpus_power=config.corpus_power)


def _pair_sampler(config: RunConfig, corpus: Corpus, seed: int) -> PairBatchSampler:
    kinds: dict[str, Callable[..., PairBatchSampler]] = {
        "mixed": MixedBatchSampler,
        "monolingual": MonolingualBatchSampler,
        "crosslingual": CrosslingualBatchSampler,
        "hybrid": partial(HybridBatchSampler, alpha=config.alpha),
    }
    if config.sampler not in kinds:
        raise InputError(f"sampler: found {config.sampler!r}, expected one of {' '.join(kinds)}")
    try:
        return kinds[config.sampler](corpus.pairs, config.batch_size, seed=seed, language_power=config.language_power)
    except InputError as error:
        raise InputError(f"corpus {corpus.name}: {error}") from None


def batches(sampler: PairBatchSampler | CorpusMixtureSampler, steps: int) -> Iterator[Batch]:
    """Yield ``steps`` batches, epoch after epoch."""
    done, epoch = 0, 0
    while done < steps:
        sampler.set_epoch(epoch)
        for batch in sampler:
            yield batch
            done += 1
            if done == steps:
                return
        epoch += 1


def parameter_groups(encoder: nn.Module, objective: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Divide the trained parameters: matrices decay; biases, layer norms (one dimension) and the temperature do not."""
    trained = [p for module in (encoder, objective) for p in module.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]


def learning_rate_factor(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up over ``warmup * steps`` steps, then linear decay that would reach 0 after the last step.

    Example:
        >>> [round(learning_rate_factor(step, 10, 0.2), 3) for step in (0, 1, 2, 9)]
        [0.5, 1.0, 1.0, 0.125]
    """
    rising = math.ceil(warmup * steps)
    if step < rising:
        return (step + 1) / rising
    return (steps - step) / max(1, steps - rising)


def train(
    config: RunConfig, encoder: DualEncoder, corpus: Corpus, validate: Callable[[DualEncoder], float]
) -> Training:
    """Train ``encoder`` in place; it ends with the weights of its best validation.

    Args:
        config: sampler, objective, optimisation, seed.
        encoder: to be trained.
        corpus: training texts; of a :class:`hybridlib.corpora.joined.JoinedCorpus` each batch is of one part.
        validate: returns the figure to maximise; called every ``validate_every`` steps and after the last.

    Raises:
        InputError: if the loss is not finite; the message names the step.
    """
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    pairs = corpus.pairs
    sampler = make_sampler(config, corpus)
    tokens = _PairTokens(encoder, corpus)
    objective = build(config.objective, concepts=len(corpus.concepts)).to(encoder.device)
    groups = parameter_groups(encoder, objective, config.weight_decay)
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(step, config.steps, config.warmup)
    )
    trained = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    history: list[dict[str, float]] = []
    best, best_step, best_state = -math.inf, 0, {}
    start, cpu_start = time.perf_counter(), time.process_time()
    encoder.train()
    for step, batch in enumerate(_shown(batches(sampler, config.steps), config.steps), start=1):
        begun = time.perf_counter()
        rows = [*(tokens.of(row, "query") for row, _ in batch), *(tokens.of(row, "passage") for _, row in batch)]
        evaluated = _Evaluated(objective, pairs, batch, step)
        optimizer.zero_grad(set_to_none=True)
        if config.chunk_tokens is None:
            evaluated(encoder(rows)).backward()
        else:
            cached_backward(encoder, rows, evaluated, chunk_tokens=config.chunk_tokens)
        norm = nn.utils.clip_grad_norm_(trained, config.max_gradient_norm)
        rate = optimizer.param_groups[0]["lr"]
        optimizer.step()
        schedule.step()
        row = {
            "step": step,
            **evaluated.row,
            "learning_rate": rate,
            "gradient_norm": float(norm),
            "pairs_per_second": len(batch) / (time.perf_counter() - begun),
            "validation": math.nan,
        }
        if step % config.validate_every == 0 or step == config.steps:
            row["validation"] = validate(encoder)
            encoder.train()
            log.info("step %d of %d: validation nDCG@10 %.4f", step, config.steps, row["validation"])
            if row["validation"] > best:
                best, best_step, best_state = row["validation"], step, copy.deepcopy(encoder.state_dict())
        history.append({**row, "seconds": time.perf_counter() - start})
        if step % max(1, config.steps // 10) == 0:
            log.info("step %d of %d: loss %.4f, %.0f s", step, config.steps, row["loss"], history[-1]["seconds"])
    if not best_state:
        raise InputError("training: found no validation score that is a number, expected one at least")
    encoder.load_state_dict(best_state)
    encoder.eval()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return Training(pd.DataFrame(history), best_step, seconds, cpu_seconds)


class _Evaluated:
    """The loss of one batch as a function of its vectors, queries first; keeps its numbers for the history."""

    def __init__(self, objective: WeightedSum, pairs: Pairs, batch: Batch, step: int) -> None:
        self.objective, self.step = objective, step
        rows = np.asarray(batch)
        self.numbers = pairs.concept[rows[:, 0]], pairs.language[rows[:, 0]], pairs.language[rows[:, 1]]
        self.row: dict[str, float] = {}

    def __call__(self, vectors: Tensor) -> Tensor:
        """Return the loss.

        Raises:
            InputError: if it is not finite; the message names the step.
        """
        queries, passages = vectors.split(len(vectors) // 2)
        concepts, asked, answered = (torch.as_tensor(values, device=vectors.device) for values in self.numbers)
        embedded = EmbeddedBatch(queries, passages, concepts, asked, answered)
        parts = self.objective.parts(embedded)
        loss = self.objective.total(parts)
        if not torch.isfinite(loss):
            raise InputError(f"training: found loss {loss.item()} at step {self.step}, expected a finite one")
        self.row = {"loss": loss.item()}
        if len(parts) > 1:
            self.row |= {f"loss_{name}": part.item() for name, part in parts.items()}
        self.row |= {
            f"{name}_temperature": one.temperature.item()
            for name, one in self.objective.objectives.items()
            if isinstance(one, TemperatureObjective) and one.log_scale.requires_grad
        }
        self.row |= similarity_statistics(embedded)
        return loss


class _PairTokens:
    """Token ids of a corpus's rows, tokenised once for each role that a row can have."""

    def __init__(self, encoder: DualEncoder, corpus: Corpus) -> None:
        texts = np.asarray(corpus.table["text"], dtype=object)
        self.ids: dict[str, dict[int, list[int]]] = {}
        roles: tuple[tuple[Role, np.ndarray], ...] = (
            ("query", corpus.pairs.is_query),
            ("passage", corpus.pairs.is_passage),
        )
        for role, chosen in roles:
            rows = np.flatnonzero(chosen)
            self.ids[role] = dict(zip(rows.tolist(), encoder.tokenize(texts[rows].tolist(), role), strict=True))

    def of(self, row: int, role: Role) -> list[int]:
        """Return the token ids of a row in a role."""
        return self.ids[role][row]


def _shown(items: Iterator[Batch], total: int) -> Iterator[Batch]:
    """Show a progress bar in a terminal and nothing elsewhere (notebooks get log lines)."""
    return iter(tqdm(items, total=total, desc="train", unit="batch", disable=not sys.stderr.isatty()))
