from itertools import combinations
from math import log2, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kruskal

from hybridlib.bias import (
    language_matrix,
    language_preference,
    max_rank,
    max_rank_normalised,
    other_language_recall,
    peer,
    random_rank_distance,
    rank_distance,
    same_language_share,
    single_answer_ranks,
)
from hybridlib.errors import InputError


def random_tables(seed: int, queries: int = 60, widest: int = 12, languages: int = 4) -> tuple[np.ndarray, ...]:
    """Ranks up to 40 with 0 anywhere between, languages (of no meaning beside a 0), languages of the queries."""
    rng = np.random.default_rng(seed)
    ranks = 1 + np.argsort(rng.random((queries, 40)))[:, :widest]
    ranks[rng.random(ranks.shape) < rng.random((queries, 1))] = 0
    language = np.where(ranks > 0, rng.integers(0, languages, ranks.shape), rng.integers(-9, 99, ranks.shape))
    return ranks, language, rng.integers(0, languages, queries)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of one query, padded, and languages."""
    ranks = draw(st.lists(st.integers(1, 60), unique=True, max_size=10))
    language = draw(st.lists(st.integers(0, 4), min_size=len(ranks), max_size=len(ranks)))
    return np.array([[*ranks, 0]]), np.array([[*language, draw(st.integers(-1, 9))]])


def by_language(ranks: np.ndarray, language: np.ndarray) -> list[list[int]]:
    """The ranks of one query, a list a language that has any."""
    found = {int(code): [] for code in language[ranks > 0]}
    for rank, code in zip(ranks, language, strict=True):
        if rank:
            found[int(code)].append(int(rank))
    return list(found.values())


def naive_peer(ranks: np.ndarray, language: np.ndarray, k: int) -> float:
    groups = by_language(ranks, language)
    if len(groups) < 2 or min(map(min, groups)) > k:
        return 1.0
    return float(kruskal(*([min(rank, k + 1) for rank in group] for group in groups)).pvalue)


def test_rank_distance_is_worst_minus_best():
    ranks = np.array([[3, 1, 90], [0, 5, 7], [4, 0, 0]])
    assert rank_distance(ranks).tolist() == [89.0, 2.0, 0.0]


def test_rank_distance_is_at_best_one_less_than_the_passages():
    assert rank_distance(np.arange(1, 12)[None]).tolist() == [10.0]


def test_rank_distance_as_by_loops():
    rng = np.random.default_rng(0)
    rows = [1 + rng.permutation(100)[: rng.integers(1, 9)] for _ in range(50)]
    table = np.array([np.pad(row, (0, 8 - len(row))) for row in rows])
    assert rank_distance(table).tolist() == [max(row) - min(row) for row in rows]


def test_rank_distance_does_not_depend_on_the_order_of_languages():
    ranks = np.array([[3, 0, 1, 90], [8, 2, 0, 0]])
    assert (rank_distance(ranks) == rank_distance(ranks[:, [2, 3, 0, 1]])).all()


@pytest.mark.parametrize(("relevant", "pool"), [(1, 5), (2, 7), (3, 9), (8, 8), (5, 11)])
def test_random_rank_distance_is_the_mean_over_all_rankings(relevant, pool):
    distances = [max(chosen) - min(chosen) for chosen in combinations(range(1, pool + 1), relevant)]
    assert random_rank_distance(np.array([relevant]), np.array([pool])) == pytest.approx([np.mean(distances)])


def test_random_rank_distance_as_simulated():
    rng = np.random.default_rng(1)
    ranks = np.array([1 + rng.permutation(300)[:11] for _ in range(4000)])
    assert rank_distance(ranks).mean() == pytest.approx(random_rank_distance(np.array(11), np.array(300)), rel=0.01)


def test_random_rank_distance_of_the_set_up_of_2408_10536():
    """11 languages of 13,014 passages in all: a random ranking has a rank distance of 10,846."""
    assert random_rank_distance(np.array([11]), np.array([13_014])).round().tolist() == [10_846]


def test_max_rank_is_the_last_relevant_passage():
    assert max_rank(np.array([[3, 90, 1], [0, 5, 0]])).tolist() == [90.0, 5.0]


def test_row_without_a_relevant_passage_has_no_worst_rank():
    for measure in (max_rank, rank_distance, lambda ranks: max_rank_normalised(ranks, np.array([5, 5]))):
        with pytest.raises(InputError, match="found no relevant passage in row 1 of ranks, expected one at least"):
            measure(np.array([[1, 2], [0, 0]]))


def test_max_rank_normalised_as_by_loops():
    ranks, _, _ = random_tables(0)
    ranks[:, 0] = 41
    pool = np.random.default_rng(1).integers(41, 1000, len(ranks))
    expected = [
        100 * (log2(n) - log2(max(row))) / (log2(n) - log2(sum(row > 0))) for row, n in zip(ranks, pool, strict=True)
    ]
    assert max_rank_normalised(ranks, pool) == pytest.approx(expected)


def test_max_rank_normalised_is_100_on_top_and_0_at_the_end_of_the_pool():
    ranks = np.array([[2, 1, 3], [1, 2, 9], [1, 2, 3]])
    assert max_rank_normalised(ranks, np.array([9, 9, 3])).tolist() == [100.0, 0.0, 100.0]


def test_rank_beyond_the_pool_is_refused():
    with pytest.raises(InputError, match="found rank 9 in row 1, expected at most 8, its pool"):
        max_rank_normalised(np.array([[1], [9]]), np.array([8, 8]))


@pytest.mark.parametrize("k", [1, 5, 20, 39, 100])
def test_peer_as_scipy(k):
    ranks, language, _ = random_tables(k, queries=300)
    expected = [naive_peer(*row, k) for row in zip(ranks, language, strict=True)]
    assert peer(ranks, language, k) == pytest.approx(expected)


def test_peer_of_many_queries_as_scipy():
    """More than are done at a time."""
    ranks, language, _ = random_tables(7, queries=2050, widest=5)
    chosen = [0, 1023, 1024, 2047, 2048, 2049]
    assert peer(ranks, language, 20)[chosen] == pytest.approx([naive_peer(ranks[i], language[i], 20) for i in chosen])


@given(tables(), st.integers(1, 70))
def test_peer_is_from_0_to_1_and_knows_no_names_of_languages(table, k):
    ranks, language = table
    value = peer(ranks, language, k)
    assert 0 <= value[0] <= 1
    assert value == pytest.approx(peer(ranks[:, ::-1], 9 - language[:, ::-1], k))


@pytest.mark.parametrize(("languages", "constant"), [(7, 0.423), (11, 0.4405), (36, 0.468)])
def test_peer_of_one_passage_a_language_is_a_constant(languages, constant):
    rng = np.random.default_rng(languages)
    ranks = np.array([1 + rng.permutation(100)[:languages] for _ in range(20)])
    assert peer(ranks, np.tile(np.arange(languages), (20, 1)), 100) == pytest.approx(constant, abs=5e-4)


def test_peer_without_anything_to_compare_is_1():
    ranks = np.array([[1, 2, 3], [11, 12, 13], [0, 0, 0], [7, 0, 0]])
    language = np.array([[1, 1, 1], [0, 1, 2], [0, 1, 2], [0, 1, 2]])
    assert peer(ranks, language, 10).tolist() == [1.0] * 4
    assert peer(ranks[2:3], language[2:3], 10).tolist() == [1.0]


def test_peer_is_lower_where_one_language_is_first():
    apart, mixed = np.array([[0, 0, 0, 1, 1, 1]]), np.array([[0, 1, 1, 0, 0, 1]])
    ranks = np.arange(1, 7)[None]
    assert peer(ranks, apart, 10) < 0.05 < 0.8 < peer(ranks, mixed, 10)


def test_peer_is_the_weighted_mean_over_levels_of_relevance():
    ranks, language, _ = random_tables(3)
    relevance = np.random.default_rng(3).integers(1, 4, ranks.shape)
    one, two, three = (peer(np.where(relevance == level, ranks, 0), language, 20) for level in (1, 2, 3))
    assert peer(ranks, language, 20, relevance) == pytest.approx((one + two + three) / 3)
    assert peer(ranks, language, 20, relevance, {1: 0.25, 2: 0, 3: 0.75}) == pytest.approx(0.25 * one + 0.75 * three)


@pytest.mark.parametrize("weights", [{}, {1: 0.5}, {1: 1.5, 2: -0.5}])
def test_peer_refuses_weights_that_are_not_shares(weights):
    with pytest.raises(InputError, match="expected weights from 0 that add up to 1"):
        peer(np.array([[1, 2]]), np.array([[0, 1]]), 10, weights=weights)


def test_cut_off_below_1_is_refused():
    ranks, language, own = random_tables(0)
    for measure in (lambda: peer(ranks, language, 0), lambda: other_language_recall(ranks, language, own, 0)):
        with pytest.raises(InputError, match="k = 0, expected 1 or more"):
            measure()


def test_language_preference_looks_at_the_best_relevant_passage():
    ranks = np.array([[7, 3, 9], [7, 3, 9], [0, 3, 9], [7, 3, 9], [0, 0, 0]])
    language = np.array([[0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 2, 0], [1, 0, 0]])
    preferred = language_preference(ranks, language, np.array([1, 1, 0, 1, 1]))
    assert preferred == pytest.approx([1.0, 0.0, nan, nan, nan], nan_ok=True)


def test_language_preference_of_a_random_ranking_is_the_share_of_the_language():
    rng = np.random.default_rng(4)
    ranks = 1 + np.argsort(rng.random((4000, 5)))
    language = np.tile([0, 0, 1, 2, 3], (4000, 1))
    assert language_preference(ranks, language, np.zeros(4000, dtype=int)).mean() == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("k", [1, 10, 40])
def test_other_language_recall_as_by_loops(k):
    ranks, language, own = random_tables(k)
    expected = []
    for row, codes, code in zip(ranks, language, own, strict=True):
        others = [rank for rank, other in zip(row, codes, strict=True) if rank and other != code]
        expected.append(sum(rank <= k for rank in others) / len(others) if others else nan)
    assert other_language_recall(ranks, language, own, k) == pytest.approx(expected, nan_ok=True)


def test_single_answer_ranks_as_by_taking_the_others_out():
    ranks, language, _ = random_tables(5, queries=1030)
    for row, codes, single in zip(ranks, language, single_answer_ranks(ranks, language), strict=True):
        for rank, code, found in zip(row, codes, single, strict=True):
            taken_out = {r for r, c in zip(row, codes, strict=True) if c != code}
            pool = [r for r in range(1, 41) if r not in taken_out]
            assert found == (pool.index(rank) + 1 if rank else 0)


def test_same_language_share():
    top = np.array([[7, 2, 1], [0, 10, 0], [5, 5, 0]])
    assert same_language_share(top, np.array([0, 0, 1])).tolist() == [0.7, 0.0, 0.5]


def test_same_language_share_counts_a_shorter_list_as_whole():
    assert same_language_share(np.array([[1, 3]]), np.array([1])).tolist() == [0.75]


def test_language_matrix_is_the_mean_share_of_the_queries_of_a_language():
    rng = np.random.default_rng(2)
    language = rng.integers(0, 4, 60)
    top = rng.multinomial(10, [0.4, 0.3, 0.2, 0.1], 60)
    matrix = language_matrix(top, language)
    for row in range(4):
        for column in range(4):
            shares = [top[query, column] / 10 for query in range(60) if language[query] == row]
            assert matrix[row, column] == pytest.approx(np.mean(shares))


def test_rows_of_the_language_matrix_sum_to_1():
    top = np.array([[7, 2, 1], [0, 10, 0], [5, 5, 0]])
    assert language_matrix(top, np.array([0, 1, 2])).sum(1) == pytest.approx(1)


def test_diagonal_of_the_language_matrix_is_the_mean_same_language_share():
    rng = np.random.default_rng(3)
    language, top = np.repeat([0, 1, 2], 10), rng.multinomial(10, [0.5, 0.3, 0.2], 30)
    shares = same_language_share(top, language).reshape(3, 10).mean(1)
    assert np.diag(language_matrix(top, language)) == pytest.approx(shares)


def test_language_without_queries_has_a_row_of_nan():
    matrix = language_matrix(np.array([[4, 6]]), np.array([1]))
    assert np.isnan(matrix[0]).all()
    assert matrix[1].tolist() == [0.4, 0.6]
