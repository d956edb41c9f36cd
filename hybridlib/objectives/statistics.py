"""How similar the positives and the negatives of a batch are, for the history of a training."""

from __future__ import annotations

import torch
from torch import Tensor

from hybridlib.objectives.batch import Batch
from hybridlib.objectives.similarities import is_negative


@torch.no_grad()
def similarity_statistics(batch: Batch) -> dict[str, float]:
    """Mean and variance (divided by the count) of the similarities of positive and of negative pairs.

    Positive pairs are query i and passage i, negative ones query i and a passage of another concept in the batch; hard
    negatives are not counted. Mini-batch training is expected to raise the variance of negatives (2506.09781 Theorem
    5.5), a mixture of languages to part same- from other-language pairs.

    Returns:
        ``positive_mean``, ``positive_variance``, ``negative_mean``, ``negative_variance``; where the batch has both
        languages also each of these with ``same_language_`` or ``other_language_`` before it, of pairs whose two texts
        are of one language or of two; NaN if there are no such pairs.

    Example:
        >>> batch = Batch(torch.eye(2), torch.tensor([[1.0, 0], [0.6, 0.8]]), torch.arange(2))
        >>> {name: round(value, 4) for name, value in similarity_statistics(batch).items()}
        {'positive_mean': 0.9, 'positive_variance': 0.01, 'negative_mean': 0.3, 'negative_variance': 0.09}
    """
    with torch.autocast(batch.queries.device.type, enabled=False):
        similarities = batch.queries @ batch.passages.T
    pairs = {"positive": torch.eye(len(similarities), dtype=torch.bool, device=similarities.device)}
    pairs["negative"] = is_negative(batch)
    if batch.query_language is not None and batch.passage_language is not None:
        same = batch.query_language[:, None] == batch.passage_language
        pairs |= {
            f"{which}_language_{kind}": pairs[kind] & chosen
            for which, chosen in (("same", same), ("other", ~same))
            for kind in ("positive", "negative")
        }
    return {
        f"{name}_{moment}": value
        for name, chosen in pairs.items()
        for moment, value in _moments(similarities[chosen]).items()
    }


def _moments(values: Tensor) -> dict[str, float]:
    mean = values.mean()
    return {"mean": mean.item(), "variance": (values - mean).square().mean().item()}
