import pytest
import torch

from hybridlib.errors import InputError
from hybridlib.free_vectors import similarity_gradient, train_free_vectors
from hybridlib.objectives import SymmetricInfoNCE, build
from hybridlib.objectives.siglip import SigLIP
from hybridlib.objectives.simclr import SimCLR
from hybridlib.objectives.theory import negative_variance_bounds, optimal_negative

torch.set_num_threads(1)
OBJECTIVE = SymmetricInfoNCE(0.5)


@pytest.mark.parametrize("objective", [OBJECTIVE, SimCLR(0.5), build({"infonce": {"temperature": 0.5}})])
def test_full_batch_ends_at_the_optimum_of_the_theorem(objective):
    found = train_free_vectors(objective, n=7, dimension=6).statistics
    assert found["positive_mean"] == pytest.approx(1, abs=1e-5)
    assert found["negative_mean"] == pytest.approx(optimal_negative(7), abs=1e-5)
    assert found["positive_variance"] + found["negative_variance"] < 1e-6


def test_mini_batches_are_consecutive_rows_with_optima_of_their_own():
    """Inside a batch negatives are at -1/(m - 1); over all rows they are spread as Theorem 5.5 says."""
    trained = train_free_vectors(OBJECTIVE, n=6, dimension=6, batch_size=3)
    same_batch = torch.block_diag(torch.ones(3, 3), torch.ones(3, 3)) - torch.eye(6) > 0
    inside = trained.similarities[same_batch].tolist()
    assert inside == pytest.approx([optimal_negative(3)] * 12, abs=1e-3)
    lowest, highest = negative_variance_bounds(6, 3)
    assert lowest - 1e-6 <= trained.statistics["negative_variance"] <= highest + 1e-6


def test_vectors_are_of_unit_length():
    trained = train_free_vectors(OBJECTIVE, n=4, dimension=3, rounds=1)
    for vectors in (trained.queries, trained.passages):
        assert (vectors.shape, vectors.dtype, vectors.requires_grad) == ((4, 3), torch.float64, False)
        assert vectors.norm(dim=1).tolist() == pytest.approx([1] * 4)


def test_statistics_are_those_of_the_similarities():
    trained = train_free_vectors(OBJECTIVE, n=4, dimension=3, rounds=0)
    similarities = trained.similarities
    negatives = similarities[~torch.eye(4, dtype=torch.bool)]
    assert trained.statistics == pytest.approx(
        {
            "positive_mean": similarities.diagonal().mean().item(),
            "positive_variance": similarities.diagonal().var(correction=0).item(),
            "negative_mean": negatives.mean().item(),
            "negative_variance": negatives.var(correction=0).item(),
        }
    )


def test_history_goes_from_the_random_start_down_to_the_end():
    trained = train_free_vectors(OBJECTIVE, n=6, dimension=5)
    start = train_free_vectors(OBJECTIVE, n=6, dimension=5, rounds=0)
    losses = [row["loss"] for row in trained.history]
    assert [row["iteration"] for row in trained.history] == list(range(0, 10 * len(losses), 10))
    assert losses == sorted(losses, reverse=True)
    assert trained.history[0] == start.history[0]
    assert {name: trained.history[-1][name] for name in trained.statistics} == trained.statistics


def test_training_ends_when_the_loss_falls_no_more():
    assert 2 < len(train_free_vectors(OBJECTIVE, n=4, dimension=3).history) < 40


def test_rounds_are_at_most_those_given():
    assert len(train_free_vectors(OBJECTIVE, n=12, dimension=12, batch_size=3, rounds=1).history) == 2


def test_same_seed_gives_the_same_vectors_and_another_one_others():
    first, again, other = (train_free_vectors(OBJECTIVE, n=4, dimension=5, seed=seed, rounds=1) for seed in (3, 3, 4))
    assert torch.equal(first.similarities, again.similarities)
    assert not torch.allclose(first.similarities, other.similarities)


def test_seed_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    train_free_vectors(OBJECTIVE, n=4, dimension=3, rounds=1)
    assert torch.equal(torch.rand(1), expected)


def test_parameters_of_the_objective_are_held():
    objective = SigLIP(2.0, -2.0)
    before = {name: value.clone() for name, value in objective.state_dict().items()}
    train_free_vectors(objective, n=4, dimension=4, rounds=2)
    assert objective.state_dict() == before
    assert [parameter.grad for parameter in objective.parameters()] == [None, None]


@pytest.mark.parametrize(("n", "m"), [(1, None), (4, 1), (4, 3), (4, 8)])
def test_sizes_that_are_none_are_refused(n, m):
    with pytest.raises(InputError, match=f"free_vectors: found {n} pairs in batches of {m or n}, expected"):
        train_free_vectors(OBJECTIVE, n, dimension=3, batch_size=m)


def test_gradient_of_similarities_is_that_of_finite_differences():
    generator = torch.Generator().manual_seed(1)
    similarities = torch.rand(3, 3, generator=generator, dtype=torch.float64)
    gradient = similarity_gradient(OBJECTIVE, similarities)

    def loss(values):
        logits, own = values / 0.5, torch.arange(3)
        return sum(torch.nn.functional.cross_entropy(side, own) for side in (logits, logits.T)) / 2

    for i in range(3):
        for j in range(3):
            step = torch.zeros(3, 3, dtype=torch.float64)
            step[i, j] = 1e-5
            slope = (loss(similarities + step) - loss(similarities - step)) / 2e-5
            assert gradient[i, j].item() == pytest.approx(slope.item(), abs=1e-7)
    assert not similarities.requires_grad
