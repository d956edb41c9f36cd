"""An epoch that was stopped goes on where it was."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sampler_cases import SAMPLERS, Case, cases, corpus_of, every_sampler, property_test
from torch.utils.data import DataLoader, Dataset

from hybridlib.errors import InputError
from hybridlib.samplers import MixedBatchSampler


@every_sampler
@given(case=cases, done=st.integers(0, 9))
@property_test
def test_a_loaded_state_goes_on_with_exactly_the_remaining_batches(kind: str, case: Case, done: int):
    done = min(done, case.batches)
    whole = list(case.sampler(kind))
    stopped = case.sampler(kind)
    assert list(islice(stopped, done)) == whole[:done]
    resumed = case.sampler(kind)
    resumed.set_epoch(case.epoch + 1)
    resumed.load_state_dict(stopped.state_dict())
    assert list(resumed) == whole[done:]


@every_sampler
def test_after_a_resumed_epoch_the_next_one_is_whole(kind: str):
    pairs = corpus_of([64, 64, 64])
    uninterrupted, stopped, resumed = (SAMPLERS[kind](pairs, 8) for _ in range(3))
    stopped.set_epoch(4)
    list(islice(stopped, 5))
    resumed.load_state_dict(stopped.state_dict())
    list(resumed)
    uninterrupted.set_epoch(5)
    resumed.set_epoch(5)
    assert list(resumed) == list(uninterrupted)


@every_sampler
def test_a_resumed_epoch_can_be_stopped_and_resumed_again(kind: str):
    pairs = corpus_of([64, 64, 64])
    whole = list(SAMPLERS[kind](pairs, 8))
    batches, state = [], SAMPLERS[kind](pairs, 8).state_dict()
    for _ in range(4):
        sampler = SAMPLERS[kind](pairs, 8)
        sampler.load_state_dict(state)
        batches += list(islice(sampler, 2))
        state = sampler.state_dict()
    assert batches == whole


@every_sampler
def test_a_state_of_another_seed_is_an_error(kind: str):
    pairs = corpus_of([9, 9])
    with pytest.raises(InputError, match=f"^{SAMPLERS[kind].__name__}: found a state of seed 5, expected 6"):
        SAMPLERS[kind](pairs, 2, seed=6).load_state_dict(SAMPLERS[kind](pairs, 2, seed=5).state_dict())


@every_sampler
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch_size": 4, "batches": 5}, "batch_size 4, expected 6"),
        ({"batch_size": 6, "batches": 3}, "batches 3, expected 5"),
    ],
)
def test_a_state_of_other_batches_is_an_error(kind: str, options: dict, said: str):
    pairs = corpus_of([9, 9])
    with pytest.raises(InputError, match=f"^{SAMPLERS[kind].__name__}: found a state of {said}$"):
        SAMPLERS[kind](pairs, 6, batches=5).load_state_dict(SAMPLERS[kind](pairs, **options).state_dict())


def test_a_state_from_before_it_named_its_batches_is_taken():
    whole, resumed = (MixedBatchSampler(corpus_of([64, 64]), 8, seed=3) for _ in range(2))
    whole.set_epoch(2)
    resumed.load_state_dict({"seed": 3, "epoch": 2, "position": 5})
    assert list(resumed) == list(whole)[5:]


class Rows(Dataset):
    """The rows of a pair themselves."""

    def __getitem__(self, rows: tuple[int, int]) -> tuple[int, int]:
        return rows


@pytest.mark.parametrize("used", [2, 6])
def test_batches_that_workers_took_ahead_come_again_where_the_used_ones_are_counted(used: int):
    whole = list(MixedBatchSampler(corpus_of([64, 64]), 8))
    sampler, resumed = (MixedBatchSampler(corpus_of([64, 64]), 8) for _ in range(2))
    loader = DataLoader(Rows(), batch_sampler=sampler, collate_fn=list, num_workers=1, prefetch_factor=3)
    assert list(islice(loader, used)) == whole[:used]
    assert sampler.position != used
    resumed.load_state_dict(sampler.state_dict() | {"position": used})
    assert list(resumed) == whole[used:]
