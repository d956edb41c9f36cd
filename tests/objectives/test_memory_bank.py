from collections import deque

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hybridlib.errors import InputError
from hybridlib.objectives.memory_bank import MemoryBank


def batch(start: int, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors that name their concept, so that a mismatch shows."""
    concepts = torch.arange(start, start + rows)
    return torch.stack([concepts, -2 * concepts], 1).float(), concepts


def stored(bank: MemoryBank) -> list[tuple[list[float], int]]:
    vectors, concepts = bank.negatives()
    return sorted(zip(vectors.tolist(), concepts.tolist(), strict=True))


@given(st.integers(1, 9), st.integers(0, 3), st.lists(st.integers(0, 12), max_size=6))
def test_holds_the_last_vectors_after_the_warmup_as_a_queue_does(size, warmup, batches):
    bank, expected = MemoryBank(size, 2, warmup=warmup), deque(maxlen=size)
    for step, rows in enumerate(batches):
        vectors, concepts = batch(100 * step, rows)
        bank.push(vectors, concepts)
        if step >= warmup:
            expected.extend(zip(vectors.tolist(), concepts.tolist(), strict=True))
    assert stored(bank) == sorted(expected)
    vectors, concepts = bank.negatives()
    assert vectors.shape == (len(expected), 2)
    assert (vectors.dtype, concepts.dtype) == (torch.float32, torch.int64)


def test_a_push_between_loss_and_backward_changes_no_gradient_and_none_reaches_the_stored():
    old = torch.eye(2, requires_grad=True)
    gradients = []
    for pushes in (False, True):
        bank, queries = MemoryBank(2, 2), torch.tensor([[0.6, 0.8]], requires_grad=True)
        bank.push(old, torch.tensor([0, 1]))
        vectors, _ = bank.negatives()
        loss = torch.logsumexp(queries @ vectors.T, 1).sum()
        if pushes:
            bank.push(*batch(5, 2))
        loss.backward()
        gradients.append(queries.grad)
    assert torch.equal(*gradients)
    assert old.grad is None


@pytest.mark.parametrize("steps", [1, 4])
def test_state_goes_on_where_it_was(steps):
    bank, copy = (MemoryBank(5, 2, warmup=2) for _ in range(2))
    for step in range(steps):
        bank.push(*batch(10 * step, 3))
    copy.load_state_dict(bank.state_dict())
    for step in range(steps, 5):
        assert stored(copy) == stored(bank)
        bank.push(*batch(10 * step, 3))
        copy.push(*batch(10 * step, 3))
    assert stored(copy) == stored(bank)
    assert len(stored(bank)) == 5


def test_has_nothing_to_train():
    assert list(MemoryBank(2, 2).parameters()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 0, "dimension": 2}, "found size 0, expected 1 or more"),
        ({"size": 2, "dimension": 0}, "found dimension 0, expected 1 or more"),
        ({"size": 2, "dimension": 2, "warmup": -1}, "found warmup -1, expected 0 or more"),
    ],
)
def test_impossible_sizes_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        MemoryBank(**arguments)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (2,)])
def test_passages_of_another_shape_are_refused_and_not_counted(shape):
    bank = MemoryBank(4, 2, warmup=1)
    with pytest.raises(InputError, match=r"found passages of shape .*, expected \(2, 2\)"):
        bank.push(torch.zeros(shape), torch.tensor([0, 1]))
    bank.push(*batch(0, 2))
    assert stored(bank) == []
