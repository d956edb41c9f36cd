"""The multilingual setting: scores and language bias of rankings in which all languages stand in one pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hybridlib import bias
from hybridlib.corpora.collection import Collection
from hybridlib.measures import Measure, measure, neighbours, padded, padded_alike
from hybridlib.mrc import mrc
from hybridlib.retrieval import Ranks

DEPTH = 10
SHARE = f"same_language_share@{DEPTH}"
BIAS = (
    "rank_distance",
    "max_rank",
    "max_rank_normalised",
    SHARE,
    "language_preference",
    f"TLR@{DEPTH}",
    "PEER@100",
    f"MRC@{DEPTH}",
)


@dataclass(frozen=True, eq=False)
class Pooled:
    """What the multilingual setting adds to an :class:`Evaluation`."""

    scores: pd.DataFrame
    top_share: pd.DataFrame
    even_share: pd.Series
    single_answer: pd.DataFrame
    random_rank_distance: pd.Series

    @classmethod
    def empty(cls) -> Pooled:
        """Return what there is where the setting is not tested."""
        return cls(*(kind(dtype=float) for kind in (pd.DataFrame, pd.DataFrame, pd.Series, pd.DataFrame, pd.Series)))


def score_pool(
    collection: Collection,
    relevant: pd.DataFrame,
    ranks: Ranks,
    scored: Mapping[str, Measure],
    query_vectors: np.ndarray,
    passage_vectors: np.ndarray,
) -> Pooled:
    """Score the pooled ranking of every query that has a relevant passage.

    Args:
        collection: what is tested on.
        relevant: a row a relevant pair, sorted by query, then passage language: ``query``, ``relevance``,
            ``query_language`` and ``passage_language`` (numbers), ``in_pool``.
        ranks: of these pairs.
        scored: measures by name.
        query_vectors: float32 [queries, d].
        passage_vectors: float32 [passages, d].
    """
    languages = collection.languages
    first, group = neighbours(relevant["query"].to_numpy())
    queries = relevant["query"].to_numpy()[first]
    own = collection.query_language[queries]
    columns = [relevant[column].to_numpy() for column in ("in_pool", "relevance", "passage_language")]
    table, gains, language = padded_alike(group, columns, len(queries))
    scores = pd.DataFrame(
        {"setting": 2, "query": queries, "query_language": own, "passage_language": len(languages)},
    )
    for name, function in scored.items():
        scores[name] = function(table, gains).astype(np.float32)
    top = _top_languages(ranks.top[queries], collection.passage_language, len(languages))
    pool = ranks.pool_size[queries]
    concept = pd.factorize(collection.queries["concept"])[0]
    values = (
        bias.rank_distance(table),
        bias.max_rank(table),
        bias.max_rank_normalised(table, pool),
        bias.same_language_share(top, own),
        bias.language_preference(table, language, own),
        bias.other_language_recall(table, language, own, DEPTH),
        bias.peer(table, language, 100, gains),
        mrc(query_vectors, concept, collection.query_language, passage_vectors, ranks.top, ranks.top.shape[1])[queries],
    )
    scores = scores.assign(**{name: value.astype(np.float32) for name, value in zip(BIAS, values, strict=True)})
    counts = np.bincount(collection.passage_language, minlength=len(languages))
    expected = pd.Series(bias.random_rank_distance((table > 0).sum(1), pool))
    return Pooled(
        scores=scores,
        top_share=pd.DataFrame(bias.language_matrix(top, own), languages, languages),
        even_share=pd.Series(counts / counts.sum(), languages),
        single_answer=_single_answer(table, language, relevant, languages),
        random_rank_distance=expected.groupby(np.asarray(languages)[own]).mean().reindex(languages),
    )


def _top_languages(top: np.ndarray, passage_language: np.ndarray, languages: int) -> np.ndarray:
    """Count the languages of the first passages: int64 [queries, languages]."""
    row, column = np.nonzero(top >= 0)
    flat = row * languages + passage_language[top[row, column]]
    return np.bincount(flat, minlength=len(top) * languages).reshape(len(top), languages)


def _single_answer(
    table: np.ndarray, language: np.ndarray, relevant: pd.DataFrame, languages: list[str]
) -> pd.DataFrame:
    """Mean AP by language pair where only the relevant passages of one language are left in the pool."""
    left = bias.single_answer_ranks(table, language)[table > 0]
    first, group = neighbours(relevant["query"].to_numpy(), relevant["passage_language"].to_numpy())
    precision = measure("AP")(padded(group, left, len(first)), None)
    size = len(languages)
    asked, answered = (relevant[column].to_numpy()[first] for column in ("query_language", "passage_language"))
    pair = asked * size + answered
    counts = np.bincount(pair, minlength=size**2)
    sums = np.bincount(pair, precision, minlength=size**2)
    means = np.divide(sums, counts, out=np.full(size**2, np.nan), where=counts > 0)
    return pd.DataFrame(means.reshape(size, size), languages, languages)
