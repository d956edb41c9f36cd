from math import exp, log

import pytest
import torch
from torch import Tensor, nn

from hybridlib.errors import InputError
from hybridlib.objectives import InfoNCE

torch.set_num_threads(1)


def vectors(seed: int, rows: int = 9, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pair = torch.randn(2, rows, 5, generator=generator, dtype=torch.float64)
    queries, passages = nn.functional.normalize(pair, dim=-1).to(dtype)
    return queries, passages


def naive(queries: Tensor, passages: Tensor, concepts: list[int], temperature: float) -> float:
    """Mean over rows of -log(exp(s_ii / t) / sum over row i itself and rows of other concepts), by loops."""
    total = 0.0
    for i, query in enumerate(queries.tolist()):
        products = [sum(a * b for a, b in zip(query, passage, strict=True)) for passage in passages.tolist()]
        terms = [exp(s / temperature) for j, s in enumerate(products) if j == i or concepts[j] != concepts[i]]
        total -= log(exp(products[i] / temperature) / sum(terms))
    return total / len(queries)


CONCEPTS = {"different": list(range(9)), "repeated": [0, 1, 2, 0, 3, 1, 4, 0, 5], "all equal": [7] * 9}


@pytest.mark.parametrize("concepts", CONCEPTS.values(), ids=CONCEPTS)
@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_value_as_by_loops(concepts, temperature):
    queries, passages = vectors(0)
    found = InfoNCE(temperature)(queries, passages, torch.tensor(concepts)).item()
    assert found == pytest.approx(naive(queries, passages, concepts, temperature), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("concepts", CONCEPTS.values(), ids=CONCEPTS)
def test_symmetric_value_is_the_mean_of_both_directions(concepts):
    queries, passages = vectors(1)
    there, back = naive(queries, passages, concepts, 0.1), naive(passages, queries, concepts, 0.1)
    assert there != pytest.approx(back) or concepts == CONCEPTS["all equal"]
    found = InfoNCE(0.1, symmetric=True)(queries, passages, torch.tensor(concepts)).item()
    assert found == pytest.approx((there + back) / 2, rel=1e-6, abs=1e-12)


def test_passage_of_the_querys_concept_is_no_negative():
    queries, passages = vectors(2, rows=3)
    queries.requires_grad_()
    passages.requires_grad_()
    InfoNCE()(queries, passages, torch.tensor([0, 0, 1])).backward()
    moved = passages.grad.clone()
    queries.grad = passages.grad = None
    # Passage 1 stands in the sums of queries 1 and 2, and not in that of query 0, which has its concept.
    scores = queries @ passages.T / 0.05
    (torch.logsumexp(scores[2], 0) - scores[2, 2] + torch.logsumexp(scores[1, 1:], 0) - scores[1, 1]).div(3).backward()
    assert moved[1] == pytest.approx(passages.grad[1], rel=1e-5)


def test_value_without_negatives_is_0():
    assert InfoNCE()(*vectors(3, rows=1), torch.tensor([4])).item() == 0


@pytest.mark.parametrize("symmetric", [False, True])
def test_as_sentence_transformers(symmetric):
    """sentence-transformers 6.2: cosine of embeddings of any length, scale 20, which is a temperature of 0.05."""
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    options = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"} if symmetric else {}
    other = MultipleNegativesRankingLoss(None, scale=20.0, **options)
    for seed in range(5):
        queries, passages = vectors(seed, rows=30)
        expected = other.compute_loss_from_embeddings([queries, passages], None).item()
        found = InfoNCE(0.05, symmetric=symmetric)(queries, passages, torch.arange(30)).item()
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("symmetric", [False, True])
def test_gradient_is_that_of_the_value(symmetric):
    objective, concepts = InfoNCE(0.5, symmetric=symmetric), torch.tensor([0, 1, 0, 2])
    queries, passages = (part.requires_grad_() for part in vectors(4, rows=4))
    assert torch.autograd.gradcheck(lambda u, v: objective(u, v, concepts), (queries, passages))


def test_gradient_of_the_temperature_is_that_of_the_value():
    queries, passages = vectors(5)
    objective = InfoNCE(0.3, learn_temperature=True).double()

    def value(log_scale: Tensor) -> Tensor:
        return torch.func.functional_call(objective, {"log_scale": log_scale}, (queries, passages, torch.arange(9)))

    assert torch.autograd.gradcheck(value, (objective.log_scale.detach().clone().requires_grad_(),))


def test_value_has_the_precision_of_the_vectors_and_at_least_float32():
    kinds = {torch.float64: torch.float64, torch.float32: torch.float32, torch.bfloat16: torch.float32}
    for given, expected in kinds.items():
        assert InfoNCE()(*vectors(6, dtype=given), torch.arange(9)).dtype == expected


def test_bfloat16_autocast_changes_nothing():
    queries, passages = vectors(7, rows=40, dtype=torch.float32)
    outside = InfoNCE()(queries, passages, torch.arange(40))
    with torch.autocast("cpu", torch.bfloat16):
        assert (queries @ passages.T).dtype == torch.bfloat16
        inside = InfoNCE()(queries, passages, torch.arange(40))
    assert inside.dtype == torch.float32
    assert inside.item() == outside.item()


def test_value_of_bfloat16_vectors_is_computed_in_float32():
    queries, passages = vectors(8, rows=40, dtype=torch.bfloat16)
    expected = naive(queries.double(), passages.double(), list(range(40)), 0.05)
    assert InfoNCE()(queries, passages, torch.arange(40)).item() == pytest.approx(expected, rel=1e-5)


def test_extreme_similarities_give_a_finite_value():
    queries, _ = vectors(9, dtype=torch.float32)
    products = -queries @ queries.T  # -1 to its own passage, exp(1 / 0.001) is far beyond float32
    expected = ((products.max(1).values - products.diag()) / 0.001).mean().item()
    assert expected > 1000
    assert InfoNCE(0.001)(queries, -queries, torch.arange(9)).item() == pytest.approx(expected, abs=log(9) + 0.01)


@pytest.mark.parametrize("temperature", [0.01, 0.05, 2.0])
def test_temperature_is_the_one_given(temperature):
    assert InfoNCE(temperature).temperature.item() == pytest.approx(temperature)
    assert InfoNCE(temperature, learn_temperature=True).temperature.item() == pytest.approx(temperature)


def test_fixed_temperature_may_be_below_the_bound_of_a_learned_one():
    assert InfoNCE(0.001).temperature.item() == pytest.approx(0.001)


def test_learned_temperature_gets_a_gradient_and_a_fixed_one_none():
    learned, fixed = InfoNCE(learn_temperature=True), InfoNCE()
    queries, passages = (part.requires_grad_() for part in vectors(10))
    for objective in (learned, fixed):
        objective(queries, passages, torch.arange(9)).backward()
    assert learned.log_scale.grad.abs() > 0
    assert fixed.log_scale.grad is None
    assert not fixed.log_scale.requires_grad


def test_learned_temperature_is_held_at_a_hundredth():
    objective = InfoNCE(learn_temperature=True)
    with torch.no_grad():
        objective.log_scale.fill_(log(1000))
    objective(torch.eye(2), torch.eye(2), torch.arange(2))
    assert objective.temperature.item() == pytest.approx(0.01)


def test_learned_temperature_at_the_bound_can_rise_again():
    """A step that overshoots must not end the learning: here a higher temperature lowers the loss."""
    queries, _ = vectors(11)
    objective = InfoNCE(0.02, learn_temperature=True)
    optimizer = torch.optim.SGD(objective.parameters(), lr=1e-3)
    with torch.no_grad():
        objective.log_scale.fill_(log(100) + 0.01)
    for _ in range(20):
        optimizer.zero_grad()
        objective(queries, -queries, torch.arange(9)).backward()
        optimizer.step()
    assert objective.temperature.item() > 0.0101


@pytest.mark.parametrize("temperature", [0, -0.05, float("nan")])
def test_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(InputError, match=f"found temperature {temperature}, expected a positive number"):
        InfoNCE(temperature)
