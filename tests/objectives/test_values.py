"""Every objective against plain loops."""

import naive_objectives as naive
import pytest
import torch
from naive_objectives import DIFFERENT, REPEATED, example

from hybridlib.objectives.balanced_infonce import BalancedInfoNCE
from hybridlib.objectives.dcl import DCL
from hybridlib.objectives.dhel import DHEL
from hybridlib.objectives.gist import GIST
from hybridlib.objectives.hybrid_paper import HybridPaper
from hybridlib.objectives.infonce import InfoNCE
from hybridlib.objectives.kl import KL
from hybridlib.objectives.lakda import LaKDA
from hybridlib.objectives.margin_mse import MarginMSE
from hybridlib.objectives.siglip import SigLIP
from hybridlib.objectives.simclr import SimCLR
from hybridlib.objectives.spectral import Spectral
from hybridlib.objectives.supcon import SupCon
from hybridlib.objectives.symmetric_infonce import SymmetricInfoNCE
from hybridlib.objectives.vrns import VRNS

torch.set_num_threads(1)

CASES = {
    "InfoNCE": (lambda: InfoNCE(0.07), lambda batch: naive.infonce(batch, 0.07)),
    "SymmetricInfoNCE": (lambda: SymmetricInfoNCE(0.2), lambda batch: naive.symmetric_infonce(batch, 0.2)),
    "HybridPaper": (HybridPaper, naive.hybrid_paper),
    "SimCLR": (lambda: SimCLR(0.1), lambda batch: naive.simclr(batch, 0.1)),
    "SupCon": (lambda: SupCon(0.1), lambda batch: naive.supcon(batch, 0.1)),
    "DCL": (lambda: DCL(0.1), lambda batch: naive.dcl(batch, 0.1)),
    "DHEL": (lambda: DHEL(0.1), lambda batch: naive.dhel(batch, 0.1)),
    "SigLIP as published": (SigLIP, lambda batch: naive.siglip(batch, 10.0, -10.0)),
    "SigLIP": (lambda: SigLIP(3.0, 0.5), lambda batch: naive.siglip(batch, 3.0, 0.5)),
    "Spectral": (Spectral, naive.spectral),
    "VRNS": (lambda: VRNS(4), lambda batch: naive.vrns(batch, 4)),
    "BalancedInfoNCE": (lambda: BalancedInfoNCE(0.1), lambda batch: naive.balanced_infonce(batch, 0.1)),
    "GIST": (lambda: GIST(0.1), lambda batch: naive.gist(batch, 0.1, 0.0)),
    "GIST with margin": (lambda: GIST(0.1, margin=0.3), lambda batch: naive.gist(batch, 0.1, 0.3)),
    "MarginMSE": (MarginMSE, naive.margin_mse),
    "KL": (lambda: KL(0.1), lambda batch: naive.kl(batch, 0.1)),
    "LaKDA": (lambda: LaKDA(0.1, share=0.3), lambda batch: naive.lakda(batch, 0.1, 0.3)),
}
WITHOUT_HARD_NEGATIVES = [name for name in CASES if name != "HybridPaper"]


@pytest.mark.parametrize("concepts", [DIFFERENT, REPEATED], ids=["different", "repeated"])
@pytest.mark.parametrize("name", CASES)
def test_value_as_by_loops(name, concepts):
    objective, expected = CASES[name]
    for seed in range(3):
        batch = example(seed, concepts)
        assert objective().double()(batch).item() == pytest.approx(expected(batch), rel=1e-6)


@pytest.mark.parametrize("name", WITHOUT_HARD_NEGATIVES)
def test_value_without_hard_negatives_as_by_loops(name):
    objective, expected = CASES[name]
    batch = example(3, REPEATED, hard_negatives=None, hard_negative_concepts=None, teacher_hard_negatives=None)
    assert objective().double()(batch).item() == pytest.approx(expected(batch), rel=1e-6)


@pytest.mark.parametrize("name", ["InfoNCE", "HybridPaper", "GIST", "MarginMSE", "KL", "LaKDA"])
def test_hard_negatives_of_unknown_concept_count_for_every_query(name):
    objective, expected = CASES[name]
    batch = example(4, REPEATED, hard_negative_concepts=None)
    found = objective()(batch).item()
    assert found == pytest.approx(expected(batch), rel=1e-6)
    assert found != pytest.approx(objective()(example(4, REPEATED)).item(), rel=1e-6)


def test_supcon_is_simclr_if_each_concept_has_one_row():
    batch = example(5)
    assert SupCon(0.2)(batch).item() == pytest.approx(SimCLR(0.2)(batch).item(), rel=1e-12)


def test_spectral_is_vrns_of_infinitely_many_concepts_beside_its_positives():
    batch = example(6, REPEATED)
    positives = (batch.queries * batch.passages).sum(1).mean().item()
    assert Spectral()(batch).item() == pytest.approx(VRNS(10**12)(batch).item() - 2 * positives, rel=1e-9)


def test_balanced_infonce_is_infonce_of_one_language():
    batch = example(7, REPEATED, hard_negatives=None, passage_language=torch.full((7,), 3))
    assert BalancedInfoNCE(0.1)(batch).item() == pytest.approx(InfoNCE(0.1)(batch).item(), rel=1e-12)


def test_lakda_without_its_divergence_is_infonce():
    batch = example(9)
    assert LaKDA(0.1, share=0.0)(batch).item() == InfoNCE(0.1)(batch).item()
