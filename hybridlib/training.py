"""The training loop: batches of pairs, one objective, AdamW, validation, the best weights."""

from __future__ import annotations

import copy
import logging
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from hybridlib.batch_texts import StepTexts, TrainingTexts
from hybridlib.batches import batches, make_sampler
from hybridlib.config import RunConfig
from hybridlib.corpora.corpus import Corpus
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.gradcache import cached_backward
from hybridlib.objectives.compose import WeightedSum, build
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.statistics import similarity_statistics

log = logging.getLogger(__name__)
_NAMED = 64  # concepts of a batch in an error message


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
        learned: parameters and buffers of the objective at the end, such as a projection.
    """

    history: pd.DataFrame
    best_step: int
    seconds: float
    cpu_seconds: float
    learned: dict[str, Tensor]


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
    config: RunConfig,
    encoder: DualEncoder,
    corpus: Corpus,
    validate: Callable[[DualEncoder], float],
    learned: Mapping[str, Tensor] | None = None,
) -> Training:
    """Train ``encoder`` in place; it ends with the weights of its best validation.

    Args:
        config: of one stage: sampler, objective, optimisation, seed.
        encoder: to be trained.
        corpus: training texts; of a :class:`hybridlib.corpora.joined.JoinedCorpus` each batch is of one part.
        validate: returns the figure to maximise; called every ``validate_every`` steps and after the last.
        learned: ``learned`` of an earlier stage; an objective goes on with what is called as its own.

    Raises:
        InputError: if a loss or a gradient is not finite; the message names the step, the batch's concepts and the last
            finite values. The encoder then has the weights of its best validation so far.
    """
    torch.manual_seed(config.seed)
    torch.set_num_threads(config.threads)
    start, cpu_start = time.perf_counter(), time.process_time()
    stepping = _Stepping(config, encoder, corpus, learned or {})
    history: list[dict[str, float]] = []
    best, best_step, best_state = -math.inf, 0, {}
    encoder.train()
    try:
        for step in tqdm(range(1, config.updates + 1), "train", disable=not sys.stderr.isatty()):
            row = {"step": step, **stepping.update(step), "validation": math.nan}
            if step % config.validate_every == 0 or step == config.updates:
                row["validation"] = validate(encoder)
                encoder.train()
                log.info("step %d of %d: validation nDCG@10 %.4f", step, config.updates, row["validation"])
                if row["validation"] > best:
                    best, best_step, best_state = row["validation"], step, copy.deepcopy(encoder.state_dict())
            history.append({**row, "seconds": time.perf_counter() - start})
            if step % max(1, config.updates // 10) == 0:
                log.info("step %d of %d: loss %.4f, %.0f s", step, config.updates, row["loss"], history[-1]["seconds"])
        if not best_state:
            raise InputError("training: found no validation score that is a number, expected one at least")
    finally:
        if best_state:
            encoder.load_state_dict(best_state)
        encoder.eval()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return Training(pd.DataFrame(history), best_step, seconds, cpu_seconds, dict(stepping.objective.state_dict()))


class _Stepping:
    """What an update of the weights needs: batches, texts, objective, optimiser and its schedule."""

    def __init__(self, config: RunConfig, encoder: DualEncoder, corpus: Corpus, learned: Mapping[str, Tensor]) -> None:
        self.config, self.encoder, self.concepts = config, encoder, corpus.concepts
        self.texts = TrainingTexts(config, encoder, corpus)
        self.objective = build(config.objective, dimension=encoder.dimension, **self.texts.sizes).to(encoder.device)
        own = self.objective.state_dict()
        self.objective.load_state_dict(own | {name: value for name, value in learned.items() if name in own})
        self.batches = batches(make_sampler(config, corpus), config.updates * config.accumulate)
        groups = parameter_groups(encoder, self.objective, config.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
        self.trained = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: learning_rate_factor(step, config.updates, config.warmup)
        )
        self.last = "none"

    def update(self, step: int) -> dict[str, float]:
        """Change the weights once; return the numbers of the history."""
        begun = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        texts = [self.texts.of(batch, step) for batch in islice(self.batches, self.config.accumulate)]
        rows = [self._add_gradient(one, step) for one in texts]
        norm = nn.utils.clip_grad_norm_(self.trained, self.config.max_gradient_norm).item()
        self._check("gradient norm", norm, step, texts)
        rate = self.optimizer.param_groups[0]["lr"]
        self.optimizer.step()
        self.schedule.step()
        row = rows[0] if len(rows) == 1 else pd.DataFrame(rows).mean().to_dict()
        self.last = f"loss {row['loss']:.6g} and gradient norm {norm:.6g} at step {step}"
        pairs = sum(len(one) for one in texts)
        return {
            **row,
            "learning_rate": rate,
            "gradient_norm": norm,
            "pairs_per_second": pairs / (time.perf_counter() - begun),
        }

    def _add_gradient(self, texts: StepTexts, step: int) -> dict[str, float]:
        """Add one batch's share of the gradient; return its loss, the parts of it, and its similarities."""
        row: dict[str, float] = {}

        def loss_of(vectors: Tensor) -> Tensor:
            batch = texts.batch(vectors)
            parts = self.objective.parts(batch)
            loss = self.objective.total(parts)
            self._check("loss", loss.item(), step, [texts])
            row["loss"] = loss.item()
            if len(parts) > 1:
                row.update({f"loss_{name}": part.item() for name, part in parts.items()})
            row.update(_temperatures(self.objective))
            row.update(similarity_statistics(batch))
            return loss / self.config.accumulate

        if self.config.chunk_tokens is None:
            loss_of(self.encoder(texts.tokens)).backward()
        else:
            cached_backward(self.encoder, texts.tokens, loss_of, chunk_tokens=self.config.chunk_tokens)
        return row

    def _check(self, what: str, value: float, step: int, texts: Sequence[StepTexts]) -> None:
        if math.isfinite(value):
            return
        concepts = [self.concepts[i] for i in np.unique(np.concatenate([one.concepts for one in texts]))]
        more = f" and {len(concepts) - _NAMED} more" if len(concepts) > _NAMED else ""
        raise InputError(
            f"training: found {what} {value} at step {step}, expected a finite one; last finite: {self.last}; "
            f"concepts of the batch: {' '.join(concepts[:_NAMED])}{more}"
        )


def _temperatures(objective: WeightedSum) -> dict[str, float]:
    """Return the temperatures that are learned."""
    return {
        f"{name}_temperature": one.temperature.item()
        for name, one in objective.objectives.items()
        if isinstance(one, TemperatureObjective) and one.log_scale.requires_grad
    }
