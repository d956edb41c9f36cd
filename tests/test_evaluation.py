from math import log2

import numpy as np
import pandas as pd
import pytest

from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError
from hybridlib.evaluation import (
    POOL,
    SETTINGS,
    SHARE,
    Evaluation,
    evaluate,
    macro_means,
    passage_texts,
    query_texts,
)
from hybridlib.measures import MEASURES

LANGUAGES = ("en", "de", "ru")
BIAS_MEASURES = ("rank_distance", SHARE)


def ragged_corpus(seed: int = 0, concepts: int = 14) -> Corpus:
    """Cells with one text, with a query and one to three passages, with several queries, with texts alone, or empty."""
    rng = np.random.default_rng(seed)
    forms = (
        ["text"],
        ["passage", "query"],
        ["query", "passage", "passage", "passage", "query"],
        ["text", "text"],
        ["passage"],
        [],
    )
    rows = [
        (f"c{concept}", language, role, f"{concept} {language} {number}")
        for concept in range(concepts)
        for language in LANGUAGES
        for number, role in enumerate(forms[rng.integers(len(forms))])
    ]
    return Corpus.from_rows(rows, "ragged")


def unit_vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.standard_normal((count, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def evaluated(corpus: Corpus, seed: int = 0) -> tuple[Evaluation, list[dict], dict[int, list[int]]]:
    """Return the evaluation of random vectors, the queries as records, and the pooled ranking of each by loops."""
    rng = np.random.default_rng(seed)
    queries, passages = query_texts(corpus), passage_texts(corpus)
    query_vectors, passage_vectors = (unit_vectors(rng, len(table)) for table in (queries, passages))
    products = query_vectors.astype(np.float64) @ passage_vectors.astype(np.float64).T
    assert np.diff(np.sort(products, axis=1), axis=1).min() > 1e-6  # so float32 gives the same order
    rankings = {}
    for number, row in enumerate(queries.index):
        order = sorted(range(len(passages)), key=lambda p, number=number: -products[number, p])
        rankings[row] = [passages.index[p] for p in order if passages.index[p] != row]
    records = [{"row": row, **record} for row, record in zip(queries.index, queries.to_dict("records"), strict=True)]
    return evaluate(corpus, query_vectors, passage_vectors), records, rankings


def naive_scores(corpus: Corpus, records: list[dict], rankings: dict[int, list[int]]) -> dict[tuple, dict[str, float]]:
    """Scores by (setting, query language, passage language, concept), by loops over the rankings."""
    concept, language = (corpus.table[column].tolist() for column in ("concept", "language"))
    found = {}
    for query in records:
        for target in (*LANGUAGES, POOL):
            ranking = [row for row in rankings[query["row"]] if target in (POOL, language[row])]
            ranks = [place for place, row in enumerate(ranking, start=1) if concept[row] == query["concept"]]
            if not ranks:
                continue
            setting = {POOL: "multilingual", query["language"]: "monolingual"}.get(target, "crosslingual")
            scores = {
                "nDCG@10": sum(1 / log2(rank + 1) for rank in ranks if rank <= 10)
                / sum(1 / log2(rank + 1) for rank in range(1, min(10, len(ranks)) + 1)),
                "AP": np.mean([(place + 1) / rank for place, rank in enumerate(ranks)]),
                "RR": 1 / ranks[0],
                "R@1": sum(rank <= 1 for rank in ranks) / len(ranks),
                "R@10": sum(rank <= 10 for rank in ranks) / len(ranks),
            }
            if target == POOL:
                scores["rank_distance"] = ranks[-1] - ranks[0]
                scores[SHARE] = sum(language[row] == query["language"] for row in ranking[:10]) / 10
            found[setting, query["language"], target, query["concept"]] = scores
    return found


def keyed(scores: pd.DataFrame) -> dict[tuple, dict[str, float]]:
    """The table's rows by their keys, without the measures that a setting does not have."""
    names = [*MEASURES, *BIAS_MEASURES]
    rows = scores.astype(dict.fromkeys(("setting", "query_language", "passage_language", "concept"), str))
    found = {
        (row["setting"], row["query_language"], row["passage_language"], row["concept"]): {
            name: row[name] for name in names if not np.isnan(row[name])
        }
        for row in rows.to_dict("records")
    }
    assert len(found) == len(scores)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_scores_as_by_loops(seed):
    corpus = ragged_corpus(seed)
    result, records, rankings = evaluated(corpus, seed)
    expected = naive_scores(corpus, records, rankings)
    found = keyed(result.scores)
    assert found.keys() == expected.keys()
    for key, scores in expected.items():
        assert found[key] == pytest.approx(scores), key


def test_ranks_as_by_loops():
    corpus = ragged_corpus(1)
    result, records, rankings = evaluated(corpus, 1)
    expected = []
    concept, language = (corpus.table[column].tolist() for column in ("concept", "language"))
    for query in records:
        ranking = rankings[query["row"]]
        for rank, row in enumerate(ranking, start=1):
            if concept[row] != query["concept"]:
                continue
            inside = sum(language[other] == language[row] for other in ranking[:rank])
            setting = "monolingual" if language[row] == query["language"] else "crosslingual"
            expected.append((setting, query["language"], language[row], query["concept"], inside))
            expected.append(("multilingual", query["language"], language[row], query["concept"], rank))
    assert sorted(result.ranks.itertuples(index=False, name=None)) == sorted(expected)


def test_macro_means_are_means_of_the_means_of_language_pairs():
    corpus = ragged_corpus(2)
    result, records, rankings = evaluated(corpus, 2)
    pairs: dict[tuple, list[float]] = {}
    for key, scores in naive_scores(corpus, records, rankings).items():
        pairs.setdefault(key[:3], []).append(scores["nDCG@10"])
    assert len({len(values) for values in pairs.values()}) > 1  # else the order of averaging would not matter
    means = macro_means(result.means())["nDCG@10"]
    for setting in SETTINGS:
        expected = np.mean([np.mean(values) for key, values in pairs.items() if key[0] == setting])
        assert means[setting] == pytest.approx(expected), setting


def test_macro_means_of_some_languages_keep_the_pairs_inside_them():
    by_pair = evaluated(ragged_corpus(3), 3)[0].means()
    values = by_pair["AP"]
    means = macro_means(by_pair, languages=["en", "ru"])["AP"]
    inside = {
        "monolingual": [values["monolingual", "en", "en"], values["monolingual", "ru", "ru"]],
        "crosslingual": [values["crosslingual", "en", "ru"], values["crosslingual", "ru", "en"]],
        "multilingual": [values["multilingual", "en", POOL], values["multilingual", "ru", POOL]],
    }
    assert means.to_dict() == pytest.approx({setting: np.mean(pair) for setting, pair in inside.items()})


def test_one_language_has_no_crosslingual_mean():
    means = macro_means(evaluated(ragged_corpus(0))[0].means(), languages=["de"])
    assert list(means.index) == ["monolingual", "multilingual"]


def test_bias_measures_exist_in_the_multilingual_setting_alone():
    scores = evaluated(ragged_corpus(0))[0].scores
    pooled = scores["setting"] == "multilingual"
    for name in BIAS_MEASURES:
        assert (scores[name].notna() == pooled).all()


def small_corpus() -> Corpus:
    """Concept a: one text in each language; concept b: two texts in English, one in German."""
    rows = [
        ("a", "en", "text", "one"),
        ("a", "de", "text", "eins"),
        ("b", "en", "passage", "two"),
        ("b", "en", "query", "a pair"),
        ("b", "de", "text", "zwei"),
    ]
    return Corpus.from_rows(rows, "small")


def small_evaluation() -> Evaluation:
    """Every query's vector is its own passage's (``a pair`` has that of ``two``)."""
    one, eins, two, zwei = np.eye(4, dtype=np.float32)
    corpus = small_corpus()
    assert query_texts(corpus)["text"].tolist() == ["one", "eins", "a pair", "zwei"]
    assert passage_texts(corpus)["text"].tolist() == ["one", "eins", "two", "zwei"]
    return evaluate(corpus, np.stack([one, eins, two, zwei]), np.stack([one, eins, two, zwei]))


def test_single_text_has_no_monolingual_query():
    scores = small_evaluation().scores
    monolingual = scores[scores["setting"] == "monolingual"]
    assert monolingual[["query_language", "passage_language", "concept"]].to_numpy().tolist() == [["en", "en", "b"]]
    assert monolingual["RR"].tolist() == [1.0]


def test_single_text_is_neither_ranked_nor_relevant_for_itself():
    ranks = small_evaluation().ranks
    of_one = ranks[(ranks["query_language"] == "en") & (ranks["concept"] == "a")]
    # "one" is left out of the pool: the others tie at 0, so "eins" comes after "zwei" and "two", which stand later.
    found = of_one[["setting", "passage_language", "rank"]].to_numpy().tolist()
    assert found == [["crosslingual", "de", 2], ["multilingual", "de", 3]]


def test_single_text_is_not_in_its_own_first_ten():
    share = small_evaluation().scores.query("setting == 'multilingual'").set_index(["query_language", "concept"])[SHARE]
    # "one" ranks eins, two and zwei: one of three is English
    assert share["en", "a"] == pytest.approx(1 / 3)


def test_random_rank_distance_counts_what_each_query_ranks():
    found = small_evaluation().random_rank_distance
    # en: "one" has 1 relevant of 3, "a pair" 2 of 4; de: both have 1 of 3
    assert found.to_dict() == pytest.approx({"en": (0 + 1 / 3 * 5) / 2, "de": (0 + 0) / 2})


def test_even_share_is_each_languages_share_of_the_passages():
    corpus = ragged_corpus(0)
    passages = corpus.table[corpus.table["role"] != "query"]["language"].tolist()
    expected = {language: passages.count(language) / len(passages) for language in LANGUAGES}
    assert evaluated(corpus)[0].even_share.to_dict() == pytest.approx(expected)


def test_top_share_is_the_mean_share_of_the_first_ten_by_query_language():
    corpus = ragged_corpus(1)
    result, records, rankings = evaluated(corpus, 1)
    language = corpus.table["language"].tolist()
    for asked in LANGUAGES:
        tops = [rankings[query["row"]][:10] for query in records if query["language"] == asked]
        for target in LANGUAGES:
            expected = np.mean([sum(language[row] == target for row in top) / 10 for top in tops])
            assert result.top_share.loc[asked, target] == pytest.approx(expected)


def cell_queries(*roles: str) -> list[str]:
    rows = [("a", "en", role, f"{role} {number}") for number, role in enumerate(roles)]
    return query_texts(Corpus.from_rows(rows, "cell"))["text"].tolist()


def test_query_of_a_cell_is_its_last_query():
    assert cell_queries("query", "passage", "query", "passage") == ["query 2"]


def test_query_of_a_cell_without_queries_is_its_last_text():
    assert cell_queries("text", "text", "passage") == ["text 1"]


def test_query_comes_before_text_wherever_it_stands():
    assert cell_queries("query", "text") == ["query 0"]


def test_cell_of_passages_has_no_query():
    assert cell_queries("passage", "passage") == []


def test_every_passage_and_text_is_a_passage():
    rows = [("a", "en", role, role) for role in ("text", "query", "passage", "text")]
    assert passage_texts(Corpus.from_rows(rows, "cell"))["text"].tolist() == ["text", "passage", "text"]


def test_order_of_the_corpus_changes_no_score():
    corpus = ragged_corpus(2)
    vectors = dict(zip(corpus.table["text"], unit_vectors(np.random.default_rng(0), len(corpus.table)), strict=True))
    cells = corpus.table.groupby(["concept", "language"], sort=False).ngroup().to_numpy()
    order = np.argsort(np.random.default_rng(1).permutation(cells.max() + 1)[cells], kind="stable")
    other = Corpus.from_rows(corpus.table.iloc[order].itertuples(index=False, name=None), "other order")
    assert other.table["text"].tolist() != corpus.table["text"].tolist()

    def scores(of: Corpus) -> dict[tuple, dict[str, float]]:
        both = (np.stack([vectors[text] for text in table["text"]]) for table in (query_texts(of), passage_texts(of)))
        return keyed(evaluate(of, *both).scores)

    assert scores(other) == scores(corpus)


@pytest.mark.parametrize(("queries", "passages", "what"), [(3, 4, "query"), (4, 5, "passage")])
def test_wrong_number_of_vectors_is_refused(queries, passages, what):
    vectors = np.eye(5, dtype=np.float32)
    with pytest.raises(InputError, match=rf"found \d {what} vectors, expected 4"):
        evaluate(small_corpus(), vectors[:queries], vectors[:passages])
