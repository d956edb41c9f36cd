"""Files of lines that are broken or made to do harm: named by file and line, up to 20 errors at once."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from xm3600_files import ONE, TWO, lines_of

from hybridlib import archives
from hybridlib.corpora import jsonl, lines, mapping, xm3600
from hybridlib.corpora.lines import csv_lines, json_lines
from hybridlib.errors import InputError

PAIR = {"concept": "a", "language": "de", "query": "Frage", "passage": "Antwort"}


def write(path: Path, *parts: Any) -> Path:
    data = b"\n".join(part if isinstance(part, bytes) else json.dumps(part).encode() for part in parts)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def message(path: Path, load: Any = jsonl.load) -> str:
    """Return the message, in which nothing may be half a character or act on a terminal."""
    with pytest.raises(InputError) as error:
        load(path)
    said = str(error.value)
    assert all(line.isprintable() for line in said.encode().decode().splitlines())
    return said


BAD = {
    "two values of a field": (
        b'{"concept": "a", "concept": "b", "language": "de", "text": "x"}',
        "expected one JSON object a line ('concept' stands 2 times)",
    ),
    "two values inside": (b'{"a": {"b": 1, "b": 1}}', "('b' stands 2 times)"),
    "NUL": (b'{"concept": "a\0"}', "expected one JSON object a line (Invalid control character at)"),
    "NUL as an escape": (b'{"concept": "a\\u0000", "language": "de", "text": "x"}', r"found NUL in 'a\x00' as concept"),
    "UTF-16": (json.dumps(PAIR).encode("utf-16-le"), "expected one JSON object a line"),
    "UTF-16 with its mark": (json.dumps(PAIR).encode("utf-16"), "found bytes that are not UTF-8"),
    "deep": (b"[" * 100_000, "(maximum recursion depth exceeded"),
    "deep objects": (b'{"a":' * 100_000, "(maximum recursion depth exceeded"),
    "many digits": (b'{"a": ' + b"9" * 5_000 + b"}", "(Exceeds the limit (4300 digits)"),
    "NaN": (b'{"a": NaN}', "(NaN is no number of JSON)"),
    "half a character in a name": (b'{"\\ud800": 1}', r"found the fields \ud800, expected concept"),
    "a name for the terminal": (b'{"\\u001b[2J": 1}', r"found the fields \x1b[2J, expected concept"),
    "a name that turns": (b'{"\\u202e": 1}', r"found the fields \u202e, expected concept"),
    "a long list": (
        json.dumps(PAIR | {"concept": [1] * 10**5}).encode(),
        "found [1, 1, 1, 1, 1, 1, 1, 1, ...] as conc",
    ),
    "a long code": (json.dumps(PAIR | {"language": "de-" + "aaaaaaaa-" * 9 + "b"}).encode(), "found language 'de-"),
}


@pytest.mark.parametrize(("line", "said"), BAD.values(), ids=BAD)
def test_a_hostile_line_is_named(tmp_path: Path, line: bytes, said: str):
    file = write(tmp_path / "mine.jsonl", PAIR, line, PAIR | {"concept": "b"})
    found = message(file)
    assert found.startswith(f"{file}:2: found ")
    assert said in found
    assert len(found) < len(f"{file}") + 500


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.jsonl.gz"])
def test_a_line_of_100_megabytes_is_named_and_the_next_is_read(tmp_path: Path, name: str):
    long = b'{"concept": "' + b"x" * 100_000_000 + b'"}'
    file = write(tmp_path / name, PAIR, long, {"concept": 3}, PAIR | {"concept": "b"})
    assert message(file).splitlines() == [
        f"{file}:2: found a line of more than 16,777,216 bytes, expected a shorter one",
        f"{file}:3: found the fields concept, expected concept, language, and query and passage or text alone",
    ]


@pytest.mark.parametrize("size", [99, 100, 101, 199, 200, 201, 202, 203, 304])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_lines_are_counted_whatever_their_length(tmp_path: Path, monkeypatch, size: int, end: bytes):
    monkeypatch.setattr(lines, "LONGEST", 100)
    long = b"[" + b" " * (size - 2) + b"]"
    file = write(tmp_path / "mine.jsonl", {}, long, {"a": 1}, long + end)
    errors: list[InputError] = []
    found = [where.rpartition(":")[2] for where, _ in json_lines(file, note=errors.append)]
    assert found == ["1", "3"]
    assert [str(error).split(":")[1] for error in errors] == ["2", "4"]


def test_all_errors_are_said_at_once(tmp_path: Path):
    file = write(
        tmp_path / "mine.jsonl", PAIR, b"{", PAIR | {"concept": "b"}, PAIR | {"query": ""}, b"\xff", {"text": "x"}
    )
    assert [line.split(": found")[0] for line in message(file).splitlines()] == [f"{file}:{n}" for n in (2, 4, 5, 6)]


@pytest.mark.parametrize("bad", [b"{", b'{"concept": 1}'])
def test_not_more_than_20_errors_are_said(tmp_path: Path, bad: bytes):
    file = write(tmp_path / "mine.jsonl", *[bad] * 50)
    *said, last = message(file).splitlines()
    assert [line.split(": found")[0] for line in said] == [f"{file}:{n}" for n in range(1, 21)]
    assert last == "and maybe more: not read on after 20 errors"


def test_errors_before_the_cut_of_an_archive_are_said_too(tmp_path: Path):
    file = write(tmp_path / "mine.jsonl.gz", b"{", *[PAIR | {"query": f"{n**9}"} for n in range(5000)])
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    first, second = message(file).splitlines()
    assert first.startswith(f"{file}:1: found '{{'")
    assert ": found a cut or damaged archive" in second


def test_a_gzip_bomb_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(archives, "FREE", 1_000_000)
    file = write(tmp_path / "mine.jsonl.gz", (b" " * 9_999 + b"\n") * 3_000)
    assert "expected at most 200 times" in message(file)


def test_errors_of_captions_are_said_at_once(tmp_path: Path):
    (file := tmp_path / "captions.jsonl").write_bytes(lines_of(ONE, b"{", TWO, ONE, {"image/key": "k", "xx": 1}))
    assert [line.split(": found")[0] for line in message(file, xm3600.load).splitlines()] == [
        f"{file}:{n}" for n in (2, 4, 5)
    ]


@pytest.mark.parametrize(
    ("name", "data", "places"),
    [
        ("d.jsonl", b'{"q": "", "p": "x"}\n{\n{"q": "a", "p": "b"}\n{"q": "a", "p": 3}', [1, 2, 4]),
        ("d.tsv", b"q\tp\n \tx\na\na\tb\na\t ", [2, 3, 5]),
    ],
)
def test_errors_of_a_described_file_are_said_at_once(tmp_path: Path, name: str, data: bytes, places: list[int]):
    (file := tmp_path / name).write_bytes(data)
    columns = "columns: {query: q, passage: p}"
    (tmp_path / "mine.yaml").write_text(f"name: mine\nsource: {name}\nlanguages: [de]\n{columns}\n")
    found = message(tmp_path / "mine.yaml", mapping.load)
    assert [line.split(": found")[0] for line in found.splitlines()] == [f"{file}:{n}" for n in places]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("name: '<script>'\nsource: d.jsonl", "name: found '<script>', expected a line"),
        ('name: "a\\nb"\nsource: d.jsonl', r"name: found 'a\nb', expected a line"),
        ('name: a\nsource: "\\e[2J.jsonl"', r"found '\x1b[2J.jsonl', expected a short line without controls"),
        ("name: a\nsource: " + "x" * 300, "found 'xxxx"),
        ("name: a\nname: b\nsource: d.jsonl", ":2: found the name 'name' again"),
        ("name: &a [*a]\nsource: d.jsonl", "found a value that contains itself"),
    ],
)
def test_a_hostile_description_is_named(tmp_path: Path, fields: str, said: str):
    (file := tmp_path / "mine.yaml").write_text(f"{fields}\nlanguages: [de]\ncolumns: {{query: q, passage: p}}\n")
    found = message(file, mapping.load)
    assert found.startswith(f"{file}:")
    assert said in found


def test_a_pattern_that_is_none_is_named(tmp_path: Path):
    fields = "source: 'a**b.csv'\nlanguages: [de]\ncolumns: {query: q, passage: p}\n"
    (tmp_path / "mine.yaml").write_text(f"name: a\n{fields}")
    assert message(tmp_path / "mine.yaml", mapping.load).startswith(f"{tmp_path}/a**b.csv: found no pattern (")


def test_a_column_that_stands_twice_is_named(tmp_path: Path):
    (file := tmp_path / "d.csv").write_bytes(b"q,p,q\na,b,c\n")
    with pytest.raises(InputError, match=f"^{file}:1: found the column 'q' 2 times, expected different ones"):
        list(csv_lines(file, ","))


def test_a_long_line_of_values_is_named(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 100)
    (file := tmp_path / "d.csv").write_bytes(b"q,p\na,b\n" + b"x," * 100)
    with pytest.raises(InputError, match=rf"^{file}:\d: found a line that cannot be divided \(longer than 100 char"):
        list(csv_lines(file, ","))


@pytest.mark.parametrize("quoted", [False, True])
def test_a_value_may_be_as_long_as_a_line(tmp_path: Path, quoted: bool):
    """The limit of Python's csv is 131,072 characters, for all who read with it in a process."""
    long, before = "x" * 200_000, csv.field_size_limit()
    (file := tmp_path / "d.csv").write_text(f"q,p\na,{long}\nb,c\n")
    found = csv_lines(file, ",", quoted=quoted)
    assert next(found)[1] == {"q": "a", "p": long}
    assert csv.field_size_limit() == before
    assert [row for _, row in found] == [{"q": "b", "p": "c"}]
    assert csv.field_size_limit() == before


def test_a_value_of_several_lines_that_is_longer_is_named(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(lines, "LONGEST", 100)
    before = csv.field_size_limit()
    (file := tmp_path / "d.csv").write_text('q,p\na,"' + "x" * 60 + "\n" + "x" * 60 + '"\n')
    with pytest.raises(InputError, match=rf"^{file}:\d: found a line that cannot be divided \(field larger than field"):
        list(csv_lines(file, ","))
    assert csv.field_size_limit() == before


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.csv"])
def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path, name: str):
    (tmp_path / name).mkdir()
    read = json_lines(tmp_path / name) if name.endswith("l") else csv_lines(tmp_path / name, ",")
    with pytest.raises(InputError, match=rf"{name}: found no file that can be read \(Is a directory\)"):
        list(read)


def test_parquet_with_bytes_that_are_no_text_is_named(tmp_path: Path):
    texts = pa.array([b"a", b"\xff"], pa.binary()).view(pa.string())
    table = {"concept": texts, "language": ["de", "de"], "text": ["x", "y"]}
    pq.write_table(pa.table(table), tmp_path / "mine.parquet")
    assert "found no Parquet data ('utf-8' codec can't decode" in message(tmp_path / "mine.parquet")


def test_parquet_with_a_time_that_python_has_not_is_named(tmp_path: Path):
    table = {"concept": pa.array([2**62], pa.timestamp("ms")), "language": ["de"], "text": ["x"]}
    pq.write_table(pa.table(table), tmp_path / "mine.parquet")
    assert "mine.parquet: found no Parquet data" in message(tmp_path / "mine.parquet")
