"""The one type for data: texts of concepts, in long form, on a ``datasets.Dataset``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from datasets import Dataset

from hybridlib.errors import InputError
from hybridlib.languages import ordered
from hybridlib.pairs import Pairs

ROLES = ("query", "passage", "text")
COLUMNS = ("concept", "language", "role", "text")


def framed(text: str) -> bytes:
    """Return the text in UTF-8 behind the number of its bytes: texts that are digested one by one stay apart."""
    data = text.encode()
    return len(data).to_bytes(8, "little") + data


class Split(NamedTuple):
    """Three corpora that share no concept."""

    train: Corpus
    validation: Corpus
    test: Corpus


@dataclass(frozen=True, eq=False)
class Corpus:
    """Texts with the concept they mean, their language and their role.

    Attributes:
        dataset: columns ``concept``, ``language``, ``role`` (``query``, ``passage``, or ``text`` for one that serves as
            either) and ``text``; one row a text.
        name: how reports call it.
        notes: sentences that a reader of a report should see (a missing language, a demonstration corpus).
    """

    dataset: Dataset
    name: str
    notes: tuple[str, ...] = ()

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[str, str, str, str]], name: str, notes: tuple[str, ...] = ()) -> Corpus:
        """Make a corpus of (concept, language, role, text) tuples."""
        table = pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")
        if table.empty:
            raise InputError(f"corpus {name}: found no text, expected at least one")
        unknown = sorted(set(table["role"]) - set(ROLES))
        if unknown:
            raise InputError(f"corpus {name}: found role {unknown[0]!r}, expected one of {', '.join(ROLES)}")
        return cls(Dataset.from_pandas(table, preserve_index=False), name, notes)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The rows as a pandas table with the columns of ``dataset``."""
        return self.dataset.select_columns(list(COLUMNS)).to_pandas()

    @cached_property
    def languages(self) -> list[str]:
        """Language codes, ordered by family and script."""
        return ordered(self.table["language"].unique())

    @cached_property
    def concepts(self) -> list[str]:
        """Concept ids, in the order of the SHA-256 of their UTF-8 bytes: an order that no corpus chose."""
        return sorted(self.table["concept"].unique(), key=lambda concept: hashlib.sha256(concept.encode()).hexdigest())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the rows in sorted order: equal for equal content, whatever file it came from."""
        digest = hashlib.sha256()
        for row in sorted(self.table.itertuples(index=False, name=None)):
            for value in row:
                digest.update(framed(value))
        return digest.hexdigest()

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row a (concept, language) cell: counts of ``queries``, ``passages`` (a ``text`` is both), ``texts``."""
        role = self.table["role"]
        counted = self.table[["concept", "language"]].assign(
            queries=role.isin(["query", "text"]), passages=role.isin(["passage", "text"]), texts=1
        )
        return counted.groupby(["concept", "language"], as_index=False).sum()

    @property
    def single_text_cells(self) -> pd.DataFrame:
        """Cells with one text that is query and passage at once: they have no monolingual pair."""
        cells = self.cells
        return cells[(cells["texts"] == 1) & (cells["queries"] == 1) & (cells["passages"] == 1)]

    @cached_property
    def pairs(self) -> Pairs:
        """The (query, passage) pairs that samplers draw from; indices are rows of ``dataset``."""
        role = self.table["role"].to_numpy()
        text, _ = pd.factorize(self.table["text"])
        language = pd.Categorical(self.table["language"], categories=self.languages).codes
        concept = pd.Categorical(self.table["concept"], categories=self.concepts).codes
        return Pairs(
            concept=np.asarray(concept, dtype=np.int64),
            language=np.asarray(language, dtype=np.int64),
            is_query=role != "passage",
            is_passage=role != "query",
            text=np.asarray(text, dtype=np.int64),
            languages=tuple(self.languages),
        )

    def select(self, *, concepts: Sequence[str] | None = None, languages: Sequence[str] | None = None) -> Corpus:
        """Keep the given concepts and languages; a name that the corpus does not have is an error."""
        table = self.table
        for column, wanted, have in (("concept", concepts, self.concepts), ("language", languages, self.languages)):
            if wanted is None:
                continue
            unknown = sorted(set(wanted) - set(have))
            if unknown:
                known = " ".join(have) if column == "language" else f"{len(have)} concept ids of the corpus"
                raise InputError(f"corpus {self.name}: found {column} {unknown[0]!r}, expected one of: {known}")
            table = table[table[column].isin(set(wanted))]
        if table.empty:
            raise InputError(f"corpus {self.name}: no text is left in the chosen languages and concepts")
        return Corpus(Dataset.from_pandas(table, preserve_index=False), self.name, self.notes)

    def split(self, train: int | None = None, validation: int = 200, test: int = 1000) -> Split:
        """Divide the concepts, in the order of :attr:`concepts`: the first train, the next validate, the last test.

        Args:
            train: number of training concepts; ``None`` takes all that the other two leave.
            validation: number of concepts for choosing a checkpoint.
            test: number of concepts for the final figures, from the end of the order.

        Raises:
            InputError: for a part of no concept, and if there are fewer concepts than the three need.
        """
        total = len(self.concepts)
        least = 1 if train is None else train
        if min(least, validation, test) < 1:
            raise InputError(
                f"corpus {self.name}: found a split of {'all other' if train is None else train} training, "
                f"{validation} validation and {test} test concepts, expected at least one each"
            )
        if least + validation + test > total:
            raise InputError(
                f"corpus {self.name}: found {total} concepts, expected at least {least + validation + test}: "
                f"{least} to train on, {validation} to validate and {test} to test"
            )
        wanted = total - validation - test if train is None else train
        order = self.concepts
        return Split(
            self.select(concepts=order[:wanted]),
            self.select(concepts=order[wanted : wanted + validation]),
            self.select(concepts=order[total - test :]),
        )
