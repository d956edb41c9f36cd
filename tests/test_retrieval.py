import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridlib.errors import InputError
from hybridlib.retrieval import Ranks, Texts, exact_ranks

DIMENSION = 8


def exact_vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    """Unit vectors whose products are exact in float32 and often equal: one-hot, or four entries of a half."""
    vectors = np.zeros((count, DIMENSION), dtype=np.float32)
    for vector in vectors:
        places = rng.permutation(DIMENSION)[: rng.choice([1, 4])]
        vector[places] = rng.choice([-1.0, 1.0], len(places)) / np.sqrt(len(places))
    return vectors


def random_vectors(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.standard_normal((count, DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def ragged(seed, queries=30, passages=50, languages=4, concepts=12, own=0.3, vectors=exact_vectors):
    """Return queries and passages: any number of passages a cell, a share ``own`` of the queries being passages too."""
    rng = np.random.default_rng(seed)
    p = Texts(
        vectors(rng, passages),
        rng.integers(0, concepts, passages),
        rng.integers(0, languages, passages),
        rng.permutation(passages),
    )
    vector, concept = vectors(rng, queries), rng.integers(0, concepts + 2, queries)
    language, row = rng.integers(0, languages, queries), passages + rng.permutation(queries)
    shared = rng.permutation(min(queries, passages))[: int(own * min(queries, passages))]
    for query, passage in zip(shared, rng.permutation(passages), strict=False):
        vector[query] = p.vectors[passage]
        concept[query], language[query], row[query] = p.concept[passage], p.language[passage], p.row[passage]
    return Texts(vector, concept, language, row), p


def ranking_of(query, queries, passages):
    """Passages for one query, best first: larger product, then later passage; never the query itself."""
    scores = [
        float(np.dot(queries.vectors[query].astype(np.float64), vector))
        for vector in passages.vectors.astype(np.float64)
    ]
    candidates = [p for p in range(len(scores)) if passages.row[p] != queries.row[query]]
    return sorted(candidates, key=lambda p: (-scores[p], -p))


def naive(queries, passages, languages, depth):
    """Return {(query, passage): (rank in the language, rank in the pool)}, top languages and pool sizes, by loops."""
    ranks, top, sizes = {}, [], []
    for query in range(len(queries.row)):
        ranking = ranking_of(query, queries, passages)
        for passage in ranking:
            if passages.concept[passage] == queries.concept[query]:
                same = [p for p in ranking if passages.language[p] == passages.language[passage]]
                ranks[query, passage] = (same.index(passage) + 1, ranking.index(passage) + 1)
        top.append([sum(passages.language[p] == language for p in ranking[:depth]) for language in range(languages)])
        sizes.append(len(ranking))
    return ranks, top, sizes


def by_pair(ranks: Ranks) -> dict[tuple[int, int], tuple[int, int]]:
    rows = zip(ranks.query, ranks.passage, ranks.in_language, ranks.in_pool, strict=True)
    result = {(int(q), int(p)): (int(a), int(b)) for q, p, a, b in rows}
    assert len(result) == len(ranks.query)
    return result


def assert_as_naive(queries, passages, languages, depth):
    found, (ranks, top, sizes) = (f(queries, passages, languages, depth=depth) for f in (exact_ranks, naive))
    assert by_pair(found) == ranks
    assert found.top_languages.tolist() == top
    assert found.pool_size.tolist() == sizes


@pytest.mark.parametrize("seed", range(12))
def test_ranks_as_by_loops_with_many_ties(seed):
    queries, passages = ragged(seed)
    scores = queries.vectors @ passages.vectors.T
    assert len(np.unique(scores)) < 20  # so there are ties
    assert_as_naive(queries, passages, 4, depth=10)


@pytest.mark.parametrize("seed", range(6))
def test_ranks_as_by_loops_with_random_vectors(seed):
    queries, passages = ragged(seed, passages=40, vectors=random_vectors)
    others = passages.row[None, :] != queries.row[:, None]
    scores = np.where(others, queries.vectors.astype(np.float64) @ passages.vectors.T.astype(np.float64), np.nan)
    gap = np.nanmin(np.diff(np.sort(scores, axis=1), axis=1))
    assert gap > 1e-6  # float32 products, wrong by some 1e-7, are in the same order
    assert_as_naive(queries, passages, 4, depth=10)


@given(
    seed=st.integers(0, 2**32 - 1),
    queries=st.integers(1, 12),
    passages=st.integers(2, 25),
    languages=st.integers(1, 5),
    concepts=st.integers(1, 6),
    own=st.sampled_from([0.0, 0.5, 1.0]),
    data=st.data(),
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_ranks_as_by_loops_for_any_shape(seed, queries, passages, languages, concepts, own, data):
    depth = data.draw(st.integers(1, passages - 1), label="depth")
    assert_as_naive(*ragged(seed, queries, passages, languages, concepts, own), languages, depth)


@pytest.mark.parametrize("count", [127, 128, 129, 300])
def test_ranks_as_by_loops_for_any_number_of_blocks(count):
    assert_as_naive(*ragged(3, queries=count, passages=20), 4, depth=5)


def test_order_of_queries_changes_nothing():
    queries, passages = ragged(5, queries=200)
    order = np.random.default_rng(0).permutation(200)
    shuffled = Texts(queries.vectors[order], queries.concept[order], queries.language[order], queries.row[order])
    first, second = exact_ranks(queries, passages, 4), exact_ranks(shuffled, passages, 4)
    assert {(int(order[q]), p): ranks for (q, p), ranks in by_pair(second).items()} == by_pair(first)
    assert (second.top_languages == first.top_languages[order]).all()
    assert (second.pool_size == first.pool_size[order]).all()


def test_rank_in_a_language_is_the_rank_in_a_pool_of_that_language_alone():
    queries, passages = ragged(7)
    together = by_pair(exact_ranks(queries, passages, 4, depth=1))
    alone = {}
    for language in range(4):
        kept = np.flatnonzero(passages.language == language)
        part = Texts(passages.vectors[kept], passages.concept[kept], passages.language[kept], passages.row[kept])
        found = exact_ranks(queries, part, 4, depth=1)
        alone.update({(q, int(kept[p])): ranks for (q, p), ranks in by_pair(found).items()})
    assert {pair: ranks[0] for pair, ranks in together.items()} == {pair: ranks[1] for pair, ranks in alone.items()}


def test_rank_in_the_pool_is_not_better_than_in_the_language():
    ranks = exact_ranks(*ragged(8), 4)
    assert (ranks.in_pool >= ranks.in_language).all()
    assert (ranks.in_pool > ranks.in_language).any()
    assert (ranks.in_language >= 1).all()


def test_one_language_has_one_ranking():
    ranks = exact_ranks(*ragged(9, languages=1), 1)
    assert (ranks.in_pool == ranks.in_language).all()


def test_languages_without_passages_change_nothing():
    queries, passages = ragged(10)
    few, many = exact_ranks(queries, passages, 4), exact_ranks(queries, passages, 6)
    assert by_pair(many) == by_pair(few)
    assert (many.top_languages[:, 4:] == 0).all()
    assert (many.top_languages[:, :4] == few.top_languages).all()


@pytest.mark.parametrize("dimension", [1, 4])
def test_equal_scores_rank_the_later_passage_first(dimension):
    ones = np.full((9, dimension), dimension**-0.5, dtype=np.float32)
    passages = Texts(ones, np.arange(9), np.array([0, 1, 2] * 3), np.arange(9))
    queries = Texts(ones[:2], np.array([0, 4]), np.array([0, 0]), np.array([100, 101]))
    ranks = exact_ranks(queries, passages, 3, depth=2)
    assert by_pair(ranks) == {(0, 0): (3, 9), (1, 4): (2, 5)}
    assert ranks.top_languages.tolist() == [[0, 1, 1]] * 2  # passages 8 and 7


def test_passages_of_one_vector_tie_wherever_they_stand():
    """Equal vectors have equal products mathematically; a BLAS may round them differently by column."""
    rng = np.random.default_rng(0)
    wrong = []
    for dimension in (3, 8, 32, 384):
        for count in (5, 17, 100, 333):
            for asked in (1, 2, 3, 37):
                vector = rng.standard_normal(dimension)
                vector = (vector / np.linalg.norm(vector)).astype(np.float32)
                concept = rng.permutation(count)
                passages = Texts(np.tile(vector, (count, 1)), concept, rng.integers(0, 3, count), np.arange(count))
                rows = count + np.arange(asked)
                queries = Texts(np.tile(vector, (asked, 1)), concept[:1].repeat(asked), np.zeros(asked, int), rows)
                ranks = exact_ranks(queries, passages, 3, depth=1)
                if (ranks.in_pool != count).any():  # passage 0 is the first, so the last of equals
                    wrong.append((dimension, count, asked))
    assert wrong == []


def test_query_itself_is_neither_relevant_nor_ranked():
    vectors = np.eye(3, dtype=np.float32)
    passages = Texts(vectors[[0, 0, 1]], np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([10, 11, 12]))
    queries = Texts(vectors[[0, 0]], np.array([0, 0]), np.array([0, 0]), np.array([10, 99]))
    ranks = exact_ranks(queries, passages, 2, depth=1)
    assert by_pair(ranks) == {(0, 1): (1, 1), (1, 0): (1, 2), (1, 1): (1, 1)}
    assert ranks.pool_size.tolist() == [2, 3]


def test_query_itself_is_not_counted_before_others():
    vectors = np.eye(2, dtype=np.float32)
    passages = Texts(vectors[[1, 0]], np.array([0, 0]), np.array([0, 0]), np.array([0, 1]))
    queries = Texts(vectors[[0]], np.array([0]), np.array([0]), np.array([1]))
    assert by_pair(exact_ranks(queries, passages, 1, depth=1)) == {(0, 0): (1, 1)}


def test_query_itself_is_not_counted_at_a_depth_of_the_whole_pool():
    vectors = np.eye(2, dtype=np.float32)
    passages = Texts(vectors[[0, 1]], np.array([0, 0]), np.array([0, 1]), np.array([0, 1]))
    queries = Texts(vectors[[0]], np.array([0]), np.array([0]), np.array([0]))
    assert exact_ranks(queries, passages, 2, depth=2).top_languages.tolist() == [[0, 1]]


def test_query_of_no_relevant_passage_has_no_ranks():
    vectors = np.eye(2, dtype=np.float32)
    passages = Texts(vectors, np.array([0, 1]), np.array([0, 0]), np.array([0, 1]))
    queries = Texts(vectors[[0, 0]], np.array([7, 1]), np.array([0, 0]), np.array([5, 6]))
    ranks = exact_ranks(queries, passages, 1, depth=2)
    assert by_pair(ranks) == {(1, 1): (2, 2)}
    assert ranks.top_languages.tolist() == [[2], [2]]


def test_top_languages_sum_to_the_depth():
    queries, passages = ragged(11)
    for depth in (1, 2, 7, 49):
        assert (exact_ranks(queries, passages, 4, depth=depth).top_languages.sum(1) == depth).all()


def some_texts(vectors):
    count = len(vectors)
    return Texts(np.asarray(vectors, dtype=np.float32), *(np.arange(count) * zero for zero in (1, 0, 1)))


def test_other_dimensions_are_refused():
    with pytest.raises(InputError, match="found queries of 2 dimensions, expected 3"):
        exact_ranks(some_texts(np.eye(2)), some_texts(np.eye(3)), 1, depth=1)


@pytest.mark.parametrize("bad", [[np.nan, 1.0], [0.0, 0.0], [2.0, 0.0], [np.inf, 0.0]])
def test_vectors_not_of_unit_length_are_refused(bad):
    with pytest.raises(InputError, match=r"found vector 1 of length \S+, expected 1"):
        some_texts([[1.0, 0.0], bad])


@pytest.mark.parametrize("depth", [0, -1, 4])
def test_depth_outside_the_pool_is_refused(depth):
    with pytest.raises(InputError, match=f"found depth {depth}, expected 1 to 3"):
        exact_ranks(some_texts(np.eye(3)), some_texts(np.eye(3)), 1, depth=depth)


@pytest.mark.parametrize("field", ["concept", "language", "row"])
def test_arrays_of_another_length_are_refused(field):
    fields = {"concept": np.zeros(2, int), "language": np.zeros(2, int), "row": np.arange(2), field: np.zeros(3, int)}
    with pytest.raises(InputError, match=rf"found {field} of shape \(3,\), expected \(2,\)"):
        Texts(np.eye(2, dtype=np.float32), **fields)
