"""Which texts a training step embeds, and the objective's batch that their vectors make."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from hybridlib.config import RunConfig, objective_needs
from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.joined import JoinedCorpus
from hybridlib.debias import centring
from hybridlib.distributed import ALONE, Ranks
from hybridlib.encoders.embedding_cache import cached_vectors
from hybridlib.encoders.encoder import DualEncoder, Role
from hybridlib.mining import HardNegatives, mine
from hybridlib.needs import check_texts
from hybridlib.objectives import Batch as EmbeddedBatch
from hybridlib.samplers import Batch
from hybridlib.teacher import Teacher

log = logging.getLogger(__name__)


class TrainingTexts:
    """The token ids of a training corpus, and what objectives need besides queries and passages.

    Args:
        config: its objective says what is needed.
        encoder: as it is before training; it tokenises, and hard negatives are mined with it.
        corpus: training texts.
        ranks: the processes at work; what the cache keeps, the first computes for all.

    Attributes:
        sizes: numbers that :func:`hybridlib.objectives.compose.build` is to know.

    Raises:
        InputError: if the corpus cannot give them; the message names the concept.
    """

    def __init__(self, config: RunConfig, encoder: DualEncoder, corpus: Corpus, ranks: Ranks = ALONE) -> None:
        self.pairs, self.seed = corpus.pairs, config.seed
        self.texts = np.asarray(corpus.table["text"], dtype=object)
        self.tokens: dict[str, dict[int, list[int]]] = {
            "query": self._tokens(encoder, "query", np.flatnonzero(corpus.pairs.is_query)),
            "passage": self._tokens(encoder, "passage", np.flatnonzero(corpus.pairs.is_passage)),
        }
        self.second_queries = "second_queries" in objective_needs(config.objective)
        check_texts(config, corpus)
        self.parts = corpus.parts if isinstance(corpus, JoinedCorpus) else (corpus,)
        self.starts = np.cumsum([0, *(len(part.pairs.concept) for part in self.parts)])
        self.hard = self._mined(encoder, config.hard_negatives, ranks) if config.hard_negatives else []
        self.teacher: Teacher | None = None
        if config.teacher is not None:
            teacher = DualEncoder.load_whole(config.teacher, max_length=config.max_length, precision=config.precision)
            with ranks.in_turn():
                found = Teacher.embed(teacher.to(encoder.device), corpus, config.teacher_language)
            self.teacher = replace(
                found,
                queries=ranks.firsts("teacher's queries", found.queries),
                passages=ranks.firsts("teacher's passages", found.passages),
            )
        self.sizes = {"concepts": len(corpus.concepts)}
        if self.teacher is not None:
            self.sizes["teacher_dimension"] = self.teacher.dimension

    def of(self, batch: Batch, number: int) -> StepTexts:
        """Return the texts of a batch; its number in the training fixes, with the seed, its second queries."""
        queries, passages = np.asarray(batch).T
        rows = {"queries": queries, "passages": passages}
        if self.second_queries:
            rows["second_queries"] = self._second_queries(queries, number)
        if self.hard:
            part = int(np.searchsorted(self.starts, queries[0], side="right")) - 1  # a batch is of one corpus
            start = self.starts[part]
            rows["hard_negatives"] = start + self.hard[part].rows([(q - start, p - start) for q, p in batch])
        return StepTexts(self, rows)

    def _tokens(self, encoder: DualEncoder, role: Role, rows: np.ndarray) -> dict[int, list[int]]:
        return dict(zip(rows.tolist(), encoder.tokenize(self.texts[rows].tolist(), role), strict=True))

    def _mined(self, encoder: DualEncoder, count: int, ranks: Ranks) -> list[HardNegatives]:
        """Mine inside each corpus; each text is embedded once, as a query if it can be one, and languages are centred.

        Encoders such as E5 give all texts of a language similar vectors; with their mean taken off, similarities tell
        apart what is probably relevant from what is not. Of a language's only text nothing would be left, so it stays.
        """
        ids = [self.tokens["query"].get(row) or self.tokens["passage"][row] for row in range(len(self.texts))]
        with ranks.in_turn():
            vectors, language = cached_vectors(encoder, ids), self.pairs.language
        several = np.bincount(language)[language] > 1
        centred, codes = vectors[several], language[several]
        vectors = vectors.copy()
        vectors[several] = centring(centred, codes)(centred, codes)
        spans = zip(self.parts, pairwise(self.starts), strict=True)
        mined = [mine(part.pairs, vectors[start:end], count=count) for part, (start, end) in spans]
        mined = [replace(one, table=ranks.firsts("hard negatives", one.table)) for one in mined]  # near ones may differ
        above = sum(one.above_ceiling for one in mined)
        if above:
            log.warning("hard negatives: %d are probably relevant, for want of others", above)
        return mined

    def _second_queries(self, queries: np.ndarray, number: int) -> np.ndarray:
        """Draw for each query one of the same concept in another language, all such languages alike."""
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, number], spawn_key=(2,)))
        drawn = []
        for row in queries.tolist():
            concept = int(self.pairs.concept[row])
            others = np.flatnonzero(self.pairs.has_query[concept])
            language = rng.choice(others[others != self.pairs.language[row]])
            drawn.append(rng.choice(self.pairs.query_rows(concept, int(language))))
        return np.asarray(drawn)


@dataclass(frozen=True, eq=False)
class StepTexts:
    """The texts of one batch of B pairs.

    Attributes:
        source: where they are from.
        rows: rows of the corpus by the name that their vectors have in :class:`hybridlib.objectives.Batch`:
            ``queries`` and ``passages`` int [B]; if needed, ``second_queries`` int [B] and ``hard_negatives`` int
            [B, H].
    """

    source: TrainingTexts
    rows: dict[str, np.ndarray]

    @cached_property
    def tokens(self) -> list[list[int]]:
        """Token ids of all texts, one kind after the other."""
        tokens = self.source.tokens
        return [
            tokens["query" if name.endswith("queries") else "passage"][row]
            for name, rows in self.rows.items()
            for row in rows.ravel().tolist()
        ]

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.rows["queries"])

    @property
    def concepts(self) -> np.ndarray:
        """Int64 [B], concept of each pair."""
        return self.source.pairs.concept[self.rows["queries"]]

    def batch(self, vectors: Tensor) -> EmbeddedBatch:
        """Return what an objective sees; ``vectors`` [len(tokens), d] are those of :attr:`tokens`."""
        parts = vectors.split([rows.size for rows in self.rows.values()])
        fields = {
            name: part.reshape(*rows.shape, -1) for (name, rows), part in zip(self.rows.items(), parts, strict=True)
        }
        pairs, queries, passages = self.source.pairs, self.rows["queries"], self.rows["passages"]
        known = {
            "concepts": self.concepts,
            "query_language": pairs.language[queries],
            "passage_language": pairs.language[passages],
        }
        hard = self.rows.get("hard_negatives")
        if hard is not None:
            known["hard_negative_concepts"] = pairs.concept[hard]
        if self.source.teacher is not None:
            known |= self.source.teacher.vectors(queries, passages, hard)
        return EmbeddedBatch(**fields, **{name: torch.from_numpy(v).to(vectors.device) for name, v in known.items()})
