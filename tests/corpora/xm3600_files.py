"""Files of captions as those of XM3600, and downloads of them that need no network."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hybridlib.corpora import Corpus

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
