"""What retrieval is tested on: queries, passages, and which passages are relevant to which query."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset

from hybridlib.corpora.corpus import Corpus, framed
from hybridlib.errors import InputError
from hybridlib.languages import ordered

SETTINGS = ("monolingual", "crosslingual", "multilingual")
QUERY_COLUMNS = ("id", "language", "concept", "text")
PASSAGE_COLUMNS = ("id", "language", "text")
QREL_COLUMNS = ("query", "passage", "relevance")


@dataclass(frozen=True, eq=False)
class Collection:
    """A test collection in one or several languages.

    Attributes:
        queries: columns ``id``, ``language``, ``concept`` and ``text``; queries of one concept mean the same in several
            languages, and are drawn together in tests of significance.
        passages: columns ``id``, ``language``, ``text``; a ``datasets.Dataset``, so it may stand on disk.
        qrels: columns ``query`` and ``passage`` (positions in the tables above) and ``relevance`` (an integer; above 0
            is relevant); a pair stands once, what is not listed is not relevant.
        name: how reports call it.
        notes: sentences that a reader of a report should see.
        itself: int64 [queries], the passage that is the query's own text, or -1: it is not ranked for that query.
    """

    queries: pd.DataFrame
    passages: Dataset
    qrels: pd.DataFrame
    name: str
    notes: tuple[str, ...] = ()
    itself: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check columns, positions, and that a pair is judged once."""
        for what, have, wanted in (
            ("queries", self.queries.columns, QUERY_COLUMNS),
            ("passages", self.passages.column_names, PASSAGE_COLUMNS),
            ("qrels", self.qrels.columns, QREL_COLUMNS),
        ):
            if not set(wanted) <= set(have):
                raise InputError(f"{self.name}: found {what} with columns {' '.join(have)}, expected {wanted}")
        for what, size in (("query", len(self.queries)), ("passage", len(self.passages))):
            if not size:
                raise InputError(f"{self.name}: found no {what}, expected one at least")
            outside = self.qrels[~self.qrels[what].between(0, size - 1)]
            if len(outside):
                found = outside[what].iloc[0]
                raise InputError(f"{self.name}: found {what} {found} in qrels, expected 0 to {size - 1}")
        if not (self.qrels["relevance"] > 0).any():
            raise InputError(f"{self.name}: found no relevant passage in {len(self.qrels)} qrels, expected one")
        twice = self.qrels.duplicated(["query", "passage"])
        if twice.any():
            query, passage = self.qrels.loc[twice, ["query", "passage"]].iloc[0]
            raise InputError(f"{self.name}: found query {query} and passage {passage} judged twice, expected once")
        if self.itself is not None:
            self._check_itself(self.itself)

    def _check_itself(self, itself: np.ndarray) -> None:
        if itself.shape != (len(self.queries),):
            raise InputError(f"{self.name}: found itself of shape {itself.shape}, expected ({len(self.queries)},)")
        outside = itself[(itself < -1) | (itself >= len(self.passages))]
        if len(outside):
            raise InputError(f"{self.name}: found itself {outside[0]}, expected -1 to {len(self.passages) - 1}")

    @classmethod
    def from_tables(
        cls,
        queries: pd.DataFrame,
        passages: pd.DataFrame,
        qrels: pd.DataFrame,
        name: str,
        notes: tuple[str, ...] = (),
    ) -> Collection:
        """Make a collection of tables whose qrels name ids: columns ``query``, ``passage`` (ids) and ``relevance``.

        Raises:
            InputError: for an id that stands twice, and for one in ``qrels`` that no query or passage has.
        """
        positions = {}
        for what, table in (("query", queries), ("passage", passages)):
            index = pd.Index(table["id"])
            if not index.is_unique:
                raise InputError(
                    f"{name}: found {what} id {index[index.duplicated()][0]!r} twice, expected different ids"
                )
            positions[what] = index.get_indexer(pd.Index(qrels[what]))
            unknown = np.flatnonzero(positions[what] < 0)
            if len(unknown):
                raise InputError(
                    f"{name}: found qrels of {what} {qrels[what].iloc[unknown[0]]!r} (row {unknown[0] + 1}), "
                    f"expected the id of one of the {len(table)} {what} texts"
                )
        return cls(
            queries[list(QUERY_COLUMNS)].reset_index(drop=True),
            Dataset.from_pandas(passages[list(PASSAGE_COLUMNS)], preserve_index=False),
            pd.DataFrame({**positions, "relevance": qrels["relevance"].to_numpy(dtype=np.int64)}).astype(np.int32),
            name,
            notes,
        )

    @classmethod
    def from_corpus(cls, corpus: Corpus) -> Collection:
        """Test on a corpus: a query and a passage are relevant to each other if they are of one concept.

        Each (concept, language) cell asks one query, its last text of role ``query``, else its last ``text``; every
        text of role ``passage`` or ``text`` is a passage. A text that is both is not ranked for itself. Texts of role
        ``query`` that ask nothing are told in a note.
        """
        table = corpus.table.assign(row=np.arange(len(corpus.table)))
        candidates = table[table["role"] != "passage"]
        preferred = candidates.sort_values("role", key=lambda role: role == "query", kind="stable")
        queries = preferred[~preferred.duplicated(["concept", "language"], keep="last")].sort_values("row")
        passages = table[table["role"] != "query"]
        number = passages.groupby(["concept", "language"]).cumcount()
        queries = queries.assign(id=queries["concept"] + "/" + queries["language"])
        passages = passages.assign(id=passages["concept"] + "/" + passages["language"] + "/" + number.astype("str"))
        pairs = (
            queries[["concept"]].assign(query=np.arange(len(queries)), own=queries["row"])
            .merge(passages[["concept"]].assign(passage=np.arange(len(passages)), row=passages["row"]), on="concept")
            .query("own != row")
        )  # fmt: skip
        position = pd.Series(np.arange(len(passages)), index=passages["row"])
        return cls(
            queries[list(QUERY_COLUMNS)].reset_index(drop=True),
            Dataset.from_pandas(passages[list(PASSAGE_COLUMNS)], preserve_index=False),
            pairs[["query", "passage"]]
            .sort_values(["query", "passage"], ignore_index=True)
            .astype(np.int32)
            .assign(relevance=np.int32(1)),
            corpus.name,
            (*corpus.notes, *_unasked(table, queries)),
            itself=position.reindex(queries["row"]).fillna(-1).to_numpy(dtype=np.int64),
        )

    def to_corpus(self) -> Corpus:
        """Return the relevant pairs as texts to train on: a concept's queries and the passages relevant to any of them.

        A passage that is relevant to several concepts stands once in each.
        """
        relevant = self.qrels[self.qrels["relevance"] > 0]
        concept = self.queries["concept"].to_numpy()[relevant["query"]]
        positions, which = np.unique(relevant["passage"], return_inverse=True)
        answers = self.passages.select(positions).to_pandas().iloc[which].assign(concept=concept, role="passage")
        asked = self.queries[self.queries["concept"].isin(set(concept))].assign(role="query")
        columns = ["concept", "language", "role", "text"]
        rows = pd.concat([asked[columns], answers.drop_duplicates(["concept", "id"])[columns]])
        return Corpus.from_rows(rows.itertuples(index=False, name=None), self.name, self.notes)

    @cached_property
    def languages(self) -> list[str]:
        """Language codes of queries and passages, ordered by family and script."""
        return ordered({*self.queries["language"], *pc.unique(self._column("language")).to_pylist()})

    @cached_property
    def query_language(self) -> np.ndarray:
        """Int64 [queries], positions in :attr:`languages`."""
        return pd.Index(self.languages).get_indexer(pd.Index(self.queries["language"])).astype(np.int64)

    @cached_property
    def passage_language(self) -> np.ndarray:
        """Int64 [passages], positions in :attr:`languages`."""
        codes = pc.index_in(self._column("language"), value_set=pa.array(self.languages))
        return codes.to_numpy(zero_copy_only=False).astype(np.int64)

    @cached_property
    def tie_order(self) -> np.ndarray:
        """Int64 [passages], place of each id among the ids in ascending order (of UTF-8 bytes): it breaks ties."""
        order = np.empty(len(self.passages), dtype=np.int64)
        order[pc.sort_indices(self._column("id")).to_numpy()] = np.arange(len(self.passages))
        return order

    @cached_property
    def relevant(self) -> pd.DataFrame:
        """The qrels with relevance above 0."""
        return self.qrels[self.qrels["relevance"] > 0].reset_index(drop=True)

    @cached_property
    def passage_concept(self) -> np.ndarray:
        """Str [passages], concept of the queries that a passage is relevant to (the first by name), or ``""``."""
        concept = self.queries["concept"].to_numpy(dtype="str")[self.relevant["query"]]
        first = pd.Series(concept).groupby(self.relevant["passage"].to_numpy()).min()
        return first.reindex(range(len(self.passages)), fill_value="").to_numpy(dtype="str")

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """The settings that this collection can test.

        ``monolingual`` if a relevant passage is in its query's language, ``crosslingual`` if one is in another, and
        ``multilingual`` (all passages in one pool) with the latter.
        """
        same = self.query_language[self.relevant["query"]] == self.passage_language[self.relevant["passage"]]
        has = {"monolingual": same.any(), "crosslingual": (~same).any(), "multilingual": (~same).any()}
        return tuple(setting for setting in SETTINGS if has[setting])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of ids, languages, concepts, texts, qrels and :attr:`itself`, in their order."""
        itself = np.full(len(self.queries), -1) if self.itself is None else self.itself
        numbers = np.array([len(self.queries), len(self.passages), len(self.qrels)])
        digest = hashlib.sha256()
        for array in (numbers, itself, self.qrels[list(QREL_COLUMNS)].to_numpy()):
            digest.update(np.ascontiguousarray(array, dtype=np.int64).tobytes())
        for column in QUERY_COLUMNS:
            for text in self.queries[column]:
                digest.update(framed(text))
        for column in PASSAGE_COLUMNS:
            for chunk in self._column(column).chunks:
                for text in chunk.to_pylist():
                    digest.update(framed(text))
        return digest.hexdigest()

    def described(self) -> dict[str, Any]:
        """Sizes, languages, notes, those on what is judged among them, and fingerprint, for a result file."""
        return {
            "name": self.name,
            "languages": self.languages,
            "concepts": int(self.queries["concept"].nunique()),
            "queries": len(self.queries),
            "passages": len(self.passages),
            "relevant": len(self.relevant),
            "notes": [*self.notes, *self._cautions()],
            "fingerprint": self.fingerprint,
        }

    def _cautions(self) -> Iterator[str]:
        """Yield what a reader should know of the judgements before comparing scores with those of another program."""
        asked = len(self.queries)
        silent = asked - self.relevant["query"].nunique()
        if silent:
            yield f"{silent:,} of {asked:,} queries have no relevant passage and are left out of every mean"
        query, passage = (self.relevant[column].to_numpy() for column in ("query", "passage"))
        near = self.query_language[query] == self.passage_language[passage]
        words = self.passages.select(passage[near])["text"][:]
        own = query[near][self.queries["text"].to_numpy(dtype=object)[query[near]] == np.array(words, dtype=object)]
        if len(own):
            yield f"{len(set(own)):,} of {asked:,} queries have their own words as a relevant passage of their language"

    def _column(self, name: str) -> pa.ChunkedArray:
        return self.passages.select_columns([name]).with_format("arrow")[:][name]

    def select(self, *, languages: Sequence[str] | None = None) -> Collection:
        """Keep the queries and passages of the given languages; one that the collection does not have is an error."""
        if languages is None:
            return self
        unknown = sorted(set(languages) - set(self.languages))
        if unknown:
            raise InputError(f"{self.name}: found language {unknown[0]!r}, expected one of: {' '.join(self.languages)}")
        codes = [self.languages.index(code) for code in set(languages)]
        return self.kept(np.isin(self.query_language, codes), np.isin(self.passage_language, codes))

    def kept(self, queries: np.ndarray, passages: np.ndarray) -> Collection:
        """Keep the queries (bool [queries]) and the passages (bool [passages]) where the mask is True."""
        place = {"query": np.cumsum(queries) - 1, "passage": np.cumsum(passages) - 1}
        qrels = self.qrels[queries[self.qrels["query"]] & passages[self.qrels["passage"]]]
        moved = {what: place[what][qrels[what]] for what in place}
        return Collection(
            self.queries[queries].reset_index(drop=True),
            self.passages.select(np.flatnonzero(passages)),
            qrels.assign(**moved).reset_index(drop=True),
            self.name,
            self.notes,
            self.itself_among(np.flatnonzero(queries), np.flatnonzero(passages)),
        )

    def itself_among(self, queries: np.ndarray, passages: np.ndarray) -> np.ndarray | None:
        """Return :attr:`itself` of some queries as numbers of some passages: int64 [len(queries)].

        Args:
            queries: int, positions.
            passages: int, positions, ascending; a query's own text that is not among them becomes -1.
        """
        if self.itself is None:
            return None
        place = np.full(len(self.passages) + 1, -1)  # the last one is that of -1
        place[passages] = np.arange(len(passages))
        return place[self.itself[queries]]


def _unasked(table: pd.DataFrame, asked: pd.DataFrame) -> list[str]:
    """Say how many texts of role ``query`` ask nothing, if any do: a ``text`` beside a query is only to be found."""
    marked = int((table["role"] == "query").sum())
    left = marked - int((asked["role"] == "query").sum())
    return [f"{left:,} of {marked:,} queries are not asked: the last of a concept in a language is"] if left else []
