"""One update of the weights after another: batches, texts, objective, AdamW and its learning rate."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from itertools import count, islice

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from hybridlib.batch_texts import StepTexts, TrainingTexts
from hybridlib.batches import batches, make_sampler
from hybridlib.checkpoint import under
from hybridlib.config import RunConfig
from hybridlib.corpora.corpus import Corpus
from hybridlib.distributed import ALONE, Ranks
from hybridlib.encoders.embedding_cache import hash_of
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.gradcache import cached_backward, random_state, set_random_state
from hybridlib.objectives.compose import WeightedSum, build
from hybridlib.objectives.objective import TemperatureObjective
from hybridlib.objectives.statistics import similarity_statistics

log = logging.getLogger(__name__)
_NAMED = 64  # concepts of a batch in an error message


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


class Stepping:
    """What an update of the weights needs.

    Args:
        config: of one stage.
        encoder: to be trained.
        corpus: training texts.
        learned: parameters that an objective starts with, by their names.
        ranks: the processes that share the work.

    Attributes:
        objective: the weighted sum that is minimised.
        digest: hash of encoder and objective as they were at the start.

    Raises:
        InputError: if there are more processes than pairs in a batch.
    """

    def __init__(
        self,
        config: RunConfig,
        encoder: DualEncoder,
        corpus: Corpus,
        learned: Mapping[str, Tensor],
        ranks: Ranks = ALONE,
    ) -> None:
        if config.batch_size < ranks.size:
            raise InputError(
                f"batch_size: found {config.batch_size} for {ranks.size} processes, expected a pair for each at least"
            )
        self.config, self.encoder, self.concepts, self.ranks = config, encoder, corpus.concepts, ranks
        self.texts = TrainingTexts(config, encoder, corpus, ranks)
        self.objective = build(config.objective, dimension=encoder.dimension, **self.texts.sizes).to(encoder.device)
        self._take_over(learned)
        self.sampler = make_sampler(config, corpus)
        self.batches = batches(self.sampler, config.updates * config.accumulate)
        groups = parameter_groups(encoder, self.objective, config.weight_decay)
        self.optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
        self.trained = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
        self.last = "none"
        self.digest = self._digest()

    def check_ranks(self, step: int) -> None:
        """Raise ``InputError`` unless all processes have the same weights."""
        if self.ranks.size > 1:
            self.ranks.same(f"weights after step {step}", self._digest())

    @property
    def learned(self) -> dict[str, Tensor]:
        """What the objective has learned, such as a projection or a temperature."""
        parameters = self.objective.named_parameters()
        return {name: parameter.detach().clone() for name, parameter in parameters if parameter.requires_grad}

    def _take_over(self, learned: Mapping[str, Tensor]) -> None:
        own = {name: parameter for name, parameter in self.objective.named_parameters() if parameter.requires_grad}
        for name in own.keys() & learned.keys():
            found, expected = list(learned[name].shape), list(own[name].shape)
            if found != expected:
                raise InputError(f"first_stage: found {name} of shape {found}, expected {expected} as in the next one")
            own[name].data.copy_(learned[name])

    def tensors(self) -> dict[str, Tensor]:
        """Everything that changes in an update, and the random state of each process."""
        random = zip(*map(self.ranks.everyones, random_state(self.encoder.device)), strict=True)
        states = {
            "encoder": self.encoder.state_dict(),
            "objective": self.objective.state_dict(),
            **{_random(rank): dict(enumerate(state)) for rank, state in enumerate(random)},
            **{f"optimizer.{i}": state for i, state in self.optimizer.state_dict()["state"].items()},
        }
        return {f"{part}.{name}": tensor for part, state in states.items() for name, tensor in state.items()}

    def load(self, tensors: Mapping[str, Tensor], history: Sequence[Mapping[str, float]]) -> None:
        """Go on after the updates of ``history``, with the :meth:`tensors` of then.

        Where there were more processes or fewer, or another kind of device, batches go on as they were, and dropout
        with another seed.
        """
        config, step = self.config, len(history)
        self.last = _finite(history[-1])
        self.encoder.load_state_dict(under("encoder", tensors))
        self.objective.load_state_dict(under("objective", tensors))
        optimizer = self.optimizer.state_dict()
        count = sum(len(group["params"]) for group in optimizer["param_groups"])
        optimizer["state"] = {i: state for i in range(count) if (state := under(f"optimizer.{i}", tensors))}
        self.optimizer.load_state_dict(optimizer)
        self.batches = batches(self.sampler, config.updates * config.accumulate, step * config.accumulate)
        size = len({part for name in tensors if (part := name.partition(".")[0]).startswith("random")})
        random = under(_random(self.ranks.rank), tensors)
        states, device = [random[str(i)] for i in range(len(random))], self.encoder.device
        if size != self.ranks.size:
            other = f"{size} processes, going on with {self.ranks.size}"
        elif [len(state) for state in states] != [len(state) for state in random_state(device)]:
            other = f"another kind of device, going on with {device.type}"
        else:
            set_random_state(device, states)
            return
        log.warning("found a checkpoint of %s: dropout differs", other)
        self.ranks.seed(config.seed, step)

    def update(self, step: int) -> dict[str, float]:
        """Change the weights once; return the numbers of the history."""
        begun = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        first = (step - 1) * self.config.accumulate
        texts = [self.texts.of(*one) for one in zip(islice(self.batches, self.config.accumulate), count(first))]
        rows = [self._add_gradient(one, step) for one in texts]
        self.ranks.sum_gradients(self.encoder.parameters(), self.objective.parameters())
        norm = nn.utils.clip_grad_norm_(self.trained, self.config.max_gradient_norm).item()
        self._check("gradient norm", norm, step, texts)
        rate = self.config.learning_rate * learning_rate_factor(step - 1, self.config.updates, self.config.warmup)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        row = rows[0] if len(rows) == 1 else pd.DataFrame(rows).mean().to_dict()
        pairs = sum(len(one) for one in texts)
        row |= {"step": step, "learning_rate": rate, "gradient_norm": norm}
        self.last = _finite(row)
        return {**row, "pairs_per_second": pairs / (time.perf_counter() - begun)}

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

        shard, chunk_tokens = self.ranks.shard(texts.tokens), self.config.chunk_tokens
        if not shard.rows:  # with fewer texts than processes; the others wait for this one in the exchange
            loss_of(shard.joined(_no_vectors(self.encoder))).backward()
        elif chunk_tokens is None:
            loss_of(shard.joined(self.encoder(shard.rows))).backward()
        else:
            cached_backward(self.encoder, shard.rows, lambda own: loss_of(shard.joined(own)), chunk_tokens=chunk_tokens)
        return row

    def _digest(self) -> str:
        return hash_of({**self.encoder.state_dict(), **self.objective.state_dict()}).hexdigest()[:16]

    def _check(self, what: str, value: float, step: int, texts: Sequence[StepTexts]) -> None:
        if math.isfinite(value):
            return
        concepts = [self.concepts[i] for i in np.unique(np.concatenate([one.concepts for one in texts]))]
        more = f" and {len(concepts) - _NAMED} more" if len(concepts) > _NAMED else ""
        raise InputError(
            f"training: found {what} {value} at step {step}, expected a finite one; last finite: {self.last}; "
            f"concepts of the batch: {' '.join(concepts[:_NAMED])}{more}"
        )


def _no_vectors(encoder: DualEncoder) -> Tensor:
    """Return the vectors of no rows, [0, dimension], of the kind that the encoder makes of others, with gradient."""
    kind = torch.promote_types(next(encoder.parameters()).dtype, torch.float32)
    return torch.zeros(0, encoder.dimension, dtype=kind, device=encoder.device, requires_grad=True)


def _random(rank: int) -> str:
    """Name the random state of a process in a checkpoint."""
    return f"random{rank or ''}"


def _finite(row: Mapping[str, float]) -> str:
    return f"loss {row['loss']:.6g} and gradient norm {row['gradient_norm']:.6g} at step {row['step']:g}"


def _temperatures(objective: WeightedSum) -> dict[str, float]:
    """Return the temperatures that are learned."""
    return {
        f"{name}_temperature": one.temperature.item()
        for name, one in objective.objectives.items()
        if isinstance(one, TemperatureObjective) and one.log_scale.requires_grad
    }
