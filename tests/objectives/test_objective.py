from math import exp, log

import pytest
import torch
from naive_objectives import example, infonce
from torch import Tensor

from hybridlib.objectives import Batch, InfoNCE

torch.set_num_threads(1)


def batch_of(queries: Tensor, passages: Tensor) -> Batch:
    return Batch(queries, passages, torch.arange(len(queries)))


def test_value_has_the_precision_of_the_vectors_and_at_least_float32():
    double = example(0)
    kinds = {torch.float64: torch.float64, torch.float32: torch.float32, torch.bfloat16: torch.float32}
    for given, expected in kinds.items():
        batch = batch_of(double.queries.to(given), double.passages.to(given))
        assert InfoNCE()(batch).dtype == expected
        assert InfoNCE()(batch).item() == pytest.approx(infonce(batch, 0.05), rel=1e-5)


def test_extreme_similarities_give_a_finite_value():
    queries = example(1).queries.float()
    products = -queries @ queries.T  # -1 to its own passage, exp(1 / 0.001) is far beyond float32
    expected = ((products.max(1).values - products.diag()) / 0.001).mean().item()
    assert expected > 1000
    assert InfoNCE(0.001)(batch_of(queries, -queries)).item() == pytest.approx(expected, abs=log(9) + 0.01)


@pytest.mark.parametrize("temperature", [0.01, 0.05, 2.0])
def test_temperature_is_the_one_given(temperature):
    assert InfoNCE(temperature).temperature.item() == pytest.approx(temperature)
    assert InfoNCE(temperature, learn_temperature=True).temperature.item() == pytest.approx(temperature)


def test_fixed_temperature_may_be_below_the_bound_of_a_learned_one():
    fixed = InfoNCE(0.001)
    fixed(example(2))
    assert fixed.temperature.item() == pytest.approx(0.001)


def test_learned_temperature_gets_a_gradient_and_a_fixed_one_none():
    learned, fixed = InfoNCE(learn_temperature=True), InfoNCE()
    queries = example(3).queries.requires_grad_()
    for objective in (learned, fixed):
        objective(batch_of(queries, example(3).passages)).backward()
    assert learned.log_scale.grad.abs() > 0
    assert fixed.log_scale.grad is None
    assert not fixed.log_scale.requires_grad


def test_learned_temperature_is_held_at_a_hundredth():
    objective = InfoNCE(learn_temperature=True)
    with torch.no_grad():
        objective.log_scale.fill_(log(1000))
    assert objective(batch_of(torch.eye(2), torch.eye(2))).item() == pytest.approx(log(1 + exp(-100)))
    assert objective.temperature.item() == pytest.approx(0.01)


def test_learned_temperature_at_the_bound_can_rise_again():
    """A step that overshoots must not end the learning: here a higher temperature lowers the loss."""
    queries = example(4).queries
    objective = InfoNCE(0.02, learn_temperature=True)
    optimizer = torch.optim.SGD(objective.parameters(), lr=1e-3)
    with torch.no_grad():
        objective.log_scale.fill_(log(100) + 0.01)
    for _ in range(20):
        optimizer.zero_grad()
        objective(batch_of(queries, -queries)).backward()
        optimizer.step()
    assert objective.temperature.item() > 0.0101
