"""Evaluating an encoder on a collection again and again: texts are tokenised once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from hybridlib.corpora.collection import SETTINGS, Collection
from hybridlib.distributed import ALONE, Ranks
from hybridlib.encoders.embedding_cache import cached_vectors
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.evaluation import Evaluation, macro_means
from hybridlib.system import Embedded


class Evaluator:
    """Embeds the queries and passages of ``collection`` and scores them.

    Args:
        collection: what to test on.
        encoder: whose tokenizer and prefixes are used (weights may change between evaluations).
        ranks: the processes that embed together, each of which calls the methods and gets all vectors.
    """

    def __init__(self, collection: Collection, encoder: DualEncoder, ranks: Ranks = ALONE) -> None:
        self.collection, self.ranks = collection, ranks
        self.queries = encoder.tokenize(collection.queries["text"].tolist(), "query")
        self.passages = encoder.tokenize(collection.passages["text"][:], "passage")

    def embedded(self, encoder: DualEncoder) -> Embedded:
        """Embed queries and passages."""
        return Embedded(self.collection, self._vectors(encoder, self.queries), self._vectors(encoder, self.passages))

    def cached(self, encoder: DualEncoder) -> Embedded:
        """Take the vectors of an encoder that many runs start from out of the cache, or put them there.

        Several processes embed them anew, as their caches need not be the same.
        """
        if self.ranks.size > 1:
            return self.embedded(encoder)
        return Embedded(self.collection, cached_vectors(encoder, self.queries), cached_vectors(encoder, self.passages))

    def evaluate(self, encoder: DualEncoder) -> Evaluation:
        """Score an encoder."""
        return self.embedded(encoder).evaluate()

    def balance(self, encoder: DualEncoder) -> float:
        """Mean of the nDCG@10 of the settings that the corpus has: what a checkpoint is chosen by."""
        means = macro_means(self.evaluate(encoder).means())["nDCG@10"]
        return float(means.reindex(list(SETTINGS)).dropna().mean())

    def _vectors(self, encoder: DualEncoder, rows: Sequence[Sequence[int]]) -> np.ndarray:
        shard = self.ranks.shard(rows)
        return shard.joined(torch.from_numpy(encoder.encode_rows(shard.rows))).numpy()
