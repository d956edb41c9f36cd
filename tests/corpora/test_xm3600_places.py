"""Where captions are looked for."""

from pathlib import Path

import pytest
from xm3600_files import ONE, ROWS, TWO, Answer, lines_of, named, online, rows, write, zip_of

from hybridlib.corpora import xm3600
from hybridlib.errors import InputError

pytestmark = pytest.mark.usefixtures("cache")


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
