import tracemalloc
from itertools import combinations
from math import dist, exp, isnan, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridlib.errors import InputError
from hybridlib.geometry import (
    alignment,
    centroid_distances,
    geometry,
    language_probe,
    similarity_statistics,
    uniformity,
)


def gaussian(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def texts(seed: int, count: int, concepts: int = 7, languages: str = "ar de en") -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    return gaussian(seed, count, 5), rng.integers(0, concepts, count), rng.choice(languages.split(), count)


def test_alignment_as_by_loops():
    queries, passages = gaussian(0, 50, 5), gaussian(1, 50, 5)
    distances = [dist(u, v) ** 2 for u, v in zip(queries.tolist(), passages.tolist(), strict=True)]
    assert alignment(queries, passages) == pytest.approx(np.mean(distances), rel=1e-12)


@pytest.mark.parametrize("count", [2, 40, 600])
def test_uniformity_as_by_loops(count):
    vectors = unit(gaussian(0, count, 3))
    kernel = [exp(-2 * dist(x, y) ** 2) for x, y in combinations(vectors.tolist(), 2)]
    assert uniformity(vectors) == pytest.approx(log(np.mean(kernel)), rel=1e-9)


def test_uniformity_of_vectors_that_are_not_of_unit_length_and_another_t():
    vectors = np.array([[0.0, 3], [0, 1], [2, 1]])
    assert uniformity(vectors, t=0.5) == pytest.approx(log((2 * exp(-2) + exp(-4)) / 3))


def test_uniformity_of_equal_vectors_is_0():
    assert uniformity(np.ones((9, 4)) / 2) == pytest.approx(0, abs=1e-12)


def test_uniformity_of_a_sample_is_that_of_so_many_rows_and_goes_by_the_seed():
    vectors = np.arange(6.0)[:, None]
    pairs = {round(-((i - j) ** 2) * 2.0, 6) for i, j in combinations(range(6), 2)}
    drawn = [uniformity(vectors, sample=2, seed=seed) for seed in range(20)]
    assert {round(value, 6) for value in drawn} <= pairs
    assert len(set(drawn)) > 1
    assert drawn == [uniformity(vectors, sample=2, seed=seed) for seed in range(20)]
    assert uniformity(vectors, sample=7, seed=1) == uniformity(vectors)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 20))
def test_similarity_statistics_as_by_loops(seed, n, m):
    queries, _, query_language = texts(seed, n)
    passages, _, passage_language = texts(seed + 1, m, languages="de en zh")
    rng = np.random.default_rng(seed)
    itself = rng.integers(-1, m, n)
    positive = rng.random((n, m)) < 0.3
    positive[np.arange(n), itself] &= itself < 0
    table = similarity_statistics(
        queries, passages, query_language, passage_language, *np.nonzero(positive), itself=itself
    )
    for relevance, same in table.index:
        products = [
            sum(a * b for a, b in zip(queries[i].tolist(), passages[j].tolist(), strict=True))
            for i in range(n)
            for j in range(m)
            if positive[i, j] == (relevance == "positive") and itself[i] != j
            if same == "all" or (query_language[i] == passage_language[j]) == (same == "same")
        ]
        row = table.loc[(relevance, same)]
        assert row["count"] == len(products)
        if products:
            assert row["mean"] == pytest.approx(np.mean(products), abs=1e-9)
            assert row["variance"] == pytest.approx(np.var(products), abs=1e-9)
        else:
            assert isnan(row["mean"])
            assert isnan(row["variance"])


def test_similarity_statistics_of_more_pairs_than_a_block(monkeypatch):
    monkeypatch.setattr("hybridlib.pair_products._NUMBERS", 1000)
    queries, passages = gaussian(0, 1200, 4), gaussian(1, 30, 4)
    ones = np.ones(1200, dtype=int)
    table = similarity_statistics(queries, passages, ones, ones[:30], *np.nonzero(np.ones((1200, 30))))
    products = queries.astype(np.float64) @ passages.T
    assert table.loc[("positive", "same")].tolist() == pytest.approx([36_000, products.mean(), products.var()])
    assert table.loc["negative", "count"].tolist() == [0, 0, 0]


def test_small_variance_beside_a_large_mean_is_kept():
    """As of encoders whose similarities all lie close to 0.9."""
    vectors = unit(1 + 1e-4 * gaussian(0, 300, 64))
    number, language = np.arange(300), np.zeros(300, dtype=int)
    row = similarity_statistics(vectors, vectors, language, language, number, number).loc[("negative", "all")]
    products = (vectors.astype(np.float64) @ vectors.T)[~np.eye(300, dtype=bool)]
    assert row["variance"] == pytest.approx(products.var(), rel=1e-4)


def test_centroid_distances_as_by_loops():
    vectors, _, language = texts(0, 60)
    table = centroid_distances(vectors, language)
    assert table.index.tolist() == table.columns.tolist() == ["ar", "de", "en"]
    for a in table.index:
        for b in table.columns:
            first, second = (
                [np.mean([vectors[i, k] for i in range(60) if language[i] == code], dtype=float) for k in range(5)]
                for code in (a, b)
            )
            assert table.loc[a, b] == pytest.approx(dist(first, second), abs=1e-6)


def test_vectors_are_summed_in_blocks(monkeypatch):
    """So that memory-mapped ones need not fit into memory; here no copy of them does."""
    vectors, language = gaussian(0, 8192, 128), (np.arange(8192) < 10).astype(int)
    expected = [function(vectors, language) for function in (centroid_distances, all_similarities)]
    for module in ("geometry", "pair_products"):
        monkeypatch.setattr(f"hybridlib.{module}._ROWS", 100)
    for function, table in zip((centroid_distances, all_similarities), expected, strict=True):
        tracemalloc.start()
        found = function(vectors, language)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.to_numpy() == pytest.approx(table.to_numpy(), nan_ok=True)
        assert peak < vectors.nbytes / 2


def test_memory_does_not_grow_with_languages():
    """One language's second moments are held at a time: 64 of 100 x 100 numbers would take 5 MB a side."""
    vectors, language = gaussian(0, 640, 100), np.arange(640) % 64
    tracemalloc.start()
    all_similarities(vectors, language)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5e6


def all_similarities(vectors: np.ndarray, language: np.ndarray):
    nothing = np.arange(0)
    return similarity_statistics(vectors, vectors, language, language, nothing, nothing)


def parallel(concepts: int, *languages: str) -> tuple[np.ndarray, np.ndarray]:
    """Return concepts and languages of texts of which each concept has one in each language."""
    return np.tile(np.arange(concepts), len(languages)), np.repeat(np.array(languages), concepts)


def test_probe_tells_languages_that_lie_apart():
    concept, language = parallel(40, "ar", "de", "en")
    vectors = gaussian(0, 120, 6) + np.repeat(20 * gaussian(1, 3, 6), 40, axis=0)
    assert language_probe(vectors, language, concept) == 1.0


def test_probe_is_at_chance_where_there_is_nothing_to_tell():
    _, language = parallel(500, "ar", "de", "en", "zh")
    assert language_probe(gaussian(0, 2000, 6), language) == pytest.approx(1 / 4, abs=0.05)


def test_probe_does_not_learn_languages_from_concepts():
    """Each concept has its own vector and texts in one language only: seen concepts give their language away."""
    concept = np.repeat(np.arange(60), 10)
    language = np.array(["de", "en"])[concept % 2]
    vectors = np.eye(60)[concept] + 0.01 * gaussian(0, 600, 60)
    assert language_probe(vectors, language) == 1.0
    assert language_probe(vectors, language, concept) < 0.8


def test_probe_goes_by_the_seed():
    vectors, concept, language = texts(0, 300, concepts=30)
    values = [language_probe(vectors, language, concept, seed=seed, sample=100) for seed in (0, 1, 0, 1)]
    assert values[:2] == values[2:]
    assert values[0] != values[1]


def test_probe_leaves_out_languages_with_fewer_concepts_than_folds():
    concept, language = parallel(30, "de", "en")
    vectors = gaussian(0, 60, 4)
    rare = np.append(language, ["zh"] * 9), np.append(concept, [1, 2, 3, 4] * 2 + [1])
    with_rare = language_probe(np.concatenate([vectors, gaussian(1, 9, 4)]), *rare)
    assert with_rare == language_probe(vectors, language, concept)
    assert isnan(language_probe(vectors, language, concept % 4))
    assert isnan(language_probe(vectors[:30], language[:30], concept[:30]))


def test_geometry_names_what_the_functions_give():
    queries, query_concept, query_language = texts(0, 90)
    passages, passage_concept, passage_language = texts(1, 120)
    queries, passages = unit(queries), unit(passages)
    pairs = np.argwhere(query_concept[:, None] == passage_concept)
    labels = (query_language, passage_language, *pairs.T)
    summary = geometry(queries, passages, *labels, passage_concept=passage_concept)
    table = similarity_statistics(queries, passages, *labels)
    for relevance, same in table.index:
        for what in ("mean", "variance"):
            assert summary.pop(f"{relevance}_{same}_{what}") == table.loc[(relevance, same), what]
    distances = centroid_distances(passages, passage_language)
    assert summary == pytest.approx(
        {
            "alignment": alignment(queries[pairs[:, 0]], passages[pairs[:, 1]]),
            "uniformity": uniformity(passages),
            "language_probe": language_probe(passages, passage_language, passage_concept),
            "centroid_distance": np.mean([distances.loc[a, b] for a, b in combinations(["ar", "de", "en"], 2)]),
        }
    )


def test_geometry_of_one_language_has_no_number_about_several():
    vectors, concept, language = texts(0, 40, languages="en")
    number = np.arange(40)
    names = set(geometry(vectors, vectors, language, language, number, number, passage_concept=concept))
    assert names == {
        *(f"{relevance}_{same}_{what}" for relevance in ("positive", "negative") for same in ("same", "all")
          for what in ("mean", "variance")),
        "alignment",
        "uniformity",
    }  # fmt: skip


def test_geometry_of_a_single_passage_has_no_uniformity():
    vectors, one = unit(gaussian(0, 1, 5)), np.zeros(1, dtype=int)
    names = set(geometry(vectors, vectors, one, one, one, one))
    assert names == {f"positive_{same}_{what}" for same in ("same", "all") for what in ("mean", "variance")} | {
        "alignment"
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda v, n: alignment(v, v[1:]), r"alignment: found shapes \(9, 5\) and \(8, 5\)"),
        (lambda v, n: uniformity(v[:1]), "uniformity: found 1 vectors, expected two at least"),
        (lambda v, n: uniformity(v / (n != 4)[:, None]), "uniformity: found a number that is not finite in row 4"),
        (lambda v, n: centroid_distances(v, n[:3]), r"text: found vectors of shape \(9, 5\) and \[3\] labels"),
        (lambda v, n: centroid_distances(v[:0], n[:0]), r"text: found vectors of shape \(0, 5\)"),
        (lambda v, n: language_probe(v, n, n[:4]), r"language_probe: .* \[9, 4\] labels"),
        (lambda v, n: similarity_statistics(v, v, n[:2], n, n, n), r"query: .* \[2\] labels"),
        (lambda v, n: similarity_statistics(v, v, n, n[:2], n, n), r"passage: .* \[2\] labels"),
        (lambda v, n: similarity_statistics(v, v[:, :1], n, n, n, n), "passage: found dimension 1, expected 5"),
    ],
)
@pytest.mark.parametrize("rows", [1, 256])
def test_wrong_input(wrong, message, rows, monkeypatch):
    monkeypatch.setattr("hybridlib.geometry._ROWS", rows)
    with pytest.raises(InputError, match=message), np.errstate(divide="ignore"):
        wrong(gaussian(0, 9, 5), np.arange(9))
