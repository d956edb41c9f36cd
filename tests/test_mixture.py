from itertools import islice, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

from hybridlib.errors import InputError
from hybridlib.mixture import CorpusMixtureSampler
from hybridlib.pairs import Pairs
from hybridlib.sampler_variants import EvenHybridBatchSampler, ScheduledHybridBatchSampler
from hybridlib.samplers import (
    Batch,
    CrosslingualBatchSampler,
    HybridBatchSampler,
    MixedBatchSampler,
    MonolingualBatchSampler,
    PairBatchSampler,
)

SAMPLERS = {
    "mixed": MixedBatchSampler,
    "monolingual": MonolingualBatchSampler,
    "crosslingual": CrosslingualBatchSampler,
    "hybrid": HybridBatchSampler,
}
LANGUAGES = (("en", "de"), ("zh", "sw", "tr"), ("ar", "en", "fi", "ja"), ("ko", "vi"))
every_sampler = pytest.mark.parametrize("kind", list(SAMPLERS))
property_test = settings(max_examples=25, deadline=None)


def pairs_of(concepts: int, languages: tuple[str, ...]) -> Pairs:
    """Return pairs of a corpus that has one query and one passage of every concept in every language."""
    cells = np.array([(c, lang) for c in range(concepts) for lang in range(len(languages)) for _ in range(2)])
    is_query = np.arange(len(cells)) % 2 == 0
    return Pairs(cells[:, 0], cells[:, 1], is_query, ~is_query, np.arange(len(cells)), languages)


def mixture(kinds: list[str], concepts: list[int], **options) -> CorpusMixtureSampler:
    """Return a mixture of corpora with so many concepts, in other languages each, with a sampler of the given kind."""
    parts = [
        SAMPLERS[kind](pairs_of(count, LANGUAGES[number]), 4, seed=7 + number)
        for number, (kind, count) in enumerate(zip(kinds, concepts, strict=True))
    ]
    return CorpusMixtureSampler(parts, **options)


def corpora_of(sampler: CorpusMixtureSampler, batch: Batch) -> set[int]:
    """Return the corpora whose rows are in a batch, by a loop over where each corpus ends."""
    ends = np.cumsum([len(part.pairs.concept) for part in sampler.parts])
    return {sum(row >= end for end in ends) for pair in batch for row in pair}


def drawn(sampler: CorpusMixtureSampler, epochs: int = 1) -> np.ndarray:
    """Return the corpus of each batch in the first epochs."""
    found = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        found += [corpora_of(sampler, batch).pop() for batch in sampler]
    return np.array(found)


@st.composite
def mixtures(draw: st.DrawFn):
    """Return a function that makes a mixture, the same at each call, set to some epoch."""
    kinds = draw(st.lists(st.sampled_from(list(SAMPLERS)), min_size=1, max_size=4))
    sizes = draw(st.lists(st.integers(4, 30), min_size=len(kinds), max_size=len(kinds)))
    seed, power = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.0, 0.5, 1.0, 3.0]))
    batches, epoch = draw(st.one_of(st.none(), st.integers(1, 30))), draw(st.integers(0, 1000))

    def make() -> CorpusMixtureSampler:
        sampler = mixture(kinds, sizes, seed=seed, corpus_power=power, batches=batches)
        sampler.set_epoch(epoch)
        return sampler

    return make


# ------------------------------------------------------------------------------------------------ what a batch holds


@given(make=mixtures())
@property_test
def test_a_batch_is_of_one_corpus_and_has_no_concept_twice(make):
    sampler = make()
    for batch in sampler:
        (corpus,) = corpora_of(sampler, batch)
        concepts = sampler.parts[corpus].pairs.concept
        rows = np.array(batch) - sampler.offsets[corpus]
        assert (concepts[rows[:, 0]] == concepts[rows[:, 1]]).all()
        assert len(set(concepts[rows[:, 0]])) == len(batch) == sampler.batch_size


@every_sampler
def test_a_batch_is_one_of_the_corpus_sampler(kind: str):
    """Of a corpus that is drawn, the batches are those of its own epochs, one after the other."""
    sampler = mixture([kind, kind], [20, 9], corpus_power=0.0, batches=40)
    batches = {0: [], 1: []}
    for batch in sampler:
        (corpus,) = corpora_of(sampler, batch)
        offset = sampler.offsets[corpus]
        batches[corpus].append([(query - offset, passage - offset) for query, passage in batch])
    for corpus, number in product((0, 1), range(3)):
        alone = SAMPLERS[kind](sampler.parts[corpus].pairs, 4, seed=7 + corpus)
        alone.set_epoch(number)
        assert batches[corpus][len(alone) * number : len(alone) * (number + 1)] == list(alone)


def test_indices_are_plain_integers():
    assert {type(row) for batch in mixture(["mixed"] * 3, [8, 8, 8]) for pair in batch for row in pair} == {int}


def test_data_loader_takes_its_batches():
    class Indices(Dataset):
        def __getitem__(self, index: tuple[int, int]) -> tuple[int, int]:
            return index

    sampler = mixture(["hybrid"] * 2, [12, 8])
    assert list(DataLoader(Indices(), batch_sampler=sampler, collate_fn=list)) == list(sampler)


# -------------------------------------------------------------------------------------------- which corpus is drawn


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_corpora_are_drawn_by_size_to_the_power(power: float):
    sizes = [4, 8, 20]
    counts = np.bincount(drawn(mixture(["mixed"] * 3, sizes, corpus_power=power, batches=6000)))
    expected = np.power(sizes, power) / np.power(sizes, power).sum() * 6000
    assert ((counts - expected) ** 2 / expected).sum() < 13.8  # chi-square, 2 degrees of freedom, p = 0.001


def test_larger_batches_are_drawn_less_often():
    """In proportion to size each corpus is gone through as often, whatever its batches hold."""
    parts = [
        SAMPLERS["mixed"](pairs_of(80, LANGUAGES[number]), size, seed=number) for number, size in enumerate((4, 20))
    ]
    counts = np.bincount(drawn(CorpusMixtureSampler(parts, batches=6000)))
    expected = np.array([20, 4]) / 24 * 6000
    assert ((counts - expected) ** 2 / expected).sum() < 10.8  # chi-square, 1 degree of freedom, p = 0.001


def test_given_sizes_take_the_place_of_the_number_of_concepts():
    counts = np.bincount(drawn(mixture(["mixed"] * 2, [20, 20], sizes=[3, 1], batches=4000)))
    assert counts[0] / 4000 == pytest.approx(0.75, abs=0.025)


def test_large_powers_and_sizes_do_not_overflow():
    assert set(drawn(mixture(["mixed"] * 2, [8, 8], sizes=[1e9, 1e8], corpus_power=100.0, batches=50))) == {0}


def test_other_seeds_and_epochs_draw_other_corpora():
    one, other = (mixture(["mixed"] * 2, [20, 20], batches=64, seed=seed) for seed in (0, 1))
    first, second, third = drawn(one, 2)[:64], drawn(one, 2)[64:], drawn(other)
    assert (first != second).any() and (first != third).any() and (second != third).any()


def test_an_epoch_brings_each_corpus_in_an_epoch_of_its_own():
    """No concept of a corpus comes a second time while others of it have not come."""
    sampler = mixture(["mixed"] * 2, [40, 12], corpus_power=0.0, batches=20)
    used = np.zeros((2, 40), dtype=int)
    for batch in sampler:
        (corpus,) = corpora_of(sampler, batch)
        rows = [query - sampler.offsets[corpus] for query, _ in batch]
        used[corpus, sampler.parts[corpus].pairs.concept[rows]] += 1
        assert np.ptp(used[corpus, : (40, 12)[corpus]]) <= 1


def test_epochs_share_no_batch():
    """An epoch never goes back to an epoch of a part that an earlier one had."""
    sampler = mixture(["crosslingual"] * 2, [12, 8], corpus_power=0.0)
    batches = []
    for epoch in range(20):
        sampler.set_epoch(epoch)
        batches += [tuple(batch) for batch in sampler]
    assert len(set(batches)) == len(batches) == 100


# ------------------------------------------------------------------------------------- length, seed, epoch, resuming


@given(make=mixtures())
@property_test
def test_seed_and_epoch_fix_the_batches(make):
    one, other = make(), make()
    batches = list(one)
    list(islice(other, 2))
    other.set_epoch(other.epoch + 1)
    list(other)
    other.set_epoch(one.epoch)
    assert len(batches) == len(one)
    assert batches == list(other) == list(one)


def test_default_length_is_that_of_the_parts_together():
    assert len(mixture(["mixed"] * 3, [9, 8, 23])) == 2 + 2 + 5


@given(make=mixtures(), done=st.integers(0, 40))
@property_test
def test_a_loaded_state_goes_on_with_exactly_the_remaining_batches(make, done: int):
    whole, stopped, resumed = list(make()), make(), make()
    done = min(done, len(whole))
    assert list(islice(stopped, done)) == whole[:done]
    state = stopped.state_dict()
    resumed.set_epoch(state["epoch"] + 1)
    list(islice(resumed, 1))
    resumed.load_state_dict(state)
    assert list(resumed) == whole[done:]
    assert resumed.state_dict() == {**state, "position": 0}


def test_state_of_another_seed_is_refused():
    with pytest.raises(InputError, match=r"^CorpusMixtureSampler: found a state of seed 2, expected 1$"):
        mixture(["mixed"], [8], seed=1).load_state_dict(mixture(["mixed"], [8], seed=2).state_dict())


# ------------------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": [1]}, r"found sizes \[1\], expected 2 numbers above 0"),
        ({"sizes": [1, 0]}, r"found sizes \[1, 0\], expected 2 numbers above 0"),
        ({"sizes": [1, float("nan")]}, "expected 2 numbers above 0"),
        ({"corpus_power": -1}, "found corpus_power -1, expected a number from 0"),
        ({"corpus_power": float("nan")}, "found corpus_power nan, expected a number from 0"),
        ({"batches": 0}, "found batches 0, expected at least 1"),
    ],
)
def test_parameters_out_of_range(options, message: str):
    with pytest.raises(InputError, match=f"^CorpusMixtureSampler: .*{message}"):
        mixture(["mixed"] * 2, [8, 8], **options)


def test_no_part_is_an_error():
    with pytest.raises(InputError, match="found no part, expected a sampler for each corpus"):
        CorpusMixtureSampler([])


def test_batch_size_is_the_largest_of_the_parts():
    parts: list[PairBatchSampler] = [MixedBatchSampler(pairs_of(8, ("en",)), size) for size in (3, 5, 2)]
    assert CorpusMixtureSampler(parts).batch_size == 5


@pytest.mark.parametrize(
    "part",
    [
        EvenHybridBatchSampler(pairs_of(9, LANGUAGES[0]), 4),
        ScheduledHybridBatchSampler(pairs_of(9, LANGUAGES[0]), 4, alpha=1, alpha_end=0, schedule="step", steps=9),
    ],
)
def test_samplers_that_count_their_batches_are_refused(part):
    """An epoch of the mixture takes a part of theirs, so that their numbers would jump."""
    with pytest.raises(InputError, match=f"found a {type(part).__name__}, which counts its batches over whole epochs"):
        CorpusMixtureSampler([part])
