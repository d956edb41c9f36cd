from pathlib import Path
from typing import Any

import fsspec
import pytest

from hybridlib.corpora import Corpus, mmarco
from hybridlib.errors import InputError

TRIPLES = "7\t70\t1\n8\t80\t1\n7\t70\t2\n7\t71\t1\n9\t90\t1\n"
PAIRS = ("7/70", "8/80", "7/71", "9/90")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(folder))
    return folder


def texts(what: str, language: str, *ids: int) -> str:
    return "".join(f"{number}\t{what} {number} in {language}\n" for number in ids)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The files of the hub's repository, small; each language has its texts in another order."""
    folder = tmp_path / "mmarco"
    write(folder, mmarco.TRIPLES, TRIPLES)
    for language, queries, passages in (
        ("english", (7, 8, 9), (1, 2, 70, 71, 80, 90)),
        ("dutch", (9, 8, 7), (90, 80, 71, 70, 2, 1)),
    ):
        write(folder, mmarco.QUERIES.format(language=language), texts("query", language, *queries))
        write(folder, mmarco.PASSAGES.format(language=language), texts("passage", language, *passages))
    return folder


def load(source: Path, pairs: int, *languages: str) -> Corpus:
    return mmarco.load(languages or ("en", "nl"), pairs=pairs, source=str(source))


def rows(corpus: Corpus) -> list[tuple[str, ...]]:
    return list(corpus.table.itertuples(index=False, name=None))


def no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a file was read again")

    monkeypatch.setattr(fsspec, "open", refuse)


# ----------------------------------------------------------------------------------------------------------- content


def test_the_first_pairs_in_each_language(source: Path):
    corpus = load(source, 3)
    assert rows(corpus) == [
        row
        for code, language in (("en", "english"), ("nl", "dutch"))
        for concept, query, passage in (("7/70", 7, 70), ("8/80", 8, 80), ("7/71", 7, 71))
        for row in (
            (concept, code, "query", f"query {query} in {language}"),
            (concept, code, "passage", f"passage {passage} in {language}"),
        )
    ]
    assert corpus.name == "mmarco"
    assert corpus.notes[0] == "every language but English is machine translation"


def test_a_triple_with_another_third_passage_is_no_new_pair(source: Path):
    assert sorted(load(source, 4).concepts) == sorted(PAIRS)


def test_reading_ends_with_the_last_text_needed(source: Path):
    for name in (mmarco.TRIPLES, mmarco.QUERIES.format(language="english"), mmarco.PASSAGES.format(language="english")):
        with (source / name).open("a") as stream:
            stream.write("a line without a tab\n")
    assert len(load(source, 4, "en").table) == 8


def test_a_text_is_all_that_follows_the_first_tab(source: Path):
    text = ' "quoted\twith a tab,\u2028a separator and \r'
    write(source, mmarco.PASSAGES.format(language="english"), f"70\t{text}\n")
    assert rows(load(source, 1, "en"))[1] == ("7/70", "en", "passage", text)


def test_the_languages_are_the_fourteen():
    assert sorted(mmarco.LANGUAGES) == "ar de en es fr hi id it ja nl pt ru vi zh".split()


# ------------------------------------------------------------------------------------------------------------- cache


def test_the_second_time_nothing_is_read(source: Path, monkeypatch: pytest.MonkeyPatch):
    first = rows(load(source, 2))
    no_reading(monkeypatch)
    assert rows(load(source, 2)) == first


def test_a_new_language_is_read_beside_those_in_the_cache(source: Path):
    load(source, 2, "en")
    assert load(source, 2, "nl", "en").languages == ["en", "nl"]


def test_another_number_of_pairs_is_read_anew(source: Path):
    load(source, 2)
    assert len(load(source, 3).concepts) == 3


def test_a_changed_file_is_read_again(source: Path):
    load(source, 1, "en")
    write(source, mmarco.QUERIES.format(language="english"), "7\tanother query\n")
    assert rows(load(source, 1, "en"))[0][3] == "another query"


def test_the_hub_is_read_at_the_recorded_commit(source: Path, monkeypatch: pytest.MonkeyPatch):
    asked, opened = [], fsspec.open
    hub = "hf://datasets/unicamp-dl/mmarco@6d039c4638c0ba3e46a9cb7b498b145e7edc6230"

    def local(path: str, *args: Any, **options: Any) -> Any:
        asked.append(path)
        return opened(path.replace(hub, str(source)), *args, **options)

    monkeypatch.setattr(fsspec, "open", local)
    assert mmarco.load(["nl"], pairs=2).languages == ["nl"]
    assert asked == [
        f"{hub}/data/triples.train.ids.small.tsv",
        f"{hub}/data/google/queries/train/dutch_queries.train.tsv",
        f"{hub}/data/google/collections/dutch_collection.tsv",
    ]
    no_reading(monkeypatch)
    assert mmarco.load(["nl"], pairs=2).languages == ["nl"]


# --------------------------------------------------------------------------------------------------------- bad input


BAD = {
    "too few pairs": (mmarco.TRIPLES, "7\t70\t1\n", "small.tsv: found 1 pairs, expected 2"),
    "cut triple": (mmarco.TRIPLES, "7\t70\t1\n8\t8", "small.tsv:2: found 2 fields, expected 3"),
    "no query": (mmarco.QUERIES, "7\tq\n", "english_queries.train.tsv: found no text with the id '8'"),
    "no passage": (mmarco.PASSAGES, "80\tp\n", "english_collection.tsv: found no text with the id '70'"),
    "blank": (mmarco.PASSAGES, "80\tp\n70\t \n", "english_collection.tsv:2: found ' ' as text, expected a text"),
}


@pytest.mark.parametrize(("name", "text", "message"), BAD.values(), ids=BAD)
def test_a_bad_file_is_named_and_not_kept(source: Path, cache: Path, name: str, text: str, message: str):
    write(source, name.format(language="english"), text)
    with pytest.raises(InputError, match=message):
        load(source, 2, "en")
    assert not list(cache.rglob("*.arrow"))


def test_bytes_that_are_not_utf8_are_named(source: Path):
    (source / mmarco.TRIPLES).write_bytes(b"7\t70\t\xff\n")
    with pytest.raises(InputError, match=r"small\.tsv: found bytes that are not UTF-8 \(.*\) after line 0"):
        load(source, 1, "en")


def test_a_missing_file_is_named(source: Path):
    (source / mmarco.PASSAGES.format(language="dutch")).unlink()
    with pytest.raises(InputError, match=r"found no dutch texts \(FileNotFoundError: .*dutch_collection\.tsv"):
        load(source, 1, "nl")


@pytest.mark.parametrize(("wanted", "found"), [(["nl", "dt"], "'dt'"), ([], "none")])
def test_an_unknown_language_is_an_error(source: Path, wanted: list[str], found: str):
    with pytest.raises(InputError, match=f"^mmarco: found language {found}, expected one or several of ar de en "):
        mmarco.load(wanted, pairs=1, source=str(source))


def test_no_pair_is_an_error(source: Path):
    with pytest.raises(InputError, match=r"^mmarco: found 0 pairs, expected one at least"):
        load(source, 0)


def test_another_repository_needs_a_commit():
    with pytest.raises(InputError, match=r"^some/where: found revision None, expected the 40 hexadecimal digits"):
        mmarco.load(["en"], pairs=1, source="some/where")
