from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridlib.errors import InputError
from hybridlib.pairs import Pairs

LANGUAGES = ("en", "de", "zh", "sw")
ROLES = {"query": (True, False), "passage": (False, True), "text": (True, True)}
Row = tuple[int, int, str, int]

rows_of_text = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from(list(ROLES)), st.integers(0, 3)),
    min_size=1,
    max_size=50,
)


def pairs_of(rows: list[Row]) -> Pairs:
    """Return the pairs of (concept, language, role, text) rows."""
    concept, language, role, text = zip(*rows, strict=True)
    return Pairs(
        concept=np.array(concept),
        language=np.array(language),
        is_query=np.array([ROLES[r][0] for r in role]),
        is_passage=np.array([ROLES[r][1] for r in role]),
        text=np.array(text),
        languages=LANGUAGES,
    )


def all_pairs(rows: list[Row]) -> set[tuple[int, int]]:
    """Return every (query row, passage row) pair of one concept, by a loop over all of them."""
    found = set()
    for (i, query), (j, passage) in product(enumerate(rows), repeat=2):
        roles_fit = query[2] in ("query", "text") and passage[2] in ("passage", "text")
        strings_fit = query[1] != passage[1] or query[3] != passage[3]
        if roles_fit and strings_fit and query[0] == passage[0]:
            found.add((i, j))
    return found


def drawn(pairs: Pairs, cell: tuple[int, int, int], count: int) -> Counter[tuple[int, int]]:
    rng = np.random.default_rng(0)
    return Counter(pairs.draw(*cell, rng) for _ in range(count))


@given(rows_of_text)
def test_monolingual_cells_are_those_of_a_loop(rows: list[Row]):
    expected = {(rows[i][0], rows[i][1]) for i, j in all_pairs(rows) if rows[i][1] == rows[j][1]}
    assert {(int(c), int(lang)) for c, lang in np.argwhere(pairs_of(rows).has_monolingual)} == expected


@given(rows_of_text)
def test_crosslingual_concepts_are_those_of_a_loop(rows: list[Row]):
    expected = {rows[i][0] for i, j in all_pairs(rows) if rows[i][1] != rows[j][1]}
    assert set(np.flatnonzero(pairs_of(rows).has_crosslingual).tolist()) == expected


@given(rows_of_text)
def test_queries_and_passages_of_each_cell_are_those_of_a_loop(rows: list[Row]):
    pairs = pairs_of(rows)
    for concept, language in product(range(pairs.concepts), range(len(LANGUAGES))):
        cell = [i for i, row in enumerate(rows) if row[:2] == (concept, language)]
        queries = [i for i in cell if rows[i][2] != "passage"]
        passages = [i for i in cell if rows[i][2] != "query"]
        assert pairs.query_rows(concept, language).tolist() == queries
        assert pairs.passage_rows(concept, language).tolist() == passages
        assert pairs.has_query[concept, language] == bool(queries)
        assert pairs.has_passage[concept, language] == bool(passages)


@given(rows_of_text, st.integers(0, 9))
@settings(max_examples=50)
def test_draw_gives_a_pair_of_the_loop_in_the_languages_asked_for(rows: list[Row], seed: int):
    pairs, existing = pairs_of(rows), all_pairs(rows)
    rng = np.random.default_rng(seed)
    for cell in {(rows[i][0], rows[i][1], rows[j][1]) for i, j in existing}:
        i, j = pairs.draw(*cell, rng)
        assert (i, j) in existing
        assert (rows[i][0], rows[i][1], rows[j][1]) == cell


@pytest.mark.parametrize("languages", [(0, 0), (0, 1)])
def test_draw_is_uniform_over_the_pairs(languages: tuple[int, int]):
    texts = [("text", 0), ("query", 1), ("passage", 0), ("passage", 2), ("text", 3)]
    rows = [(0, language, *text) for language in (0, 1) for text in texts]
    expected = {(i, j) for i, j in all_pairs(rows) if (rows[i][1], rows[j][1]) == languages}
    counts = drawn(pairs_of(rows), (0, *languages), 500 * len(expected))
    assert set(counts) == expected
    assert sum((count - 500) ** 2 / 500 for count in counts.values()) < 3 * len(expected)


def test_draw_of_the_same_generator_state_is_the_same():
    pairs = pairs_of([(0, 0, "text", number) for number in range(6)])
    first, second = np.random.default_rng(4), np.random.default_rng(4)
    draws = [(pairs.draw(0, 0, 0, first), pairs.draw(0, 0, 0, second)) for _ in range(20)]
    assert all(a == b for a, b in draws)
    assert len({a for a, _ in draws}) > 1


def test_one_symmetric_text_is_no_monolingual_pair():
    assert not pairs_of([(0, 0, "text", 7)]).has_monolingual.any()


def test_one_string_twice_is_no_monolingual_pair():
    assert not pairs_of([(0, 0, "query", 7), (0, 0, "passage", 7), (0, 0, "text", 7)]).has_monolingual.any()


def test_one_string_in_two_languages_is_a_crosslingual_pair():
    assert pairs_of([(0, 0, "text", 7), (0, 1, "text", 7)]).has_crosslingual.tolist() == [True]


def test_two_queries_are_no_pair():
    pairs = pairs_of([(0, 0, "query", 1), (0, 0, "query", 2), (0, 1, "query", 3)])
    assert not pairs.has_monolingual.any()
    assert not pairs.has_crosslingual.any()


def test_a_text_that_is_neither_query_nor_passage_makes_no_pair():
    pairs = Pairs(
        concept=np.zeros(3, dtype=np.int64),
        language=np.zeros(3, dtype=np.int64),
        is_query=np.array([True, False, False]),
        is_passage=np.array([False, True, False]),
        text=np.array([0, 0, 1]),
        languages=("en",),
    )
    assert not pairs.has_monolingual.any()


def test_no_text_has_no_pair():
    nothing = np.zeros(0, dtype=np.int64)
    pairs = Pairs(nothing, nothing, nothing.astype(bool), nothing.astype(bool), nothing, ("en", "de"))
    assert pairs.has_monolingual.shape == (0, 2)
    assert pairs.has_crosslingual.shape == (0,)


@pytest.mark.parametrize("field", ["language", "is_query", "is_passage", "text"])
def test_arrays_of_unequal_length_are_an_error(field: str):
    arrays = {name: np.zeros(3, dtype=np.int64) for name in ("concept", "language", "is_query", "is_passage", "text")}
    arrays[field] = arrays[field][:2]
    with pytest.raises(InputError, match=rf"found {field} of shape \(2,\), expected \(3,\)"):
        Pairs(**arrays, languages=("en",))


@pytest.mark.parametrize("language", [-1, 2])
def test_a_language_that_has_no_code_is_an_error(language: int):
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(InputError, match=r"found a language outside 0 \.\. 1"):
        Pairs(one, one + language, one == 0, one == 0, one, ("en", "de"))
