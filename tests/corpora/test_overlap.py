import pytest

from hybridlib.corpora import Corpus
from hybridlib.corpora.overlap import normalised, shared_texts


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
