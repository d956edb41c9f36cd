"""What a corpus of captions holds."""

import os
from pathlib import Path

import pytest
from xm3600_files import ONE, ROWS, TWO, lines_of, rows, write

from hybridlib.corpora import xm3600

pytestmark = pytest.mark.usefixtures("cache")

DATA = os.environ.get("HYBRIDLIB_DATA")
real_data = pytest.mark.skipif(not DATA, reason="$HYBRIDLIB_DATA does not name the folder of real data")


def test_first_caption_is_the_passage_and_last_the_query_and_a_lone_one_both(tmp_path: Path):
    corpus = xm3600.load(write(tmp_path / "captions.jsonl", lines_of(ONE, TWO)))
    assert rows(corpus) == ROWS
    assert (corpus.name, len(corpus.table)) == ("xm3600", 5)


def test_a_lone_caption_has_no_monolingual_pair(tmp_path: Path):
    corpus = xm3600.load(write(tmp_path / "captions.jsonl", lines_of(ONE)))
    assert corpus.single_text_cells["language"].tolist() == ["bn"]
    assert corpus.pairs.has_monolingual.tolist() == [[True, False]]


def test_other_fields_of_the_official_file_are_passed_over(tmp_path: Path):
    tokens = {"caption/tokenized": [["a"]], "caption/tokenized/lowercase": [["a"]]}
    official = {"image/key": "k2", "image/locale": "cs", "en": {"caption": ["a", "b"], **tokens}}
    corpus = xm3600.load(write(tmp_path / "captions.jsonl", lines_of(official)))
    assert rows(corpus) == {row for row in ROWS if row[0] == "k2"}


def test_missing_languages_are_noted(tmp_path: Path):
    languages = {code: {"caption": ["x"]} for code in xm3600.LANGUAGES if code not in ("he", "hi", "ru")}
    corpus = xm3600.load(write(tmp_path / "captions.jsonl", lines_of({"image/key": "k", **languages})))
    assert corpus.notes == ("33 of the 36 languages: he, hi, ru missing from this file",)


def test_no_note_if_every_language_is_there(tmp_path: Path):
    languages = {code: {"caption": ["x"]} for code in xm3600.LANGUAGES}
    corpus = xm3600.load(write(tmp_path / "captions.jsonl", lines_of({"image/key": "k", **languages})))
    assert (corpus.notes, len(corpus.languages)) == ((), 36)


@real_data
def test_the_real_captions_load(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYBRIDLIB_DATA", DATA)
    corpus = xm3600.load()
    assert (len(corpus.concepts), len(corpus.languages)) == (3600, 33)
    assert corpus.notes == ("33 of the 36 languages: he, hi, ru missing from this file",)
    assert set(corpus.single_text_cells["language"]) >= {"bn", "mi"}
