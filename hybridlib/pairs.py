"""Which (query, passage) pairs exist: the index that samplers draw from. Needs numpy alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hybridlib.errors import InputError


@dataclass(frozen=True, eq=False)
class Pairs:
    """Texts as arrays of equal length ``n``; a pair is a query row and a passage row of one concept.

    A pair is *monolingual* if both are in one language, else *cross-lingual*. A monolingual pair needs two different
    strings: a cell (concept, language) with one text, or with the same string twice, has none.

    Attributes:
        concept: int64 [n], concept of each text, ``0 .. concepts - 1``.
        language: int64 [n], language of each text, ``0 .. len(languages) - 1``.
        is_query: bool [n], whether the text can be the query of a pair.
        is_passage: bool [n], whether the text can be the passage of a pair.
        text: int64 [n], equal for equal strings.
        languages: language codes.
    """

    concept: np.ndarray
    language: np.ndarray
    is_query: np.ndarray
    is_passage: np.ndarray
    text: np.ndarray
    languages: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check the arrays."""
        n = len(self.concept)
        for field in ("language", "is_query", "is_passage", "text"):
            if getattr(self, field).shape != (n,):
                raise InputError(f"pairs: found {field} of shape {getattr(self, field).shape}, expected ({n},)")
        if n and (self.language.min() < 0 or self.language.max() >= len(self.languages)):
            raise InputError(f"pairs: found a language outside 0 .. {len(self.languages) - 1}")

    @cached_property
    def concepts(self) -> int:
        """Number of concepts."""
        return int(self.concept.max()) + 1 if len(self.concept) else 0

    @cached_property
    def _queries(self) -> tuple[np.ndarray, np.ndarray]:
        return self._by_cell(self.is_query)

    @cached_property
    def _passages(self) -> tuple[np.ndarray, np.ndarray]:
        return self._by_cell(self.is_passage)

    def _by_cell(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the chosen texts sorted by cell, and where each cell starts."""
        cells = self.concepts * len(self.languages)
        cell = (self.concept * len(self.languages) + self.language)[chosen]
        order = np.argsort(cell, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=cells))])
        return np.flatnonzero(chosen)[order], starts

    def query_rows(self, concept: int, language: int) -> np.ndarray:
        """Return the rows that can be the query of this cell."""
        rows, starts = self._queries
        cell = concept * len(self.languages) + language
        return rows[starts[cell] : starts[cell + 1]]

    def passage_rows(self, concept: int, language: int) -> np.ndarray:
        """Return the rows that can be the passage of this cell."""
        rows, starts = self._passages
        cell = concept * len(self.languages) + language
        return rows[starts[cell] : starts[cell + 1]]

    @cached_property
    def has_query(self) -> np.ndarray:
        """Bool [concepts, languages]: the cell has a query."""
        return np.diff(self._queries[1]).reshape(self.concepts, len(self.languages)) > 0

    @cached_property
    def has_passage(self) -> np.ndarray:
        """Bool [concepts, languages]: the cell has a passage."""
        return np.diff(self._passages[1]).reshape(self.concepts, len(self.languages)) > 0

    @cached_property
    def has_monolingual(self) -> np.ndarray:
        """Bool [concepts, languages]: the cell has a query and a passage that are different strings."""
        serves = self.is_query | self.is_passage
        cell, text = (self.concept * len(self.languages) + self.language)[serves], self.text[serves]
        cells = self.concepts * len(self.languages)
        lowest = np.full(cells, np.iinfo(np.int64).max)
        highest = np.full(cells, np.iinfo(np.int64).min)
        np.minimum.at(lowest, cell, text)
        np.maximum.at(highest, cell, text)
        # Only if all texts of the cell are one string does every query equal every passage.
        return self.has_query & self.has_passage & (lowest < highest).reshape(self.has_query.shape)

    @cached_property
    def has_crosslingual(self) -> np.ndarray:
        """Bool [concepts]: a query and a passage in two different languages exist."""
        both = self.has_query & self.has_passage
        combinations = self.has_query.sum(1) * self.has_passage.sum(1) - both.sum(1)
        return combinations > 0

    def draw(
        self, concept: int, query_language: int, passage_language: int, rng: np.random.Generator
    ) -> tuple[int, int]:
        """Draw a (query row, passage row) pair of a concept, uniformly over the pairs of different strings.

        In two different languages equal strings are a pair as well ("OK" is English and German).
        """
        queries, passages = self.query_rows(concept, query_language), self.passage_rows(concept, passage_language)
        if len(queries) == 1 and len(passages) == 1:
            return int(queries[0]), int(passages[0])
        if query_language != passage_language:
            return int(queries[rng.integers(len(queries))]), int(passages[rng.integers(len(passages))])
        query, passage = np.nonzero(self.text[queries][:, None] != self.text[passages][None, :])
        choice = rng.integers(len(query))
        return int(queries[query[choice]]), int(passages[passage[choice]])
