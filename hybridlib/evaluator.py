"""Evaluating an encoder on a corpus again and again: texts are tokenised once."""

from __future__ import annotations

from hybridlib.corpora.corpus import Corpus
from hybridlib.encoders.embedding_cache import cached_vectors
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.evaluation import SETTINGS, Evaluation, evaluate, macro_means, passage_texts, query_texts


class Evaluator:
    """Embeds the queries and passages of ``corpus`` and scores them.

    Args:
        corpus: what to test on.
        encoder: whose tokenizer and prefixes are used (weights may change between evaluations).
    """

    def __init__(self, corpus: Corpus, encoder: DualEncoder) -> None:
        self.corpus = corpus
        self.queries = encoder.tokenize(query_texts(corpus)["text"].tolist(), "query")
        self.passages = encoder.tokenize(passage_texts(corpus)["text"].tolist(), "passage")

    def evaluate(self, encoder: DualEncoder, *, progress: bool = False) -> Evaluation:
        """Score an encoder."""
        queries = encoder.encode_rows(self.queries, progress=progress)
        return evaluate(self.corpus, queries, encoder.encode_rows(self.passages, progress=progress))

    def evaluate_cached(self, encoder: DualEncoder) -> Evaluation:
        """Score an encoder that many runs start from: its vectors are taken from the cache or put there."""
        return evaluate(self.corpus, cached_vectors(encoder, self.queries), cached_vectors(encoder, self.passages))

    def balance(self, encoder: DualEncoder) -> float:
        """Mean of the nDCG@10 of the settings that the corpus has: what a checkpoint is chosen by."""
        means = macro_means(self.evaluate(encoder).means())["nDCG@10"]
        return float(means.reindex(list(SETTINGS)).dropna().mean())
