"""From an encoder and a corpus to scores of every query in every setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hybridlib import bias, measures, retrieval
from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError

SETTINGS = ("monolingual", "crosslingual", "multilingual")
DEPTH = 10
SHARE = f"same_language_share@{DEPTH}"
POOL = "all"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of one encoder on one corpus.

    Attributes:
        scores: a row a query and corpus: ``setting``, ``query_language``, ``passage_language`` (``all`` for the pool),
            ``concept``, then a column a measure; the bias measures exist in the multilingual setting alone.
        ranks: a row a relevant passage: ``setting``, ``query_language``, ``passage_language``, ``concept``, ``rank``;
            ``multilingual`` ranks are those in the pool.
        top_share: [query language x passage language], share of the language in the top 10 of the pool.
        even_share: share of each language's passages in the pool.
        random_rank_distance: what a random ranking would give, by query language.
    """

    scores: pd.DataFrame
    ranks: pd.DataFrame
    top_share: pd.DataFrame
    even_share: pd.Series
    random_rank_distance: pd.Series

    def means(self) -> pd.DataFrame:
        """Mean over queries of each (setting, query language, passage language); a column a measure."""
        return mean_by_pair(self.scores)


def query_texts(corpus: Corpus) -> pd.DataFrame:
    """Rows of the corpus's table that are queries: one a cell, the last of role ``query``, else the last ``text``."""
    candidates = corpus.table[corpus.table["role"] != "passage"]
    preferred = candidates.sort_values("role", key=lambda role: role == "query", kind="stable")
    return preferred[~preferred.duplicated(["concept", "language"], keep="last")].sort_index()


def passage_texts(corpus: Corpus) -> pd.DataFrame:
    """Rows of the corpus's table that are passages: every one of role ``passage`` or ``text``."""
    return corpus.table[corpus.table["role"] != "query"]


def evaluate(corpus: Corpus, query_vectors: np.ndarray, passage_vectors: np.ndarray) -> Evaluation:
    """Rank and score.

    Args:
        corpus: whose :func:`query_texts` and :func:`passage_texts` are embedded.
        query_vectors: float32 [queries, d], unit length.
        passage_vectors: float32 [passages, d], unit length.
    """
    queries, passages = query_texts(corpus), passage_texts(corpus)
    for what, table, vectors in (("query", queries, query_vectors), ("passage", passages, passage_vectors)):
        if len(table) != len(vectors):
            raise InputError(f"evaluate: found {len(vectors)} {what} vectors, expected {len(table)}")
        if table.empty:
            raise InputError(f"evaluate: found no {what} in corpus {corpus.name}, expected one at least")
    languages = corpus.languages
    query, passage = (_texts(t, v, corpus) for t, v in ((queries, query_vectors), (passages, passage_vectors)))
    ranks = retrieval.exact_ranks(query, passage, len(languages), depth=min(DEPTH, len(passages)))
    relevant = pd.DataFrame(
        {
            "query": ranks.query,
            "query_language": query.language[ranks.query],
            "passage_language": passage.language[ranks.passage],
            "concept": query.concept[ranks.query],
        }
    )
    code = np.asarray(languages)
    scores = pd.concat(
        [
            _single_language_scores(relevant, ranks.in_language, languages),
            _pooled_scores(relevant, ranks, query, languages),
        ]
    )
    order = np.asarray(corpus.concepts)
    counts = np.bincount(passage.language, minlength=len(languages))
    with_relevant, found = np.unique(ranks.query, return_counts=True)
    expected = pd.Series(bias.random_rank_distance(found, ranks.pool_size[with_relevant]))
    return Evaluation(
        scores=_decoded(scores, languages, order),
        ranks=_decoded(_rank_table(relevant, ranks), languages, order),
        top_share=pd.DataFrame(
            bias.language_matrix(ranks.top_languages[with_relevant], query.language[with_relevant]),
            languages,
            languages,
        ),
        even_share=pd.Series(counts / counts.sum(), languages),
        random_rank_distance=expected.groupby(code[query.language[with_relevant]]).mean().reindex(languages),
    )


def _texts(table: pd.DataFrame, vectors: np.ndarray, corpus: Corpus) -> retrieval.Texts:
    return retrieval.Texts(
        vectors=vectors,
        concept=pd.Categorical(table["concept"], categories=corpus.concepts).codes.astype(np.int64),
        language=pd.Categorical(table["language"], categories=corpus.languages).codes.astype(np.int64),
        row=table.index.to_numpy(),
    )


def _single_language_scores(relevant: pd.DataFrame, rank: np.ndarray, languages: Sequence[str]) -> pd.DataFrame:
    group, first = pd.factorize(relevant["query"] * len(languages) + relevant["passage_language"])
    scores = relevant.iloc[np.unique(group, return_index=True)[1]].drop(columns="query").reset_index(drop=True)
    same = scores["query_language"] == scores["passage_language"]
    scores.insert(0, "setting", np.where(same, "monolingual", "crosslingual"))
    table = measures.padded(group, rank, len(first))
    return scores.assign(**{name: measure(table) for name, measure in measures.MEASURES.items()})


def _pooled_scores(
    relevant: pd.DataFrame, ranks: retrieval.Ranks, query: retrieval.Texts, languages: Sequence[str]
) -> pd.DataFrame:
    with_relevant, group = np.unique(relevant["query"], return_inverse=True)
    table = measures.padded(group, ranks.in_pool, len(with_relevant))
    scores = pd.DataFrame(
        {
            "setting": "multilingual",
            "query_language": query.language[with_relevant],
            "passage_language": len(languages),
            "concept": query.concept[with_relevant],
        }
    )
    scores = scores.assign(**{name: measure(table) for name, measure in measures.MEASURES.items()})
    top = ranks.top_languages[with_relevant]
    return scores.assign(
        rank_distance=bias.rank_distance(table), **{SHARE: bias.same_language_share(top, query.language[with_relevant])}
    )


def _rank_table(relevant: pd.DataFrame, ranks: retrieval.Ranks) -> pd.DataFrame:
    same = relevant["query_language"] == relevant["passage_language"]
    single = relevant.assign(setting=np.where(same, "monolingual", "crosslingual"), rank=ranks.in_language)
    pooled = relevant.assign(setting="multilingual", rank=ranks.in_pool)
    return pd.concat([single, pooled])[["setting", "query_language", "passage_language", "concept", "rank"]]


def _decoded(table: pd.DataFrame, languages: Sequence[str], concepts: np.ndarray) -> pd.DataFrame:
    """Replace the numbers of languages and concepts by their names."""
    names = [*languages, POOL]
    return table.assign(
        setting=pd.Categorical(table["setting"], categories=list(SETTINGS)),
        query_language=pd.Categorical.from_codes(table["query_language"], names),
        passage_language=pd.Categorical.from_codes(table["passage_language"], names),
        concept=pd.Categorical.from_codes(table["concept"], list(concepts)),
    ).reset_index(drop=True)


def mean_by_pair(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean over queries by setting and language pair; index (setting, query_language, passage_language)."""
    keys = ["setting", "query_language", "passage_language"]
    return scores.drop(columns="concept").groupby(keys, observed=True).mean()


def macro_means(by_pair: pd.DataFrame, languages: Sequence[str] | None = None) -> pd.DataFrame:
    """Macro mean over language pairs, [setting x measure]; ``languages`` keeps pairs inside this set of languages."""
    if languages is not None:
        query = by_pair.index.get_level_values("query_language").isin(list(languages))
        passage = by_pair.index.get_level_values("passage_language").isin([*languages, POOL])
        by_pair = by_pair[query & passage]
    return by_pair.groupby("setting", observed=True).mean()
