"""Any data set as a corpus: a small YAML file says where it is and which of its columns are what.

A data set of the Hugging Face hub, at a revision::

    name: my-pairs
    source: owner/name
    revision: 75b399394a9803252cfec289d103de462763db7c
    subset: "{language}"
    languages: {de: deu_Latn, en: eng_Latn}
    columns: {concept: id, query: question, passage: positive}

Files, by a path or pattern relative to the YAML file: ``.jsonl``, ``.csv`` (quoted as in RFC 4180), ``.tsv`` (not
quoted), each also with ``.gz``, and ``.parquet``; or a folder in the hub's form::

    name: my-translations
    source: translations/*.{language}.tsv
    languages: [de, en]
    columns: {text: sentence}
    parallel: true
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from datasets import load_dataset

from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.description import Description, read_description
from hybridlib.corpora.lines import Note, checked_language, checked_text, csv_lines, json_lines, parquet_rows
from hybridlib.corpora.spellings import Spellings
from hybridlib.errors import InputError
from hybridlib.plain_text import one_line
from hybridlib.problems import Problems

_Rows = Iterator[tuple[str, Mapping[str, Any]]]


def load(path: str | Path) -> Corpus:
    """Read the data set that a YAML file describes.

    Fields of the file are those of :class:`.description.Description`. ``{language}`` in ``source``, ``subset``,
    ``split`` or the name of a column stands for each language in turn, as ``languages`` calls it. Rows whose column for
    the language names another one are left out; so are a row that says what one before it says and a concept with a
    single text, and notes say how many.

    Raises:
        InputError: naming file (or data set), row and column, the value found and what was expected, up to 20 times in
            one message.
    """
    path = Path(path)
    description = read_description(path)
    languages = description.languages or {}
    only = "" if description.columns.language else next(iter(languages), "")
    passes = languages.items() if description.is_divided else [(only, "")]
    rows: list[tuple[str, str, str, str]] = []
    counts, again = [], 0
    problems, spellings = Problems(), Spellings()
    for code in languages:
        spellings.check(code, f"{path}: languages")
    for code, called in passes:
        texts = list(_texts(description.at(called), path.parent, code, problems.add, spellings))
        said = [tuple(of_row) for of_row in texts if of_row]
        different = dict.fromkeys(said)
        again += len(said) - len(different)
        rows += chain.from_iterable(different)
        counts.append((len(texts), code))
    problems.check()
    (least, first), (most, last) = min(counts), max(counts)
    if description.parallel and least < most:
        raise InputError(f"{path}: found {least} rows of {first!r} and {most} of {last!r}, expected parallel ones")
    for code in sorted(set(languages) - {language for _, language, _, _ in rows}):
        raise InputError(f"{path}: found no row in {code!r} (called {languages[code]!r}), expected one at least")
    size = Counter(concept for concept, *_ in rows)
    paired = [row for row in rows if size[row[0]] > 1]
    left_out = {"rows that stand twice": again, "concepts with a single text": len(rows) - len(paired)}
    notes = tuple(f"{what}, left out: {count}" for what, count in left_out.items() if count)
    return Corpus.from_rows(paired, description.name, notes)


def _texts(
    part: Description, folder: Path, code: str, note: Note, spellings: Spellings
) -> Iterator[list[tuple[str, str, str, str]]]:
    """Yield the texts of each row as rows of a corpus; none for a row that is not in ``code`` (if empty, in no listed).

    A row that does not say its language is in ``code``.
    """
    columns = part.columns.model_dump(exclude_none=True)
    roles: list[str] = [role for role in ("query", "passage", "text") if role in columns]
    wanted = {called: wanted for wanted, called in (part.languages or {}).items()}
    for number, (where, row) in enumerate(_rows(part, folder, note), start=1):
        _check_columns(columns, row, where)
        try:
            language = code
            if part.columns.language:
                called = _checked(row, part.columns.language, where)
                language = wanted.get(called, "") if wanted else checked_language(called, where)
                if code and language != code:
                    language = ""
                if language:
                    spellings.check(language, where)
            concept = f"{number}" if part.parallel else f"{code or language}/{number}"
            if part.columns.concept:
                value = row[part.columns.concept]
                concept = f"{value}" if type(value) is int else _checked(row, part.columns.concept, where)
            texts = [(concept, language, role, _checked(row, columns[role], where)) for role in roles if language]
        except InputError as error:
            note(error)
            continue
        yield texts


def _checked(row: Mapping[str, Any], column: str, where: str) -> str:
    return checked_text(row[column], where, f"column {column!r}")


def _check_columns(columns: dict[str, str], have: Iterable[str], where: str) -> None:
    for what, column in columns.items():
        if column not in have:
            named = one_line(" ".join(have))
            raise InputError(f"{where}: found the columns {named:.200}, expected {column!r} ({what})")


def _rows(part: Description, folder: Path, note: Note) -> _Rows:
    """Yield the place of each row and its values by column."""
    found = folder / part.source
    if part.revision is not None or found.is_dir():
        return _dataset_rows(part, part.source if part.revision else f"{found}")
    if part.subset or part.split:
        raise InputError(f"{found}: found a subset or a split of files, expected neither")
    try:
        files = [found] if found.is_file() else sorted(found.parent.glob(found.name))
    except (OSError, ValueError) as error:
        raise InputError(f"{found}: found no pattern ({error}), expected a file, a folder or such as *.csv") from error
    if not files:
        raise InputError(f"{found}: found no such file or folder, expected one, or a hub data set with its revision")
    return chain.from_iterable(_file_rows(file, note) for file in files)


def _dataset_rows(part: Description, source: str) -> _Rows:
    split = part.split or "train"
    where = " ".join(text for text in (source, part.subset, split) if text)
    if part.revision is not None and Path(source).exists():
        raise InputError(f"{where}: found a local {source}, expected none, as it would be read in place of the hub's")
    try:
        dataset = load_dataset(source, part.subset, split=split, revision=part.revision)
    except Exception as error:  # of many kinds: network, missing data set, subset or split, damaged files
        raise InputError(
            f"{where}: found nothing that can be read ({error.__cause__ or error}), expected data"
        ) from error
    columns = part.columns.model_dump(exclude_none=True)
    _check_columns(columns, dataset.column_names, where)
    dataset = dataset.select_columns(list(dict.fromkeys(columns.values())))
    return ((f"{where}:row {number}", row) for number, row in enumerate(dataset, start=1))


def _file_rows(file: Path, note: Note) -> _Rows:
    match Path(file.name.removesuffix(".gz")).suffix:
        case ".jsonl":
            return json_lines(file, note=note)
        case ".csv":
            return csv_lines(file, ",", note=note)
        case ".tsv":
            return csv_lines(file, "\t", quoted=False, note=note)
        case ".parquet":
            return parquet_rows(file)
    raise InputError(f"{file}: found a file of another kind, expected .jsonl, .csv, .tsv (or these with .gz), .parquet")
