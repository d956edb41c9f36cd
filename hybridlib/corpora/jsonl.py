"""Any user's data: JSON lines (plain or gzipped) or Parquet in the project's own form.

One pair a line, ``{"concept": "…", "language": "de", "query": "…", "passage": "…"}``, or, where a text can serve as
either, ``{"concept": "…", "language": "de", "text": "…"}``. Lines with one concept mean the same, in one language or in
several; a whole number may name a concept. A Parquet file has the same names as columns; null stands for a missing one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.lines import checked_language, checked_text, json_lines, parquet_rows
from hybridlib.corpora.spellings import Spellings
from hybridlib.errors import InputError
from hybridlib.plain_text import brief, one_line
from hybridlib.problems import Problems

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
_FORMS = ({"query", "passage"}, {"text"})


def load(path: str | Path) -> Corpus:
    """Read a file in the line form.

    Raises:
        InputError: naming file, line, value and what was expected, up to 20 times in one message; also for a line that
            says what one before it says, and for a language that is written in two ways (``pt-BR``, ``pt_br``).
    """
    path = Path(path)
    problems = Problems()
    lines = _parquet_lines(path) if path.suffix == ".parquet" else json_lines(path, note=problems.add)
    rows: list[tuple[str, str, str, str]] = []
    alone: dict[str, str] = {}  # concepts with one text so far, and where it stands
    seen: set[str] = set()
    said: dict[tuple[tuple[str, str, str, str], ...], str] = {}  # lines, and where they stand
    spellings = Spellings()
    for where, line in lines:
        try:
            found = _rows(line, where)
            spellings.check(found[0][1], where)
            first = said.setdefault(tuple(found), where)
            if first != where:
                raise InputError(f"{where}: found the line at {first} again, expected each line once")
        except InputError as error:
            problems.add(error)
            continue
        rows += found
        concept = found[0][0]
        if len(found) == 1 and concept not in seen:
            alone[concept] = where
        else:
            alone.pop(concept, None)
        seen.add(concept)
    problems.check()
    if alone:
        concept, where = next(iter(alone.items()))
        raise InputError(
            f"{where}: found concept {brief(concept)} with a single text (and {len(alone) - 1} more such concepts), "
            "expected at least two texts of each concept, in one language or in several"
        )
    name = path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".parquet")
    return Corpus.from_rows(rows, name)


def _parquet_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, row in parquet_rows(path):
        yield where, {key: value for key, value in row.items() if value is not None}


def _rows(line: dict[str, Any], where: str) -> list[tuple[str, str, str, str]]:
    roles = set(line) - {"concept", "language"}
    if roles not in _FORMS:
        found = one_line(", ".join(sorted(line))) or "nothing"
        more = one_line(", ".join(sorted(roles - {"query", "passage", "text"})))
        raise InputError(
            f"{where}: found the fields {found:.200}, expected concept, language, and query and passage or text alone"
            + f", without {more:.100} (a .yaml file can choose columns)" * bool(more)
        )
    for field in ("concept", "language"):
        if field not in line:
            named = one_line(", ".join(sorted(line)))
            raise InputError(f"{where}: found no {field} among the fields {named}, expected one in each line")
    concept = line["concept"]
    concept = f"{concept}" if type(concept) is int else _text(concept, where, "concept")
    language = checked_language(line["language"], where)
    return [(concept, language, role, _text(line[role], where, role)) for role in sorted(roles)]


def _text(value: Any, where: str, what: str) -> str:
    text = checked_text(value, where, what)
    if "\0" in text:
        raise InputError(f"{where}: found NUL in {brief(text)} as {what}, expected text without it")
    return text
