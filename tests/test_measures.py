from math import log2

import numpy as np
import pytest
import pytrec_eval

from hybridlib.measures import MEASURES, average_precision, ndcg, padded, recall, reciprocal_rank

TREC_NAMES = {
    "nDCG@10": "ndcg_cut_10",
    "AP": "map",
    "RR": "recip_rank",
    "R@1": "recall_1",
    "R@10": "recall_10",
}


def random_ranks(seed: int, queries: int = 200, widest: int = 30, pool: int = 80) -> np.ndarray:
    """Ranks in random order, 0 to ``widest`` a query, padded with 0."""
    rng = np.random.default_rng(seed)
    table = np.zeros((queries, widest), dtype=np.int64)
    for row in table:
        count = rng.integers(0, widest + 1)
        row[:count] = 1 + rng.permutation(pool)[:count]
        rng.shuffle(row)
    return table


def naive(name: str, row: np.ndarray) -> float:
    relevant = {int(rank) for rank in row if rank}
    if not relevant:
        return 0.0
    if name == "RR":
        return 1 / min(relevant)
    if name.startswith("R@"):
        return sum(rank <= int(name[2:]) for rank in relevant) / len(relevant)
    if name == "AP":
        return sum(sum(other <= rank for other in relevant) / rank for rank in relevant) / len(relevant)
    gain = sum(1 / log2(rank + 1) for rank in range(1, 11) if rank in relevant)
    return gain / sum(1 / log2(rank + 1) for rank in range(1, 11) if rank <= len(relevant))


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("widest", [1, 3, 30])
def test_as_by_loops(name, widest):
    ranks = random_ranks(widest, widest=widest)
    assert MEASURES[name](ranks) == pytest.approx([naive(name, row) for row in ranks], rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_as_trec_eval(seed):
    """pytrec_eval-terrier 0.5.11, which embeds trec_eval 9.0.8: ties by id descending, many relevant passages."""
    rng = np.random.default_rng(seed)
    judged, run, rows = {}, {}, []
    for query in range(60):
        pool = int(rng.integers(3, 70))
        scores = rng.integers(0, rng.choice([2, 10, 1000]), pool)
        relevant = rng.random(pool) < rng.random()
        relevant[rng.integers(pool)] = True
        judged[f"q{query}"] = {f"d{p:03d}": int(relevant[p]) for p in range(pool)}
        run[f"q{query}"] = {f"d{p:03d}": float(scores[p]) for p in range(pool)}
        ranking = sorted(range(pool), key=lambda p, scores=scores: (-scores[p], -p))
        ranks = [place + 1 for place, p in enumerate(ranking) if relevant[p]]
        rows.append(ranks + [0] * (70 - len(ranks)))
    asked = {"ndcg_cut.10", "map", "recip_rank", "recall.1,10"}
    found = pytrec_eval.RelevanceEvaluator(judged, asked).evaluate(run)
    for name, measure in MEASURES.items():
        expected = [found[f"q{query}"][TREC_NAMES[name]] for query in range(60)]
        assert measure(np.array(rows)) == pytest.approx(expected, abs=1e-9), name


def test_average_precision_of_one_relevant_is_the_reciprocal_rank():
    ranks = np.arange(1, 200)[:, None]
    assert (average_precision(ranks) == reciprocal_rank(ranks)).all()


@pytest.mark.parametrize("name", MEASURES)
def test_no_relevant_passage_gives_zero(name):
    assert MEASURES[name](np.zeros((2, 3), dtype=np.int64)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", MEASURES)
def test_all_relevant_on_top_is_the_best(name):
    best = {"R@1": [1, 0.5, 1 / 12], "R@10": [1, 1, 10 / 12]}.get(name, [1, 1, 1])
    ranks = np.array([[1] + [0] * 11, [2, 1] + [0] * 10, [*range(1, 13)]])
    assert MEASURES[name](ranks) == pytest.approx(best)


@pytest.mark.parametrize("name", MEASURES)
def test_values_are_from_0_to_1(name):
    values = MEASURES[name](random_ranks(11, queries=1000))
    assert values.min() >= 0
    assert values.max() <= 1 + 1e-12
    assert values.dtype == np.float64


@pytest.mark.parametrize("name", MEASURES)
def test_order_and_padding_of_ranks_change_nothing(name):
    assert MEASURES[name](np.array([[3, 1, 12]])) == MEASURES[name](np.array([[0, 12, 0, 1, 3]]))


def test_worked_example_of_ndcg():
    # ranks 1, 3, 12 of 3 relevant: (1 + 1/2) / (1 + 1/log2(3) + 1/2)
    assert ndcg(np.array([[1, 3, 12]]), 10) == pytest.approx([1.5 / (1.5 + 1 / log2(3))])


def test_worked_example_of_average_precision():
    assert average_precision(np.array([[1, 3, 12]])) == pytest.approx([(1 + 2 / 3 + 3 / 12) / 3])


def test_worked_example_of_reciprocal_rank():
    assert reciprocal_rank(np.array([[5, 4, 0]])).tolist() == [0.25]


def test_worked_example_of_recall():
    assert recall(np.array([[1, 10, 11, 0]]), 10) == pytest.approx([2 / 3])


def test_rank_at_the_cut_counts_and_the_next_does_not():
    for measure in (ndcg, recall):
        assert (measure(np.array([[10], [11]]), 10) > 0).tolist() == [True, False]


def test_padded_gathers_every_rank_of_a_group():
    rng = np.random.default_rng(0)
    group, ranks = rng.integers(0, 20, 100), 1 + rng.permutation(100)
    table = padded(group, ranks, 25)
    assert table.shape == (25, np.bincount(group).max())
    for number, row in enumerate(table):
        assert row[row > 0].tolist() == ranks[group == number].tolist()


def test_padded_of_nothing_is_one_column_of_0():
    nothing = np.array([], dtype=np.int64)
    assert padded(nothing, nothing, 2).tolist() == [[0], [0]]
