from math import log2

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from hybridlib.errors import InputError
from hybridlib.measures import (
    DEFAULT,
    average_precision,
    measure,
    ndcg,
    padded,
    padded_alike,
    precision,
    recall,
    reciprocal_rank,
    success,
)

TREC_NAMES = {
    "nDCG": "ndcg",
    "nDCG@3": "ndcg_cut_3",
    "nDCG@10": "ndcg_cut_10",
    "nDCG@1000": "ndcg_cut_1000",
    "AP": "map",
    "AP@3": "map_cut_3",
    "AP@10": "map_cut_10",
    "RR": "recip_rank",
    "R@1": "recall_1",
    "R@10": "recall_10",
    "R@1000": "recall_1000",
    "Success@1": "success_1",
    "Success@5": "success_5",
    "P@1": "P_1",
    "P@10": "P_10",
    "P@1000": "P_1000",
}
NAMES = [*TREC_NAMES, "RR@1", "RR@5"]


def random_tables(seed: int, queries: int = 200, widest: int = 30, pool: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Ranks in random order and gains of 0 to 3; 0 to ``widest`` a query, padded with 0."""
    rng = np.random.default_rng(seed)
    ranks = np.zeros((queries, widest), dtype=np.int64)
    for row in ranks:
        count = rng.integers(0, widest + 1)
        row[:count] = 1 + rng.permutation(pool)[:count]
        rng.shuffle(row)
    return ranks, np.where(ranks > 0, rng.integers(0, 4, ranks.shape), 0)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of one query, padded, and float gains."""
    ranks = draw(st.lists(st.integers(1, 40), unique=True, max_size=8))
    gains = draw(st.lists(st.floats(0, 100), min_size=len(ranks), max_size=len(ranks)))
    padding = [0] * draw(st.integers(0 if ranks else 1, 3))
    return np.array([ranks + padding]), np.array([gains + padding], dtype=np.float64)


def naive(name: str, row: np.ndarray, gains: np.ndarray) -> float:
    kind, _, cut = name.partition("@")
    k = int(cut) if cut else 10**9
    gain = {int(rank): float(g) for rank, g in zip(row, gains, strict=True) if rank}
    found = sorted(rank for rank in gain if rank <= k)
    if not gain:
        return 0.0
    if kind == "nDCG":
        ideal = sum(g / log2(place + 2) for place, g in enumerate(sorted(gain.values(), reverse=True)[:k]))
        return sum(gain[rank] / log2(rank + 1) for rank in found) / ideal if ideal else 0.0
    if kind == "AP":
        return sum((place + 1) / rank for place, rank in enumerate(found)) / len(gain)
    if kind == "RR":
        return 1 / found[0] if found else 0.0
    return {"R": len(found) / len(gain), "P": len(found) / k, "Success": float(bool(found))}[kind]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("widest", [1, 3, 30])
def test_as_by_loops(name, widest):
    ranks, gains = random_tables(widest, widest=widest)
    ones = np.ones_like(ranks)
    assert measure(name)(ranks, None) == pytest.approx([naive(name, *row) for row in zip(ranks, ones, strict=True)])
    assert measure(name)(ranks, gains) == pytest.approx([naive(name, *row) for row in zip(ranks, gains, strict=True)])


@pytest.mark.parametrize("highest", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_as_trec_eval(seed, highest):
    """pytrec_eval-terrier 0.5.11, which embeds trec_eval 9.0.8: ties by id descending, many relevant, also graded."""
    rng = np.random.default_rng(seed)
    judged, run, group, ranks, gains = {}, {}, [], [], []
    for query in range(60):
        pool = int(rng.integers(3, 70))
        scores = rng.integers(0, rng.choice([2, 10, 1000]), pool)
        relevance = np.where(rng.random(pool) < rng.random(), rng.integers(1, highest + 1, pool), 0)
        relevance[rng.integers(pool)] = 1
        judged[f"q{query}"] = {f"d{p:03d}": int(relevance[p]) for p in range(pool)}
        run[f"q{query}"] = {f"d{p:03d}": float(scores[p]) for p in range(pool)}
        for place, p in enumerate(sorted(range(pool), key=lambda p, scores=scores: (-scores[p], -p))):
            if relevance[p]:
                group.append(query)
                ranks.append(place + 1)
                gains.append(relevance[p])
    asked = {"ndcg", "ndcg_cut.3,10,1000", "map", "map_cut.3,10", "recip_rank", "recall.1,10,1000", "P.1,10,1000"}
    found = pytrec_eval.RelevanceEvaluator(judged, asked | {"success.1,5"}).evaluate(run)
    tables = padded_alike(np.array(group), [np.array(ranks), np.array(gains)], 60)
    for name, trec_name in TREC_NAMES.items():
        expected = [found[f"q{query}"][trec_name] for query in range(60)]
        assert measure(name)(*tables) == pytest.approx(expected, abs=1e-9), name


@given(tables(), st.sampled_from(NAMES))
def test_values_are_from_0_to_1_and_never_nan(table, name):
    value = measure(name)(*table)
    assert value.dtype == np.float64
    assert 0 <= value[0] <= 1 + 1e-12


@given(tables(), st.integers(1, 20))
def test_more_places_never_lower_a_sum_over_places(table, k):
    for function in (average_precision, reciprocal_rank, recall, success):
        assert function(table[0], k + 1) >= function(table[0], k)


@given(tables(), st.sampled_from(NAMES), st.randoms())
def test_order_and_padding_change_nothing(table, name, random):
    shuffled = [*range(table[0].shape[1])]
    random.shuffle(shuffled)
    mixed = [np.pad(array[:, shuffled], ((0, 0), (1, 0))) for array in table]
    assert measure(name)(*mixed) == pytest.approx(measure(name)(*table))


@given(tables())
def test_equal_gains_are_binary_relevance(table):
    ranks, _ = table
    for k in (1, 5, None):
        assert ndcg(ranks, k, np.full(ranks.shape, 2.5)) == pytest.approx(ndcg(ranks, k))


@given(tables(), st.sampled_from(NAMES))
def test_rows_do_not_touch_each_other(table, name):
    ranks, gains = (np.vstack([array, np.zeros_like(array), array]) for array in table)
    assert measure(name)(ranks, gains) == pytest.approx([*measure(name)(*table), 0, *measure(name)(*table)])


@pytest.mark.parametrize("k", [None, 1, 10, 100])
def test_average_precision_of_one_relevant_is_the_reciprocal_rank(k):
    ranks = np.arange(1, 200)[:, None]
    assert (average_precision(ranks, k) == reciprocal_rank(ranks, k)).all()


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32])
@pytest.mark.parametrize("name", NAMES)
def test_narrow_integers_give_the_same(name, dtype):
    ranks, gains = random_tables(5)
    assert (measure(name)(ranks.astype(dtype), gains.astype(np.float32)) == measure(name)(ranks, gains)).all()


def test_worked_example_of_ndcg():
    # ranks 1, 3, 12 of 3 relevant: (1 + 1/2) / (1 + 1/log2(3) + 1/2)
    assert ndcg(np.array([[1, 3, 12]]), 10) == pytest.approx([1.5 / (1.5 + 1 / log2(3))])


def test_worked_example_of_graded_ndcg():
    # gains 1, 3, 2 at ranks 1, 3, 12; the ideal at a cut of 2 has 3 and 2
    assert ndcg(np.array([[3, 1, 12]]), 2, np.array([[3, 1, 2]])) == pytest.approx([1 / (3 + 2 / log2(3))])


def test_worked_example_of_average_precision():
    ranks = np.array([[1, 3, 12]])
    assert average_precision(ranks) == pytest.approx([(1 + 2 / 3 + 3 / 12) / 3])
    assert average_precision(ranks, 3) == pytest.approx([(1 + 2 / 3) / 3])


def test_worked_examples_of_the_first_ranks():
    ranks = np.array([[5, 4, 0], [12, 0, 0]])
    assert reciprocal_rank(ranks, 10).tolist() == [0.25, 0.0]
    assert success(ranks, 4).tolist() == [1.0, 0.0]
    assert precision(ranks, 5).tolist() == [0.4, 0.0]
    assert recall(ranks, 4).tolist() == [0.5, 0.0]


@pytest.mark.parametrize("name", DEFAULT)
def test_default_names_are_measures(name):
    assert measure(name)(np.array([[1, 0]]), None).tolist() == [1.0]


@pytest.mark.parametrize("name", ["ndcg@10", "nDCG@0", "R", "P", "Success", "R@-1", "R@1.5", "R@01", "RR@", "MRR", ""])
def test_unknown_name_is_refused_with_those_known(name):
    with pytest.raises(InputError, match=r"^measure: found '.*', expected nDCG, nDCG@k, AP, .* P@k with k from 1$"):
        measure(name)


@pytest.mark.parametrize("function", [ndcg, average_precision, reciprocal_rank, recall, success, precision])
def test_cut_off_below_1_is_refused(function):
    with pytest.raises(InputError, match="found cut-off k = 0, expected 1 or more"):
        function(np.array([[1]]), 0)


@pytest.mark.parametrize("gain", [-1.0, np.nan])
def test_gain_that_is_none_is_refused(gain):
    with pytest.raises(InputError, match=f"found gain {gain} in row 1, expected 0 or more"):
        ndcg(np.array([[1, 2], [3, 4]]), 10, np.array([[1, 1], [1, gain]]))


def test_gains_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"found gains of shape \(1, 1\), expected \(1, 2\)"):
        ndcg(np.array([[1, 2]]), 10, np.array([[1]]))


def test_gain_beside_no_rank_is_not_read():
    assert ndcg(np.array([[1, 0]]), 10, np.array([[2, -7]])).tolist() == [1.0]


def test_padded_gathers_every_rank_of_a_group():
    rng = np.random.default_rng(0)
    group, ranks = rng.integers(0, 20, 100), 1 + rng.permutation(100)
    table = padded(group, ranks, 25)
    assert table.shape == (25, np.bincount(group).max())
    for number, row in enumerate(table):
        assert row[row > 0].tolist() == ranks[group == number].tolist()


def test_padded_alike_keeps_the_columns_aligned_and_their_types():
    rng = np.random.default_rng(1)
    group, ranks = rng.integers(0, 20, 100), (1 + rng.permutation(100)).astype(np.int32)
    table, halves = padded_alike(group, [ranks, ranks / 2], 20)
    assert (halves == table / 2).all()
    assert table.dtype == np.int32


def test_padded_of_nothing_is_one_column_of_0():
    nothing = np.array([], dtype=np.int64)
    assert padded(nothing, nothing, 2).tolist() == [[0], [0]]
