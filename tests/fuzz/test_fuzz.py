"""Readers of files of others, on files that once broke them and on made ones.

By default a round of each; ``HYBRIDLIB_FUZZ_SECONDS=600 pytest tests/fuzz`` goes on with other rounds for ten minutes
each. Coverage-guided: see ``run_atheris.py``.
"""

import gzip
import io
import json
import os
import sys
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from fuzz_targets import TARGETS
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from hybridlib.config import RunConfig

sys.path.insert(0, str(Path(__file__).parents[1] / "encoders"))
from small_e5 import e5_bytes

SECONDS = float(os.environ.get("HYBRIDLIB_FUZZ_SECONDS", "0"))
SEEDS = sorted(file for file in (Path(__file__).parent / "seeds").glob("*/*") if file.is_file())


@pytest.mark.parametrize("file", SEEDS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_once_broke_a_reader_is_refused_or_read(file):
    TARGETS[file.parent.name](file.read_bytes())


odd = st.sampled_from(
    ["", " ", "\0", "\ufeff", "\u202e", "\x1b[2J", "\ud800", "\u2028", "=1", "é", "x" * 300, "de", "en"]
)
texts = st.one_of(odd, st.text(max_size=8))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
bytes_between = st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n", b"\0", b" "])


@st.composite
def damaged(draw, whole: bytes) -> bytes:
    """Draw ``whole``, cut, with some bytes replaced, put in or left out."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        data[start : start + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(data[: draw(st.none() | st.integers(0, len(data)))])


def written(value: object, ascii_alone: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_alone).encode("utf-8", "surrogatepass")


@st.composite
def lines(draw, good: dict, names: list[str]) -> bytes:
    """Draw lines: good ones, ones with other values or names, and any bytes."""
    name = st.sampled_from(names) | texts
    changed = st.dictionaries(name, values, max_size=3).map(lambda found: good | found)
    line = st.one_of(
        st.builds(written, st.one_of(st.just(good), changed, values), st.booleans()),
        damaged(written(good, True)),
        st.binary(max_size=20),
    )
    start = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return start + draw(bytes_between).join(draw(st.lists(line, max_size=30)))


@st.composite
def tables(draw) -> bytes:
    """Draw a line of names and lines of values."""
    between = draw(st.sampled_from([",", "\t"]))
    rows = [["i", "l", "q", "p"], *draw(st.lists(st.lists(st.sampled_from(["ger", '"', '"x"']) | texts, max_size=5)))]
    return draw(bytes_between).join(between.join(row).encode("utf-8", "surrogatepass") for row in rows)


@st.composite
def yaml_files(draw, names: list[str], inside: list[str]) -> bytes:
    """Draw YAML with the given names, with tags, anchors and other characters put in."""
    parameters = st.dictionaries(st.sampled_from(inside) | texts, values, max_size=3)
    content = draw(
        st.dictionaries(st.sampled_from(names) | texts, parameters | st.lists(parameters) | values, max_size=4)
    )
    text = yaml.safe_dump(content, allow_unicode=draw(st.booleans()), default_flow_style=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        put = draw(
            st.sampled_from(
                ["&a ", "*a", "!!int ", "!!python/name:os ", "<<: ", "? ", "- ", "\t", "|\n", '"', "[", "{"]
            )
        )
        text = text[:start] + put + text[start:]
    return text.encode("utf-8", "surrogatepass")


def zipped(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("captions.jsonl", data)
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([PAIR, {**PAIR, "query": None}]), stream)
    return stream.getvalue()


PAIR = {"concept": "a", "language": "de", "query": "Frage", "passage": "Antwort"}
PICTURE = {"image/key": "k", "en": {"caption": ["a", "b"]}, "de": {"caption": ["c"]}}
STUDY = ["title", "question", "baseline", "defaults", "grid", "runs"]
DESCRIPTION = ["name", "source", "revision", "subset", "split", "languages", "columns", "parallel"]
FILES = {
    "jsonl": lines(PAIR, [*PAIR, "text"]),
    "gzip": damaged(gzip.compress(written(PAIR, True) * 9, mtime=0)),
    "parquet": damaged(parquet()),
    "captions": lines(PICTURE, [*PICTURE, "fr"]),
    "zip": damaged(zipped(written(PICTURE, True) * 9)),
    "table": tables(),
    "description": yaml_files(DESCRIPTION, ["query", "passage", "text", "concept", "language"]),
    "study": yaml_files(STUDY, [*RunConfig.model_fields, "label"]),
    "e5": damaged(e5_bytes()[0]),
}


@pytest.mark.parametrize("name", FILES)
def test_no_file_breaks_a_reader(name):
    end, number = time.monotonic() + SECONDS, 0
    while number == 0 or time.monotonic() < end:

        @seed(number)
        @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(FILES[name])
        def check(data: bytes) -> None:
            TARGETS[name](data)

        check()
        number += 1
