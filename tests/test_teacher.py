import numpy as np
import pytest

from hybridlib.corpora import scenes
from hybridlib.corpora.corpus import Corpus
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.teacher import Teacher


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path))


@pytest.fixture(scope="module")
def corpus():
    return scenes.load(count=12, languages=("en", "de", "ru"))


def tiny() -> DualEncoder:
    return DualEncoder.load("tiny", max_length=32)


def direct(texts: list[str], role: str) -> np.ndarray:
    return tiny().encode(texts, role, progress=False)


def test_teacher_sees_the_texts_of_the_batch(corpus):
    pairs = corpus.pairs
    rows = np.stack([np.flatnonzero(chosen)[[1, 30, 7]] for chosen in (pairs.is_query, pairs.is_passage)], axis=1)
    found = Teacher.embed(tiny(), corpus, None).vectors(*rows.T)
    texts = corpus.table["text"]
    for name, role, column in (("teacher_queries", "query", 0), ("teacher_passages", "passage", 1)):
        assert found[name] == pytest.approx(direct(texts[rows[:, column]].tolist(), role), abs=1e-6)


def test_teacher_sees_each_concepts_version_in_its_language(corpus):
    table = corpus.table
    rows = np.flatnonzero(table["language"] == "ru")[[3, 10]]
    found = Teacher.embed(tiny(), corpus, "de").vectors(rows, rows)
    german = [table[(table["concept"] == c) & (table["language"] == "de")] for c in table["concept"][rows]]
    asked = [texts[texts["role"] != "passage"]["text"].iloc[-1] for texts in german]
    answers = [texts[texts["role"] != "query"]["text"].iloc[0] for texts in german]
    assert found["teacher_queries"] == pytest.approx(direct(asked, "query"), abs=1e-6)
    assert found["teacher_passages"] == pytest.approx(direct(answers, "passage"), abs=1e-6)


def test_hard_negatives_are_taught_as_passages(corpus):
    teacher = Teacher.embed(tiny(), corpus, None)
    queries, passages = (np.flatnonzero(chosen)[:4] for chosen in (corpus.pairs.is_query, corpus.pairs.is_passage))
    found = teacher.vectors(queries[:2], passages[:2], passages[2:, None])["teacher_hard_negatives"]
    assert found.shape == (2, 1, len(teacher.passages[0]))
    assert found[:, 0] == pytest.approx(teacher.vectors(queries[:2], passages[2:])["teacher_passages"])


def test_roles_are_kept_apart():
    rows = [("a", "en", "query", "ask"), ("a", "en", "passage", "answer"), ("a", "de", "passage", "Antwort")]
    teacher = Teacher.embed(tiny(), Corpus.from_rows(rows, "own"), "en")
    assert (len(teacher.queries), len(teacher.passages)) == (1, 1)
    assert teacher.passages == pytest.approx(direct(["answer"], "passage"), abs=1e-6)


@pytest.mark.parametrize("language", ["fr", "xx"])
def test_concept_without_a_text_in_the_teachers_language(corpus, language):
    with pytest.raises(InputError, match=f"found 12 of 12 concepts of scenes without a text in '{language}' that it"):
        Teacher.embed(tiny(), corpus, language)
