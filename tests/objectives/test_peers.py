"""Values against sentence-transformers 6.2, whose losses are given our vectors."""

import pytest
import torch
from naive_objectives import example
from sentence_transformers.sentence_transformer.losses import (
    DistillKLDivLoss,
    GISTEmbedLoss,
    MarginMSELoss,
    MultipleNegativesRankingLoss,
    gist_embed,
)
from torch import Tensor, nn

from hybridlib.objectives import Batch, InfoNCE, Objective, SymmetricInfoNCE
from hybridlib.objectives.gist import GIST
from hybridlib.objectives.kl import KL
from hybridlib.objectives.margin_mse import MarginMSE

torch.set_num_threads(1)

MANY = list(range(20))
SYMMETRIC = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}


def without_hard_negatives(seed: int) -> Batch:
    return example(seed, MANY, hard_negatives=None, teacher_hard_negatives=None)


@pytest.mark.parametrize(("kind", "options"), [(InfoNCE, {}), (SymmetricInfoNCE, SYMMETRIC)])
def test_infonce(kind: type[Objective], options: dict):
    other = MultipleNegativesRankingLoss(None, scale=20.0, **options)  # a temperature of 0.05
    for seed in range(5):
        batch = without_hard_negatives(seed)
        expected = other.compute_loss_from_embeddings([batch.queries, batch.passages], None).item()
        assert kind(temperature=0.05)(batch).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("kind", "options"), [(InfoNCE, {}), (SymmetricInfoNCE, SYMMETRIC)])
def test_infonce_with_hard_negatives(kind: type[Objective], options: dict):
    batch = example(0, MANY, hard_negative_concepts=None)
    columns = [batch.queries, batch.passages, *batch.hard_negatives.unbind(1)]
    expected = MultipleNegativesRankingLoss(None, **options).compute_loss_from_embeddings(columns, None).item()
    assert kind(temperature=0.05)(batch).item() == pytest.approx(expected, rel=1e-6)


class Precomputed(GISTEmbedLoss):
    """The loss without its two models."""

    def __init__(self, margin: float) -> None:
        nn.Module.__init__(self)
        self.model, self.guide, self.must_retokenize = "student", "guide", False
        self.temperature, self.margin, self.margin_strategy = 0.1, margin, "absolute"
        self.contrast_anchors = self.contrast_positives = True
        self.gather_across_devices = False
        self.similarity_fct, self.cross_entropy_loss = nn.CosineSimilarity(dim=-1), nn.CrossEntropyLoss()


@pytest.mark.parametrize("margin", [0.0, 0.2])
@pytest.mark.parametrize("hard", [False, True])
def test_gist(monkeypatch, margin, hard):
    monkeypatch.setattr(gist_embed, "embed_columns", lambda model, columns: [column[model] for column in columns])
    for seed in range(3):
        batch = example(seed, MANY, hard_negative_concepts=None) if hard else without_hard_negatives(seed)
        columns = [
            {"student": batch.queries, "guide": batch.teacher_queries},
            {"student": batch.passages, "guide": batch.teacher_passages},
        ]
        if hard:
            students, guides = (part.flatten(0, 1) for part in (batch.hard_negatives, batch.teacher_hard_negatives))
            columns.append({"student": students, "guide": guides})
        expected = Precomputed(margin)(columns, torch.empty(0)).item()
        assert GIST(0.1, margin)(batch).item() == pytest.approx(expected, rel=1e-6)


def rolled(passages: Tensor) -> list[Tensor]:
    """Return each query's own passage, then those of the other rows, one column each."""
    return [passages.roll(-shift, 0) for shift in range(len(passages))]


def teacher_scores(batch: Batch) -> Tensor:
    return torch.stack([(batch.teacher_queries * column).sum(1) for column in rolled(batch.teacher_passages)], dim=1)


def test_margin_mse():
    batch = without_hard_negatives(1)
    columns = [batch.queries, *rolled(batch.passages)]
    expected = MarginMSELoss(None).compute_loss_from_embeddings(columns, teacher_scores(batch)).item()
    assert MarginMSE()(batch).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
def test_kl(temperature):
    """Theirs is multiplied by the temperature's square."""
    batch = without_hard_negatives(2)
    columns = [batch.queries, *rolled(batch.passages)]
    other = DistillKLDivLoss(None, temperature=temperature)
    expected = other.compute_loss_from_embeddings(columns, teacher_scores(batch)).item() / temperature**2
    assert KL(temperature)(batch).item() == pytest.approx(expected, rel=1e-6)
