"""What is fuzzed: readers of files of others. Whatever the bytes, a reader returns or raises the declared error."""

import atexit
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hybridlib.corpora import jsonl, mapping, xm3600
from hybridlib.corpora.description import read_description
from hybridlib.encoders.e5_file import read_e5
from hybridlib.errors import InputError
from hybridlib.study import load_study

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _checked(load: Callable[[], object], lines_of: Path | None = None) -> None:
    """Read; the declared error must be one that any terminal shows, and not endless.

    Of a file of lines each line of the error must name it and say what was found and expected.
    """
    try:
        load()
    except InputError as error:
        said = str(error)
        assert said.strip()
        assert len(said) < 100_000
        assert not _ACTING.search(said), said
        for line in said.splitlines() if lines_of else ():
            named = line.startswith((f"{lines_of}", "corpus ")) and ": found " in line and "expected " in line
            assert named or line.startswith("and maybe more"), line


def _written(name: str, data: bytes) -> Path:
    (FOLDER / name).write_bytes(data)
    return FOLDER / name


def jsonl_file(data: bytes) -> None:
    """Read JSON lines."""
    file = _written("mine.jsonl", data)
    _checked(lambda: jsonl.load(file), file)


def gzip_file(data: bytes) -> None:
    """Read bytes as gzipped JSON lines."""
    file = _written("mine.jsonl.gz", data)
    _checked(lambda: jsonl.load(file))


def parquet_file(data: bytes) -> None:
    """Read bytes as Parquet."""
    file = _written("mine.parquet", data)
    _checked(lambda: jsonl.load(file))


def captions_file(data: bytes) -> None:
    """Read XM3600's captions."""
    file = _written("captions.jsonl", data)
    _checked(lambda: xm3600.load(file), file)


def zip_file(data: bytes) -> None:
    """Read bytes as a zip file of captions."""
    file = _written("captions.zip", data)
    _checked(lambda: xm3600.load(file))


def table_file(data: bytes) -> None:
    """Read values between tabs and between commas, by a description."""
    for suffix in ("csv", "tsv"):
        _written(f"d.{suffix}", data)
        fields = "languages: {de: ger}\ncolumns: {concept: i, language: l, query: q, passage: p}"
        description = _written(f"{suffix}.yaml", f"name: mine\nsource: d.{suffix}\n{fields}".encode())
        _checked(lambda description=description: mapping.load(description))


def description_file(data: bytes) -> None:
    """Read the description of a data set."""
    file = _written("mine.yaml", data)
    _checked(lambda: read_description(file))


def study_file(data: bytes) -> None:
    """Read a study."""
    file = _written("study.yaml", data)
    _checked(lambda: load_study(file))


def e5_file(data: bytes) -> None:
    """Read an encoder in 4 bits."""

    def load() -> None:
        file = read_e5(data, "e5.bin")
        if file.hidden * max(file.vocabulary, file.feed_forward, file.positions) < 1 << 22:
            file.weights()

    _checked(load)


TARGETS = {
    "jsonl": jsonl_file,
    "gzip": gzip_file,
    "parquet": parquet_file,
    "captions": captions_file,
    "zip": zip_file,
    "table": table_file,
    "description": description_file,
    "study": study_file,
    "e5": e5_file,
}
