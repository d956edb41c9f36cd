from itertools import combinations

import numpy as np
import pytest

from hybridlib.bias import language_matrix, random_rank_distance, rank_distance, same_language_share


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
