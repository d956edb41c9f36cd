"""Evaluating an encoder on a collection again and again: texts are tokenised once."""

from __future__ import annotations

from hybridlib.corpora.collection import SETTINGS, Collection
from hybridlib.encoders.embedding_cache import cached_vectors
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.evaluation import Evaluation, macro_means
from hybridlib.system import Embedded


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

    def embedded(self, encoder: DualEncoder) -> Embedded:
        """Embed queries and passages."""
        return Embedded(self.collection, encoder.encode_rows(self.queries), encoder.encode_rows(self.passages))

    def cached(self, encoder: DualEncoder) -> Embedded:
        """Take the vectors of an encoder that many runs start from out of the cache, or put them there."""
        return Embedded(self.collection, cached_vectors(encoder, self.queries), cached_vectors(encoder, self.passages))

    def evaluate(self, encoder: DualEncoder) -> Evaluation:
        """Score an encoder."""
        return self.embedded(encoder).evaluate()

    def balance(self, encoder: DualEncoder) -> float:
        """Mean of the nDCG@10 of the settings that the corpus has: what a checkpoint is chosen by."""
        means = macro_means(self.evaluate(encoder).means())["nDCG@10"]
        return float(means.reindex(list(SETTINGS)).dropna().mean())
