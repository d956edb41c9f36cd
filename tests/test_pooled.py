"""What the pool adds, for any rankings: here random permutations, without vectors behind them."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from hybridlib import bias
from hybridlib.corpora.collection import Collection
from hybridlib.evaluation import evaluate
from hybridlib.measures import measure
from hybridlib.mrc import mrc
from hybridlib.pooled import BIAS, DEPTH, SHARE, Pooled, score_pool
from hybridlib.retrieval import Ranks

LANGUAGES = ["en", "de", "fr", "ru"]  # ru has passages and no queries


class Case(NamedTuple):
    collection: Collection
    rankings: list[list[int]]
    relevant: dict[int, dict[int, int]]
    found: Pooled


def pool(seed: int, passages: int = 60) -> Case:
    """Any passage may be relevant, with grades 1 to 3; each query leaves out one that is not, and some have none."""
    rng = np.random.default_rng(seed)
    asked = [(f"q{c}", code) for c in range(9) for code in LANGUAGES[:3] if rng.random() < 0.8]
    codes = rng.choice(LANGUAGES, passages)
    grades = rng.choice([0, 1, 2, 3], (len(asked), passages), p=[0.9, 0.06, 0.02, 0.02])
    grades[0] = 0
    query, passage = np.nonzero(grades)
    collection = Collection.from_tables(
        pd.DataFrame(
            [(f"{c}/{code}", code, c, "?") for c, code in asked], columns=["id", "language", "concept", "text"]
        ),
        pd.DataFrame({"id": [f"p{i:02}" for i in range(passages)], "language": codes, "text": "."}),
        pd.DataFrame(
            {
                "query": [f"{asked[q][0]}/{asked[q][1]}" for q in query],
                "passage": [f"p{i:02}" for i in passage],
                "relevance": grades[query, passage],
            }
        ),
        "pool",
    )
    rankings = []
    for row in grades:
        left_out = rng.choice(np.flatnonzero(row == 0))
        rankings.append([int(p) for p in rng.permutation(passages) if p != left_out])
    relevant = collection.relevant.assign(
        query_language=collection.query_language[query],
        passage_language=collection.passage_language[passage],
        in_pool=[rankings[q].index(p) + 1 for q, p in zip(query, passage, strict=True)],
    ).sort_values(["query", "passage_language"], ignore_index=True)
    relevant = relevant.sort_values(["query", "passage_language"], ignore_index=True)
    ranks = Ranks(
        in_language=np.empty(0, dtype=np.int64),
        in_pool=relevant["in_pool"].to_numpy(),
        top=np.asarray([ranking[:DEPTH] for ranking in rankings]),
        top_scores=np.empty(0, dtype=np.float32),
        pool_size=np.full(len(asked), passages - 1),
    )
    found = score_pool(collection, relevant, ranks, {"AP": measure("AP")}, *vectors(len(asked), passages))
    of_query = {q: {int(p): int(grades[q, p]) for p in np.flatnonzero(grades[q])} for q in range(len(asked))}
    return Case(collection, rankings, {q: of for q, of in of_query.items() if of}, found)


def vectors(queries: int, passages: int) -> tuple[np.ndarray, np.ndarray]:
    many = np.random.default_rng(1).standard_normal((queries + passages, 8))
    many = (many / np.linalg.norm(many, axis=1, keepdims=True)).astype(np.float32)
    return many[:queries], many[queries:]


@pytest.fixture(scope="module", params=[0, 1, 2])
def case(request):
    return pool(request.param)


def language_of(case: Case, passage: int) -> int:
    return case.collection.languages.index(case.collection.passages["language"][passage])


def test_queries_with_a_relevant_passage_have_a_row(case):
    assert case.found.scores["query"].tolist() == list(case.relevant)
    assert set(case.found.scores["passage_language"]) == {len(LANGUAGES)}
    assert len(case.relevant) < len(case.collection.queries)


def naive_bias(case: Case, query: int) -> dict[str, np.ndarray]:
    grades, ranking = case.relevant[query], case.rankings[query]
    ranks = np.asarray([[ranking.index(p) + 1 for p in grades]])
    languages = np.asarray([[language_of(case, p) for p in grades]])
    own, levels = np.asarray([case.collection.query_language[query]]), np.asarray([list(grades.values())])
    return {
        "rank_distance": bias.rank_distance(ranks),
        "max_rank": bias.max_rank(ranks),
        "max_rank_normalised": bias.max_rank_normalised(ranks, np.asarray([len(ranking)])),
        "language_preference": bias.language_preference(ranks, languages, own),
        "TLR@10": bias.other_language_recall(ranks, languages, own, 10),
        "PEER@100": bias.peer(ranks, languages, 100, levels, dict.fromkeys((1, 2, 3), 1 / 3)),
    }


def test_bias_measures_are_those_of_the_ranking(case):
    rows = case.found.scores.set_index("query")
    for query in case.relevant:
        expected = {name: value[0] for name, value in naive_bias(case, query).items()}
        assert expected.keys() == set(BIAS) - {SHARE, "MRC@10"}
        assert rows.loc[query, list(expected)].to_dict() == pytest.approx(expected, nan_ok=True), query


def test_mean_rank_correlation_takes_all_queries_and_the_first_passages(case):
    collection = case.collection
    top = np.asarray([ranking[:10] for ranking in case.rankings])
    concept = pd.factorize(collection.queries["concept"])[0]
    queries, passages = vectors(len(collection.queries), len(collection.passages))
    expected = mrc(queries, concept, collection.query_language, passages, top, 10)
    assert case.found.scores["MRC@10"].to_numpy() == pytest.approx(expected[list(case.relevant)], nan_ok=True)


def test_same_language_share_counts_the_first_ten(case):
    for query, share in case.found.scores.set_index("query")[SHARE].items():
        own = case.collection.query_language[query]
        assert share == pytest.approx(sum(language_of(case, p) == own for p in case.rankings[query][:10]) / 10)


def test_top_share_is_the_mean_over_queries_of_a_language(case):
    own = case.collection.query_language
    for asked, code in enumerate(case.collection.languages):
        tops = [case.rankings[query][:10] for query in case.relevant if own[query] == asked]
        for target, other in enumerate(case.collection.languages):
            shares = [sum(language_of(case, p) == target for p in top) / 10 for top in tops]
            expected = np.mean(shares) if shares else np.nan
            assert case.found.top_share.loc[code, other] == pytest.approx(expected, nan_ok=True)


def test_even_share_is_that_of_all_passages(case):
    codes = case.collection.passages["language"][:]
    assert case.found.even_share.to_dict() == pytest.approx({c: codes.count(c) / len(codes) for c in LANGUAGES})


def test_single_answer_is_ap_without_the_relevant_passages_of_other_languages(case):
    found: dict[tuple[int, int], list[float]] = {}
    for query, grades in case.relevant.items():
        for target in {language_of(case, p) for p in grades}:
            left = [p for p in case.rankings[query] if p not in grades or language_of(case, p) == target]
            hits = [place for place, p in enumerate(left, start=1) if p in grades]
            precision = np.mean([number / place for number, place in enumerate(hits, start=1)])
            found.setdefault((case.collection.query_language[query], target), []).append(precision)
    table = case.found.single_answer
    assert table.index.tolist() == table.columns.tolist() == case.collection.languages
    for asked, target in np.ndindex(table.shape):
        expected = np.mean(found.get((asked, target), [np.nan]))
        assert table.iloc[asked, target] == pytest.approx(expected, nan_ok=True)


def test_random_rank_distance_is_the_mean_over_queries_of_a_language(case):
    own, expected = case.collection.query_language, {}
    for asked, code in enumerate(case.collection.languages):
        sizes = [len(grades) for query, grades in case.relevant.items() if own[query] == asked]
        expected[code] = np.mean([(r - 1) / (r + 1) * 60 for r in sizes]) if sizes else np.nan  # 59 are ranked
    assert case.found.random_rank_distance.to_dict() == pytest.approx(expected, nan_ok=True)


def test_random_vectors_have_the_random_rank_distance():
    concepts, rng = 600, np.random.default_rng(0)
    queries = pd.DataFrame({"id": [f"q{c}" for c in range(concepts)], "language": "en", "text": "?"})
    passages = pd.DataFrame(
        [(f"{c}/{code}", code, ".", f"q{c}") for c in range(concepts) for code in LANGUAGES],
        columns=["id", "language", "text", "query"],
    )
    qrels = passages[["query"]].assign(passage=passages["id"], relevance=1)
    collection = Collection.from_tables(queries.assign(concept=queries["id"]), passages, qrels, "random")
    drawn = [rng.standard_normal((n, 64)).astype(np.float32) for n in (concepts, len(passages))]
    found = evaluate(collection, *(v / np.linalg.norm(v, axis=1, keepdims=True) for v in drawn))
    distance = found.scores["rank_distance"].dropna()
    assert len(distance) == concepts
    assert found.random_rank_distance["en"] == pytest.approx(3 / 5 * (4 * concepts + 1))
    assert abs(distance.mean() - found.random_rank_distance["en"]) < 3 * distance.std() / np.sqrt(concepts)
