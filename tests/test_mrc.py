from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hybridlib.errors import InputError
from hybridlib.mrc import mrc

# With the unit vectors as passages, a query's inner products are its elements.
UNIT = np.eye(5, dtype=np.float32)
DOWN = np.array([0.9, 0.7, 0.5, 0.3, 0.1], dtype=np.float32)


def first(queries: np.ndarray, passages: np.ndarray, depth: int) -> np.ndarray:
    return np.argsort(-(queries @ passages.T), axis=1, kind="stable")[:, :depth]


def naive(queries, concept, language, passages, top, k):
    means = []
    for a in range(len(queries)):
        found = []
        for b in range(len(queries)):
            union = sorted((set(top[a, :k]) | set(top[b, :k])) - {-1})
            if concept[a] == concept[b] and language[a] != language[b] and len(union) > 1:
                found.append(spearmanr(passages[union] @ queries[a], passages[union] @ queries[b]).statistic)
        found = [correlation for correlation in found if not np.isnan(correlation)]
        means.append(np.mean(found) if found else nan)
    return means


@pytest.mark.filterwarnings("ignore:An input array is constant")
@pytest.mark.parametrize("k", [1, 2, 5, 8])
@pytest.mark.parametrize("seed", range(3))
def test_as_by_loops_and_scipy(seed, k):
    """Small whole numbers make ties and constant vectors; several queries in a language, missing places."""
    rng = np.random.default_rng(seed)
    queries = rng.integers(-1, 2, (40, 4)).astype(np.float32)
    passages = rng.integers(-1, 2, (60, 4)).astype(np.float32)
    concept, language = rng.integers(0, 9, 40), rng.integers(0, 4, 40)
    top = first(queries, passages, 8)
    top[rng.random(40) < 0.3, 3:] = -1
    top[0] = -1
    found = mrc(queries, concept, language, passages, top, k)
    assert found == pytest.approx(naive(queries, concept, language, passages, top, k), nan_ok=True)


def test_a_language_is_compared_with_each_other_one():
    """Two rank alike and the third the other way round: (1 - 1) / 2 for the two, -1 for the third."""
    queries = np.stack([DOWN, DOWN, DOWN[::-1]])
    found = mrc(queries, np.zeros(3, dtype=int), np.arange(3), UNIT, first(queries, UNIT, 3), 3)
    assert found == pytest.approx([0.0, 0.0, -1.0])


def test_only_the_union_of_the_first_k_counts():
    queries = np.stack([DOWN, DOWN[[0, 1, 3, 2, 4]]])  # alike but for the places 3 and 4
    concept, language = np.zeros(2, dtype=int), np.arange(2)
    found = [mrc(queries, concept, language, UNIT, first(queries, UNIT, 5), k)[0] for k in (2, 3)]
    assert found == pytest.approx([1.0, 0.8])


def test_no_query_to_compare_with_gives_nan():
    queries = np.stack([DOWN] * 4)
    concept, language = np.array([4, 4, 2, 7]), np.array([0, 0, 1, 2])
    assert np.isnan(mrc(queries, concept, language, UNIT, first(queries, UNIT, 2), 2)).all()


def test_undefined_correlation_is_left_out_of_the_mean():
    flat = np.full(5, 0.5, dtype=np.float32)
    queries = np.stack([DOWN, flat, DOWN[::-1]])
    found = mrc(queries, np.zeros(3, dtype=int), np.arange(3), UNIT, first(queries, UNIT, 2), 2)
    assert found == pytest.approx([-1.0, nan, -1.0], nan_ok=True)


@pytest.mark.parametrize("dimensions", [7, 384])
def test_equal_passages_tie(dimensions):
    rng = np.random.default_rng(0)
    queries = rng.standard_normal((2, dimensions)).astype(np.float32)
    passages = np.repeat(rng.standard_normal((5, dimensions)), 2, axis=0).astype(np.float32)
    found = mrc(queries, np.zeros(2, dtype=int), np.arange(2), passages, np.array([range(10), range(10)]), 10)
    assert found[0] == pytest.approx(spearmanr(*(queries @ passages[::2].T)).statistic)


@given(st.permutations(range(6)), st.integers(1, 5))
def test_order_of_queries_changes_nothing(order, k):
    rng = np.random.default_rng(k)
    queries = rng.standard_normal((6, 5)).astype(np.float32)
    concept, language, top = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1, 2]), first(queries, UNIT, 5)
    found = mrc(queries, concept, language, UNIT, top, k)
    assert mrc(queries[order], concept[order], language[order], UNIT, top[order], k) == pytest.approx(found[order])


def test_passages_may_stay_on_the_disk(tmp_path):
    np.save(tmp_path / "passages.npy", UNIT)
    queries = np.stack([DOWN, DOWN])
    on_disk = np.load(tmp_path / "passages.npy", mmap_mode="r")
    assert mrc(queries, np.zeros(2, dtype=int), np.arange(2), on_disk, first(queries, UNIT, 3), 3).tolist() == [1, 1]


def test_no_query_gives_nothing():
    nothing = np.zeros(0, dtype=int)
    assert mrc(np.zeros((0, 5), np.float32), nothing, nothing, UNIT, np.zeros((0, 3), dtype=int), 2).shape == (0,)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"k": 0}, "found k = 0, expected 1 to 3, the depth of top"),
        ({"k": 4}, "found k = 4, expected 1 to 3, the depth of top"),
        ({"top": np.full((2, 3), 5)}, "found position 5 in top, expected -1 to 4"),
        ({"top": np.full((2, 3), -2)}, "found position -2 in top, expected -1 to 4"),
        ({"concept": np.zeros(3, dtype=int)}, "found 3 rows of concept, expected 2, one a query"),
        ({"passages": UNIT[:, :4]}, "found passages of 4 dimensions, expected 5"),
    ],
)
def test_what_does_not_fit_is_refused(changed, message):
    given_ = {
        "queries": np.stack([DOWN, DOWN]),
        "concept": np.zeros(2, dtype=int),
        "language": np.arange(2),
        "passages": UNIT,
        "top": np.zeros((2, 3), dtype=int),
        "k": 3,
    }
    with pytest.raises(InputError, match=f"^mrc: {message}$"):
        mrc(**(given_ | changed))
