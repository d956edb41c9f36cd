import pytest
import torch
from naive_objectives import example, mimo_half

from hybridlib.errors import InputError
from hybridlib.objectives import Batch
from hybridlib.objectives.mimo import MIMODistillation


def test_value_as_by_loops():
    objective, batch = MIMODistillation(5, 4).double(), example(1)
    halves = (
        mimo_half(objective.projection, batch.queries, batch.teacher_queries),
        mimo_half(objective.projection, batch.passages, batch.teacher_passages),
    )
    assert objective(batch).item() == pytest.approx(sum(halves) / 2, rel=1e-9)


@pytest.mark.parametrize("vectors", [torch.float32, torch.float64])
@pytest.mark.parametrize("projection", [torch.float32, torch.float64])
def test_loss_is_as_exact_as_the_vectors_whatever_the_projection(vectors, projection):
    objective, batch = MIMODistillation(5, 4).to(projection), example(1)
    names = ("queries", "passages", "teacher_queries", "teacher_passages")
    queries, passages, *teacher = (getattr(batch, name).to(vectors) for name in names)
    queries.requires_grad_()
    loss = objective(Batch(queries, passages, batch.concepts, **dict(zip(names[2:], teacher, strict=True))))
    loss.backward()
    assert (loss.dtype, queries.grad.dtype, objective.projection.weight.grad.dtype) == (vectors, vectors, projection)
    assert loss.item() == pytest.approx(objective.double()(batch).item(), rel=1e-5)


def test_pairs_of_sentences_give_the_mean_over_all_sentences():
    """Stage 1: it does not matter which two sentences are a pair."""
    objective, batch = MIMODistillation(5, 4).double(), example(0)
    order = torch.randperm(14, generator=torch.Generator().manual_seed(0))
    sentences = torch.cat([batch.queries, batch.passages])
    english = torch.cat([batch.teacher_queries, batch.teacher_passages])
    queries, passages = sentences[order].split(7)
    teacher = dict(zip(("teacher_queries", "teacher_passages"), english[order].split(7), strict=True))
    expected = mimo_half(objective.projection, sentences, english)
    found = objective(example(0, queries=queries, passages=passages, **teacher))
    assert found.item() == pytest.approx(expected, rel=1e-9)


def test_projection_depends_on_its_seed_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    objective, again, other = (MIMODistillation(100, 4, seed=seed) for seed in (7, 7, 8))
    assert torch.equal(torch.rand(3), expected)
    for first, second, third in zip(objective.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(first, second)
        assert not torch.equal(first, third)
    assert 0.09 < objective.projection.weight.abs().max() <= 0.1


def test_vectors_of_other_dimensions_are_refused():
    with pytest.raises(InputError, match="MIMODistillation: found queries of dimension 5, expected 6"):
        MIMODistillation(6, 4)(example(2))
    with pytest.raises(InputError, match="MIMODistillation: found teacher_queries of dimension 4, expected 8"):
        MIMODistillation(5, 8)(example(2))


@pytest.mark.parametrize(("sizes", "name"), [((0, 4), "dimension"), ((5, 0), "teacher_dimension")])
def test_dimensions_below_1_are_refused(sizes, name):
    with pytest.raises(InputError, match=f"MIMODistillation: found {name} 0, expected 1 or more"):
        MIMODistillation(*sizes)
