import pytest

from hybridlib.corpora import Corpus
from hybridlib.corpora.overlap import normalised, shared_texts, without_shared
from hybridlib.errors import InputError


def corpus_of(*texts: tuple[str, str]) -> Corpus:
    """Return a corpus of (language, text), each a concept of its own."""
    return Corpus.from_rows([(f"c{i}", language, "text", text) for i, (language, text) in enumerate(texts)], "x")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A boy sings", "a BOY sings"),
        ("A boy sings.", "A boy sings"),
        ("  A\tboy \n sings ", "A boy sings"),
        ("男の子が歌う。", "男の子が歌う"),
        ("Ａ ｂｏｙ", "a boy"),
        ("cafe\u0301", "caf\u00e9"),
        ("Straße", "STRASSE"),
        ("ماذا؟", "ماذا"),
        ("क्या।", "क्या"),
        ("what?!", "What…"),
    ],
)
def test_same_wording_is_equal(one: str, other: str):
    assert normalised(one) == normalised(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("a boy", "a toy"), ("a boy sings", "aboy sings"), ("1.5 m", "15 m"), ("años", "anos")]
)
def test_other_wording_is_not_equal(one: str, other: str):
    assert normalised(one) != normalised(other)


def test_shared_texts_are_counted_by_language():
    train = corpus_of(("en", "A boy."), ("en", "a girl"), ("de", "ein Junge"))
    test = corpus_of(("en", "a  BOY"), ("en", "a dog"), ("en", "A girl!"), ("de", "Ein Hund"))
    counts = shared_texts(train, test)
    assert counts.loc["en"].to_dict() == {"texts": 3, "shared": 2, "share": pytest.approx(2 / 3)}
    assert counts.loc["de"].to_dict() == {"texts": 1, "shared": 0, "share": 0}


def test_the_same_text_in_another_language_is_not_shared():
    assert shared_texts(corpus_of(("en", "OK")), corpus_of(("de", "OK")))["shared"].tolist() == [0]


def test_a_test_text_that_stands_twice_counts_twice():
    counts = shared_texts(corpus_of(("en", "x")), corpus_of(("en", "x"), ("en", "X"), ("en", "y")))
    assert counts.loc["en", ["texts", "shared"]].tolist() == [3, 2]


def test_a_training_text_that_stands_twice_counts_once():
    counts = shared_texts(corpus_of(("en", "x"), ("en", "X")), corpus_of(("en", "x"), ("en", "y")))
    assert counts.loc["en", "shared"] == 1


def test_roles_do_not_matter():
    train = Corpus.from_rows([("a", "en", "query", "x")], "train")
    test = Corpus.from_rows([("b", "en", "passage", "x")], "test")
    assert shared_texts(train, test).loc["en", "share"] == 1


def test_languages_are_those_of_the_test_corpus_in_its_order():
    test = corpus_of(("zh", "x"), ("de", "x"), ("en", "x"))
    counts = shared_texts(corpus_of(("fr", "x"), ("zh", "x")), test)
    assert list(counts.index) == ["en", "de", "zh"]
    assert counts["shared"].tolist() == [0, 0, 1]
    assert list(counts.columns) == ["texts", "shared", "share"]


TRAIN = Corpus.from_rows(
    [
        ("a", "en", "query", "A boy."),
        ("a", "en", "passage", "a child"),
        ("a", "de", "text", "ein Junge"),
        ("b", "en", "text", "a girl"),
        ("b", "de", "text", "Ein Mädchen!"),
        ("c", "en", "text", "a dog"),
        ("c", "en", "text", "the dog"),
    ],
    "train",
    ("old note",),
)


def kept(*held_out: tuple[str, str]) -> list[str]:
    return without_shared(TRAIN, corpus_of(*held_out)).table["text"].tolist()


def test_shared_texts_are_dropped_in_their_language():
    assert kept(("en", "a  BOY"), ("en", "ein Junge")) == [t for t in TRAIN.table["text"] if t != "A boy."]


def test_a_concept_left_with_one_text_goes_with_it():
    assert kept(("de", "ein mädchen")) == ["A boy.", "a child", "ein Junge", "a dog", "the dog"]


def test_a_concept_left_with_two_texts_stays():
    assert kept(("en", "A child")) == ["A boy.", "ein Junge", "a girl", "Ein Mädchen!", "a dog", "the dog"]


@pytest.mark.parametrize(
    ("rows", "stays"),
    [
        ([("en", "query", "x"), ("en", "passage", "one"), ("de", "passage", "zwei")], False),
        ([("en", "passage", "x"), ("en", "query", "one"), ("de", "query", "zwei")], False),
        ([("en", "query", "one"), ("en", "passage", "one"), ("de", "text", "x")], False),
        ([("en", "query", "one"), ("de", "passage", "one"), ("de", "query", "x")], True),
    ],
    ids=["passages alone", "queries alone", "one string", "two languages"],
)
def test_a_concept_left_without_a_pair_goes(rows, stays):
    other = [("other", "en", "text", "u"), ("other", "en", "text", "v")]
    train = Corpus.from_rows([("a", *row) for row in rows] + other, "train")
    left = without_shared(train, corpus_of(("en", "x"), ("de", "x")))
    assert set(left.concepts) == {"other", *(["a"] if stays else [])}


def test_a_corpus_that_shares_nothing_keeps_its_rows():
    left = without_shared(TRAIN, corpus_of(("en", "x")))
    assert left.fingerprint == TRAIN.fingerprint
    assert left.name == "train"


def test_nothing_is_shared_afterwards():
    test = corpus_of(("en", "THE dog."), ("de", "ein Junge"), ("en", "a girl"))
    assert shared_texts(TRAIN, test)["shared"].tolist() == [2, 1]
    assert shared_texts(without_shared(TRAIN, test), test)["shared"].tolist() == [0, 0]


def test_a_note_says_how_many_texts_were_shared():
    old, new = without_shared(TRAIN, corpus_of(("en", "a girl"), ("de", "ein Junge"))).notes
    assert old == "old note"
    assert new.startswith("2 of 7 texts of train stand, normalised, in what is held out of x: ")
    assert new.endswith("; 4 texts are left.")


def test_a_corpus_of_which_nothing_is_left_is_an_error():
    with pytest.raises(InputError, match="corpus x: found 1 of 2 texts in x too, expected a query and a"):
        without_shared(corpus_of(("en", "a"), ("en", "b")), corpus_of(("en", "a")))


def test_a_corpus_of_which_all_is_shared_is_an_error():
    with pytest.raises(InputError, match="corpus x: found 1 of 1 texts in x too"):
        without_shared(corpus_of(("en", "a")), corpus_of(("en", "a")))
