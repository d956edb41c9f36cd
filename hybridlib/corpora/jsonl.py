"""Any user's data: JSON lines (plain or gzipped) or Parquet in the project's own form.

One pair a line, ``{"concept": "…", "language": "de", "query": "…", "passage": "…"}``, or, where a text can serve as
either, ``{"concept": "…", "language": "de", "text": "…"}``. Lines with one concept mean the same, in one language or in
several. A Parquet file has the same names as columns; null stands for a missing one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.lines import checked_language, checked_text, json_lines
from hybridlib.errors import InputError

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
_FORMS = ({"query", "passage"}, {"text"})


def load(path: str | Path) -> Corpus:
    """Read a file in the line form.

    Raises:
        InputError: naming file, line, value and what was expected.
    """
    path = Path(path)
    lines = _parquet_lines(path) if path.suffix == ".parquet" else json_lines(path)
    rows: list[tuple[str, str, str, str]] = []
    alone: dict[str, str] = {}  # concepts with one text so far, and where it stands
    seen: set[str] = set()
    for where, line in lines:
        for row in _rows(line, where):
            rows.append(row)
            concept = row[0]
            if concept in seen:
                alone.pop(concept, None)
            else:
                alone[concept] = where
            seen.add(concept)
    if alone:
        concept, where = next(iter(alone.items()))
        raise InputError(
            f"{where}: found concept {concept!r} with a single text (and {len(alone) - 1} more such concepts), "
            "expected at least two texts of each concept, in one language or in several"
        )
    name = path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".parquet")
    return Corpus.from_rows(rows, name)


def _parquet_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        table = pyarrow.parquet.read_table(path)
    except FileNotFoundError:
        raise InputError(f"{path}: found no such file, expected Parquet") from None
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise InputError(f"{path}: found no Parquet data ({error}), expected a whole Parquet file") from error
    for number, line in enumerate(table.to_pylist(), start=1):
        yield f"{path}:row {number}", {key: value for key, value in line.items() if value is not None}


def _rows(line: dict[str, Any], where: str) -> Iterator[tuple[str, str, str, str]]:
    roles = set(line) - {"concept", "language"}
    if roles not in _FORMS:
        found = ", ".join(sorted(line)) or "nothing"
        raise InputError(
            f"{where}: found the fields {found}, expected concept, language and either query, passage or text"
        )
    concept = checked_text(line.get("concept"), where, "concept")
    language = checked_language(line.get("language"), where)
    for role in sorted(roles):
        yield concept, language, role, checked_text(line[role], where, role)
