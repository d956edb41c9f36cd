import pytest
import torch
from naive_objectives import example, mimo_half

from hybridlib.errors import InputError
from hybridlib.objectives.mimo import MIMODistillation, MIMOWarmup


def test_warmup_as_by_loops():
    objective, batch = MIMOWarmup(5, 4).double(), example(0)
    expected = mimo_half(objective.projection, batch.queries, batch.teacher_queries)
    assert objective(batch).item() == pytest.approx(expected, rel=1e-9)


def test_distillation_as_by_loops():
    objective, batch = MIMODistillation(5, 4).double(), example(1)
    halves = (
        mimo_half(objective.projection, batch.queries, batch.teacher_queries),
        mimo_half(objective.projection, batch.passages, batch.teacher_passages),
    )
    assert objective(batch).item() == pytest.approx(sum(halves) / 2, rel=1e-9)


def test_second_stage_takes_the_projection_of_the_first():
    first, second = MIMOWarmup(5, 4, seed=1), MIMODistillation(5, 4, seed=2)
    assert not torch.equal(first.projection.weight, second.projection.weight)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.projection.weight, second.projection.weight)


def test_projection_depends_on_its_seed_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    objective = MIMOWarmup(100, 4, seed=7)
    assert torch.equal(torch.rand(3), expected)
    for parameter, again in zip(objective.parameters(), MIMOWarmup(100, 4, seed=7).parameters(), strict=True):
        assert torch.equal(parameter, again)
    assert 0.09 < objective.projection.weight.abs().max() <= 0.1


@pytest.mark.parametrize("kind", [MIMOWarmup, MIMODistillation])
def test_vectors_of_other_dimensions_are_refused(kind):
    with pytest.raises(InputError, match=f"{kind.__name__}: found queries of dimension 5, expected 6"):
        kind(6, 4)(example(2))
    with pytest.raises(InputError, match=f"{kind.__name__}: found teacher_queries of dimension 4, expected 8"):
        kind(5, 8)(example(2))


def test_dimensions_below_1_are_refused():
    with pytest.raises(InputError, match="MIMOWarmup: found teacher_dimension 0, expected 1 or more"):
        MIMOWarmup(5, 0)
