from itertools import groupby

import pytest

from hybridlib.corpora import scenes, xm3600
from hybridlib.languages import LANGUAGES, breaks, name, ordered


def test_every_code_leads_to_its_own_row():
    assert all(language.code == code for code, language in LANGUAGES.items())
    assert len({language.name for language in LANGUAGES.values()}) == len(LANGUAGES)


@pytest.mark.parametrize("codes", [scenes.LANGUAGES, xm3600.LANGUAGES])
def test_every_language_of_the_named_corpora_is_in_the_table(codes: tuple[str, ...]):
    assert set(codes) <= set(LANGUAGES)


def test_each_family_stands_in_one_piece():
    pieces = [family for family, _ in groupby(language.family for language in LANGUAGES.values())]
    assert len(pieces) == len(set(pieces))


def test_each_script_of_a_family_stands_in_one_piece():
    pieces = [piece for piece, _ in groupby((language.family, language.script) for language in LANGUAGES.values())]
    assert len(pieces) == len(set(pieces))


@pytest.mark.parametrize(
    ("code", "script"),
    [("ru", "Cyrillic"), ("el", "Greek"), ("he", "Hebrew"), ("fa", "Arabic"), ("ko", "Hangul"), ("quz", "Latin")],
)
def test_script_of_a_language(code: str, script: str):
    assert LANGUAGES[code].script == script


def test_ordered_is_the_order_of_the_table_whatever_was_given():
    assert ordered(reversed(LANGUAGES)) == list(LANGUAGES)


def test_ordered_puts_unknown_codes_last_by_alphabet():
    assert ordered(["zz", "zh", "am", "en", "pt-BR"]) == ["en", "zh", "am", "pt-BR", "zz"]


def test_ordered_names_each_code_once():
    assert ordered(["de", "en", "de"]) == ["en", "de"]


def test_name_is_english():
    assert (name("mi"), name("quz")) == ("Māori", "Quechua")


def test_name_of_an_unknown_code_is_the_code():
    assert name("pt-BR") == "pt-BR"


def test_breaks_are_where_a_family_begins():
    assert breaks(["en", "de", "fr", "es", "ru", "zh"]) == [2, 4, 5]


def test_breaks_of_one_family_are_none():
    assert breaks(["pl", "ru"]) == []
    assert breaks([]) == []


def test_an_unknown_code_is_a_family_of_its_own():
    assert breaks(["de", "xx", "yy"]) == [1, 2]


def test_breaks_of_all_languages_part_all_families():
    families = {language.family for language in LANGUAGES.values()}
    assert len(breaks(list(LANGUAGES))) == len(families) - 1
