"""What encoders retrieve for a query that is typed: the first passages of the pool of all languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import torch

from hybridlib.config import RunConfig
from hybridlib.corpora import Corpus, load_corpus
from hybridlib.corpora.collection import Collection
from hybridlib.corpora.load import corpus_identity
from hybridlib.encoders.embedding_cache import cached_text_vectors
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.languages import LANGUAGES, ordered
from hybridlib.paths import checked_name, run_folder, study_folder
from hybridlib.plain_text import brief
from hybridlib.retrieval import exact_ranks
from hybridlib.runs import Run
from hybridlib.splits import run_splits

UNTRAINED = ("bundled:multilingual-e5-small", "bundled:all-MiniLM-L6-v2")
MOST_HITS = 100
_CONCEPTS = 200  # searched where no run says which
_LOADED = 4  # encoders that are kept in memory


@dataclass(frozen=True, eq=False)
class Explorer:
    """Searches the passages of all languages in one pool by one encoder.

    Attributes:
        collection: what is searched.
        encoder: what embeds the queries.
        passages: float32 [passages, d], unit length.
    """

    collection: Collection
    encoder: DualEncoder
    passages: np.ndarray

    @classmethod
    def embedded(cls, collection: Collection, encoder: DualEncoder) -> Explorer:
        """Embed the passages, or take their vectors out of the cache."""
        return cls(collection, encoder, cached_text_vectors(encoder, collection.passages["text"], "passage"))

    def search(self, text: str, top: int = 10) -> pd.DataFrame:
        """Return the passages most similar to a text; equal similarities stand by passage id, descending.

        A text that is, letter for letter, a test query is answered as in the evaluation: the passage that is its own
        text is left out, and what is relevant is known.

        Args:
            text: in any language, with something to read in it.
            top: passages, 1 to 100; fewer where the pool has no more.

        Returns:
            A row a passage: ``rank`` from 1, ``language`` (code), ``similarity`` (cosine), ``text``, ``relevant``
            (missing where the text is no test query) and ``concept`` (empty where it answers no query).
        """
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"query: found {brief(text)}, expected a text")
        if type(top) is not int or not 1 <= top <= MOST_HITS:
            raise InputError(f"top: found {brief(top)}, expected 1 to {MOST_HITS}")
        collection, none = self.collection, np.empty(0, dtype=np.int64)
        asked = np.flatnonzero(collection.queries["text"] == text)
        own = none if collection.itself is None else collection.itself[asked]
        ranks = exact_ranks(
            self.encoder.encode([text], "query", progress=False),
            self.passages,
            collection.passage_language,
            none,
            none,
            order=collection.tie_order,
            depth=min(top + len(own), len(self.passages)),
        )
        kept = np.flatnonzero(~np.isin(ranks.top[0], own))[:top]
        found = ranks.top[0][kept]
        answers = collection.relevant.loc[collection.relevant["query"].isin(asked), "passage"]
        known = np.isin(found, answers) if len(asked) else [pd.NA] * len(found)
        rows = collection.passages.select(found)
        return pd.DataFrame(
            {
                "rank": np.arange(1, len(found) + 1),
                "language": rows["language"][:],
                "similarity": ranks.top_scores[0][kept],
                "text": rows["text"][:],
                "relevant": pd.array(known, dtype="boolean"),
                "concept": collection.passage_concept[found],
            }
        )


def language_mix(hits: pd.DataFrame) -> pd.Series:
    """Share of each language among hits, by code in the order of figures; the shares sum to 1."""
    shares = hits["language"].value_counts(normalize=True)
    return shares.reindex(ordered(shares.index)).rename("share")


def even_mix(collection: Collection) -> pd.Series:
    """Share of each language's passages in the pool: the mix of a search that does not care for language."""
    counts = np.bincount(collection.passage_language, minlength=len(collection.languages))
    return pd.Series(counts / counts.sum(), index=collection.languages, name="share")


def query_language(collection: Collection, text: str) -> str | None:
    """Return the language of the first test query with this text, or None if there is no such query."""
    found = collection.queries.loc[collection.queries["text"] == text, "language"]
    return None if found.empty else str(found.iloc[0])


def checked_queries(texts: Any, collection: Collection) -> list[str]:
    """Return the texts to search for: those given, or, for None, :func:`some_queries`."""
    if texts is None:
        return some_queries(collection)
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise InputError(f"queries: found {brief(texts)}, expected a list of texts")
    return texts


def some_queries(collection: Collection, count: int = 4) -> list[str]:
    """Return the test queries of one concept in ``count`` languages at most, of different scripts if there are such.

    The concept is the first of those that are asked in the most languages.
    """
    languages = collection.queries.groupby("concept", sort=False)["language"].nunique()
    of_concept = collection.queries[collection.queries["concept"] == languages.idxmax()]
    asked = of_concept.drop_duplicates("language").set_index("language")["text"]
    codes = ordered(asked.index)
    new_script = [code for i, code in enumerate(codes) if _script(code) not in map(_script, codes[:i])]
    chosen = dict.fromkeys([*new_script, *codes])
    return [asked[code] for code in ordered(list(chosen)[:count])]


def finished_runs(study: str) -> dict[str, Run]:
    """Return the finished runs of a study that have a saved encoder, by name; none where there is no such study."""
    names = sorted(file.parent.name for file in study_folder(study).glob("runs/*/result.json"))
    folders = {name: run_folder(study, name) for name in names}
    return {name: Run.read(folder) for name, folder in folders.items() if (folder / "encoder").is_dir()}


class Systems:
    """The encoders that can be chosen, and the passages that all of them search.

    These are the test passages of a run: of the first of the two that is one, else of the study's first. Where there is
    none, or another corpus is asked for, they are the passages of that corpus's last 200 concepts.

    Args:
        study: whose finished runs are offered beside untrained encoders.
        first: name of a run, or of an encoder; None: the encoder that the run started from.
        second: another one; None: the study's first run, or, without one, another untrained encoder.
        corpus: None: that of the run, or scenes.

    Attributes:
        first, second: the names chosen.
        names: of all systems that can be chosen: finished runs, then untrained encoders.
        collection: what is searched.
        notes: sentences that a reader should see.
    """

    def __init__(
        self, study: str, first: str | None = None, second: str | None = None, corpus: str | None = None
    ) -> None:
        self._study, self._runs = checked_name(study, "study"), finished_runs(study)
        for name in (first, second, corpus):
            if name is not None and not (isinstance(name, str) and name):
                raise InputError(f"explore: found {brief(name)}, expected a name or None")
        run = next((self._runs[name] for name in (first, second, *self._runs) if name in self._runs), None)
        self._config = run.config if run else RunConfig()
        usual = [self._config.encoder, *self._runs, *UNTRAINED]
        self.first = first or next(name for name in usual if name != second)
        self.second = second or next(name for name in usual[1:] if name != self.first)
        self.names = list(dict.fromkeys([*self._runs, self._config.encoder, *UNTRAINED, self.first, self.second]))
        own = corpus is None or corpus_identity(corpus) == corpus_identity(self._config.corpus)
        if run and own:
            texts = _tested(run)
        else:
            whole = load_corpus(corpus or self._config.corpus)
            texts = whole.select(concepts=whole.concepts[-_CONCEPTS:])
        self.collection = Collection.from_corpus(texts)
        alone = [] if run else [f"Study {study} has no finished run with its encoder, so both systems are untrained"]
        self.notes = [*texts.notes, *alone, *self._foreign(texts)]
        self.explorer = lru_cache(_LOADED)(self._explorer)

    def search(self, text: str, names: Sequence[str], top: int) -> dict[str, pd.DataFrame]:
        """Search by each of some systems; see :meth:`Explorer.search`."""
        return {name: self.explorer(name).search(text, top) for name in names}

    def _explorer(self, name: str) -> Explorer:
        """Load an encoder, with its full vocabulary as a query may be any text, and embed the passages."""
        run = self._runs.get(name)
        config = run.config if run else self._config
        options: dict[str, Any] = {"max_length": config.max_length, "precision": config.precision}
        if run:
            encoder = DualEncoder.load_whole(str(run.folder / "encoder"), **options)
        elif (study_folder(self._study) / "runs" / name / "result.json").exists():
            raise InputError(f"{name}: found a finished run without its encoder, expected one trained on this machine")
        else:
            encoder = DualEncoder.load_whole(name, **(config.encoder_options() if name == config.encoder else options))
        return Explorer.embedded(self.collection, encoder.to("cuda" if torch.cuda.is_available() else "cpu"))

    def _foreign(self, texts: Corpus) -> list[str]:
        """Say which of the two systems was tested on other texts."""
        chosen = [self._runs[name] for name in dict.fromkeys((self.first, self.second)) if name in self._runs]
        others = [run.folder.name for run in chosen if run.result["fingerprint"]["test"] != texts.fingerprint]
        return [f"{name} was not tested on these texts, and may have been trained on them" for name in others]


def _tested(run: Run) -> Corpus:
    """Return the test texts of a run."""
    texts = run_splits(run.config).test
    if texts.fingerprint != run.result["fingerprint"]["test"]:
        raise InputError(f"{run.folder}: found another corpus than the run was tested on, expected the same")
    return texts


def _script(code: str) -> str:
    return LANGUAGES[code].script if code in LANGUAGES else code
