import pytest

from hybridlib.batches import batches, make_sampler
from hybridlib.config import RunConfig
from hybridlib.corpora.joined import joined
from hybridlib.errors import InputError
from hybridlib.sampler_variants import (
    BothPairsBatchSampler,
    EvenHybridBatchSampler,
    OnePassageLanguageBatchSampler,
    RowHybridBatchSampler,
    ScheduledHybridBatchSampler,
)
from hybridlib.samplers import (
    CrosslingualBatchSampler,
    HybridBatchSampler,
    MixedBatchSampler,
    MonolingualBatchSampler,
)


def config(**values) -> RunConfig:
    return RunConfig(**{"batch_size": 12, **values})


@pytest.mark.parametrize("steps", [1, 4, 5, 6, 13])
def test_batches_go_on_in_the_next_epoch(corpus, steps):
    sampler = make_sampler(config(), corpus)
    epochs = []
    for epoch in range(4):
        sampler.set_epoch(epoch)
        epochs.extend(sampler)
    assert len(sampler) == 5
    assert list(batches(make_sampler(config(), corpus), steps)) == epochs[:steps]
    assert epochs[:5] != epochs[5:10]


SAMPLERS = {
    "mixed": MixedBatchSampler,
    "monolingual": MonolingualBatchSampler,
    "crosslingual": CrosslingualBatchSampler,
    "hybrid": HybridBatchSampler,
    "hybrid_even": EvenHybridBatchSampler,
    "hybrid_rows": RowHybridBatchSampler,
    "one_passage_language": OnePassageLanguageBatchSampler,
    "both_pairs": BothPairsBatchSampler,
}


@pytest.mark.parametrize(("name", "kind"), SAMPLERS.items())
def test_sampler_is_the_one_named_with_its_parameters(corpus, name, kind):
    sampler = make_sampler(config(sampler=name, seed=7, alpha=0.25, batch_size=8), corpus)
    assert type(sampler) is kind
    assert (sampler.seed, sampler.batch_size) == (7, 8)
    assert getattr(sampler, "alpha", 0.25) == 0.25
    options = {"alpha": 0.25} if name.startswith("hybrid") else {}
    assert list(sampler) == list(kind(corpus.pairs, 8, seed=7, **options))


def test_alpha_moves_over_all_batches_of_the_training(corpus):
    sampler = make_sampler(config(alpha=1.0, alpha_end=0.25, alpha_schedule="step", steps=9, accumulate=2), corpus)
    assert type(sampler) is ScheduledHybridBatchSampler
    assert (sampler.alpha, sampler.alpha_end, sampler.schedule, sampler.steps) == (1.0, 0.25, "step", 18)


def test_language_power_reaches_the_sampler(corpus):
    rows = corpus.table
    few = rows["concept"].isin(corpus.concepts[:20]) | (rows["language"] != "ru")
    uneven = type(corpus).from_rows(rows[few].itertuples(index=False, name=None), "uneven")
    weights = {power: make_sampler(config(language_power=power), uneven).weights for power in (0.0, 1.0)}
    assert weights[0.0].tolist() == [1, 1, 1]
    assert weights[1.0].tolist() == [1, 1, pytest.approx(1 / 3)]


def test_untrained_has_no_sampler(corpus):
    with pytest.raises(InputError, match="found 'untrained', expected one of mixed monolingual crosslingual hybrid"):
        make_sampler(config(sampler="untrained"), corpus)


@pytest.mark.parametrize(("name", "kind"), [one for one in SAMPLERS.items() if one[0] != "hybrid_even"])
def test_joined_corpora_have_a_sampler_each(parts, name, kind):
    sampler, alone = (make_sampler(config(sampler=name, corpus_power=2.0), joined(parts[:n])) for n in (2, 1))
    assert [type(part) for part in sampler.parts] == [kind, kind]
    assert (sampler.weights.tolist(), len(sampler)) == ([1, pytest.approx(4 / 9)], sum(map(len, sampler.parts)))
    assert len({sampler.seed, *(part.seed for part in sampler.parts)}) == 3
    assert list(sampler.parts[0]) == list(alone.parts[0])


def test_corpus_with_too_few_concepts_for_a_sampler_is_named(corpus):
    with pytest.raises(InputError, match="corpus scenes: CrosslingualBatchSampler: found no concept that has texts"):
        make_sampler(config(sampler="crosslingual"), joined([corpus, corpus.select(languages=["en"])]))
