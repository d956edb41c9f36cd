"""The batches of a run: the sampler that its configuration names, epoch after epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import numpy as np

from hybridlib.config import RunConfig
from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.joined import JoinedCorpus
from hybridlib.errors import InputError
from hybridlib.mixture import CorpusMixtureSampler
from hybridlib.sampler_variants import (
    BothPairsBatchSampler,
    EvenHybridBatchSampler,
    OnePassageLanguageBatchSampler,
    RowHybridBatchSampler,
    ScheduledHybridBatchSampler,
)
from hybridlib.samplers import (
    Batch,
    CrosslingualBatchSampler,
    HybridBatchSampler,
    MixedBatchSampler,
    MonolingualBatchSampler,
    PairBatchSampler,
)

AnySampler = PairBatchSampler | CorpusMixtureSampler


def make_sampler(config: RunConfig, corpus: Corpus) -> AnySampler:
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
        "hybrid": _hybrid(config),
        "hybrid_even": partial(EvenHybridBatchSampler, alpha=config.alpha),
        "hybrid_rows": partial(RowHybridBatchSampler, alpha=config.alpha),
        "one_passage_language": OnePassageLanguageBatchSampler,
        "both_pairs": BothPairsBatchSampler,
    }
    if config.sampler not in kinds:
        raise InputError(f"sampler: found {config.sampler!r}, expected one of {' '.join(kinds)}")
    try:
        return kinds[config.sampler](corpus.pairs, config.batch_size, seed=seed, language_power=config.language_power)
    except InputError as error:
        raise InputError(f"corpus {corpus.name}: {error}") from None


def _hybrid(config: RunConfig) -> Callable[..., PairBatchSampler]:
    if config.alpha_end is None:
        return partial(HybridBatchSampler, alpha=config.alpha)
    return partial(
        ScheduledHybridBatchSampler,
        alpha=config.alpha,
        alpha_end=config.alpha_end,
        schedule=config.alpha_schedule,
        steps=config.updates * config.accumulate,
    )


def batches(sampler: AnySampler, count: int, start: int = 0) -> Iterator[Batch]:
    """Yield batches ``start`` to ``count`` (exclusive), epoch after epoch; they do not depend on ``start``."""
    epoch, passed = divmod(start, len(sampler))
    while start < count:
        sampler.set_epoch(epoch)
        for batch in islice(sampler, passed, passed + count - start):
            yield batch
            start += 1
        epoch, passed = epoch + 1, 0
