"""Batch samplers that decide which languages stand together in a contrastive batch. Needs numpy and torch alone.

A batch is a list of ``(query row, passage row)`` pairs, each of another concept. The four samplers differ in the
languages of the pairs (names of LAReQA, arXiv 2004.05484, and of hybrid batching, arXiv 2408.10536, in brackets):

- ``MixedBatchSampler`` [X-X]: monolingual pairs, each row in a language of its own;
- ``MonolingualBatchSampler`` [X-X-mono]: monolingual pairs, one language a batch;
- ``CrosslingualBatchSampler`` [X-Y]: each row a query and a passage in two different languages;
- ``HybridBatchSampler`` [hybrid]: a monolingual batch with probability alpha, else a cross-lingual one.

Concepts come in one random order an epoch, the least used first, so that where every language has every concept,
samplers with one seed meet the same concepts in the same batches: they differ in languages alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from hybridlib.errors import InputError
from hybridlib.pairs import Pairs

Batch = list[tuple[int, int]]
_FIXED = ("seed", "batch_size", "batches")  # what a state must have been made with


class ConceptStream:
    """Hands out concepts of one epoch: the least used first, those used alike in a random order, each once a call."""

    def __init__(self, concepts: int, rng: np.random.Generator) -> None:
        self.order = rng.permutation(concepts)
        self.used = np.zeros(concepts, dtype=np.int64)

    def take(self, count: int, eligible: np.ndarray) -> np.ndarray:
        """Return up to ``count`` of the eligible concepts (bool [concepts])."""
        concepts = self.order[eligible[self.order]]
        taken = concepts[np.argsort(self.used[concepts], kind="stable")[:count]]
        self.used[taken] += 1
        return taken


class ResumableSampler(Sampler[Batch]):
    """A sampler whose batches depend on seed and epoch alone, and which can go on in the middle of an epoch.

    Its position counts the batches of the epoch that were taken from it. A ``DataLoader`` with workers takes some ahead
    (``num_workers * prefetch_factor``) of those that it hands out, and an epoch that is all taken stands at its start
    again while the last ones are still to come. With workers count the batches that the training has used, and write
    down ``sampler.state_dict() | {"position": used}``.

    Args:
        seed: fixes every random choice, together with the epoch.

    Attributes:
        epoch: set by :meth:`set_epoch`.
        position: batches of the epoch that are not drawn any more.
        batch_size: pairs a batch, set by subclasses.
        batches: batches an epoch, set by subclasses.
    """

    batch_size: int
    batches: int

    def __init__(self, seed: int) -> None:
        if not 0 <= seed < 2**32:
            raise InputError(f"{type(self).__name__}: found seed {seed}, expected 0 to 2**32 - 1")
        self.seed = seed
        self.epoch = self.position = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, and start at its first batch."""
        self.epoch, self.position = epoch, 0

    def state_dict(self) -> dict[str, Any]:
        """Return where this sampler stands: after the last batch that was taken, used or not; see the class."""
        return {**{name: getattr(self, name) for name in _FIXED}, "epoch": self.epoch, "position": self.position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where the sampler that gave ``state`` stood.

        Raises:
            InputError: for a state of another seed, batch size or number of batches; older states say the seed alone.
        """
        for name in _FIXED:
            expected = getattr(self, name)
            found = state.get(name, expected)
            if found != expected:
                raise InputError(f"{type(self).__name__}: found a state of {name} {found}, expected {expected}")
        self.epoch, self.position = state["epoch"], state["position"]


class PairBatchSampler(ResumableSampler):
    """What the four samplers share: length, epochs, resuming, language weights.

    Args:
        pairs: the pairs there are.
        batch_size: pairs a batch. A language with fewer monolingual pairs of different concepts than this gives smaller
            monolingual batches, of all its concepts (a concept never stands twice in a batch); a language with only one
            is never drawn, since a lone pair has no negatives.
        seed: fixes every random choice, together with the epoch.
        language_power: a language is drawn with probability proportional to (number of its concepts) ** power;
            0 is uniform (2408.10536 section 3), 1 proportional to size.
        batches: batches an epoch; default: as many as the concepts fill once, at least one.

    Raises:
        InputError: if there are fewer concepts with a fitting pair than ``batch_size``, or no language to draw.

    ``for batch in sampler`` goes through one epoch from where :meth:`load_state_dict` left it; :meth:`set_epoch`
    chooses the epoch. The batches depend on seed and epoch alone.
    """

    needs = "pairs"

    def __init__(
        self, pairs: Pairs, batch_size: int, *, seed: int = 0, language_power: float = 0.0, batches: int | None = None
    ) -> None:
        super().__init__(seed)
        self.pairs, self.batch_size = pairs, batch_size
        self.weights = (pairs.has_query | pairs.has_passage).sum(0).astype(np.float64)
        present = self.weights > 0
        self.weights[present] = (self.weights[present] / self.weights.max()) ** language_power
        usable = int(self._usable().sum())
        if batch_size < 2:
            raise InputError(f"{type(self).__name__}: found batch_size {batch_size}, expected at least 2")
        if not usable:
            raise InputError(f"{type(self).__name__}: found no concept that has {self.needs}, expected {batch_size}")
        if usable < batch_size:
            raise InputError(
                f"{type(self).__name__}: found batch_size {batch_size}, expected at most {usable}, "
                f"the number of concepts that have {self.needs}"
            )
        self.batches = usable // batch_size if batches is None else batches
        if self.batches < 1:
            raise InputError(f"{type(self).__name__}: found batches {batches}, expected at least 1")

    def _usable(self) -> np.ndarray:
        """Bool [concepts]: concepts that this sampler can draw."""
        raise NotImplementedError

    def _batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        """Draw the next batch."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Number of batches of an epoch."""
        return self.batches

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of this epoch that were not yielded yet, then stand at the start of the epoch again."""
        rng = np.random.default_rng([self.seed, self.epoch])
        stream = ConceptStream(self.pairs.concepts, rng)
        start = self.position
        for number in range(self.batches):
            batch = self._batch(stream, rng)
            if number >= start:
                self.position = number + 1
                yield batch
        self.position = 0

    def _monolingual_batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        """Draw a language, then concepts of it."""
        counts = self.pairs.has_monolingual.sum(0)
        language = draw_column(np.where(counts > 1, self.weights, 0.0)[None], rng)[0]
        concepts = stream.take(self.batch_size, self.pairs.has_monolingual[:, language])
        return [self.pairs.draw(concept, language, language, rng) for concept in concepts]

    def _crosslingual_batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        """Draw concepts, then for each an ordered pair of two different languages that it has."""
        concepts = stream.take(self.batch_size, self.pairs.has_crosslingual)
        has_query, has_passage = self.pairs.has_query[concepts], self.pairs.has_passage[concepts]
        two = draw_two_columns(has_query * self.weights, has_passage * self.weights, rng)
        return [self.pairs.draw(*row, rng) for row in zip(concepts.tolist(), *two, strict=True)]


class MixedBatchSampler(PairBatchSampler):
    """Monolingual pairs; each row draws its language among those in which its concept has a pair [X-X]."""

    needs = "a monolingual pair"

    def _usable(self) -> np.ndarray:
        return np.asarray(self.pairs.has_monolingual.any(1))

    def _batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        concepts = stream.take(self.batch_size, self._usable())
        languages = draw_column(self.pairs.has_monolingual[concepts] * self.weights, rng)
        return [self.pairs.draw(c, lang, lang, rng) for c, lang in zip(concepts.tolist(), languages, strict=True)]


class MonolingualBatchSampler(PairBatchSampler):
    """Monolingual pairs of one language a batch [X-X-mono]."""

    needs = "a monolingual pair in a language that has at least two"

    def _usable(self) -> np.ndarray:
        has = self.pairs.has_monolingual
        return np.asarray(has[:, has.sum(0) > 1].any(1))

    def _batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        return self._monolingual_batch(stream, rng)


class CrosslingualBatchSampler(PairBatchSampler):
    """Query and passage in different languages; each row draws its own ordered pair of languages [X-Y]."""

    needs = "texts in two languages"

    def _usable(self) -> np.ndarray:
        return self.pairs.has_crosslingual

    def _batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        return self._crosslingual_batch(stream, rng)


class HybridBatchSampler(PairBatchSampler):
    """A monolingual batch with probability ``alpha``, else a cross-lingual one (2408.10536 section 3).

    Args:
        pairs, batch_size, seed, language_power, batches: as in :class:`PairBatchSampler`.
        alpha: probability of a monolingual batch, in [0, 1]; the paper uses 0.5.
    """

    needs = "both a monolingual pair in a language that has at least two and texts in two languages"

    def __init__(self, pairs: Pairs, batch_size: int, *, alpha: float = 0.5, **options: Any) -> None:
        check_probability(self, "alpha", alpha)
        self.alpha = alpha
        super().__init__(pairs, batch_size, **options)

    def _usable(self) -> np.ndarray:
        has = self.pairs.has_monolingual
        return has[:, has.sum(0) > 1].any(1) & self.pairs.has_crosslingual

    def _alpha(self) -> float:
        """Return the probability for the next batch."""
        return self.alpha

    def _batch(self, stream: ConceptStream, rng: np.random.Generator) -> Batch:
        if rng.random() < self._alpha():
            return self._monolingual_batch(stream, rng)
        return self._crosslingual_batch(stream, rng)


def draw_column(weights: np.ndarray, rng: np.random.Generator) -> list[int]:
    """Draw one column of each row with probability proportional to its weight; weights float [rows, columns]."""
    edges = np.cumsum(weights, axis=1)
    points = rng.random(len(weights)) * edges[:, -1]
    return (points[:, None] < edges).argmax(axis=1).tolist()


def draw_two_columns(
    first_weight: np.ndarray, second_weight: np.ndarray, rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Draw columns a != b of each row, P(a, b) ~ first_weight[a] second_weight[b]; both float [rows, columns]."""
    others = second_weight @ (1 - np.eye(second_weight.shape[1]))  # first a with its sum over b, then b
    first = draw_column(first_weight * others, rng)
    rest = second_weight.copy()
    rest[np.arange(len(rest)), first] = 0.0
    return first, draw_column(rest, rng)


def check_probability(sampler: PairBatchSampler, name: str, value: float) -> None:
    """Raise ``InputError`` unless ``value`` is in [0, 1]."""
    if not 0 <= value <= 1:
        raise InputError(f"{type(sampler).__name__}: found {name} {value}, expected a number in [0, 1]")
