"""What holds for every objective, or for all of a kind."""

from dataclasses import fields, replace

import pytest
import torch
from naive_objectives import REPEATED, example

from hybridlib.errors import InputError
from hybridlib.objectives import OBJECTIVES, Batch, Objective, build

torch.set_num_threads(1)

ARGUMENTS = {"gist": {"temperature": 0.1, "margin": -3.0}}  # a guide that trusts every negative
LEARNED = [name for name, kind in OBJECTIVES.items() if "learn_temperature" in str(kind.__init__.__annotations__)]
ACROSS = (
    "infonce symmetric_infonce simclr dcl siglip spectral vrns balanced_infonce memory_bank gist margin_mse kl lakda"
).split()
WITHIN = "simclr dcl dhel gist".split()
VECTORS = ["queries", "passages", "hard_negatives", "second_queries"]


def make(name: str, d: int = 5, **arguments) -> Objective:
    """Return an objective for float64 batches of d dimensions, in evaluation mode."""
    spec = {name: {**ARGUMENTS.get(name, {}), **arguments}}
    return build(spec, concepts=50, dimension=d, teacher_dimension=4).objectives[name].double().eval()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_is_that_of_the_value(name):
    batch, objective = example(0, REPEATED[:4]), make(name)
    if hasattr(objective, "log_scale"):
        torch.nn.init.constant_(objective.log_scale, 1.0)  # a softmax that is not saturated
    given = tuple(getattr(batch, field).clone().requires_grad_() for field in VECTORS)

    def value(*vectors: torch.Tensor) -> torch.Tensor:
        return objective(replace(batch, **dict(zip(VECTORS, vectors, strict=True))))

    assert torch.autograd.gradcheck(value, given)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [*((name, {"learn_temperature": True}) for name in LEARNED), ("siglip", {}), ("mimo_distillation", {})],
)
def test_gradient_of_the_parameters_is_that_of_the_value(name, arguments):
    batch, objective = example(1, REPEATED), make(name, **arguments)
    names, values = zip(*objective.named_parameters(), strict=True)

    def value(*parameters: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(objective, dict(zip(names, parameters, strict=True)), (batch,))

    assert len(LEARNED) == 10
    assert torch.autograd.gradcheck(value, tuple(value.detach().clone().requires_grad_() for value in values))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_order_of_the_rows_does_not_matter(name):
    batch, order = example(2, REPEATED), torch.tensor([3, 6, 0, 5, 1, 4, 2])
    shuffled = Batch(**{field.name: getattr(batch, field.name)[order] for field in fields(batch)})
    assert make(name)(shuffled).item() == pytest.approx(make(name)(batch).item(), rel=1e-9)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_bfloat16_autocast_changes_nothing(name):
    double, objective = example(3, REPEATED), make(name).float()
    batch = Batch(**{field.name: _single(getattr(double, field.name)) for field in fields(double)})
    outside = objective(batch)
    with torch.autocast("cpu", torch.bfloat16):
        assert (batch.queries @ batch.passages.T).dtype == torch.bfloat16
        inside = objective(batch)
    assert inside.dtype == torch.float32
    assert inside.item() == outside.item()


def _single(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def slope(name: str, partner: str, concepts: list[int]) -> float:
    """Derivative of the loss for a move of query 0 that changes its similarity to row 1's ``partner`` alone."""
    batch = example(4, concepts, d=40)
    vectors = torch.cat([getattr(batch, field).flatten(0, -2) for field in VECTORS])
    place = 1 if partner == "queries" else len(concepts) + 1
    direction = torch.linalg.pinv(vectors)[:, place]
    assert (vectors @ direction).abs().sum() == pytest.approx(1)
    queries = batch.queries.clone().requires_grad_()
    make(name, d=40)(replace(batch, queries=queries)).backward()
    return (queries.grad[0] @ direction).item()


@pytest.mark.parametrize(
    ("name", "partner"), [*((name, "passages") for name in ACROSS), *((name, "queries") for name in WITHIN)]
)
def test_only_rows_of_another_concept_are_negatives(name, partner):
    assert abs(slope(name, partner, [0, 0, 1, 2, 3])) < 1e-9
    assert abs(slope(name, partner, [0, 4, 1, 2, 3])) > 1e-9


@pytest.mark.parametrize("partner", ["queries", "passages"])
def test_supcon_draws_rows_of_the_concept_near_and_pushes_others_away(partner):
    assert slope("supcon", partner, [0, 0, 1, 2, 3]) < -1e-3
    assert slope("supcon", partner, [0, 4, 1, 2, 3]) > 1e-9


def batch_with(*names: str) -> Batch:
    """Return a batch that has no tensors but the pairs and those."""
    batch = example(6)
    return Batch(**{name: getattr(batch, name) for name in ("queries", "passages", "concepts", *names)})


@pytest.mark.parametrize("name", OBJECTIVES)
def test_what_an_objective_needs_is_enough(name):
    assert torch.isfinite(make(name)(batch_with(*OBJECTIVES[name].needs)))


@pytest.mark.parametrize(
    ("name", "missing"), [(name, missing) for name, kind in OBJECTIVES.items() for missing in kind.needs]
)
def test_whatever_an_objective_needs_is_refused_by_name_if_missing(name, missing):
    kept = [need for need in OBJECTIVES[name].needs if need != missing]
    with pytest.raises(InputError, match=rf"{OBJECTIVES[name].__name__}: found no {missing}, expected \[B"):
        make(name)(batch_with(*kept))


@pytest.mark.parametrize("name", ["gist", "margin_mse", "kl"])
def test_teacher_must_have_seen_the_hard_negatives_that_there_are(name):
    with pytest.raises(InputError, match=rf"{OBJECTIVES[name].__name__}: found no teacher_hard_negatives, expected"):
        make(name)(example(5, teacher_hard_negatives=None))


@pytest.mark.parametrize("temperature", [0, -0.05, float("nan"), float("inf")])
@pytest.mark.parametrize("name", [*LEARNED, "kl"])
def test_temperature_that_is_not_positive_is_refused(name, temperature):
    with pytest.raises(InputError, match=f"found temperature {temperature}, expected a positive number"):
        make(name, temperature=temperature)
