import numpy as np
import pytest

from hybridlib import mining
from hybridlib.errors import InputError
from hybridlib.mining import mine
from hybridlib.pairs import Pairs

LANGUAGES = ("en", "de", "zh", "sw")
ROLES = {"query": (True, False), "passage": (False, True), "text": (True, True)}


def pairs_of(rows: list[tuple[int, int, str]]) -> Pairs:
    """Return the pairs of (concept, language, role) rows, every text another string."""
    concept, language, role = zip(*rows, strict=True)
    return Pairs(
        concept=np.array(concept),
        language=np.array(language),
        is_query=np.array([ROLES[r][0] for r in role]),
        is_passage=np.array([ROLES[r][1] for r in role]),
        text=np.arange(len(rows)),
        languages=LANGUAGES,
    )


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def degrees(*angles: float) -> np.ndarray:
    radians = np.radians(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def ragged(seed: int) -> tuple[Pairs, np.ndarray]:
    """Return 25 concepts with none to three texts in each of four languages, in no order, and vectors near them."""
    rng = np.random.default_rng(seed)
    cells = [(c, lang) for c in range(25) for lang in range(4) for _ in range(rng.integers(4))]
    rows = [(*cells[i], str(rng.choice(list(ROLES)))) for i in rng.permutation(len(cells))]
    pairs = pairs_of(rows)
    centre, offset = rng.normal(size=(25, 6)), rng.normal(size=(4, 6))
    noise = rng.normal(size=(len(rows), 6))
    return pairs, unit(1 + centre[pairs.concept] + offset[pairs.language] + 0.5 * noise)


def similarity_of(pairs: Pairs, vectors: np.ndarray, a: int, b: int) -> float:
    queries = np.flatnonzero(pairs.is_query & (pairs.concept == a))
    passages = np.flatnonzero(pairs.is_passage & (pairs.concept == b))
    return float(np.mean([vectors[q] @ vectors[p] for q in queries for p in passages if q != p]))


def naive(
    pairs: Pairs, vectors: np.ndarray, concept: int, language: int, count: int, ceiling: float
) -> tuple[list[int], int]:
    """Return the hard negatives of one cell and how many are above the ceiling, by a loop over concepts."""
    limit = ceiling * similarity_of(pairs, vectors, concept, concept)
    others = [b for b in range(pairs.concepts) if b != concept and len(pairs.passage_rows(b, language))]
    scores = {b: similarity_of(pairs, vectors, concept, b) for b in others}
    below = sorted((b for b in others if scores[b] <= limit), key=lambda b: -scores[b])
    above = sorted((b for b in others if scores[b] > limit), key=lambda b: scores[b])
    chosen = [int(pairs.passage_rows(b, language).min()) for b in (below + above)[:count]]
    return chosen, max(0, count - len(below))


def some_pairs(pairs: Pairs) -> list[tuple[int, int]]:
    """Return one pair of two different rows for every passage that has one."""
    found = []
    for passage in np.flatnonzero(pairs.is_passage):
        fits = pairs.is_query & (pairs.concept == pairs.concept[passage])
        fits[passage] = False
        found += [(int(np.argmax(fits)), int(passage))] if fits.any() else []
    return found


@pytest.mark.parametrize("block", [1, 60, 1 << 22])
@pytest.mark.parametrize("ceiling", [0.3, 0.95, 9.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_hard_negatives_are_those_of_a_loop(seed: int, ceiling: float, block: int, monkeypatch):
    monkeypatch.setattr(mining, "_BLOCK", block)
    pairs, vectors = ragged(seed)
    batch = some_pairs(pairs)
    assert len(batch) > 50
    mined = mine(pairs, vectors, count=5, ceiling=ceiling)
    cells = [(int(pairs.concept[p]), int(pairs.language[p])) for _, p in batch]
    expected = {cell: naive(pairs, vectors, *cell, count=5, ceiling=ceiling) for cell in cells}
    assert mined.rows(batch).tolist() == [expected[cell][0] for cell in cells]
    assert mined.above_ceiling == sum(above for _, above in expected.values())
    assert mined.above_ceiling > 0 or ceiling > 0.3


def test_hard_negatives_are_passages_of_other_concepts_in_the_language_of_the_passage():
    pairs, vectors = ragged(3)
    batch = some_pairs(pairs)
    rows = mine(pairs, vectors, count=6).rows(batch)
    passage = np.array(batch)[:, 1]
    assert rows.dtype == np.int64
    assert rows.shape == (len(batch), 6)
    assert pairs.is_passage[rows].all()
    assert (pairs.language[rows] == pairs.language[passage][:, None]).all()
    concepts = np.column_stack([pairs.concept[passage], pairs.concept[rows]])
    assert all(len(set(row)) == 7 for row in concepts.tolist())


def test_where_every_language_has_every_concept_the_concepts_are_the_same_in_each():
    rng = np.random.default_rng(0)
    pairs = pairs_of([(c, lang, "text") for c in range(12) for lang in range(4)])
    vectors = unit(rng.normal(size=(48, 5)) + 4 * rng.normal(size=(4, 5))[pairs.language])
    mined = mine(pairs, vectors, count=3)
    for concept in range(12):
        rows = mined.rows([(4 * concept + 3, 4 * concept + lang) for lang in range(3)])
        assert len(np.unique(pairs.concept[rows], axis=0)) == 1


@pytest.mark.parametrize(
    ("ceiling", "rows", "above"), [(9.0, [2, 3], 0), (0.95, [3, 4], 0), (0.7, [4, 3], 1), (0.01, [4, 3], 2)]
)
def test_concepts_above_the_ceiling_come_last_the_least_similar_first(ceiling: float, rows: list[int], above: int):
    pairs = pairs_of([(0, 0, "query"), (0, 0, "passage"), *((c, 0, "passage") for c in (1, 2, 3))])
    mined = mine(pairs, degrees(0, 30, 10, 50, 70), count=2, ceiling=ceiling)  # cosines 0.87; 0.98, 0.64, 0.34
    assert mined.rows([(0, 1)]).tolist() == [rows]
    assert mined.above_ceiling == above


def test_a_text_that_is_query_and_passage_is_not_compared_with_itself():
    pairs = pairs_of([(0, 0, "text"), (0, 0, "text"), (1, 0, "passage"), (2, 0, "passage")])
    # s(0, 0) is cos 53 = 0.60, with the two texts themselves it would be 0.80; s(0, 1) = 0.65.
    assert mine(pairs, degrees(0, 53, 70, 100), count=1).rows([(1, 0)]).tolist() == [[3]]


def test_of_equally_similar_concepts_the_lower_number_comes_first():
    pairs = pairs_of([(0, 0, "query"), (0, 0, "passage"), *((c, 0, "passage") for c in range(40, 0, -1))])
    vectors = unit(np.tile(np.random.default_rng(0).normal(size=7), (42, 1)))
    rows = mine(pairs, vectors, count=40, ceiling=2.0).rows([(0, 1)])
    assert pairs.concept[rows[0]].tolist() == list(range(1, 41))


def test_no_pair_gives_no_row():
    pairs, vectors = ragged(0)
    assert mine(pairs, vectors, count=4).rows([]).shape == (0, 4)


def test_a_concept_without_a_pair_is_a_hard_negative_and_has_none():
    pairs = pairs_of([(0, 0, "query"), (0, 0, "passage"), (1, 0, "text")])
    mined = mine(pairs, degrees(0, 10, 80), count=1)
    assert mined.rows([(0, 1)]).tolist() == [[2]]
    with pytest.raises(InputError, match=r"found passage row 2 of concept 1 in en, expected a passage of a pair"):
        mined.rows([(0, 1), (2, 2)])


def test_too_few_concepts_in_a_language_are_an_error():
    rows = [(c, 0, "text") for c in range(5)] + [(c, 2, "text") for c in range(3)]
    vectors = degrees(*range(8))
    assert mine(pairs_of(rows), vectors, count=2).rows([(0, 5)]).shape == (1, 2)
    with pytest.raises(InputError, match=r"found 3 concepts with a passage in zh, expected at least 4"):
        mine(pairs_of(rows), vectors, count=3)


@pytest.mark.parametrize(
    ("vectors", "options", "message"),
    [
        (degrees(0, 1, 2), {}, r"found vectors of shape \(3, 2\), expected \(4, dimension\)"),
        (degrees(0, 1, 2, 3)[:, 0], {}, r"found vectors of shape \(4,\), expected \(4, dimension\)"),
        (degrees(0, 1, 2, 3).astype(np.float64), {}, "found vectors of float64, expected float32"),
        (degrees(0, 1, 2, 3) * np.float32([[1], [1], [2], [1]]), {}, "found vector 2 of length 2.0, expected 1"),
        (degrees(0, np.nan, 2, 3), {}, "found vector 1 of length nan, expected 1"),
        (degrees(0, 1, 2, 3), {"count": 0}, "found count 0, expected at least 1"),
        (degrees(0, 1, 2, 3), {"ceiling": 0.0}, "found ceiling 0.0, expected one above 0"),
        (degrees(0, 1, 2, 3), {"ceiling": float("nan")}, "found ceiling nan, expected one above 0"),
    ],
)
def test_input_that_does_not_fit_is_an_error(vectors: np.ndarray, options: dict[str, float], message: str):
    pairs = pairs_of([(0, 0, "query"), (0, 0, "passage"), (1, 0, "text"), (2, 0, "text")])
    with pytest.raises(InputError, match=message):
        mine(pairs, vectors, **{"count": 1, **options})
