"""Exact ranks against plain Python sorting of scores computed in float64 and rounded to float32."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridlib import retrieval
from hybridlib.errors import InputError
from hybridlib.retrieval import exact_ranks

DIMENSION = 8


class Case(NamedTuple):
    queries: np.ndarray
    passages: np.ndarray
    passage_language: np.ndarray
    query: np.ndarray
    passage: np.ndarray
    itself: np.ndarray
    order: np.ndarray


def exact_vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    """Unit vectors whose products are exact in float32 and often equal: one-hot, or four entries of a half."""
    vectors = np.zeros((count, DIMENSION), dtype=np.float32)
    for vector in vectors:
        places = rng.permutation(DIMENSION)[: rng.choice([1, 4])]
        vector[places] = rng.choice([-1.0, 1.0], len(places)) / np.sqrt(len(places))
    return vectors


def random_vectors(rng: np.random.Generator, count: int, dimension: int = DIMENSION) -> np.ndarray:
    vectors = rng.standard_normal((count, dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def close_vectors(rng: np.random.Generator, count: int, dimension: int = 384) -> np.ndarray:
    """Unit vectors so alike that float32 products of them with a query differ by rounding alone, or not at all."""
    vectors = random_vectors(rng, 1, dimension) + 1e-8 * rng.standard_normal((-(-count // 2), dimension))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return vectors[rng.integers(len(vectors), size=count)]


def made(seed, queries=30, passages=50, languages=4, relevant=0.15, own=0.3, vectors=exact_vectors) -> Case:
    """Return a case with any number of relevant passages a query, a share ``own`` of the queries being passages too."""
    rng = np.random.default_rng(seed)
    p, q = vectors(rng, passages), vectors(rng, queries)
    itself = np.full(queries, -1)
    shared = rng.permutation(min(queries, passages))[: int(own * min(queries, passages))]
    itself[shared] = rng.permutation(passages)[: len(shared)]
    q[shared] = p[itself[shared]]
    chosen = rng.random((queries, passages)) < relevant
    chosen[shared, itself[shared]] = False
    query, passage = np.nonzero(chosen)
    mixed = rng.permutation(len(query))
    return Case(
        q, p, rng.integers(0, languages, passages), query[mixed], passage[mixed], itself, rng.permutation(passages)
    )


def ranks_of(case: Case, **options):
    return exact_ranks(*case[:5], itself=case.itself, order=case.order, **options)


def ranking_of(case: Case, query: int) -> list[int]:
    scores = np.float32(case.passages.astype(np.float64) @ case.queries[query].astype(np.float64))
    candidates = [p for p in range(len(scores)) if p != case.itself[query]]
    return sorted(candidates, key=lambda p: (-scores[p], -case.order[p]))


def assert_as_naive(case: Case, depth: int, **options) -> None:
    found = ranks_of(case, depth=depth, **options)
    rankings = [ranking_of(case, query) for query in range(len(case.queries))]
    for i, (query, passage) in enumerate(zip(case.query, case.passage, strict=True)):
        ranking = rankings[query]
        same = [p for p in ranking if case.passage_language[p] == case.passage_language[passage]]
        assert found.in_pool[i] == ranking.index(passage) + 1
        assert found.in_language[i] == same.index(passage) + 1
    for query, ranking in enumerate(rankings):
        assert found.top[query].tolist() == (ranking[:depth] + [-1] * depth)[:depth]
        assert found.pool_size[query] == len(ranking)
        exact = case.passages[found.top[query, : len(ranking)]].astype(np.float64) @ case.queries[query].astype(float)
        assert found.top_scores[query, : len(exact)] == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize("vectors", [exact_vectors, random_vectors, close_vectors])
@pytest.mark.parametrize("seed", range(5))
def test_ranks_as_by_loops(seed, vectors):
    assert_as_naive(made(seed, vectors=vectors), depth=10)


def test_close_vectors_are_told_apart_by_no_single_matrix_product():
    """What makes the case above hard: float32 products of equal scores differ, and so do those of another block."""
    case = made(0, vectors=close_vectors, own=0.0)
    exact = np.float32(case.queries.astype(np.float64) @ case.passages.T.astype(np.float64))
    product = case.queries @ case.passages.T
    assert (np.argsort(product, axis=1) != np.argsort(exact, axis=1)).any()
    assert len(np.unique(exact)) < exact.size / 20


@given(
    seed=st.integers(0, 2**32 - 1),
    queries=st.integers(1, 12),
    passages=st.integers(2, 40),
    languages=st.integers(1, 5),
    own=st.sampled_from([0.0, 0.5, 1.0]),
    relevant=st.sampled_from([0.0, 0.1, 1.0]),
    threads=st.integers(1, 3),
    data=st.data(),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_ranks_as_by_loops_for_any_shape(seed, queries, passages, languages, own, relevant, threads, data):
    depth = data.draw(st.integers(1, passages), label="depth")
    assert_as_naive(made(seed, queries, passages, languages, relevant, own), depth, threads=threads)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (7, 16), (512, 3), (64, 64)])
def test_block_sizes_change_nothing(rows, columns, monkeypatch):
    monkeypatch.setattr(retrieval, "_QUERIES", rows)
    monkeypatch.setattr(retrieval, "_PASSAGES", columns)
    assert_as_naive(made(3, queries=65, vectors=close_vectors), depth=5)


def test_order_of_queries_and_passages_changes_nothing():
    case, rng = made(5, queries=200, passages=300, vectors=close_vectors), np.random.default_rng(0)
    q, p = rng.permutation(200), rng.permutation(300)
    new_q, new_p = np.argsort(q), np.argsort(p)
    shuffled = Case(
        case.queries[q],
        case.passages[p],
        case.passage_language[p],
        new_q[case.query],
        new_p[case.passage],
        np.where(case.itself >= 0, new_p[case.itself], -1)[q],
        case.order[p],
    )
    first, second = ranks_of(case), ranks_of(shuffled)
    assert (first.in_pool == second.in_pool).all()
    assert (first.in_language == second.in_language).all()
    assert (first.top[q] == p[second.top]).all()
    assert (first.top_scores[q] == second.top_scores).all()


def test_rank_in_a_language_is_the_rank_in_a_pool_of_that_language_alone():
    case = made(7, own=0.0)
    together = ranks_of(case, depth=1).in_language
    for language in range(4):
        kept = np.flatnonzero(case.passage_language == language)
        chosen = np.isin(case.passage, kept)
        alone = exact_ranks(
            case.queries,
            case.passages[kept],
            np.zeros(len(kept), dtype=int),
            case.query[chosen],
            np.searchsorted(kept, case.passage[chosen]),
            order=case.order[kept],
            depth=1,
        )
        assert (alone.in_pool == together[chosen]).all()
        assert (alone.in_language == alone.in_pool).all()


def test_constant_scores_rank_by_order_wherever_passages_stand():
    for dimension in (1, 3, 8, 384):
        for count in (5, 17, 333):
            vector = random_vectors(np.random.default_rng(count), 1, dimension)
            ranks = exact_ranks(
                vector.repeat(3, 0), vector.repeat(count, 0), np.arange(count) % 3, np.arange(3), np.arange(3), depth=4
            )
            assert ranks.in_pool.tolist() == [count, count - 1, count - 2]
            assert ranks.top.tolist() == [[count - 1, count - 2, count - 3, count - 4]] * 3


def test_memory_mapped_passages_give_the_same(tmp_path):
    case = made(9)
    np.save(tmp_path / "p.npy", case.passages)
    mapped = case._replace(passages=np.load(tmp_path / "p.npy", mmap_mode="r"))
    assert (ranks_of(mapped).in_pool == ranks_of(case).in_pool).all()


def test_other_dimensions_are_refused():
    with pytest.raises(InputError, match="found queries of 2 dimensions, expected 3"):
        exact_ranks(np.eye(2, dtype="f"), np.eye(3, dtype="f"), np.zeros(3, int), np.arange(2), np.arange(2))


@pytest.mark.parametrize("bad", [[np.nan, 1.0], [0.0, 0.0], [2.0, 0.0], [np.inf, 0.0]])
def test_vectors_not_of_unit_length_are_refused(bad):
    vectors = np.asarray([[1.0, 0.0], bad], dtype=np.float32)
    one = np.zeros(1, int)
    with pytest.raises(InputError, match=r"found passage 1 of length \S+, expected 1"):
        exact_ranks(np.eye(2, dtype="f"), vectors, np.zeros(2, int), one, one, depth=1)
    with pytest.raises(InputError, match=r"found query 1 of length \S+, expected 1"):
        exact_ranks(vectors, np.eye(2, dtype="f"), np.zeros(2, int), one, one, depth=1)


TWO_AND_THREE = {
    "passage_language": np.zeros(3, int),
    "query": np.arange(2),
    "passage": np.arange(2),
    "itself": np.array([-1, 2]),
    "order": np.arange(3),
}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("passage_language", [0, 0], r"found passage_language of shape \(2,\), expected \(3,\)"),
        ("passage", [0], r"found passage of shape \(1,\), expected \(2,\)"),
        ("itself", [-1, -1, -1], r"found itself of shape \(3,\), expected \(2,\)"),
        ("itself", [-1], r"found itself of shape \(1,\), expected \(2,\)"),
        ("order", [0, 1], r"found order of shape \(2,\), expected \(3,\)"),
        ("order", [0, 1, 1], "found a number in order twice, expected all different"),
        ("query", [0, 2], "found query 2, expected 0 to 1"),
        ("query", [-1, 1], "found query -1, expected 0 to 1"),
        ("passage", [0, 3], "found passage 3, expected 0 to 2"),
        ("passage", [-1, 0], "found passage -1, expected 0 to 2"),
        ("itself", [-2, 0], "found itself -2, expected -1 to 2"),
        ("itself", [3, 0], "found itself 3, expected -1 to 2"),
    ],
)
def test_positions_and_shapes_that_do_not_fit_are_refused(name, value, message):
    given = TWO_AND_THREE | {name: np.array(value)}
    vectors = np.eye(3, dtype="f")
    exact_ranks(vectors[:2], vectors, **TWO_AND_THREE, depth=1)
    with pytest.raises(InputError, match=f"retrieval: {message}"):
        exact_ranks(vectors[:2], vectors, **given, depth=1)


def test_float64_vectors_are_refused():
    with pytest.raises(InputError, match="found query vectors of float64, expected float32"):
        exact_ranks(np.eye(2), np.eye(2, dtype="f"), np.zeros(2, int), np.arange(2), np.arange(2), depth=1)


@pytest.mark.parametrize("depth", [0, -1, 4])
def test_depth_outside_the_pool_is_refused(depth):
    with pytest.raises(InputError, match=f"found depth {depth}, expected 1 to 3"):
        exact_ranks(
            np.eye(3, dtype="f"), np.eye(3, dtype="f"), np.zeros(3, int), np.arange(3), np.arange(3), depth=depth
        )


@pytest.mark.parametrize("dimension", [32, 384, 1024])
@pytest.mark.parametrize("spread", [1e-3, 0.1, 10.0], ids=["one direction", "a cone", "all directions"])
def test_errors_of_a_matrix_product_are_within_the_band(dimension, spread):
    """What is farther apart than the band is not compared exactly, so the product's error must be smaller than that."""
    rng = np.random.default_rng(dimension)
    queries, passages = (1 + spread * rng.standard_normal((count, dimension)) for count in (200, 1000))
    queries, passages = ((v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32) for v in (queries, passages))
    error = np.abs(queries @ passages.T - queries.astype(np.float64) @ passages.T.astype(np.float64)).max()
    assert 0 < error < 4 * 2.0**-24 * np.sqrt(dimension)
