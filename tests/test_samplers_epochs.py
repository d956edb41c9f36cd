"""How many batches an epoch has, and that seed and epoch alone decide them."""

from itertools import islice, permutations

from hypothesis import given
from sampler_cases import SAMPLERS, Case, cases, corpus_of, every_sampler, property_test, usable_concepts
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    """A data set whose item is its index."""

    def __getitem__(self, index: tuple[int, int]) -> tuple[int, int]:
        return index

    def __len__(self) -> int:
        return 10**6


@every_sampler
@given(case=cases)
@property_test
def test_length_is_the_number_of_batches(kind: str, case: Case):
    sampler = case.sampler(kind)
    assert len(list(sampler)) == len(sampler) == case.batches


@every_sampler
@given(case=cases)
@property_test
def test_default_length_is_how_often_the_usable_concepts_fill_a_batch(kind: str, case: Case):
    sampler = case.sampler(kind, batches=None)
    assert len(list(sampler)) == len(sampler) == len(usable_concepts(kind, case.rows)) // sampler.batch_size


@every_sampler
@given(case=cases)
@property_test
def test_seed_and_epoch_fix_the_batches(kind: str, case: Case):
    once, again = case.sampler(kind), case.sampler(kind)
    batches = list(once)
    assert batches == list(again)
    assert batches == list(once)


@every_sampler
def test_another_seed_gives_other_batches(kind: str):
    pairs = corpus_of([64, 64, 64])
    epochs = [list(SAMPLERS[kind](pairs, 8, seed=seed)) for seed in range(6)]
    assert all(one != other for one, other in permutations(epochs, 2))


@every_sampler
def test_another_epoch_gives_other_batches(kind: str):
    sampler = SAMPLERS[kind](corpus_of([64, 64, 64]), 8)
    epochs = []
    for epoch in range(6):
        sampler.set_epoch(epoch)
        epochs.append(list(sampler))
    assert all(one != other for one, other in permutations(epochs, 2))


@every_sampler
def test_epoch_of_one_seed_is_not_a_neighbouring_seed(kind: str):
    pairs = corpus_of([64, 64, 64])
    one, other = SAMPLERS[kind](pairs, 8, seed=1), SAMPLERS[kind](pairs, 8, seed=0)
    other.set_epoch(1)
    assert list(one) != list(other)


@every_sampler
def test_set_epoch_comes_back_to_the_same_batches(kind: str):
    sampler = SAMPLERS[kind](corpus_of([64, 64, 64]), 8)
    first = list(sampler)
    sampler.set_epoch(3)
    assert list(sampler) != first
    sampler.set_epoch(0)
    assert list(sampler) == first


@every_sampler
def test_set_epoch_in_the_middle_starts_at_the_first_batch(kind: str):
    sampler = SAMPLERS[kind](corpus_of([64, 64, 64]), 8)
    list(islice(sampler, 3))
    sampler.set_epoch(0)
    assert len(list(sampler)) == len(sampler)


@every_sampler
def test_a_data_loader_takes_it_as_batch_sampler(kind: str):
    sampler = SAMPLERS[kind](corpus_of([40, 40, 40]), 8)
    loader = DataLoader(Rows(), batch_sampler=sampler, collate_fn=list)
    assert len(loader) == 5
    assert list(loader) == list(SAMPLERS[kind](corpus_of([40, 40, 40]), 8))


@every_sampler
def test_a_data_loader_goes_through_the_epoch_that_was_set(kind: str):
    sampler, alone = (SAMPLERS[kind](corpus_of([40, 40, 40]), 8) for _ in range(2))
    loader = DataLoader(Rows(), batch_sampler=sampler, collate_fn=list)
    first = list(loader)
    sampler.set_epoch(1)
    alone.set_epoch(1)
    assert list(loader) == list(alone) != first
