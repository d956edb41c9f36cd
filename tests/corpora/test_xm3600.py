import gzip
import http.client
import io
import json
import os
import random
import urllib.error
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hybridlib.corpora import Corpus, xm3600
from hybridlib.errors import InputError

DATA = os.environ.get("HYBRIDLIB_DATA")
real_data = pytest.mark.skipif(not DATA, reason="$HYBRIDLIB_DATA does not name the folder of real data")

ONE = {"image/key": "k1", "en": {"caption": ["first", "middle", "last"]}, "bn": {"caption": ["একটি"]}}
TWO = {"image/key": "k2", "en": {"caption": ["a", "b"]}}
ROWS = {
    ("k1", "en", "passage", "first"),
    ("k1", "en", "query", "last"),
    ("k1", "bn", "text", "একটি"),
    ("k2", "en", "passage", "a"),
    ("k2", "en", "query", "b"),
}


class Answer(io.BytesIO):
    """What urlopen gives: the bytes, a Content-Length that may be larger, and an error that may come at the end."""

    def __init__(self, data: bytes, length: int | None = None, error: Exception | None = None):
        super().__init__(data)
        self.headers = {} if length is None else {"Content-Length": str(length)}
        self.error = error

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        if self.error and not data:
            raise self.error
        return data


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test off the network, the real data and the real cache; give the file that the cache would hold."""
    monkeypatch.delenv("HYBRIDLIB_DATA", raising=False)
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    offline(monkeypatch)
    return tmp_path / "cache" / "xm3600" / "captions.zip"


def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a download that was not expected")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def online(monkeypatch: pytest.MonkeyPatch, answer: Answer | Exception) -> list[str]:
    """Let the next download have this answer; return the list into which its address will come."""
    asked: list[str] = []

    def urlopen(address: str, **_: Any) -> Answer:
        asked.append(address)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return asked


def lines_of(*pictures: Any) -> bytes:
    return b"".join((p if isinstance(p, bytes) else json.dumps(p).encode()) + b"\n" for p in pictures)


def zip_of(data: bytes, *members: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", "captions")
        for member in members or ("captions.jsonl",):
            archive.writestr(member, data)
    return stream.getvalue()


def write(path: Path, data: bytes) -> Path:
    """Write data with the packing that the name asks for, and its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pack = {".gz": gzip.compress, ".zip": zip_of}.get(path.suffix, bytes)
    path.write_bytes(pack(data))
    return path


def named(key: str) -> bytes:
    """Return captions of one picture, so that a test sees which of several files was read."""
    return lines_of(TWO | {"image/key": key})


def rows(corpus: Corpus) -> set[tuple[str, ...]]:
    return set(corpus.table.itertuples(index=False, name=None))


# ----------------------------------------------------------------------------------------------------------- content


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


# ------------------------------------------------------------------------------------------------------------ places


@pytest.mark.parametrize("name", ["captions.jsonl", "captions.jsonl.gz", "captions.zip", "renamed.jsonl", "other.zip"])
def test_a_file_is_read_whatever_its_packing(tmp_path: Path, name: str):
    assert rows(xm3600.load(write(tmp_path / name, lines_of(ONE, TWO)))) == ROWS


def test_the_member_of_a_zip_may_be_in_a_subfolder(tmp_path: Path):
    (tmp_path / "captions.zip").write_bytes(zip_of(lines_of(ONE, TWO), "some/folder/captions.jsonl"))
    assert rows(xm3600.load(tmp_path / "captions.zip")) == ROWS


@pytest.mark.parametrize("name", ["captions.jsonl", "captions.jsonl.gz", "captions.zip"])
def test_a_folder_with_a_file_is_read(tmp_path: Path, name: str):
    write(tmp_path / "folder" / name, lines_of(ONE, TWO))
    assert rows(xm3600.load(str(tmp_path / "folder"))) == ROWS


def test_a_folder_without_a_file_is_an_error(tmp_path: Path):
    message = f"^{tmp_path}: found none of captions.jsonl, captions.jsonl.gz, captions.zip, expected one of them"
    with pytest.raises(InputError, match=message):
        xm3600.load(tmp_path)


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path):
    with pytest.raises(InputError, match=f"^{tmp_path / 'none.jsonl'}: found no such file"):
        xm3600.load(tmp_path / "none.jsonl")


@pytest.mark.parametrize("name", ["captions.jsonl", "captions.jsonl.gz", "captions.zip"])
def test_the_data_folder_is_read_without_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv("HYBRIDLIB_DATA", str(tmp_path / "data"))
    write(tmp_path / "data" / "xm3600" / name, lines_of(ONE, TWO))
    assert rows(xm3600.load()) == ROWS


def test_a_path_goes_before_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYBRIDLIB_DATA", str(tmp_path / "data"))
    write(tmp_path / "data" / "xm3600" / "captions.jsonl", named("data"))
    assert xm3600.load(write(tmp_path / "mine.jsonl", named("path"))).concepts == ["path"]


def test_the_data_folder_goes_before_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path):
    data = zip_of(named("cache"))
    online(monkeypatch, Answer(data, len(data)))
    assert xm3600.load(progress=False).concepts == ["cache"]
    write(tmp_path / "data" / "xm3600" / "captions.jsonl", named("data"))
    monkeypatch.setenv("HYBRIDLIB_DATA", str(tmp_path / "data"))
    assert xm3600.load().concepts == ["data"]


# ---------------------------------------------------------------------------------------------------------- download


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
def test_the_official_archive_is_downloaded_into_the_cache(monkeypatch: pytest.MonkeyPatch, cache: Path, told: bool):
    data = zip_of(lines_of(ONE, TWO))
    asked = online(monkeypatch, Answer(data, len(data) if told else None))
    assert rows(xm3600.load(progress=False)) == ROWS
    assert asked == ["https://google.github.io/crossmodal-3600/web-data/captions.zip"]
    assert cache.read_bytes() == data


def test_an_empty_data_folder_leads_to_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYBRIDLIB_DATA", str(tmp_path))
    online(monkeypatch, Answer(zip_of(named("official"))))
    assert xm3600.load(progress=False).concepts == ["official"]


def test_the_second_time_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch):
    online(monkeypatch, Answer(zip_of(lines_of(ONE, TWO))))
    xm3600.load(progress=False)
    offline(monkeypatch)
    assert rows(xm3600.load(progress=False)) == ROWS


def test_a_cached_file_that_has_changed_is_downloaded_again(monkeypatch: pytest.MonkeyPatch, cache: Path):
    online(monkeypatch, Answer(zip_of(named("old"))))
    xm3600.load(progress=False)
    cache.write_bytes(cache.read_bytes()[:-10])
    online(monkeypatch, Answer(zip_of(named("new"))))
    assert xm3600.load(progress=False).concepts == ["new"]


def test_the_bar_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture, cache: Path):
    data = zip_of(lines_of(ONE))
    online(monkeypatch, Answer(data, len(data)))
    xm3600.load(progress=True)
    assert "captions.zip" in capfd.readouterr().err
    cache.unlink()
    online(monkeypatch, Answer(data, len(data)))
    xm3600.load(progress=False)
    assert capfd.readouterr().err == ""


BROKEN = {
    "no network": lambda data: urllib.error.URLError("no route"),
    "time-out": lambda data: TimeoutError("timed out"),
    "cut": lambda data: Answer(data[:-30], len(data)),
    "empty": lambda data: Answer(b"", len(data)),
    "reset on the way": lambda data: Answer(data[:-30], len(data), ConnectionResetError("reset by peer")),
    "cut in a chunk": lambda data: Answer(data[:-30], None, http.client.IncompleteRead(b"", 30)),
    "no HTTP": lambda data: http.client.BadStatusLine("hello"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_download_names_three_ways_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch, cache: Path, broken):
    online(monkeypatch, broken(zip_of(lines_of(ONE, TWO))))
    message = r"^xm3600: found no captions .*a path .*captions\.jsonl.*\$HYBRIDLIB_DATA/xm3600/.*official archive"
    with pytest.raises(InputError, match=message):
        xm3600.load(progress=False)
    assert not [path for path in cache.parent.rglob("*") if path.is_file()]


def test_a_cut_download_tells_how_much_came(monkeypatch: pytest.MonkeyPatch):
    online(monkeypatch, Answer(b"x" * 70, 100))
    with pytest.raises(InputError, match="70 of 100 bytes came"):
        xm3600.load(progress=False)


def test_after_a_cut_download_a_whole_one_is_read(monkeypatch: pytest.MonkeyPatch):
    data = zip_of(lines_of(ONE, TWO))
    online(monkeypatch, Answer(data[:-30], len(data)))
    with pytest.raises(InputError):
        xm3600.load(progress=False)
    online(monkeypatch, Answer(data, len(data)))
    assert rows(xm3600.load(progress=False)) == ROWS


# --------------------------------------------------------------------------------------------------------- bad files


def english(value: Any) -> dict[str, Any]:
    return {"image/key": "k3", "en": value}


BAD = {
    "not JSON": (b'{"image/key": "k3"', "found '.*', expected one JSON object a line"),
    "a list": (b"[]", "found a JSON list, expected an object"),
    "not UTF-8": (b'{"image/key": "\xe9"}', "found bytes that are not UTF-8 .*, expected UTF-8"),
    "no key": ({"en": {"caption": ["x"]}}, "found None as image/key, expected a text"),
    "number as key": ({"image/key": 3}, "found 3 as image/key, expected a text"),
    "key again": (ONE, "found image/key 'k1' again, expected each picture once"),
    "unknown language": ({"image/key": "k3", "xx": {"caption": ["x"]}}, "found language 'xx', expected one of ar bn "),
    "empty caption": (
        english({"caption": ["x", ""]}),
        "found '' as a caption of 'en', expected a text that is not empty",
    ),
    "blank caption": (english({"caption": ["x", " ", "y"]}), "found ' ' as a caption of 'en', expected a text"),
    "number as caption": (english({"caption": ["x", 7]}), "found 7 as a caption of 'en', expected a text"),
    "a text as captions": (english({"caption": "x"}), "found 'x' as captions of 'en', expected a list of texts"),
    "no captions": (english({"caption": []}), r"found \[\] as captions of 'en', expected a list of texts"),
    "no list of captions": (english({}), "found None as captions of 'en', expected a list of texts"),
    "captions without a name": (english(["x"]), "found None as captions of 'en', expected a list of texts"),
    "half a character": (
        b'{"image/key": "k3", "en": {"caption": ["\\ud83d", "x"]}}',
        "found .* as a caption of 'en', exp",
    ),
}


@pytest.mark.parametrize(("line", "message"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("name", ["captions.jsonl", "captions.jsonl.gz", "captions.zip"])
def test_a_bad_line_is_named(tmp_path: Path, name: str, line: Any, message: str):
    file = write(tmp_path / name, lines_of(ONE, b"", TWO, line))
    with pytest.raises(InputError, match=f"^{file}:4: {message}"):
        xm3600.load(file)


def test_a_file_without_a_caption_is_an_error(tmp_path: Path):
    file = write(tmp_path / "captions.jsonl", lines_of(b"", {"image/key": "k"}))
    with pytest.raises(InputError, match=f"^{file}: found no caption, expected one picture a line"):
        xm3600.load(file)


def many() -> bytes:
    """Return captions that do not shrink: an archive of them is read in several blocks."""
    rng = random.Random(0)
    return lines_of(*(TWO | {"image/key": rng.randbytes(60).hex()} for _ in range(3000)))


def test_a_cut_gzip_file_is_named_with_the_last_line_read(tmp_path: Path):
    file = write(tmp_path / "captions.jsonl.gz", many())
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"^{file}:\d+: found a cut or damaged archive .*, expected a whole one"):
        xm3600.load(file)


def test_a_damaged_zip_file_is_named_with_the_last_line_read(tmp_path: Path):
    file = write(tmp_path / "captions.zip", many())
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 100] = b"\xff" * 100
    file.write_bytes(data)
    with pytest.raises(InputError, match=rf"^{file}:\d+: found "):
        xm3600.load(file)


def test_a_zip_member_with_a_wrong_checksum_is_an_error(tmp_path: Path):
    data = lines_of(ONE, TWO)
    file = tmp_path / "captions.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("captions.jsonl", data)
    file.write_bytes(file.read_bytes().replace(b"middle", b"muddle"))
    with pytest.raises(InputError, match=rf"^{file}.*: found a cut or damaged archive .*, expected a whole one"):
        xm3600.load(file)


def test_a_cut_zip_file_is_an_error(tmp_path: Path):
    file = write(tmp_path / "captions.zip", lines_of(ONE, TWO))
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(InputError, match=f"^{file}: found a cut or damaged archive .*, expected a whole one"):
        xm3600.load(file)


@pytest.mark.parametrize("members", [("other.jsonl",), ("captions.jsonl", "copy/captions.jsonl")])
def test_a_zip_file_needs_one_member_with_captions(tmp_path: Path, members: tuple[str, ...]):
    (tmp_path / "captions.zip").write_bytes(zip_of(lines_of(ONE), *members))
    count = sum(member.endswith("captions.jsonl") for member in members)
    with pytest.raises(InputError, match=f"found {count} members named captions.jsonl, expected one"):
        xm3600.load(tmp_path / "captions.zip")


# --------------------------------------------------------------------------------------------------------- real data


@real_data
def test_the_real_captions_load(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HYBRIDLIB_DATA", DATA)
    corpus = xm3600.load()
    assert (len(corpus.concepts), len(corpus.languages)) == (3600, 33)
    assert corpus.notes == ("33 of the 36 languages: he, hi, ru missing from this file",)
    assert set(corpus.single_text_cells["language"]) >= {"bn", "mi"}
