import numpy as np
import pytest

from hybridlib.errors import InputError
from hybridlib.nearest import NearestIndex


def vectors(count, dimension=16, seed=0):
    """Unit vectors in clusters."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).standard_normal((50, dimension))
    made = centres[rng.integers(50, size=count)] + 0.5 * rng.standard_normal((count, dimension))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


PASSAGES, QUERIES = vectors(12_000), vectors(40, seed=1)
EXACT = np.argsort(-(QUERIES @ PASSAGES.T), axis=1)[:, :10]


def index_of(kind, parts=3):
    return NearestIndex(lambda: np.array_split(PASSAGES, parts), len(PASSAGES), kind)


def recall(top):
    return np.mean([len(np.intersect1d(*pair)) / 10 for pair in zip(EXACT, top, strict=True)])


def test_flat_is_exact():
    scores, top = index_of("flat").first(QUERIES, 10)
    assert (top == EXACT).all()
    assert np.allclose(scores, np.take_along_axis(QUERIES @ PASSAGES.T, EXACT, 1), atol=1e-6)


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_more_effort_finds_more(kind):
    index = index_of(kind)
    little, much = (recall(index.first(QUERIES, 10, effort=effort)[1]) for effort in (1, 256))
    assert little < much
    assert much > 0.9


@pytest.mark.parametrize("kind", ["ivf", "hnsw"])
def test_blocks_change_nothing(kind):
    one, several = (index_of(kind, parts).first(QUERIES, 10)[1] for parts in (1, 4))
    assert recall(one) == pytest.approx(recall(several), abs=0.05)


@pytest.mark.parametrize(("kind", "expected"), [("flat", 1), ("ivf", 2), ("hnsw", 2)])
def test_passages_are_read_as_often_as_the_docs_say(kind, expected):
    calls = []
    NearestIndex(lambda: calls.append(kind) or np.array_split(PASSAGES, 3), len(PASSAGES), kind)
    assert len(calls) == expected


def test_depth_beyond_the_passages_is_filled():
    _, top = NearestIndex(lambda: [PASSAGES[:3]], 3, "flat").first(QUERIES, 5)
    assert (top[:, 3:] == -1).all()
    assert sorted(top[0, :3].tolist()) == [0, 1, 2]


@pytest.mark.parametrize(
    ("blocks", "size", "kind", "message"),
    [
        ([PASSAGES], 12_000, "lsh", "kind: found 'lsh', expected one of flat ivf hnsw"),
        ([PASSAGES[:9]], 9, "ivf", "passages: found 9, expected at least 10000 for ivf"),
        ([PASSAGES[:9]], 8, "flat", "passages: found 9, expected 8"),
        ([], 0, "flat", "passages: found 0, expected 1"),
        ([PASSAGES[0]], 1, "flat", r"passages: found a block of shape \(16,\), expected \(passages, dimensions\)"),
        ([PASSAGES[:9], PASSAGES[:9, :4]], 18, "flat", "passages: found 4 dimensions, expected 16 as before"),
    ],
)
def test_what_does_not_fit_is_refused(blocks, size, kind, message):
    with pytest.raises(InputError, match=message):
        NearestIndex(lambda: blocks, size, kind)


@pytest.mark.parametrize(("queries", "depth"), [(QUERIES[:, :4], 1), (QUERIES[0], 1), (QUERIES, 0)])
def test_queries_that_do_not_fit_are_refused(queries, depth):
    with pytest.raises(InputError, match=r"queries: found shape .* and depth \d, expected \(q, 16\) and 1 at least"):
        NearestIndex(lambda: [PASSAGES[:3]], 3, "flat").first(queries, depth)
