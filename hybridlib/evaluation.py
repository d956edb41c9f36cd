"""From embeddings and a test collection to scores of every query in every setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hybridlib import retrieval
from hybridlib.corpora.collection import SETTINGS, Collection
from hybridlib.errors import InputError
from hybridlib.languages import POOL
from hybridlib.measures import DEFAULT, Measure, measure, neighbours, padded_alike
from hybridlib.pooled import BIAS, DEPTH, SHARE, Pooled, score_pool

__all__ = [
    "BIAS",
    "DEPTH",
    "KEYS",
    "POOL",
    "SETTINGS",
    "SHARE",
    "Evaluation",
    "chosen_settings",
    "evaluate",
    "macro_means",
    "mean_by_pair",
    "rows_at",
]
KEYS = ["setting", "query_language", "passage_language", "concept"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of one encoder on one collection.

    Attributes:
        scores: a row a query and corpus that has a relevant passage for it: ``setting``, ``query_language``,
            ``passage_language`` (``all`` for the pool), ``concept``, then a float32 column a measure; those of
            :data:`BIAS` exist in the multilingual setting alone.
        ranks: a row a relevant passage: ``query_language``, ``passage_language``, ``concept``, ``relevance``,
            ``in_language`` (its rank among the passages of its language) and ``in_pool`` (among all).
        top_share: [query language x passage language], share of the language in the top 10 of the pool.
        even_share: share of each language's passages in the pool.
        single_answer: [query language x passage language], AP in the pool if of the relevant passages only those of
            the passage language were in it (LAReQA's heatmap, 2004.05484): a row falls from the diagonal with the
            preference for the query's own language.
        random_rank_distance: what a random ranking would give, by query language.

    Without the multilingual setting the last four are empty, and ``in_pool`` is the rank in the language.
    """

    scores: pd.DataFrame
    ranks: pd.DataFrame
    top_share: pd.DataFrame
    even_share: pd.Series
    single_answer: pd.DataFrame
    random_rank_distance: pd.Series

    def means(self) -> pd.DataFrame:
        """Mean over queries of each (setting, query language, passage language); a column a measure."""
        return mean_by_pair(self.scores)


def evaluate(
    collection: Collection,
    query_vectors: np.ndarray,
    passage_vectors: np.ndarray,
    *,
    measures: Sequence[str] = DEFAULT,
    settings: Sequence[str] | None = None,
) -> Evaluation:
    """Rank and score.

    Args:
        collection: what is tested on.
        query_vectors: float32 [queries, d], unit length.
        passage_vectors: float32 [passages, d], unit length; may be memory-mapped.
        measures: names that :func:`hybridlib.measures.measure` knows.
        settings: monolingual, crosslingual, multilingual; default: those that the collection can test.

    Raises:
        InputError: for a number of vectors, a measure or a setting that does not fit.
    """
    for what, count, vectors in (
        ("query", len(collection.queries), query_vectors),
        ("passage", len(collection.passages), passage_vectors),
    ):
        if len(vectors) != count:
            raise InputError(f"evaluate: found {len(vectors)} {what} vectors, expected {count}")
    chosen = chosen_settings(collection, settings)
    scored = {name: measure(name) for name in measures}
    relevant = collection.relevant
    relevant = relevant.assign(
        query_language=collection.query_language.astype(np.int32)[relevant["query"]],
        passage_language=collection.passage_language.astype(np.int32)[relevant["passage"]],
    )
    corpus = relevant["query"].to_numpy() * len(collection.languages) + relevant["passage_language"].to_numpy()
    relevant = relevant.iloc[np.argsort(corpus, kind="stable")].reset_index(drop=True)
    if chosen == ["monolingual"]:
        ranks, relevant = _ranks_inside_languages(collection, query_vectors, passage_vectors, relevant)
    else:
        ranks = retrieval.exact_ranks(
            query_vectors,
            passage_vectors,
            collection.passage_language,
            relevant["query"].to_numpy(),
            relevant["passage"].to_numpy(),
            itself=collection.itself,
            order=collection.tie_order,
            depth=min(DEPTH, len(collection.passages)),
        )
    relevant["in_language"], relevant["in_pool"] = ranks.in_language, ranks.in_pool
    parts = [_single_language_scores(relevant, scored, chosen)]
    pooled = Pooled.empty()
    if "multilingual" in chosen:
        pooled = score_pool(collection, relevant, ranks, scored, query_vectors, passage_vectors)
        parts.append(pooled.scores)
    columns = ["query_language", "passage_language", "query", "relevance", "in_language", "in_pool"]
    return Evaluation(
        scores=_named(collection, parts),
        ranks=_named(collection, [relevant[columns]]),
        top_share=pooled.top_share,
        even_share=pooled.even_share,
        single_answer=pooled.single_answer,
        random_rank_distance=pooled.random_rank_distance,
    )


def chosen_settings(collection: Collection, settings: Sequence[str] | None) -> list[str]:
    """Return the settings to test, in their order; one that the collection does not have is an error."""
    for setting in settings or ():
        if setting not in collection.settings:
            known = ", ".join(collection.settings)
            raise InputError(f"evaluate: found setting {setting!r}, expected one that {collection.name} has: {known}")
    return [setting for setting in SETTINGS if setting in (settings or collection.settings)]


def _ranks_inside_languages(
    collection: Collection, query_vectors: np.ndarray, passage_vectors: np.ndarray, relevant: pd.DataFrame
) -> tuple[retrieval.Ranks, pd.DataFrame]:
    """Rank queries among the passages of their own language alone, so that no other products are computed."""
    same = relevant[relevant["query_language"] == relevant["passage_language"]].reset_index(drop=True)
    in_language = np.zeros(len(same), dtype=np.int32)
    for language in np.unique(same["query_language"]):
        slots = np.flatnonzero(same["query_language"] == language)
        queries = np.unique(same["query"].to_numpy()[slots])
        passages = np.flatnonzero(collection.passage_language == language)
        ranks = retrieval.exact_ranks(
            query_vectors[queries],
            rows_at(passage_vectors, passages),
            np.zeros(len(passages), dtype=np.int64),
            np.searchsorted(queries, same["query"].to_numpy()[slots]),
            np.searchsorted(passages, same["passage"].to_numpy()[slots]),
            itself=collection.itself_among(queries, passages),
            order=collection.tie_order[passages],
            depth=1,
        )
        in_language[slots] = ranks.in_language
    nothing = np.empty((0, 0), dtype=np.int64)
    return retrieval.Ranks(in_language, in_language, nothing, nothing.astype(np.float32), nothing[:0]), same


def rows_at(vectors: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Take ascending rows; a view where they follow each other, so memory-mapped ones stay on disk."""
    if len(positions) and positions[-1] - positions[0] + 1 == len(positions):
        return vectors[positions[0] : positions[-1] + 1]
    return vectors[positions]


def _single_language_scores(
    relevant: pd.DataFrame, scored: Mapping[str, Measure], chosen: Sequence[str]
) -> pd.DataFrame:
    """Score each (query, passage language) of the monolingual and crosslingual settings."""
    same = (relevant["query_language"] == relevant["passage_language"]).to_numpy()
    kept = (same & ("monolingual" in chosen)) | (~same & ("crosslingual" in chosen))
    relevant, same = relevant[kept], same[kept]
    first, group = neighbours(relevant["query"].to_numpy(), relevant["passage_language"].to_numpy())
    scores = relevant[["query", "query_language", "passage_language"]].iloc[first].reset_index(drop=True)
    scores.insert(0, "setting", np.where(same[first], 0, 1))
    columns = [relevant[column].to_numpy() for column in ("in_language", "relevance")]
    ranks, gains = padded_alike(group, columns, len(first))
    for name, function in scored.items():
        scores[name] = function(ranks, gains).astype(np.float32)
    return scores


def _named(collection: Collection, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Join tables, which are used up, and replace the numbers of settings, languages and queries by names."""
    names = [*collection.languages, POOL]
    columns = list(dict.fromkeys(column for part in parts for column in part.columns))
    sizes = [len(part) for part in parts]
    query = np.concatenate([part.pop("query").to_numpy() for part in parts])
    concept, concepts = pd.factorize(collection.queries["concept"])
    code = {
        "setting": SETTINGS,
        "query_language": names,
        "passage_language": names,
    }
    joined: dict[str, object] = {}
    for column in columns:
        if column == "query":
            joined["concept"] = pd.Categorical.from_codes(concept[query], list(concepts))
            continue
        values = [
            part.pop(column).to_numpy() if column in part else np.full(size, np.nan, np.float32)
            for part, size in zip(parts, sizes, strict=True)
        ]
        together = np.concatenate(values)
        joined[column] = pd.Categorical.from_codes(together, list(code[column])) if column in code else together
    first = [key for key in KEYS if key in joined]
    return pd.DataFrame({**{key: joined[key] for key in first}, **joined}, copy=False)


def mean_by_pair(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean over queries by setting and language pair; index (setting, query_language, passage_language)."""
    return scores.drop(columns="concept").groupby(KEYS[:3], observed=True).mean()


def macro_means(by_pair: pd.DataFrame, languages: Sequence[str] | None = None) -> pd.DataFrame:
    """Macro mean over language pairs, [setting x measure]; ``languages`` keeps pairs inside this set of languages."""
    if languages is not None:
        query = by_pair.index.get_level_values("query_language").isin(list(languages))
        passage = by_pair.index.get_level_values("passage_language").isin([*languages, POOL])
        by_pair = by_pair[query & passage]
    return by_pair.groupby("setting", observed=True).mean()
