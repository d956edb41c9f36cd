from collections import deque
from dataclasses import replace

import naive_objectives as naive
import pytest
import torch
from naive_objectives import REPEATED, example

from hybridlib.errors import InputError
from hybridlib.objectives import Batch
from hybridlib.objectives.memory_bank_infonce import MemoryBankInfoNCE

torch.set_num_threads(1)


def make(size: int = 1024, **arguments) -> MemoryBankInfoNCE:
    return MemoryBankInfoNCE(5, size, temperature=0.2, **arguments).double()


def step(seed: int) -> Batch:
    """Return a batch that has some of its concepts in common with the batch of the step before."""
    return example(seed, [3 * seed + concept for concept in REPEATED])


@pytest.mark.parametrize("hard_negatives", [True, False])
@pytest.mark.parametrize(("size", "warmup"), [(100, 0), (10, 0), (4, 2)])
def test_values_in_training_as_by_loops(size, warmup, hard_negatives):
    objective, stored = make(size, warmup=warmup), deque(maxlen=size)
    left_out = {} if hard_negatives else {"hard_negatives": None, "hard_negative_concepts": None}
    for seed in range(5):
        batch = replace(step(seed), **left_out)
        expected = naive.memory_bank(batch, list(stored), 0.2)
        assert objective(batch).item() == pytest.approx(expected, rel=1e-6)
        if stored:
            assert expected > naive.infonce(batch, 0.2) + 1e-6
        if seed >= warmup:
            stored.extend(zip(batch.passages.tolist(), batch.concepts.tolist(), strict=True))


def test_stored_passages_of_the_own_concept_are_no_negatives():
    """The same batch again: its passages are compared as if they were hard negatives of their concepts, too."""
    objective, whole = make(), example(0)
    batch = Batch(whole.queries, whole.passages, whole.concepts)
    objective(batch)
    again = {"hard_negatives": batch.passages[:, None], "hard_negative_concepts": batch.concepts[:, None]}
    assert objective(batch).item() == pytest.approx(naive.infonce(replace(batch, **again), 0.2), rel=1e-6)


def test_evaluation_compares_with_the_bank_and_leaves_it_as_it_is():
    objective = make(10)
    objective(step(0))
    objective.eval()
    before = {name: value.clone() for name, value in objective.state_dict().items()}
    values = [objective(step(1)).item() for _ in range(2)]
    assert values[0] == values[1] > naive.infonce(step(1), 0.2) + 1e-6
    for name, value in objective.state_dict().items():
        assert torch.equal(value, before[name])


def test_gradient_with_a_filled_bank_is_that_of_the_value():
    objective = make(learn_temperature=True)
    objective(step(0))
    objective.eval()
    batch = step(1)
    given = [batch.queries, batch.passages, batch.hard_negatives, objective.log_scale.detach()]

    def value(queries, passages, hard_negatives, log_scale):
        changed = replace(batch, queries=queries, passages=passages, hard_negatives=hard_negatives)
        return torch.func.functional_call(objective, {"log_scale": log_scale}, (changed,))

    assert torch.autograd.gradcheck(value, tuple(tensor.clone().requires_grad_() for tensor in given))


def test_training_goes_on_from_its_state_as_if_never_stopped():
    objective, resumed = make(10, warmup=1, learn_temperature=True), make(10, warmup=1, learn_temperature=True)
    for seed in range(3):
        objective(step(seed))
    resumed.load_state_dict(objective.state_dict())
    for seed in range(3, 6):
        assert resumed(step(seed)).item() == objective(step(seed)).item()


def test_vectors_may_be_less_precise_than_the_bank():
    objective, batch = make(), step(1)
    objective(step(0))
    single = Batch(batch.queries.float(), batch.passages.float(), batch.concepts)
    assert objective(single).dtype == torch.float32


def test_vectors_of_another_dimension_are_refused_also_by_an_empty_bank():
    objective = MemoryBankInfoNCE(6)
    for mode in (True, False):
        with pytest.raises(InputError, match="MemoryBankInfoNCE: found queries of dimension 5, expected 6"):
            objective.train(mode)(example(0))
