import pytest

from hybridlib.corpora import Corpus
from hybridlib.corpora.joined import joined
from hybridlib.errors import InputError


def corpus_of(name: str, *rows: tuple[str, str, str], notes: tuple[str, ...] = ()) -> Corpus:
    """Return a corpus of (concept, language, text)."""
    return Corpus.from_rows([(concept, language, "text", text) for concept, language, text in rows], name, notes)


ONE = corpus_of("one", ("a", "en", "x"), ("b", "de", "y"), ("a", "de", "z"), notes=("made up", "small"))
TWO = corpus_of("two", ("a", "zh", "x"), ("a/b", "en", "w"), notes=("small",))


def test_rows_are_those_of_the_corpora_in_their_order():
    both = joined([ONE, TWO])
    expected = [*ONE.table.itertuples(index=False), *TWO.table.itertuples(index=False)]
    assert [tuple(row)[1:] for row in both.table.itertuples(index=False)] == [tuple(row)[1:] for row in expected]
    assert both.table.index.tolist() == [0, 1, 2, 3, 4]


def test_texts_are_of_one_concept_if_they_were_in_one_corpus():
    assert joined([ONE, TWO]).table["concept"].tolist() == ["0/a", "0/b", "0/a", "1/a", "1/a/b"]
    assert joined([ONE, TWO]).pairs.concepts == 4


def test_languages_are_those_of_all_corpora():
    assert joined([TWO, ONE]).languages == ["en", "de", "zh"]


def test_parts_are_the_corpora():
    assert joined([ONE, TWO, ONE]).parts == (ONE, TWO, ONE)


def test_name_and_notes_are_of_all_corpora_and_stand_once():
    both = joined([ONE, TWO, ONE])
    assert (both.name, both.notes) == ("one + two", ("made up", "small"))


def test_fingerprint_is_of_the_texts_and_not_of_names():
    again = corpus_of("other", *ONE.table[["concept", "language", "text"]].itertuples(index=False, name=None))
    assert joined([ONE, TWO]).fingerprint == joined([again, TWO]).fingerprint != joined([TWO, ONE]).fingerprint


def test_no_corpus_is_an_error():
    with pytest.raises(InputError, match="found no corpus, expected one at least"):
        joined([])
