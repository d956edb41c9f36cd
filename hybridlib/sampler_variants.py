"""Batch samplers that hybrid batching (arXiv 2408.10536) was not compared with. Needs numpy and torch alone.

They keep the contract of :class:`hybridlib.samplers.PairBatchSampler`. The paper decides by one constant alpha, for the
batch as a whole, whether its pairs are monolingual or cross-lingual, and gives a concept one pair a batch; here

- ``EvenHybridBatchSampler``: alpha is the share of monolingual batches, not their probability;
- ``ScheduledHybridBatchSampler``: alpha changes in the course of the training;
- ``RowHybridBatchSampler``: alpha decides for each row;
- ``OnePassageLanguageBatchSampler``: all passages in one language, queries in the others;
- ``BothPairsBatchSampler``: each concept with a query and a passage in two languages.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from math import floor
from typing import Any, Literal, get_args

import numpy as np

from hybridlib.errors import InputError
from hybridlib.pairs import Pairs
from hybridlib.samplers import (
    Batch,
    ConceptStream,
    HybridBatchSampler,
    PairBatchSampler,
    check_probability,
    draw_column,
    draw_two_columns,
)

Schedule = Literal["linear", "step"]


def scheduled_alpha(number: int, alpha: float, alpha_end: float, schedule: Schedule, steps: int) -> float:
    r"""Alpha of batch t = ``number`` of a training of T = ``steps`` batches, at least 2, counted from 0.

    .. math:: \alpha_t = \alpha + (\alpha_{end} - \alpha) \frac{t}{T - 1}

    for ``linear``; ``step`` is :math:`\alpha` in the first half, that is for :math:`2t < T`. Both stay at
    :math:`\alpha_{end}` from the last batch on.

    Example:
        >>> [scheduled_alpha(t, 1.0, 0.5, "linear", 3) for t in range(4)]
        [1.0, 0.75, 0.5, 0.5]
        >>> [scheduled_alpha(t, 1.0, 0.5, "step", 3) for t in range(4)]
        [1.0, 1.0, 0.5, 0.5]
    """
    if number >= steps - 1:
        return alpha_end
    if schedule == "linear":
        return alpha + (alpha_end - alpha) * number / (steps - 1)
    return alpha if 2 * number < steps else alpha_end


class CountingHybridBatchSampler(HybridBatchSampler):
    """A hybrid sampler that knows the number of each batch: batch i of epoch e is number ``e * len(self) + i``.

    So its epochs follow one another whole, and :class:`hybridlib.mixture.CorpusMixtureSampler` does not take it.
    """

    _numbers: Iterator[int] = count()

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of this epoch that were not yielded yet, then stand at the start of the epoch again."""
        # The base class draws an epoch from its first batch on, also when it goes on in the middle.
        self._numbers = count(self.epoch * len(self))
        yield from super().__iter__()


class EvenHybridBatchSampler(CountingHybridBatchSampler):
    r"""Hybrid batches of which the share ``alpha`` is monolingual, spread evenly over the training.

    A short training of ``HybridBatchSampler`` may have another share than its alpha: of 64 batches at 0.5 the standard
    deviation is 4. Here batch t, counted over epochs from 0, is monolingual if

    .. math:: \lfloor \alpha (t + 1) + u \rfloor > \lfloor \alpha t + u \rfloor, \qquad u \sim U[0, 1),

    with one u a seed (systematic sampling, Madow & Madow 1944). So each batch is with probability alpha, and of any n
    batches in a row alpha n are, rounded up or down.

    Args:
        pairs, batch_size, alpha, options: as in :class:`hybridlib.samplers.HybridBatchSampler`.
    """

    def __init__(self, pairs: Pairs, batch_size: int, *, alpha: float = 0.5, **options: Any) -> None:
        super().__init__(pairs, batch_size, alpha=alpha, **options)
        # A key of its own: the numbers of an epoch's batches come of [seed, epoch].
        self.offset = float(np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(0,))).random())

    def _alpha(self) -> float:
        number = next(self._numbers)
        before, after = (floor(self.alpha * place + self.offset) for place in (number, number + 1))
        return float(after - before)


class ScheduledHybridBatchSampler(CountingHybridBatchSampler):
    """A hybrid batch whose alpha moves from ``alpha`` to ``alpha_end``, up or down: :func:`scheduled_alpha`.

    Batches are counted over epochs. With ``alpha_end`` equal to ``alpha`` the batches are those of
    :class:`hybridlib.samplers.HybridBatchSampler`.

    Args:
        pairs, batch_size: as in :class:`hybridlib.samplers.PairBatchSampler`.
        alpha: probability of a monolingual batch at the start, in [0, 1].
        alpha_end: the same at the end.
        schedule: ``linear`` or ``step``.
        steps: batches until ``alpha_end``, at least 2; usually those of the whole training.
        options: seed, language_power, batches.
    """

    def __init__(
        self,
        pairs: Pairs,
        batch_size: int,
        *,
        alpha: float,
        alpha_end: float,
        schedule: Schedule,
        steps: int,
        **options: Any,
    ) -> None:
        check_probability(self, "alpha", alpha)
        check_probability(self, "alpha_end", alpha_end)
        if schedule not in get_args(Schedule):
            raise InputError(f"{type(self).__name__}: found schedule {schedule!r}, expected linear or step")
        if steps < 2:
            raise InputError(f"{type(self).__name__}: found steps {steps}, expected at least 2")
        self.alpha_end, self.schedule, self.steps = alpha_end, schedule, steps
        super().__init__(pairs, batch_size, alpha=alpha, **options)

    def _alpha(self) -> float:
        return scheduled_alpha(next(self._numbers), self.alpha, self.alpha_end, self.schedule, self.steps)


class RowHybridBatchSampler(PairBatchSampler):
    """Each row is monolingual with probability ``alpha``, else cross-lingual, and draws its own languages.

    A monolingual row draws its language as :class:`hybridlib.samplers.MixedBatchSampler` does, a cross-lingual one its
    two languages as :class:`hybridlib.samplers.CrosslingualBatchSampler` does; only concepts that have both kinds of
    pair are used. So alpha 1 and 0 are these two samplers on such concepts, with other random numbers.

    Args:
        pairs, batch_size: as in :class:`hybridlib.samplers.PairBatchSampler`.
        alpha: probability of a monolingual row, in [0, 1].
        options: seed, language_power, batches.
    """

    needs = "both a monolingual pair and texts in two languages"

    def __init__(self, pairs: Pairs, batch_size: int, *, alpha: float = 0.5, **options: Any) -> None:
        check_probability(self, "alpha", alpha)
        self.alpha = alpha
        super().__init__(pairs, batch_size, **options)

    def _usable(self) -> np.ndarray:
        return self.pairs.has_monolingual.any(1) & self.pairs.has_crosslingual

    def _batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        concepts = stream.take(self.batch_size, self._usable())
        monolingual = rng.random(len(concepts)) < self.alpha
        own = draw_column(self.pairs.has_monolingual[concepts] * self.weights, rng)
        has_query, has_passage = self.pairs.has_query[concepts], self.pairs.has_passage[concepts]
        two = draw_two_columns(has_query * self.weights, has_passage * self.weights, rng)
        query, passage = np.where(monolingual, own, two).tolist()
        return [self.pairs.draw(*row, rng) for row in zip(concepts.tolist(), query, passage, strict=True)]


class OnePassageLanguageBatchSampler(PairBatchSampler):
    """Passages of one language a batch, each row's query in another: cross-lingual pairs alone.

    The passages that a query is compared with are all in one language, as in a monolingual batch, but never in its own.
    The passage language is drawn by language weight, then each row's query language by weight among the others in which
    its concept has a query. A concept fits a passage language if it has a passage in it and a query in another: a
    language that fewer than two concepts fit is never drawn, one that fewer than ``batch_size`` fit gives smaller
    batches, of all of them.
    """

    needs = "a passage in a language that at least two have, with a query in another"

    def _fits(self) -> np.ndarray:
        """Bool [concepts, languages]: the concept has a passage in this language and a query in another."""
        has_query = self.pairs.has_query
        return self.pairs.has_passage & (has_query.sum(1, keepdims=True) > has_query)

    def _usable(self) -> np.ndarray:
        fits = self._fits()
        return np.asarray(fits[:, fits.sum(0) > 1].any(1))

    def _batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        fits = self._fits()
        passage = draw_column(np.where(fits.sum(0) > 1, self.weights, 0.0)[None], rng)[0]
        concepts = stream.take(self.batch_size, fits[:, passage])
        query_weight = self.pairs.has_query[concepts] * self.weights
        query_weight[:, passage] = 0.0
        queries = draw_column(query_weight, rng)
        return [self.pairs.draw(c, query, passage, rng) for c, query in zip(concepts.tolist(), queries, strict=True)]


class BothPairsBatchSampler(PairBatchSampler):
    """Each concept of a batch with a query and a passage in two languages, for :class:`hybridlib.objectives.SupCon`.

    A concept draws an ordered pair of languages a != b, P(a, b) proportional to w_a w_b, among those in which it has a
    monolingual pair, and gives two rows one after the other: its pair in a, then its pair in b.

    Every row is thus a monolingual pair. ``supcon`` takes all four texts of a concept as positives of one another, so
    its cross-lingual pairs too. An objective with one positive a row sees the monolingual pairs alone, since texts of
    one concept are no negatives of each other: for it these are ``mixed`` batches with half the concepts.

    Args:
        pairs: the pairs there are.
        batch_size: pairs a batch, two for each concept: even, at least 4.
        options: seed, language_power; batches, by default as many as the usable concepts fill once.
    """

    needs = "monolingual pairs in two languages"

    def __init__(self, pairs: Pairs, batch_size: int, **options: Any) -> None:
        if batch_size < 4 or batch_size % 2:
            raise InputError(
                f"{type(self).__name__}: found batch_size {batch_size}, expected an even number, at least 4"
            )
        self.pairs = pairs
        usable = int(self._usable().sum())
        if 0 < 2 * usable < batch_size:
            raise InputError(
                f"{type(self).__name__}: found batch_size {batch_size}, expected at most {2 * usable}, "
                f"twice the number of concepts that have {self.needs}"
            )
        super().__init__(pairs, batch_size // 2, **options)
        self.batch_size = batch_size

    def _usable(self) -> np.ndarray:
        return np.asarray(self.pairs.has_monolingual.sum(1) > 1)

    def _batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        concepts = stream.take(self.batch_size // 2, self._usable())
        weights = self.pairs.has_monolingual[concepts] * self.weights
        drawn = zip(concepts.tolist(), *draw_two_columns(weights, weights, rng), strict=True)
        return [self.pairs.draw(c, language, language, rng) for c, *two in drawn for language in two]
