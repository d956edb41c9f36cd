"""Captions that are downloaded, and downloads that break."""

import http.client
import urllib.error
from pathlib import Path

import pytest
from xm3600_files import ONE, ROWS, TWO, Answer, lines_of, named, offline, online, rows, zip_of

from hybridlib.corpora import xm3600
from hybridlib.errors import InputError

pytestmark = pytest.mark.usefixtures("cache")


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
