"""Scores of every query against plain Python sorting, and against trec_eval on the same scores."""

import numpy as np
import pandas as pd
import pytest
import pytrec_eval

from hybridlib import retrieval
from hybridlib.corpora.collection import SETTINGS, Collection
from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError
from hybridlib.evaluation import BIAS, KEYS, POOL, evaluate, macro_means, mean_by_pair
from hybridlib.measures import DEFAULT

LANGUAGES = ("en", "de", "ru")
TREC = {
    "nDCG@10": "ndcg_cut_10",
    "AP": "map",
    "RR": "recip_rank",
    "R@1": "recall_1",
    "R@10": "recall_10",
    "R@100": "recall_100",
    "Success@10": "success_10",
    "P@5": "P_5",
    "nDCG": "ndcg",
}


def vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    """Unit vectors of which many are equal, so that there are ties; the first few are not."""
    many = rng.standard_normal((count, 16))
    many[3:] = many[3:][rng.integers(0, -(-count // 2), count - 3)]
    return (many / np.linalg.norm(many, axis=1, keepdims=True)).astype(np.float32)


def ragged(seed: int, concepts: int = 14) -> Collection:
    """A corpus whose cells have one text, a query and one to three passages, texts alone, or nothing."""
    rng = np.random.default_rng(seed)
    forms = (["text"], ["passage", "query"], ["query", "passage", "passage", "passage"], ["text"] * 2, ["passage"], [])
    rows = [
        (f"c{concept}", language, role, f"{concept} {language} {number}")
        for concept in range(concepts)
        for language in LANGUAGES
        for number, role in enumerate(forms[rng.integers(len(forms))])
    ]
    return Collection.from_corpus(Corpus.from_rows(rows, "ragged"))


def graded(seed: int, languages: tuple[str, ...] = LANGUAGES) -> Collection:
    """Any passage may be relevant to any query, with grades; some queries have none, passages have mixed ids."""
    rng = np.random.default_rng(seed)
    queries = [(f"q{c}/{code}", code, f"q{c}", "?") for c in range(12) for code in languages if rng.random() < 0.8]
    ids = [f"{letter}{number}" for letter in "aZé漢" for number in range(20)]
    passages = [(name, (*languages, "fr")[rng.integers(len(languages) + 1)], ".") for name in rng.permutation(ids)]
    grades = rng.choice([-1, 0, 1, 2, 3], (len(queries), len(passages)), p=[0.9, 0.02, 0.04, 0.02, 0.02])
    grades[0] = -1
    judged = [(queries[q][0], passages[p][0], grades[q, p]) for q, p in np.argwhere(grades >= 0)]
    return Collection.from_tables(
        pd.DataFrame(queries, columns=["id", "language", "concept", "text"]),
        pd.DataFrame(passages, columns=["id", "language", "text"]),
        pd.DataFrame(judged, columns=["query", "passage", "relevance"]),
        "graded",
    )


CASES = {f"{make.__name__} {seed}": make(seed) for make in (ragged, graded) for seed in range(3)}


def embedded(collection: Collection, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return vectors(rng, len(collection.queries)), vectors(rng, len(collection.passages))


def score(query: np.ndarray, passage: np.ndarray) -> np.float32:
    return np.float32(np.dot(query.astype(np.float64), passage.astype(np.float64)))


def ranking_of(collection: Collection, query: int, embeddings: tuple[np.ndarray, np.ndarray]) -> list[int]:
    """Positions of the passages, best first: by score, and of equal ones by id, the last id first."""
    itself = -1 if collection.itself is None else collection.itself[query]
    ids = collection.passages["id"][:]
    candidates = sorted((p for p in range(len(ids)) if p != itself), key=lambda p: ids[p], reverse=True)
    return sorted(candidates, key=lambda p: -score(embeddings[0][query], embeddings[1][p]))


def relevant_to(collection: Collection, query: int) -> dict[int, int]:
    chosen = collection.relevant[collection.relevant["query"] == query]
    return dict(zip(chosen["passage"], chosen["relevance"], strict=True))


def plain(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype({column: "str" for column in KEYS if column in table})


def keyed(scores: pd.DataFrame) -> dict[tuple[str, ...], dict[str, float]]:
    """Setting, query language, passage language, concept -> measures, without those that a setting does not have."""
    found = plain(scores).set_index(KEYS).T.to_dict()
    assert len(found) == len(scores)
    return {key: {name: value for name, value in row.items() if not np.isnan(value)} for key, row in found.items()}


@pytest.mark.parametrize("case", CASES)
def test_ranks_as_by_loops(case):
    collection, expected, embeddings = CASES[case], [], embedded(CASES[case])
    language, own = collection.passages["language"][:], collection.queries["language"]
    for query, concept in enumerate(collection.queries["concept"]):
        ranking = ranking_of(collection, query, embeddings)
        for passage, grade in relevant_to(collection, query).items():
            rank = ranking.index(passage) + 1
            inside = sum(language[other] == language[passage] for other in ranking[:rank])
            expected.append((own[query], language[passage], concept, grade, inside, rank))
    found = plain(evaluate(collection, *embeddings).ranks)
    columns = ["query_language", "passage_language", "concept", "relevance", "in_language", "in_pool"]
    assert found.columns.tolist() == columns
    assert sorted(found.itertuples(index=False, name=None)) == sorted(expected)


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_trec_eval(case):
    """A run for each language of passages, and one of the pool."""
    collection, expected, embeddings = CASES[case], {}, embedded(CASES[case])
    language, own = collection.passages["language"][:], collection.queries["language"]
    itself = collection.itself if collection.itself is not None else np.full(len(own), -1)
    for target in (*collection.languages, POOL):
        passages = [p for p in range(len(language)) if target in (POOL, language[p])]
        ids = {p: collection.passages["id"][p] for p in passages}
        judged = {query: relevant_to(collection, query) for query in range(len(own))}
        qrels = {
            str(query): {ids[p]: int(grade) for p, grade in grades.items() if p in ids}
            for query, grades in judged.items()
            if any(p in ids for p in grades)
        }
        run = {
            str(query): {
                ids[p]: float(score(embeddings[0][query], embeddings[1][p])) for p in passages if p != itself[query]
            }
            for query in map(int, qrels)
        }
        for query, row in pytrec_eval.RelevanceEvaluator(qrels, set(TREC.values())).evaluate(run).items():
            asked = own[int(query)]
            setting = {POOL: "multilingual", asked: "monolingual"}.get(target, "crosslingual")
            key = setting, asked, target, collection.queries["concept"][int(query)]
            expected[key] = {name: row[trec] for name, trec in TREC.items()}
    found = keyed(evaluate(collection, *embeddings, measures=list(TREC)).scores.drop(columns=list(BIAS)))
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        assert found[key] == pytest.approx(row), key


@pytest.mark.parametrize("settings", [["monolingual"], ["multilingual"], ["crosslingual", "monolingual"]], ids=str)
@pytest.mark.parametrize("case", ["ragged 0", "graded 0"])
def test_settings_that_are_asked_for_have_the_same_scores_as_among_all(case, settings):
    collection = CASES[case]
    found = evaluate(collection, *embedded(collection), settings=settings)
    every = keyed(evaluate(collection, *embedded(collection)).scores)
    assert keyed(found.scores) == {key: row for key, row in every.items() if key[0] in settings}


def test_without_the_pool_there_is_no_bias():
    found = evaluate(CASES["graded 0"], *embedded(CASES["graded 0"]), settings=["monolingual", "crosslingual"])
    assert set(found.scores) == {*KEYS, *DEFAULT}
    assert sum(map(len, (found.top_share, found.even_share, found.single_answer, found.random_rank_distance))) == 0


@pytest.mark.parametrize("case", CASES)
def test_monolingual_ranks_take_the_products_inside_languages_alone(case, monkeypatch):
    collection = CASES[case]
    queries, passages = embedded(collection)
    every = plain(evaluate(collection, queries, passages).ranks)
    computed, exact_ranks = [], retrieval.exact_ranks

    def watched(asked, ranked, *given, **options):
        computed.append((len(asked), len(ranked)))
        return exact_ranks(asked, ranked, *given, **options)

    monkeypatch.setattr(retrieval, "exact_ranks", watched)
    found = plain(evaluate(collection, queries, passages, settings=["monolingual"]).ranks)
    same = every[every["query_language"] == every["passage_language"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, same.assign(in_pool=same["in_language"]))
    asked = same.groupby("query_language", sort=False)["concept"].nunique()
    held = pd.Series(collection.passages["language"][:]).value_counts()
    assert sorted(computed) == sorted((asked[code], held[code]) for code in asked.index)


def test_memory_mapped_passages_of_a_language_that_stand_together_are_not_copied(tmp_path, monkeypatch):
    rows = [(f"c{c}", code, "text", f"{c} {number}") for code in ("en", "de") for c in range(9) for number in range(2)]
    collection = Collection.from_corpus(Corpus.from_rows(rows, "mapped"))
    queries, passages = embedded(collection)
    np.save(tmp_path / "passages.npy", passages)
    mapped, exact_ranks = np.load(tmp_path / "passages.npy", mmap_mode="r"), retrieval.exact_ranks

    def watched(asked, ranked, *given, **options):
        assert np.shares_memory(ranked, mapped)
        return exact_ranks(asked, ranked, *given, **options)

    direct = evaluate(collection, queries, passages, settings=["monolingual"])
    monkeypatch.setattr(retrieval, "exact_ranks", watched)
    found = evaluate(collection, queries, mapped, settings=["monolingual"])
    pd.testing.assert_frame_equal(found.scores, direct.scores)


@pytest.mark.parametrize("case", ["ragged 1", "graded 1"])
def test_order_of_queries_and_passages_changes_nothing(case):
    collection, rng = CASES[case], np.random.default_rng(0)
    queries, passages = embedded(collection)
    q, p = rng.permutation(len(queries)), rng.permutation(len(passages))
    itself = collection.itself
    other = Collection(
        collection.queries.iloc[q].reset_index(drop=True),
        collection.passages.select(p),
        collection.qrels.assign(
            query=np.argsort(q)[collection.qrels["query"]], passage=np.argsort(p)[collection.qrels["passage"]]
        ).sample(frac=1, random_state=0),
        collection.name,
        itself=None if itself is None else np.where(itself[q] >= 0, np.argsort(p)[itself[q]], -1),
    )
    first, second = evaluate(collection, queries, passages), evaluate(other, queries[q], passages[p])
    found = keyed(second.scores)
    for key, row in keyed(first.scores).items():
        assert found[key] == pytest.approx(row), key
    pd.testing.assert_frame_equal(first.single_answer, second.single_answer)
    pd.testing.assert_frame_equal(first.top_share, second.top_share)


def test_constant_scores_rank_by_id_and_make_ap_and_rr_equal_for_one_relevant_passage():
    rows = [
        (f"c{c:02}", code, role, f"{c}") for c in range(30) for code in ("en", "de") for role in ("query", "passage")
    ]
    collection = Collection.from_corpus(Corpus.from_rows(rows, "constant"))
    one = np.full((60, 4), 0.5, dtype=np.float32)
    scores = plain(evaluate(collection, one, one).scores)
    single = scores[scores["setting"] != "multilingual"]
    assert single["AP"].tolist() == single["RR"].tolist()
    place = 30 - single["concept"].str[1:].astype(int)
    assert single["RR"].tolist() == pytest.approx((1 / place).tolist())


def test_macro_means_are_means_of_the_means_of_language_pairs():
    scores = evaluate(CASES["ragged 2"], *embedded(CASES["ragged 2"])).scores
    pairs: dict[tuple[str, ...], list[float]] = {}
    for key, row in keyed(scores).items():
        pairs.setdefault(key[:3], []).append(row["nDCG@10"])
    assert len({len(values) for values in pairs.values()}) > 1  # else the order of averaging would not matter
    means = macro_means(mean_by_pair(scores))["nDCG@10"]
    for setting in SETTINGS:
        expected = np.mean([np.mean(values) for key, values in pairs.items() if key[0] == setting])
        assert means[setting] == pytest.approx(expected), setting


def test_macro_means_of_some_languages_keep_the_pairs_inside_them():
    by_pair = evaluate(CASES["ragged 0"], *embedded(CASES["ragged 0"])).means()
    values = by_pair["AP"]
    inside = {
        "monolingual": [values["monolingual", "en", "en"], values["monolingual", "ru", "ru"]],
        "crosslingual": [values["crosslingual", "en", "ru"], values["crosslingual", "ru", "en"]],
        "multilingual": [values["multilingual", "en", POOL], values["multilingual", "ru", POOL]],
    }
    means = macro_means(by_pair, languages=["en", "ru"])["AP"]
    assert means.to_dict() == pytest.approx({setting: np.mean(pair) for setting, pair in inside.items()})
    assert list(macro_means(by_pair, languages=["de"]).index) == ["monolingual", "multilingual"]


def test_a_lone_text_is_neither_asked_in_its_language_nor_ranked_for_itself():
    rows = [
        ("a", "en", "text", "one"), ("a", "de", "text", "eins"), ("b", "en", "passage", "two"),
        ("b", "en", "query", "a pair"), ("b", "de", "text", "zwei"),
    ]  # fmt: skip
    collection = Collection.from_corpus(Corpus.from_rows(rows, "small"))
    one, eins, two, zwei = np.eye(4, dtype=np.float32)
    found = evaluate(collection, np.stack([one, eins, two, zwei]), np.stack([one, eins, two, zwei]))
    scores, ranks = keyed(found.scores), plain(found.ranks)
    assert [key for key in scores if key[0] == "monolingual"] == [("monolingual", "en", "en", "b")]
    # For "one" the others tie at 0: b/en/0, b/de/0, a/de/0
    of_one = ranks[(ranks["query_language"] == "en") & (ranks["concept"] == "a")]
    assert of_one[["passage_language", "in_language", "in_pool"]].to_numpy().tolist() == [["de", 2, 3]]
    assert scores["multilingual", "en", POOL, "a"]["same_language_share@10"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"queries": 3}, r"found 3 query vectors, expected \d+"),
        ({"passages": 3}, r"found 3 passage vectors, expected 80"),
        ({"measures": ["AP", "nDCG@0"]}, "found 'nDCG@0'"),
        ({"settings": ["bilingual"]}, "found setting 'bilingual', expected one that graded has: monolingual, cross"),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    queries, passages = embedded(CASES["graded 0"])
    cut = queries[: given.get("queries")], passages[: given.get("passages")]
    with pytest.raises(InputError, match=message):
        evaluate(CASES["graded 0"], *cut, **{key: given[key] for key in ("measures", "settings") if key in given})


def test_monolingual_collection_has_no_other_setting():
    collection = graded(5, languages=("de",)).select(languages=["de"])
    assert set(evaluate(collection, *embedded(collection)).scores["setting"]) == {"monolingual"}
    with pytest.raises(InputError, match="expected one that graded has: monolingual"):
        evaluate(collection, *embedded(collection), settings=["multilingual"])
