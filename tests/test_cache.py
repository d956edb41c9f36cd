import hashlib
from pathlib import Path

import pytest

from hybridlib.cache import cache_folder, new_folder, replace_file, sha256_of
from hybridlib.errors import InputError


def test_cache_folder_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path


@pytest.mark.parametrize("value", [None, ""])
def test_cache_folder_without_a_name_is_in_the_home(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("HYBRIDLIB_CACHE", raising=False)
    if value is not None:
        monkeypatch.setenv("HYBRIDLIB_CACHE", value)
    assert cache_folder() == Path.home() / ".cache" / "hybridlib"


def test_sha256_of_equals_hashlib(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(data)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_replace_file_writes_and_overwrites_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    replace_file(path, b"one")
    replace_file(str(path), b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_replace_file_that_fails_keeps_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    replace_file(path, b"one")

    def refuse(*_: object) -> None:
        raise OSError("no")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(OSError, match="no"):
        replace_file(path, b"two")
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_new_folder_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder"
    with new_folder(path) as building:
        (building / "a").write_text("x")
        assert not path.exists()
        assert building.parent == path.parent
    assert (path / "a").read_text() == "x"
    assert list(path.parent.iterdir()) == [path]


def test_new_folder_leaves_nothing_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "folder") as building:
        (building / "a").write_text("x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_new_folder_lets_another_process_win(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with new_folder(path, first_wins=True) as building:
        (building / "a").write_text("late")
        path.mkdir()
        (path / "a").write_text("first")
    assert (path / "a").read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_new_folder_is_refused_where_there_is_one_with_something_in_it(tmp_path: Path) -> None:
    path, entered = tmp_path / "folder", []
    path.mkdir()
    (path / "a").write_text("old")
    said = "folder: found an existing folder, expected a new one: remove it first"
    with pytest.raises(InputError, match=said), new_folder(path) as building:
        entered.append(building)
    assert not entered
    assert (path / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_new_folder_is_refused_where_another_process_has_made_it_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with pytest.raises(InputError, match="folder: found an existing folder"), new_folder(path) as building:
        (building / "a").write_text("late")
        path.mkdir()
        (path / "a").write_text("first")
    assert (path / "a").read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_new_folder_replaces_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with new_folder(path) as building:
        (building / "a").write_text("x")
    assert (path / "a").read_text() == "x"


def test_new_folder_is_not_taken_for_the_one_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "folder"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError), new_folder(path) as building:
        (building / "a").write_text("x")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "elsewhere", path]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_replace_file_takes_the_place_of_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    replace_file(tmp_path / "a", b"ours")
    assert ((tmp_path / "elsewhere").read_bytes(), (tmp_path / "a").read_bytes()) == (b"theirs", b"ours")


def test_new_folder_does_not_replace_a_file(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.write_text("a file")
    with pytest.raises(OSError), new_folder(path):
        pass
    assert path.read_text() == "a file"
    assert list(tmp_path.iterdir()) == [path]
