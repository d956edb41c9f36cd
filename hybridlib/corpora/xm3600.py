"""Crossmodal-3600: human captions of 3,600 pictures in 36 languages (arXiv 2205.12522), CC BY 4.0 by Google.

A picture is a concept. In each language its first caption is the passage and its last one the query; a cell with a
single caption has one text for both, so it has no monolingual pair. Captions between first and last are not used.

In 194 of 112,051 cells with several captions (of 33 languages; 142 of them Czech, 4 % of these, and below 1 % of any
other language) the last caption has the words of the first: they train no monolingual pair, and in a test they are
found for certain.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from hybridlib.cache import cache_folder, replace_file
from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.lines import checked_text, json_lines
from hybridlib.errors import InputError
from hybridlib.plain_text import brief
from hybridlib.problems import Problems

LANGUAGES = tuple(
    "ar bn cs da de el en es fa fi fil fr he hi hr hu id it ja ko mi nl no pl pt "
    "quz ro ru sv sw te th tr uk vi zh".split()
)
MEMBER = "captions.jsonl"
ARCHIVE = "https://google.github.io/crossmodal-3600/web-data/captions.zip"
_LARGEST = 1 << 28  # bytes of a download, 15 times the archive's
_NAMES = ("captions.jsonl", "captions.jsonl.gz", "captions.zip")


def load(path: str | Path | None = None, *, progress: bool = True) -> Corpus:
    """Read the captions.

    Args:
        path: ``captions.jsonl``, ``captions.jsonl.gz``, ``captions.zip``, or a folder with one of them. Without it
            ``$HYBRIDLIB_DATA/xm3600/`` is tried, then the cache, into which the official archive is downloaded.
        progress: show a bar while downloading.

    Raises:
        InputError: naming the file, line and value that is wrong, up to 20 times in one message, or the three ways to
            give the data.
    """
    file = _given(Path(path)) if path is not None else _found() or _downloaded(progress)
    rows: list[tuple[str, str, str, str]] = []
    seen: set[str] = set()
    problems = Problems()
    for where, picture in json_lines(file, MEMBER, problems.add):
        try:
            key = checked_text(picture.get("image/key"), where, "image/key")
            if key in seen:
                raise InputError(f"{where}: found image/key {brief(key)} again, expected each picture once")
            seen.add(key)
            rows.extend(list(_rows(key, picture, where)))
        except InputError as error:
            problems.add(error)
    problems.check()
    if not rows:
        raise InputError(f"{file}: found no caption, expected one picture a line")
    missing = [code for code in LANGUAGES if code not in {language for _, language, _, _ in rows}]
    notes = (
        (f"{36 - len(missing)} of the 36 languages: {', '.join(missing)} missing from this file",) if missing else ()
    )
    return Corpus.from_rows(rows, "xm3600", notes)


def _rows(key: str, picture: dict[str, Any], where: str) -> Iterator[tuple[str, str, str, str]]:
    for language, value in picture.items():
        if language.startswith("image/"):
            continue
        if language not in LANGUAGES:
            raise InputError(f"{where}: found language {brief(language)}, expected one of {' '.join(LANGUAGES)}")
        captions = value.get("caption") if isinstance(value, dict) else None
        if not isinstance(captions, list) or not captions:
            raise InputError(f"{where}: found {brief(captions)} as captions of {language!r}, expected a list of texts")
        texts = [checked_text(text, where, f"a caption of {language!r}") for text in captions]
        if len(texts) == 1:
            yield key, language, "text", texts[0]
        else:
            yield key, language, "passage", texts[0]
            yield key, language, "query", texts[-1]


def _given(path: Path) -> Path:
    if not path.is_dir():
        return path
    inside = [path / name for name in _NAMES if (path / name).exists()]
    if not inside:
        raise InputError(f"{path}: found none of {', '.join(_NAMES)}, expected one of them")
    return inside[0]


def _found() -> Path | None:
    data = os.environ.get("HYBRIDLIB_DATA")
    if not data:
        return None
    inside = [Path(data) / "xm3600" / name for name in _NAMES]
    return next((file for file in inside if file.exists()), None)


def _downloaded(progress: bool) -> Path:
    """Return the official archive in the cache; download it first where it is missing or not as recorded."""
    file = cache_folder() / "xm3600" / "captions.zip"
    record = file.with_suffix(".zip.sha256")
    if file.exists() and record.exists() and record.read_text() == _record(file.read_bytes()):
        return file
    data = bytearray()
    try:
        with urllib.request.urlopen(ARCHIVE, timeout=60) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            with tqdm(total=total or None, unit="B", unit_scale=True, desc="captions.zip", disable=not progress) as bar:
                while block := answer.read(1 << 18):
                    data += block
                    bar.update(len(block))
                    if len(data) > _LARGEST:
                        raise OSError(f"more than {_LARGEST:,} bytes came")
        if total and len(data) != total:
            raise OSError(f"{len(data)} of {total} bytes came")
        if not zipfile.is_zipfile(io.BytesIO(data)):
            raise OSError("what came is no zip archive")
    except (OSError, http.client.HTTPException) as error:
        raise InputError(
            f"xm3600: found no captions ({ARCHIVE}: {error}), expected them in one of three ways: a path "
            f"(corpus_path) to captions.jsonl, captions.jsonl.gz or captions.zip; one of these files in "
            f"$HYBRIDLIB_DATA/xm3600/; or a network that lets the official archive be downloaded into {file.parent}"
        ) from error
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, bytes(data))
    replace_file(record, _record(bytes(data)).encode())
    return file


def _record(data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()}  captions.zip  {len(data)} bytes\n"
