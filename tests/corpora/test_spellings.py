"""A language that a described file writes in two ways; test_jsonl.py has the same of the line form."""

import json
import re
from pathlib import Path

import pytest
import yaml

from hybridlib.corpora import mapping
from hybridlib.errors import InputError

COLUMNS = {"concept": "id", "language": "lang", "query": "q", "passage": "p"}


def fails(message: str, folder: Path, **fields: object) -> None:
    rows = [{"id": "a", "lang": code, "q": "question", "p": "answer"} for code in ("pt-BR", "pt", "pt_br")]
    (folder / "data.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump({"name": "mine", "source": "data.jsonl", "columns": COLUMNS} | fields))
    with pytest.raises(InputError, match=f"(?s)^{re.escape(message)}"):
        mapping.load(file)


def test_a_language_written_in_two_ways_is_named_with_both(tmp_path: Path):
    data = tmp_path / "data.jsonl"
    fails(f"{data}:3: found language 'pt_br', and 'pt-BR' at {data}:1, expected", tmp_path)
    where = f"{tmp_path / 'mine.yaml'}: languages"
    message = f"{where}: found language 'pt-br', and 'pt-BR' at {where}, expected one way of writing it"
    fails(message, tmp_path, languages={"pt-BR": "a", "pt-br": "b"})
