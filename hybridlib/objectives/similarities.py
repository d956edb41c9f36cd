"""Who is compared with whom in a batch: candidates of a query, negatives, and sums over them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hybridlib.objectives.batch import Batch


def candidates(passages: Tensor, hard_negatives: Tensor | None) -> Tensor:
    """Stack the passages [B, d] and all rows' hard negatives [B, H, d], if any: [B + B * H, d]."""
    return passages if hard_negatives is None else torch.cat([passages, hard_negatives.flatten(0, 1)])


def is_candidate(batch: Batch) -> Tensor:
    """Tell which candidates a query is compared with: bool [B, B + B * H].

    These are its own passage, those of other concepts, and all hard negatives that are not known to be of its concept.
    """
    kept = is_own_or_negative(batch)
    if batch.hard_negatives is None:
        return kept
    if batch.hard_negative_concepts is None:
        wrong = kept.new_ones(len(kept), batch.hard_negatives[:, :, 0].numel())
    else:
        wrong = batch.concepts[:, None] != batch.hard_negative_concepts.flatten()
    return torch.cat([kept, wrong], dim=1)


def is_negative(batch: Batch) -> Tensor:
    """Tell which rows are of another concept than row i: bool [B, B]; True somewhere in every row."""
    return batch.concepts[:, None] != batch.concepts


def is_own_or_negative(batch: Batch) -> Tensor:
    """Tell which rows are row i or of another concept than it: bool [B, B]."""
    return is_negative(batch).fill_diagonal_(True)


def view_similarities(batch: Batch) -> tuple[Tensor, Tensor]:
    """Similarities [B, 2B] of queries to passages and then queries, and of passages to queries and then passages."""
    queries, passages = batch.queries, batch.passages
    return (
        torch.cat([queries @ passages.T, queries @ queries.T], dim=1),
        torch.cat([passages @ queries.T, passages @ passages.T], dim=1),
    )


def only(logits: Tensor, kept: Tensor) -> Tensor:
    """Return the logits with -inf wherever ``kept`` (bool, same shape) is False."""
    return logits.masked_fill(~kept, -torch.inf)


def own_column_cross_entropy(logits: Tensor) -> Tensor:
    """Mean over rows i of -log softmax(logits_i)_i, for [B, C] logits with C >= B."""
    return nn.functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


def mean_where(values: Tensor, kept: Tensor) -> Tensor:
    """Mean of the values at the places of ``kept`` (bool, same shape, True somewhere)."""
    return torch.where(kept, values, 0.0).sum() / kept.sum()


def kl_divergence(logits: Tensor, other: Tensor, kept: Tensor) -> Tensor:
    """Mean over rows of KL(softmax(logits) || softmax(other)), over the columns of ``kept`` (bool, same shape)."""
    first, second = (only(part, kept).log_softmax(dim=1) for part in (logits, other))
    return (first.exp() * torch.where(kept, first - second, 0.0)).sum() / len(logits)


def teacher_vectors(batch: Batch, objective: str) -> tuple[Tensor, Tensor, Tensor | None]:
    """The teacher's vectors of queries, passages and, if the batch has any, hard negatives.

    Raises:
        InputError: the batch lacks one of them, which ``objective`` needs.
    """
    queries, passages = batch.given("teacher_queries", objective), batch.given("teacher_passages", objective)
    hard = None if batch.hard_negatives is None else batch.given("teacher_hard_negatives", objective)
    return queries, passages, hard


def with_teacher(batch: Batch, objective: str) -> tuple[Tensor, Tensor]:
    """Similarities of queries and candidates, of the student and of the teacher: each [B, B + B * H].

    Raises:
        InputError: the batch lacks teacher vectors that ``objective`` needs.
    """
    queries, passages, hard = teacher_vectors(batch, objective)
    student = batch.queries @ candidates(batch.passages, batch.hard_negatives).T
    return student, queries @ candidates(passages, hard).T
