"""Evaluating an encoder on a collection again and again: texts are tokenised once."""

from __future__ import annotations

import numpy as np

from hybridlib.corpora.collection import SETTINGS, Collection
from hybridlib.encoders.embedding_cache import cached_vectors
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.evaluation import Evaluation, evaluate, macro_means


class Evaluator:
    """Embeds the queries and passages of ``collection`` and scores them.

    Args:
        collection: what to test on.
        encoder: whose tokenizer and prefixes are used (weights may change between evaluations).
    """

    def __init__(self, collection: Collection, encoder: DualEncoder) -> None:
        self.collection = collection
        self.queries = encoder.tokenize(collection.queries["text"].tolist(), "query")
        self.passages = encoder.tokenize(collection.passages["text"][:], "passage")

    def vectors(self, encoder: DualEncoder, *, progress: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Embed queries and passages: two float32 [n, dimension] arrays."""
        queries = encoder.encode_rows(self.queries, progress=progress)
        return queries, encoder.encode_rows(self.passages, progress=progress)

    def cached_vectors(self, encoder: DualEncoder) -> tuple[np.ndarray, np.ndarray]:
        """Take the vectors of an encoder that many runs start from out of the cache, or put them there."""
        return cached_vectors(encoder, self.queries), cached_vectors(encoder, self.passages)

    def evaluate(self, encoder: DualEncoder, *, progress: bool = False) -> Evaluation:
        """Score an encoder."""
        return evaluate(self.collection, *self.vectors(encoder, progress=progress))

    def evaluate_cached(self, encoder: DualEncoder) -> Evaluation:
        """Score an encoder by its :meth:`cached_vectors`."""
        return evaluate(self.collection, *self.cached_vectors(encoder))

    def balance(self, encoder: DualEncoder) -> float:
        """Mean of the nDCG@10 of the settings that the corpus has: what a checkpoint is chosen by."""
        means = macro_means(self.evaluate(encoder).means())["nDCG@10"]
        return float(means.reindex(list(SETTINGS)).dropna().mean())
