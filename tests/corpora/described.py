"""Data sets that a test describes in YAML, and what is read of them."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from hybridlib.corpora import Corpus

PAIRS = [
    {"id": "a", "lang": "ger", "q": "Frage", "p": "Antwort", "other": "x"},
    {"id": "a", "lang": "eng", "q": "question", "p": 'an "answer", a\nlong one', "other": "x"},
    {"id": "007", "lang": "fra", "q": "NA", "p": "2020-01-01", "other": "x"},
]
COLUMNS = {"concept": "id", "language": "lang", "query": "q", "passage": "p"}
NAMES = {"de": "ger", "en": "eng", "fr": "fra"}
ROWS = [
    *(("a", "de", "query", "Frage"), ("a", "de", "passage", "Antwort")),
    *(("a", "en", "query", "question"), ("a", "en", "passage", 'an "answer", a\nlong one')),
    *(("007", "fr", "query", "NA"), ("007", "fr", "passage", "2020-01-01")),
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows in the form that the file's name asks for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pd.DataFrame(rows)
    match Path(path.name.removesuffix(".gz")).suffix:
        case ".jsonl":
            data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        case ".csv":
            data = frame.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")  # as spreadsheets write it
        case ".tsv":
            data = frame.to_csv(index=False, sep="\t", quoting=csv.QUOTE_NONE, quotechar=None).encode()
        case _:
            frame.to_parquet(path)
            return path
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def describe(folder: Path, **fields: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"name": "mine", "source": "data.jsonl", "columns": COLUMNS} | fields))
    return path


def rows(corpus: Corpus) -> list[tuple[str, ...]]:
    return list(corpus.table.itertuples(index=False, name=None))
