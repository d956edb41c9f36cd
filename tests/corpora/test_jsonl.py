import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hybridlib.corpora import Corpus, jsonl
from hybridlib.errors import InputError

DATA = os.environ.get("HYBRIDLIB_DATA")
real_data = pytest.mark.skipif(not DATA, reason="$HYBRIDLIB_DATA does not name the folder of real data")

PAIR = {"concept": "a", "language": "de", "query": "Frage", "passage": "Antwort"}
TEXT = {"concept": "a", "language": "en", "text": "both"}
ROWS = {("a", "de", "query", "Frage"), ("a", "de", "passage", "Antwort"), ("a", "en", "text", "both")}

# What is wrong with a line, and what the message says of it; JSON and Parquet agree.
BAD = {
    "no concept": ({"language": "de", "text": "x"}, "found no concept among the fields language, text, expected one"),
    "empty concept": ({"concept": "", "language": "de", "text": "x"}, "found '' as concept, expected a text"),
    "no language": ({"concept": "a", "text": "x"}, "found no language among the fields concept, text, expected one"),
    "name of a language": (TEXT | {"language": "German"}, "found language 'German', expected a code"),
    "capital code": (TEXT | {"language": "DE"}, "found language 'DE', expected a code"),
    "open code": (TEXT | {"language": "de-"}, "found language 'de-', expected a code"),
    "pool": (TEXT | {"language": "all"}, "found language 'all', as results call the pool of all languages, expected"),
    "empty text": (TEXT | {"text": ""}, "found '' as text, expected a text that is not empty"),
    "blank query": (PAIR | {"query": " \t"}, r"found ' \\t' as query, expected a text that is not empty"),
    "query alone": ({"concept": "a", "language": "de", "query": "x"}, "found the fields concept, language, query, exp"),
    "all roles": (PAIR | {"text": "x"}, "found the fields concept, language, passage, query, text, expected concept"),
    "other field": (TEXT | {"answer": "x"}, "found the fields answer, concept, language, text, expected concept"),
    "no role": ({"concept": "a", "language": "de"}, "found the fields concept, language, expected concept, language"),
}
bad_lines = pytest.mark.parametrize(("line", "message"), BAD.values(), ids=BAD)


def write(path: Path, *lines: Any) -> Path:
    """Write lines (objects as JSON, bytes as they are), gzipped if the name ends in .gz."""
    data = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def rows(corpus: Corpus) -> list[tuple[str, ...]]:
    return list(corpus.table.itertuples(index=False, name=None))


# ------------------------------------------------------------------------------------------------------- good files


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.jsonl.gz"])
def test_both_line_forms_in_one_file(tmp_path: Path, name: str):
    corpus = jsonl.load(write(tmp_path / name, PAIR, TEXT))
    assert set(rows(corpus)) == ROWS
    assert len(rows(corpus)) == 3
    assert corpus.name == "mine"


def test_parquet_with_null_for_a_missing_field(tmp_path: Path):
    pd.DataFrame([PAIR, TEXT]).to_parquet(tmp_path / "mine.parquet")
    corpus = jsonl.load(tmp_path / "mine.parquet")
    assert set(rows(corpus)) == ROWS
    assert corpus.name == "mine"


def test_all_three_formats_have_the_same_fingerprint(tmp_path: Path):
    pd.DataFrame([PAIR, TEXT]).to_parquet(tmp_path / "one.parquet")
    files = [
        tmp_path / "one.parquet",
        write(tmp_path / "two.jsonl", PAIR, TEXT),
        write(tmp_path / "x.jsonl.gz", TEXT, PAIR),
    ]
    assert len({jsonl.load(file).fingerprint for file in files}) == 1


def test_a_path_may_be_a_string(tmp_path: Path):
    assert set(rows(jsonl.load(str(write(tmp_path / "mine.jsonl", PAIR, TEXT))))) == ROWS


def test_blank_lines_are_skipped(tmp_path: Path):
    assert set(rows(jsonl.load(write(tmp_path / "mine.jsonl", b"", PAIR, b"  ", TEXT, b"")))) == ROWS


def test_windows_line_ends_and_a_byte_order_mark_are_read(tmp_path: Path):
    data = b"\xef\xbb\xbf" + json.dumps(PAIR).encode() + b"\r\n" + json.dumps(TEXT).encode() + b"\r\n"
    assert set(rows(jsonl.load(write(tmp_path / "mine.jsonl", data)))) == ROWS


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.parquet"])
def test_a_whole_number_may_name_a_concept(tmp_path: Path, name: str):
    lines = [PAIR | {"concept": 17}, TEXT | {"concept": 17}]
    file = tmp_path / name
    pd.DataFrame(lines).to_parquet(file) if name.endswith("parquet") else write(file, *lines)
    assert jsonl.load(file).concepts == ["17"]


def test_texts_are_kept_as_written(tmp_path: Path):
    text = " Ünï\u2028codé 😀\nsecond line "
    escaped, plain = (
        TEXT | {"text": text},
        json.dumps(TEXT | {"language": "fr", "text": text}, ensure_ascii=False).encode(),
    )
    assert jsonl.load(write(tmp_path / "mine.jsonl", escaped, plain)).table["text"].tolist() == [text, text]


@pytest.mark.parametrize("code", ["de", "quz", "pt-BR", "zh-Hant-TW", "es-419", "zh_Hant"])
def test_language_codes_may_have_subtags(tmp_path: Path, code: str):
    assert jsonl.load(write(tmp_path / "mine.jsonl", PAIR | {"language": code})).languages == [code]


def test_lines_of_one_concept_and_language_all_count(tmp_path: Path):
    corpus = jsonl.load(write(tmp_path / "mine.jsonl", PAIR, PAIR | {"query": "andere Frage"}))
    assert corpus.cells[["queries", "passages", "texts"]].to_numpy().tolist() == [[2, 2, 4]]


# --------------------------------------------------------------------------------------------------------- bad files


@bad_lines
@pytest.mark.parametrize("name", ["mine.jsonl", "mine.jsonl.gz"])
def test_a_bad_line_is_named(tmp_path: Path, name: str, line: dict[str, str], message: str):
    file = write(tmp_path / name, PAIR, b"", TEXT, line, TEXT | {"language": "fr"})
    with pytest.raises(InputError, match=f"^{file}:4: {message}"):
        jsonl.load(file)


@bad_lines
def test_a_bad_row_of_parquet_is_named(tmp_path: Path, line: dict[str, str], message: str):
    file = tmp_path / "mine.parquet"
    pq.write_table(
        pa.Table.from_pylist([PAIR, TEXT, line], pa.schema(dict.fromkeys(PAIR | TEXT | line, pa.string()))), file
    )
    with pytest.raises(InputError, match=f"^{file}:row 3: {message}"):
        jsonl.load(file)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"concept": "a", ', r"found '\{\"concept\": \"a\",', expected one JSON object a line"),
        (b"concept,language,text", "found 'concept,language,text', expected one JSON object a line"),
        (b'["a", "de", "x"]', "found a JSON list, expected an object"),
        (b"null", "found a JSON NoneType, expected an object"),
        (b'{"concept": "a", "language": "de", "text": "gr\xfcn"}', "found bytes that are not UTF-8 .*, expected UTF-8"),
        (b'{"concept": 7.0, "language": "de", "text": "x"}', "found 7.0 as concept, expected a text"),
        (b'{"concept": true, "language": "de", "text": "x"}', "found True as concept, expected a text"),
        (b'{"concept": "a", "language": "de", "text": 7}', "found 7 as text, expected a text"),
        (b'{"concept": "a", "language": ["de"], "text": "x"}', r"found \['de'\] as language, expected a text"),
        (b'{"concept": "a", "language": "de", "text": null}', "found None as text, expected a text"),
        (b"{}", "found the fields nothing, expected concept, language, and query and"),
        (b'{"concept": "a", "language": "de", "text": "cut emoji \\ud83d"}', "found .* as text, expected"),
    ],
)
def test_a_line_that_is_no_object_of_texts_is_named(tmp_path: Path, line: bytes, message: str):
    file = write(tmp_path / "mine.jsonl", PAIR, line, TEXT)
    with pytest.raises(InputError, match=f"^{file}:2: {message}"):
        jsonl.load(file)


def test_a_concept_with_a_single_text_is_named(tmp_path: Path):
    lonely = [TEXT | {"concept": concept} for concept in ("x", "y", "z")]
    file = write(tmp_path / "mine.jsonl", PAIR, lonely[0], lonely[1], TEXT, lonely[0] | {"text": "too"}, lonely[2])
    message = (
        rf"^{file}:3: found concept 'y' with a single text \(and 1 more such concepts\), expected at least two texts"
    )
    with pytest.raises(InputError, match=message):
        jsonl.load(file)


def test_a_text_in_each_of_two_languages_is_enough(tmp_path: Path):
    corpus = jsonl.load(write(tmp_path / "mine.jsonl", TEXT, TEXT | {"language": "fr"}))
    assert corpus.pairs.has_crosslingual.all()


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.jsonl.gz", "mine.parquet"])
def test_a_missing_file_is_named(tmp_path: Path, name: str):
    with pytest.raises(InputError, match=f"^{tmp_path / name}: found no such file, expected "):
        jsonl.load(tmp_path / name)


def test_an_empty_file_is_an_error(tmp_path: Path):
    with pytest.raises(InputError, match="mine: found no text, expected at least one"):
        jsonl.load(write(tmp_path / "mine.jsonl", b"\n\n"))


def test_an_empty_parquet_file_is_an_error(tmp_path: Path):
    pq.write_table(pa.table({"concept": pa.array([], pa.string())}), tmp_path / "mine.parquet")
    with pytest.raises(InputError, match="mine: found no text, expected at least one"):
        jsonl.load(tmp_path / "mine.parquet")


def test_a_cut_gzip_file_is_named_with_the_last_line_read(tmp_path: Path):
    rng = random.Random(0)
    file = write(tmp_path / "mine.jsonl.gz", *(TEXT | {"text": rng.randbytes(40).hex()} for _ in range(3000)))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"^{file}:\d+: found a cut or damaged archive .*, expected a whole one"):
        jsonl.load(file)


def test_a_damaged_gzip_file_is_named(tmp_path: Path):
    file = write(tmp_path / "mine.jsonl.gz", *(TEXT | {"text": f"{number}"} for number in range(50)))
    data = bytearray(file.read_bytes())
    data[-8] ^= 1
    file.write_bytes(data)
    with pytest.raises(InputError, match=rf"^{file}.*: found a cut or damaged archive .*, expected a whole one"):
        jsonl.load(file)


def test_a_file_that_is_not_gzip_is_named(tmp_path: Path):
    (tmp_path / "mine.jsonl.gz").write_text(json.dumps(TEXT))
    with pytest.raises(InputError, match=r"mine\.jsonl\.gz: found a cut or damaged archive .*, expected a whole one"):
        jsonl.load(tmp_path / "mine.jsonl.gz")


@pytest.mark.parametrize("data", [b"", b"no parquet at all", b"PAR1" + b"x" * 50 + b"PAR1"])
def test_a_file_that_is_not_parquet_is_named(tmp_path: Path, data: bytes):
    file = write(tmp_path / "mine.parquet", data)
    with pytest.raises(InputError, match=rf"(?s)^{file}: found no Parquet data .*, expected a whole Parquet file"):
        jsonl.load(file)


def test_a_cut_parquet_file_is_named(tmp_path: Path):
    file = tmp_path / "mine.parquet"
    pd.DataFrame([PAIR, TEXT]).to_parquet(file)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match=rf"(?s)^{file}: found no Parquet data .*, expected a whole Parquet file"):
        jsonl.load(file)


def test_a_parquet_file_with_a_damaged_page_is_named(tmp_path: Path):
    file = tmp_path / "mine.parquet"
    pd.DataFrame([TEXT | {"text": str(i) * 50} for i in range(500)]).to_parquet(file)
    data = bytearray(file.read_bytes())
    data[4:400] = b"\xff" * 396
    file.write_bytes(data)
    with pytest.raises(InputError, match=rf"(?s)^{file}: found no Parquet data .*, expected a whole Parquet file"):
        jsonl.load(file)


def test_a_fraction_in_parquet_is_named(tmp_path: Path):
    file = tmp_path / "mine.parquet"
    pd.DataFrame([TEXT | {"concept": 7.5}]).to_parquet(file)
    with pytest.raises(InputError, match=rf"^{file}:row 1: found 7.5 as concept, expected a text"):
        jsonl.load(file)


def test_a_line_that_stands_twice_is_named_with_both_places(tmp_path: Path):
    again = dict(reversed(PAIR.items()))
    file = write(tmp_path / "mine.jsonl", PAIR, TEXT, again, TEXT)
    message = (
        f"^{file}:3: found the line at {file}:1 again, expected each line once\n{file}:4: found the line at {file}:2"
    )
    with pytest.raises(InputError, match=message):
        jsonl.load(file)


def test_a_passage_may_answer_several_queries(tmp_path: Path):
    file = write(tmp_path / "mine.jsonl", PAIR, PAIR | {"query": "andere Frage"}, PAIR | {"concept": "b"})
    assert jsonl.load(file).table["text"].tolist().count("Antwort") == 3


@pytest.mark.parametrize("other", ["pt-br", "pt_BR", "pt_br"])
def test_a_language_written_in_two_ways_is_named_with_both(tmp_path: Path, other: str):
    file = write(tmp_path / "mine.jsonl", *(PAIR | {"language": code} for code in ("pt-BR", "pt", other, "pt-PT")))
    message = f"^{file}:3: found language '{other}', and 'pt-BR' at {file}:1, expected one way of writing it$"
    with pytest.raises(InputError, match=message):
        jsonl.load(file)


# --------------------------------------------------------------------------------------------------------- real data


@real_data
def test_ddtp_loads():
    corpus = jsonl.load(Path(DATA) / "ddtp" / "pairs.jsonl.gz")
    assert (len(corpus.languages), len(corpus.concepts)) == (16, 6567)
    assert set(corpus.table["role"]) == {"query", "passage"}
    assert corpus.cells.groupby("concept").size().min() >= 6


@real_data
def test_tico19_loads():
    corpus = jsonl.load(Path(DATA) / "tico19" / "sentences.jsonl.gz")
    assert (len(corpus.languages), len(corpus.concepts)) == (38, 3071)
    assert set(corpus.table["role"]) == {"text"}
