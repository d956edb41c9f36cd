"""The theorems of 2506.09781 on vectors that are trained without an encoder."""

import pytest
import torch
from torch import Tensor, nn

from hybridlib.errors import InputError
from hybridlib.free_vectors import similarity_gradient, train_free_vectors
from hybridlib.objectives import Objective, SymmetricInfoNCE
from hybridlib.objectives.dcl import DCL
from hybridlib.objectives.dhel import DHEL
from hybridlib.objectives.siglip import SigLIP
from hybridlib.objectives.simclr import SimCLR
from hybridlib.objectives.spectral import Spectral
from hybridlib.objectives.theory import negative_variance_bounds, optimal_negative, siglip_separates_too_far
from hybridlib.objectives.vrns import VRNS

torch.set_num_threads(1)


def optimum(objective: Objective, n: int, m: int, d: int) -> Tensor:
    return train_free_vectors(objective, n, d, batch_size=m).similarities


def off_diagonal(similarities: Tensor) -> Tensor:
    return similarities[~torch.eye(len(similarities), dtype=torch.bool)]


@pytest.mark.parametrize(
    "objective",
    [SymmetricInfoNCE(0.5), SimCLR(0.5), DCL(0.5), DHEL(0.5)],
    ids=lambda objective: type(objective).__name__,
)
def test_full_batch_optimum_has_positives_at_1_and_negatives_at_theirs(objective):
    """Theorem 5.1, in one dimension more than the least."""
    similarities = optimum(objective, n=6, m=6, d=6)
    assert similarities.diagonal().tolist() == pytest.approx([1.0] * 6, abs=1e-4)
    assert off_diagonal(similarities).tolist() == pytest.approx([optimal_negative(6)] * 30, abs=1e-3)


def test_spectral_leaves_negatives_at_0_where_the_dimensions_allow_it():
    """Its square does not rise below 0, as Theorem 5.1 would have it."""
    similarities = optimum(Spectral(), n=6, m=6, d=6)
    assert similarities.flatten().tolist() == pytest.approx(torch.eye(6).flatten().tolist(), abs=1e-3)


@pytest.mark.parametrize("bias", [-3.0, -2.0, -1.0, 0.0, 3.0])
def test_siglip_separates_too_far_where_the_theorem_says(bias):
    """Theorems 5.1 and 5.3: negatives below their optimum, and with them positives below 1, as 5.2 demands."""
    n, scale = 8, 2.0
    similarities = optimum(SigLIP(scale, bias), n=n, m=n, d=n)
    positive, negative = similarities.diagonal().mean().item(), off_diagonal(similarities).mean().item()
    excess = optimal_negative(n) - negative
    if siglip_separates_too_far(n, scale, bias):
        assert excess > 1e-2
        assert positive <= 1 - excess + 1e-6
    else:
        assert (positive, negative) == pytest.approx((1, optimal_negative(n)), abs=1e-4)


def test_siglip_condition_changes_within_the_biases_tested():
    assert [siglip_separates_too_far(8, 2.0, bias) for bias in (-3.0, -2.0, -1.0, 0.0, 3.0)] == [False] * 2 + [True] * 3


def test_siglip_condition_does_not_overflow():
    assert not siglip_separates_too_far(10**6, 10.0, -1e4)
    assert siglip_separates_too_far(10**6, 1e4, 0.0)


@pytest.mark.parametrize(("n", "d"), [(12, 20), (24, 24)])
def test_variance_of_negatives_in_fixed_mini_batches_is_within_its_bounds_and_falls(n, d):
    """Theorem 5.5; how mini-batches lie to each other is that of a random start, so its fall is likely, not proven."""
    found = []
    for m in (2, 3, 6, 12):
        negatives = off_diagonal(optimum(SymmetricInfoNCE(0.5), n=n, m=m, d=d))
        lowest, highest = negative_variance_bounds(n, m)
        assert lowest - 1e-6 <= negatives.var(correction=0) <= highest + 1e-6
        assert negatives.mean().item() == pytest.approx(optimal_negative(n), abs=1e-4)
        found.append(negatives.var(correction=0).item())
    assert found == sorted(found, reverse=True)


def test_lowest_variance_is_that_of_mini_batches_orthogonal_to_each_other():
    """n = 6 in batches of 3: two triangles in planes of their own; the highest, two triangles in one place."""
    angles = torch.arange(3) * 2 * torch.pi / 3
    triangle = torch.stack([angles.cos(), angles.sin()], dim=1)
    apart = torch.block_diag(triangle, triangle)
    together = triangle.repeat(2, 1)
    found = [off_diagonal(vectors @ vectors.T).var(correction=0).item() for vectors in (apart, together)]
    assert found == pytest.approx(negative_variance_bounds(6, 3), rel=1e-5)


def test_vrns_takes_every_negative_to_the_optimum_of_the_training_set():
    """Also from a batch that is smaller, where other objectives go to -1/(m - 1)."""
    for objective, n in ((VRNS(12), 12), (SymmetricInfoNCE(0.5), 4)):
        negatives = off_diagonal(optimum(objective, n=4, m=4, d=6))
        assert negatives.tolist() == pytest.approx([optimal_negative(n)] * 12, abs=1e-3)


def test_push_on_a_negative_pair_is_stronger_in_a_smaller_batch():
    """Theorem 5.6: dL/ds_ij >= 0, and not smaller for the first m rows than for a batch that has more."""
    generator = torch.Generator().manual_seed(3)
    u, v = nn.functional.normalize(torch.randn(2, 12, 5, generator=generator, dtype=torch.float64), dim=-1)
    pushes = []
    for m in (2, 4, 8, 12):
        similarities = (u @ v.T)[:m, :m]
        pushes.append(similarity_gradient(SymmetricInfoNCE(0.3), similarities)[0, 1].item())
    assert pushes == sorted(pushes, reverse=True)
    assert pushes[-1] > 0
    rows, columns = (similarities / 0.3).softmax(1), (similarities / 0.3).softmax(0)
    assert pushes[-1] == pytest.approx(((rows + columns) / (2 * 12 * 0.3))[0, 1].item(), rel=1e-6)


def test_variance_bounds_fall_to_0_at_the_full_batch():
    bounds = [negative_variance_bounds(24, m) for m in (2, 3, 4, 6, 8, 12, 24)]
    for side in zip(*bounds, strict=True):
        assert list(side) == sorted(side, reverse=True)
    assert bounds[-1] == (0, 0)


@pytest.mark.parametrize(("n", "m"), [(4, 1), (4, 3), (2, 4)])
def test_sizes_that_are_none_are_refused(n, m):
    with pytest.raises(InputError, match=f"theory: found {n} instances in batches of {m}"):
        negative_variance_bounds(n, m)
    with pytest.raises(InputError, match="theory: found 1 instances"):
        optimal_negative(1)
