"""Batches of several corpora, each batch of one of them. Needs numpy and torch alone.

Hybrid batching (arXiv 2408.10536, abstract) samples its batches by data set size. The paper gives no formula; read as
one with an exponent, a batch is of corpus c with

    P(c) = size_c ** power / sum_d size_d ** power,        power = 1: in proportion to size, 0: uniform.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from hybridlib.errors import InputError
from hybridlib.sampler_variants import CountingHybridBatchSampler
from hybridlib.samplers import Batch, PairBatchSampler, ResumableSampler


class CorpusMixtureSampler(ResumableSampler):
    """Draws the corpus of each batch, then takes the next batch of that corpus's own sampler.

    The rows in a batch are those of the corpora put one after the other: row i of corpus c is ``offsets[c] + i``.

    Args:
        parts: a sampler for each corpus, of any kind but one that counts its batches over epochs (an alpha that moves
            or is an exact share), and any languages; each with a seed of its own, since equal seeds give corpora of
            equal size the same order. The mixture moves them to the epochs that it needs.
        seed: fixes, together with the epoch, the corpora that are drawn.
        corpus_power: the power above, at least 0.
        sizes: size of each corpus; default: pairs of an epoch of its sampler (``len(part) * part.batch_size``), that is
            the concepts that it can draw, less those that fill no batch. So in proportion to size an epoch goes through
            each corpus once on average; larger batches than those of the others are drawn less often for it. Pairs of
            all languages are not counted: in 38 languages a concept has 1,406.
        batches: batches an epoch; default: those of the parts together.

    Attributes:
        offsets: first row of each corpus.
        batch_size: the largest of the parts.

    Raises:
        InputError: if there is no part or one that counts its batches, or for a size, power or number of batches out of
            its range.

    The contract is that of :class:`hybridlib.samplers.PairBatchSampler`: the batches depend on seeds and epoch alone,
    and a state counts those that were taken, also by the workers of a ``DataLoader``. Each epoch takes whole new epochs
    of the parts; one that comes to its end goes on with its next.
    """

    def __init__(
        self,
        parts: Sequence[PairBatchSampler],
        *,
        seed: int = 0,
        corpus_power: float = 1.0,
        sizes: Sequence[float] | None = None,
        batches: int | None = None,
    ) -> None:
        if not parts:
            raise InputError("CorpusMixtureSampler: found no part, expected a sampler for each corpus")
        for part in parts:
            if isinstance(part, CountingHybridBatchSampler):
                raise InputError(
                    f"CorpusMixtureSampler: found a {type(part).__name__}, which counts its batches over whole epochs, "
                    "expected a sampler whose batches do not depend on their number"
                )
        size = np.array([len(p) * p.batch_size for p in parts] if sizes is None else sizes, dtype=np.float64)
        if size.shape != (len(parts),) or not (np.isfinite(size) & (size > 0)).all():
            raise InputError(f"CorpusMixtureSampler: found sizes {sizes}, expected {len(parts)} numbers above 0")
        if not 0 <= corpus_power < np.inf:
            raise InputError(f"CorpusMixtureSampler: found corpus_power {corpus_power}, expected a number from 0")
        self.batches = sum(map(len, parts)) if batches is None else batches
        if self.batches < 1:
            raise InputError(f"CorpusMixtureSampler: found batches {batches}, expected at least 1")
        super().__init__(seed)
        self.parts = tuple(parts)
        width = np.array([part.batch_size for part in parts], dtype=np.float64)
        self.weights = (size / size.max()) ** corpus_power / (width / width.max())  # of batches, so that pairs are so
        self.offsets = np.cumsum([0, *(len(part.pairs.concept) for part in parts[:-1])]).tolist()
        self.batch_size = max(part.batch_size for part in parts)

    def __len__(self) -> int:
        """Number of batches of an epoch."""
        return self.batches

    def __iter__(self) -> Iterator[Batch]:
        """Yield the batches of this epoch that were not yielded yet, then stand at the start of the epoch again."""
        corpora, start = self._corpora(), self.position
        done = np.bincount(corpora[:start], minlength=len(self.parts)).tolist()
        streams = [self._stream(part, self.epoch, drawn) for part, drawn in zip(self.parts, done, strict=True)]
        for number, corpus in enumerate(corpora[start:].tolist(), start=start + 1):
            offset, batch = self.offsets[corpus], next(streams[corpus])
            self.position = number
            yield [(query + offset, passage + offset) for query, passage in batch]
        self.position = 0

    def _corpora(self) -> np.ndarray:
        """Draw the corpus of each batch of this epoch; int64 [batches]."""
        # A spawn key keeps these numbers apart from those of a part, whose generator starts from [seed, epoch].
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, self.epoch], spawn_key=(0,)))
        return rng.choice(len(self.parts), size=self.batches, p=self.weights / self.weights.sum())

    def _stream(self, part: PairBatchSampler, epoch: int, done: int) -> Iterator[Batch]:
        """Yield without end what ``part`` gives to an epoch of the mixture, from where ``done`` batches were drawn."""
        most = -(-self.batches // len(part))  # epochs of the part that an epoch of the mixture can need
        skipped, position = divmod(done, len(part))
        for number in count(epoch * most + skipped):
            part.load_state_dict({"seed": part.seed, "epoch": number, "position": position})
            yield from part
            position = 0
