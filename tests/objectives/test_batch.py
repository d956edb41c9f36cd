import re
from dataclasses import replace

import pytest
import torch
from naive_objectives import example

from hybridlib.errors import InputError
from hybridlib.objectives import Batch


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queries": torch.ones(7)}, "queries: found shape [7], expected [B, d]"),
        ({"passages": torch.ones(7, 6)}, "passages: found shape [7, 6], expected [B, d] with B = 7, d = 5"),
        ({"passages": torch.ones(6, 5)}, "passages: found shape [6, 5], expected [B, d] with B = 7, d = 5"),
        ({"concepts": torch.arange(8)}, "concepts: found shape [8], expected [B] with B = 7"),
        ({"query_language": torch.arange(6)}, "query_language: found shape [6], expected [B] with B = 7"),
        ({"hard_negatives": torch.ones(7, 5)}, "hard_negatives: found shape [7, 5], expected [B, H, d] with B = 7"),
        (
            {"hard_negative_concepts": torch.ones(7, 3).long()},
            "hard_negative_concepts: found shape [7, 3], expected [B, H] with B = 7, H = 2",
        ),
        ({"second_queries": torch.ones(7, 4)}, "second_queries: found shape [7, 4], expected [B, d] with B = 7, d = 5"),
        (
            {"teacher_passages": torch.ones(7, 5)},
            "teacher_passages: found shape [7, 5], expected [B, t] with B = 7, t = 4",
        ),
        ({"concepts": torch.arange(7.0)}, "concepts: found torch.float32, expected whole numbers"),
        ({"passages": torch.ones(7, 5).long()}, "passages: found torch.int64, expected floating-point vectors"),
        ({"concepts": torch.full((7,), 3)}, "batch: found 7 rows of 1 concept, expected 2 concepts or more"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(InputError, match=re.escape(message)):
        replace(example(0), **changes)


@pytest.mark.parametrize("name", ["queries", "passages", "hard_negatives", "second_queries"])
def test_vectors_that_nobody_normalised_are_refused(name):
    batch = example(0)
    given = getattr(batch, name)
    longer = (given if given is not None else batch.queries[:, None]).clone()
    longer[1] *= 3
    with pytest.raises(InputError, match=f"{name}: found a vector of length 3, expected 1: normalise them first"):
        replace(batch, **{name: longer})


def test_vectors_of_half_precision_are_of_unit_length():
    batch = example(0)
    assert replace(batch, queries=batch.queries.bfloat16(), passages=batch.passages.half()).queries.shape == (7, 5)


@pytest.mark.parametrize(("given", "kept"), [(torch.bfloat16, torch.float32), (torch.float64, torch.float64)])
def test_all_vectors_take_the_type_of_the_queries(given, kept):
    """Such as those of a teacher that numpy computed in float64."""
    batch = replace(example(0), queries=example(0).queries.to(given), teacher_queries=torch.ones(7, 4).double())
    assert {batch.queries.dtype, batch.passages.dtype, batch.teacher_queries.dtype} == {kept}


@pytest.mark.parametrize("rows", [0, 1])
def test_batch_without_negatives_is_refused(rows):
    with pytest.raises(InputError, match=f"batch: found {rows} rows? of .* expected 2 concepts or more"):
        Batch(torch.ones(rows, 3), torch.ones(rows, 3), torch.arange(rows))


def test_vectors_keep_their_gradient_when_they_are_made_float32():
    vectors = torch.eye(2, dtype=torch.bfloat16).requires_grad_()
    batch = Batch(vectors, torch.eye(2, dtype=torch.float64), torch.arange(2))
    assert (batch.queries.dtype, batch.passages.dtype) == (torch.float32, torch.float32)
    (3 * batch.queries).sum().backward()
    assert vectors.grad.tolist() == [[3, 3], [3, 3]]


class Elsewhere(torch.Tensor):
    """Numbers on another device, played: what is asked of them is where to go."""

    device = torch.device("meta")

    def to(self, device):
        return self.as_subclass(torch.Tensor) if device == torch.device("cpu") else self


@pytest.mark.parametrize("name", ["concepts", "query_language", "passage_language", "hard_negative_concepts"])
def test_whole_numbers_are_moved_to_the_vectors(name):
    """A data loader's are on the processor where the encoder is on a GPU."""
    numbers = torch.arange(14).reshape(7, 2) if name == "hard_negative_concepts" else torch.arange(7)
    moved = getattr(replace(example(0), **{name: numbers.as_subclass(Elsewhere)}), name)
    assert moved.device == torch.device("cpu")
    assert torch.equal(moved, numbers)
