import hashlib
import random

import pytest
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridlib.corpora import Corpus
from hybridlib.errors import InputError

Row = tuple[str, str, str, str]

rows_of_text = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "concept é"]),
        st.sampled_from(["en", "de", "zh"]),
        st.sampled_from(["query", "passage", "text"]),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=25,
)
few = settings(max_examples=40, deadline=None)

RAGGED: list[Row] = [
    ("a", "en", "passage", "a boy sings"),
    ("a", "en", "query", "a singer"),
    ("a", "de", "text", "ein Junge singt"),
    ("b", "de", "text", "eins"),
    ("b", "de", "text", "zwei"),
    ("b", "zh", "query", "三"),
    ("c", "zh", "passage", "四"),
    ("c", "en", "query", "five"),
    ("c", "en", "query", "six"),
    ("c", "en", "text", "seven"),
]


def corpus_of(count: int, languages: tuple[str, ...] = ("en", "de")) -> Corpus:
    """Return a corpus of ``count`` concepts with one text in each language."""
    rows = [
        (f"c{number}", language, "text", f"{language} {number}") for number in range(count) for language in languages
    ]
    return Corpus.from_rows(rows, "numbers", notes=("a note",))


def by_sha256(concepts: list[str]) -> list[str]:
    return sorted(concepts, key=lambda concept: hashlib.sha256(concept.encode("utf-8")).digest())


# ------------------------------------------------------------------------------------------------------ what it holds


def test_rows_stay_in_order_in_four_columns():
    corpus = Corpus.from_rows(iter(RAGGED), "ragged")
    assert corpus.dataset.column_names == ["concept", "language", "role", "text"]
    assert list(corpus.table.itertuples(index=False, name=None)) == RAGGED


def test_no_row_is_an_error():
    with pytest.raises(InputError, match="corpus nothing: found no text, expected at least one"):
        Corpus.from_rows([], "nothing")


def test_other_columns_of_a_data_set_do_no_harm():
    columns = {
        "extra": [1, 2],
        "text": ["x", "y"],
        "role": ["text"] * 2,
        "language": ["de", "en"],
        "concept": ["a"] * 2,
    }
    corpus = Corpus(Dataset.from_dict(columns), "wide")
    assert list(corpus.table.itertuples(index=False, name=None)) == [("a", "de", "text", "x"), ("a", "en", "text", "y")]
    assert len(corpus.fingerprint) == 64


def test_languages_are_by_family_and_script_whatever_the_row_order():
    rows = [("a", language, "text", "x") for language in ("zh", "xx", "ar", "de", "ru", "en")]
    assert Corpus.from_rows(rows, "order").languages == ["en", "de", "ru", "ar", "zh", "xx"]


def test_concepts_are_in_the_order_of_their_sha256():
    concepts = ["b", "a", "é", "z" * 100, "10", "9"]
    rows = [(concept, "en", "text", "x") for concept in concepts]
    assert Corpus.from_rows(rows, "order").concepts == by_sha256(concepts)


def test_order_of_concepts_is_not_that_of_the_rows_or_the_alphabet():
    concepts = corpus_of(50).concepts
    assert concepts not in ([f"c{number}" for number in range(50)], sorted(concepts))


@given(rows_of_text)
@few
def test_cells_are_those_of_a_loop(rows: list[Row]):
    expected = {}
    for concept, language, role, _ in rows:
        queries, passages, texts = expected.get((concept, language), (0, 0, 0))
        expected[concept, language] = (queries + (role != "passage"), passages + (role != "query"), texts + 1)
    cells = Corpus.from_rows(rows, "random").cells
    assert list(cells.columns) == ["concept", "language", "queries", "passages", "texts"]
    assert {row[:2]: row[2:] for row in cells.itertuples(index=False, name=None)} == expected
    assert len(cells) == len(expected)


def test_single_text_cells_have_one_text_for_both_roles():
    cells = Corpus.from_rows(RAGGED, "ragged").single_text_cells
    assert list(cells[["concept", "language"]].itertuples(index=False, name=None)) == [("a", "de")]


@given(rows_of_text)
@few
def test_pairs_index_the_rows_of_the_data_set(rows: list[Row]):
    corpus = Corpus.from_rows(rows, "random")
    pairs = corpus.pairs
    assert [corpus.concepts[i] for i in pairs.concept] == [row[0] for row in rows]
    assert [pairs.languages[i] for i in pairs.language] == [row[1] for row in rows]
    assert pairs.is_query.tolist() == [row[2] in ("query", "text") for row in rows]
    assert pairs.is_passage.tolist() == [row[2] in ("passage", "text") for row in rows]
    for i, one in enumerate(rows):
        assert (pairs.text == pairs.text[i]).tolist() == [other[3] == one[3] for other in rows]


def test_a_symmetric_text_alone_has_no_monolingual_pair():
    corpus = Corpus.from_rows(RAGGED, "ragged")
    cell = corpus.concepts.index("a"), corpus.languages.index("de")
    assert not corpus.pairs.has_monolingual[cell]
    assert corpus.pairs.has_monolingual[cell[0], corpus.languages.index("en")]


# -------------------------------------------------------------------------------------------------------- fingerprint


@given(rows_of_text, st.randoms(use_true_random=False))
@few
def test_fingerprint_does_not_depend_on_the_order_of_rows(rows: list[Row], rng: random.Random):
    shuffled = rng.sample(rows, len(rows))
    assert Corpus.from_rows(shuffled, "one").fingerprint == Corpus.from_rows(rows, "other", ("note",)).fingerprint


@pytest.mark.parametrize("column", range(4))
def test_fingerprint_depends_on_every_column(column: int):
    value = ["d", "fr", "query", "ein Junge singt."][column]
    changed = [tuple(value if i == column else old for i, old in enumerate(RAGGED[2]))]
    rows = RAGGED[:2] + changed + RAGGED[3:]
    assert Corpus.from_rows(rows, "x").fingerprint != Corpus.from_rows(RAGGED, "x").fingerprint


def test_fingerprint_counts_a_text_that_stands_twice():
    assert Corpus.from_rows([*RAGGED, RAGGED[0]], "x").fingerprint != Corpus.from_rows(RAGGED, "x").fingerprint


def test_fingerprint_keeps_columns_apart():
    one = Corpus.from_rows([("a", "en", "text", "b")], "x")
    other = Corpus.from_rows([("ae", "n", "text", "b")], "x")
    assert one.fingerprint != other.fingerprint


# ------------------------------------------------------------------------------------------------------------- select


def test_select_keeps_the_rows_of_concepts_and_languages():
    corpus = Corpus.from_rows(RAGGED, "ragged", notes=("n",))
    chosen = corpus.select(concepts=["c", "a"], languages=["en"])
    expected = [row for row in RAGGED if row[0] in "ac" and row[1] == "en"]
    assert list(chosen.table.itertuples(index=False, name=None)) == expected
    assert (chosen.name, chosen.notes) == ("ragged", ("n",))


def test_select_of_all_has_the_same_fingerprint():
    corpus = Corpus.from_rows(RAGGED, "ragged")
    assert corpus.select(concepts=corpus.concepts, languages=corpus.languages).fingerprint == corpus.fingerprint
    assert corpus.select().fingerprint == corpus.fingerprint


def test_select_of_an_unknown_language_names_those_there_are():
    with pytest.raises(InputError, match=r"corpus numbers: found language 'xx', expected one of: en de$"):
        corpus_of(3).select(languages=["de", "xx"])


def test_select_of_an_unknown_concept_names_it():
    with pytest.raises(InputError, match="corpus numbers: found concept 'c7', expected one of: 3 concept ids"):
        corpus_of(3).select(concepts=["c1", "c7"])


@pytest.mark.parametrize("chosen", [{"concepts": []}, {"languages": []}, {"concepts": ["a"], "languages": ["zh"]}])
def test_select_of_nothing_is_an_error(chosen: dict[str, list[str]]):
    with pytest.raises(InputError, match="corpus ragged: no text is left in the chosen languages and concepts"):
        Corpus.from_rows(RAGGED, "ragged").select(**chosen)


# -------------------------------------------------------------------------------------------------------------- split


@given(st.data())
@few
def test_split_is_the_start_the_next_and_the_end_of_the_order(data: st.DataObject):
    total = data.draw(st.integers(3, 30))
    train = data.draw(st.integers(1, total - 2))
    validation = data.draw(st.integers(1, total - train - 1))
    test = data.draw(st.integers(1, total - train - validation))
    corpus = corpus_of(total)
    split = corpus.split(train, validation, test)
    order = by_sha256([f"c{number}" for number in range(total)])
    assert split.train.concepts == order[:train]
    assert split.validation.concepts == order[train : train + validation]
    assert split.test.concepts == order[-test:]
    assert not set(split.train.concepts) & set(split.validation.concepts)
    assert not (set(split.train.concepts) | set(split.validation.concepts)) & set(split.test.concepts)


def test_split_without_a_number_trains_on_all_that_is_left():
    split = corpus_of(30).split(validation=4, test=7)
    assert [len(part.concepts) for part in split] == [19, 4, 7]
    assert sum(len(part.table) for part in split) == 60


def test_split_keeps_every_text_of_a_concept():
    corpus = Corpus.from_rows(RAGGED, "ragged")
    for part in corpus.split(validation=1, test=1):
        assert sorted(part.table["text"]) == sorted(row[3] for row in RAGGED if row[0] in part.concepts)


def test_split_does_not_depend_on_the_order_of_rows():
    corpus = corpus_of(20)
    rows = list(corpus.table.itertuples(index=False, name=None))[::-1]
    turned = Corpus.from_rows(rows, "turned").split(validation=3, test=4)
    assert [part.fingerprint for part in turned] == [part.fingerprint for part in corpus.split(validation=3, test=4)]


def test_test_concepts_do_not_depend_on_the_number_of_training_concepts():
    corpus = corpus_of(30)
    assert corpus.split(5, 3, 6).test.concepts == corpus.split(20, 3, 6).test.concepts


@pytest.mark.parametrize("sizes", [(0, 2, 2), (-1, 2, 2), (5, 0, 2), (5, 2, 0), (None, 0, 5)])
def test_a_part_of_no_concept_is_an_error(sizes: tuple[int | None, int, int]):
    train, validation, test = ("all other" if size is None else size for size in sizes)
    message = (
        f"^corpus numbers: found a split of {train} training, {validation} validation and {test} test concepts, "
        "expected at least one each$"
    )
    with pytest.raises(InputError, match=message):
        corpus_of(10).split(*sizes)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((5, 3, 3), "expected at least 11: 5 to train on, 3 to validate and 3 to test"),
        ((None, 5, 5), "expected at least 11: 1 to train on, 5 to validate and 5 to test"),
        ((None, 10, 15), "expected at least 26: 1 to train on, 10 to validate and 15 to test"),
    ],
)
def test_too_few_concepts_are_an_error_that_says_how_many_are_needed(sizes: tuple[int | None, int, int], message: str):
    with pytest.raises(InputError, match=f"^corpus numbers: found 10 concepts, {message}$"):
        corpus_of(10).split(*sizes)


@pytest.mark.parametrize("sizes", [(5, 2, 3), (None, 4, 5)])
def test_a_split_may_need_every_concept(sizes: tuple[int | None, int, int]):
    assert sum(len(part.concepts) for part in corpus_of(10).split(*sizes)) == 10
