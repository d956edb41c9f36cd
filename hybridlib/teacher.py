"""A frozen teacher's vectors of training texts, computed once and kept in the cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hybridlib.corpora.corpus import Corpus
from hybridlib.encoders.embedding_cache import cached_text_vectors
from hybridlib.encoders.encoder import DualEncoder, Role
from hybridlib.needs import concept_versions


@dataclass(frozen=True, eq=False)
class Teacher:
    """Vectors for each row of a corpus.

    Attributes:
        queries: float32 [texts, t], unit length, what the teacher gives to it as a query.
        passages: float32 [texts, t], the same as a passage.
        query_of: int [n], which of ``queries`` belongs to a row of the corpus; -1 if none does.
        passage_of: int [n], which of ``passages`` does.
    """

    queries: np.ndarray
    passages: np.ndarray
    query_of: np.ndarray
    passage_of: np.ndarray

    @classmethod
    def embed(cls, encoder: DualEncoder, corpus: Corpus, language: str | None) -> Teacher:
        """Embed a corpus.

        Args:
            encoder: the teacher.
            corpus: training texts.
            language: the teacher sees, for every text, its concept's version in this language, as MIMO's English
                teacher does (arXiv 2605.31171): the last text that can be a query, the first that can be a passage.
                ``None``: it sees the text itself.

        Raises:
            InputError: if a concept has no text in ``language``.
        """
        pairs, texts = corpus.pairs, np.asarray(corpus.table["text"], dtype=object)
        vectors, of = {}, {}
        roles: tuple[tuple[Role, np.ndarray, int], ...] = (
            ("query", pairs.is_query, -1),
            ("passage", pairs.is_passage, 0),
        )
        for role, serves, which in roles:
            rows = np.flatnonzero(serves)
            if language is not None:
                rows = concept_versions(corpus, rows, language, which)
            vectors[role] = cached_text_vectors(encoder, texts[rows].tolist(), role)
            of[role] = np.full(len(texts), -1)
            if language is None:
                of[role][rows] = np.arange(len(rows))
            else:
                of[role] = pairs.concept  # rows are in the order of the concepts
        return cls(vectors["query"], vectors["passage"], of["query"], of["passage"])

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.queries.shape[1])

    def vectors(
        self, queries: np.ndarray, passages: np.ndarray, hard_negatives: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Return the vectors of a batch by their names in :class:`hybridlib.objectives.Batch`.

        Args:
            queries: int [B], rows of the corpus.
            passages: int [B].
            hard_negatives: int [B, H], or None.
        """
        found = {
            "teacher_queries": self.queries[self.query_of[queries]],
            "teacher_passages": self.passages[self.passage_of[passages]],
        }
        if hard_negatives is not None:
            found["teacher_hard_negatives"] = self.passages[self.passage_of[hard_negatives]]
        return found
