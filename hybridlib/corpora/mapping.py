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

import pyarrow
import pyarrow.parquet
import yaml
from datasets import load_dataset
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.lines import checked_language, checked_text, csv_lines, json_lines
from hybridlib.errors import InputError

_PLACE = "{language}"
_Rows = Iterator[tuple[str, Mapping[str, Any]]]


class Columns(BaseModel):
    """Names of columns; ``query`` and ``passage``, or ``text`` for one whose texts serve as either."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    query: str | None = None
    passage: str | None = None
    text: str | None = None
    concept: str | None = Field(None, description="rows with one value mean the same; None: each row is a concept")
    language: str | None = Field(None, description="None: the language that {language} stands for, or the only one")

    @model_validator(mode="after")
    def _roles_fit(self) -> Columns:
        if bool(self.query and self.passage) == bool(self.text) or bool(self.query) != bool(self.passage):
            given = ", ".join(self.model_dump(exclude_none=True)) or "nothing"
            raise ValueError(f"found {given} in columns, expected either query and passage, or text")
        return self


class Description(BaseModel):
    """What a YAML file says of a data set. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1, description="how reports call the corpus")
    source: str = Field(min_length=1, description="hub id with a revision, else a file, pattern or folder")
    revision: str | None = Field(None, min_length=1, description="commit (40 hexadecimal digits) or tag on the hub")
    subset: str | None = Field(None, description="the hub's configuration name")
    split: str | None = Field(None, description="of a hub data set; None: train; may be cut, as in train[:1000]")
    languages: dict[str, str] | None = Field(None, description="code -> what the data call it, or a list of codes")
    columns: Columns
    parallel: bool = Field(False, description="row n of each language is one concept")

    @field_validator("languages", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {f"{code}": code for code in value} if isinstance(value, list) else value

    @field_validator("languages")
    @classmethod
    def _codes(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        for code in value or ():
            checked_language(code, "languages")
        if value is not None and len(set(value.values())) < max(len(value), 1):
            raise ValueError(f"found languages {value}, expected one or more, each called differently")
        return value

    @model_validator(mode="after")
    def _parts_fit(self) -> Description:
        count = len(self.languages or ())
        if self.is_divided and not count:
            raise ValueError(f"found {_PLACE} and no languages, expected their codes")
        if not self.is_divided and not self.columns.language and count != 1:
            raise ValueError(f"found {count} languages, expected one, or a column for the language, or {_PLACE}")
        if self.parallel and (self.columns.concept or not self.is_divided):
            raise ValueError(f"found parallel, expected it with {_PLACE} and without a column for the concept")
        if self.columns.text and not self.columns.concept and not self.parallel:
            raise ValueError("found nothing that tells which texts mean the same, expected columns.concept or parallel")
        return self

    @property
    def is_divided(self) -> bool:
        """Whether each language is read by itself."""
        texts = (self.source, self.subset, self.split, *self.columns.model_dump().values())
        return any(_PLACE in text for text in texts if text)

    def at(self, called: str) -> Description:
        """Return the description with ``{language}`` replaced."""

        def filled(model: BaseModel) -> Any:
            return {key: value.replace(_PLACE, called) for key, value in model if isinstance(value, str)}

        return self.model_copy(update={**filled(self), "columns": Columns(**filled(self.columns))})


def load(path: str | Path) -> Corpus:
    """Read the data set that a YAML file describes.

    Fields of the file are those of :class:`Description` and :class:`Columns`. ``{language}`` in ``source``, ``subset``,
    ``split`` or the name of a column stands for each language in turn, as ``languages`` calls it. Rows whose column for
    the language names another one are left out; so are concepts with a single text, and a note says how many.

    Raises:
        InputError: naming file (or data set), row and column, the value found and what was expected.
    """
    path = Path(path)
    description = _read(path)
    languages = description.languages or {}
    passes = languages.items() if description.is_divided else [(next(iter(languages), ""), "")]
    rows: list[tuple[str, str, str, str]] = []
    counts = []
    for code, called in passes:
        texts = list(_texts(description.at(called), path.parent, code))
        rows += chain.from_iterable(texts)
        counts.append((len(texts), code))
    (least, first), (most, last) = min(counts), max(counts)
    if description.parallel and least < most:
        raise InputError(f"{path}: found {least} rows of {first!r} and {most} of {last!r}, expected parallel ones")
    for code in sorted(set(languages) - {language for _, language, _, _ in rows}):
        raise InputError(f"{path}: found no row in {code!r} (called {languages[code]!r}), expected one at least")
    size = Counter(concept for concept, *_ in rows)
    paired = [row for row in rows if size[row[0]] > 1]
    notes = (f"concepts with a single text, left out: {len(rows) - len(paired)}",) if paired != rows else ()
    return Corpus.from_rows(paired, description.name, notes)


def _texts(part: Description, folder: Path, code: str) -> Iterator[list[tuple[str, str, str, str]]]:
    """Yield the texts of each row as rows of a corpus; none for a row in a language that is not wanted."""
    columns = part.columns.model_dump(exclude_none=True)
    wanted = {called: wanted for wanted, called in (part.languages or {}).items()}
    for number, (where, row) in enumerate(_rows(part, folder), start=1):
        _check_columns(columns, row, where)
        language = code
        if part.columns.language:
            called = _checked(row, part.columns.language, where)
            language = wanted.get(called, "") if wanted else checked_language(called, where)
        concept = f"{number}" if part.parallel else f"{code or language}/{number}"
        if part.columns.concept:
            value = row[part.columns.concept]
            concept = f"{value}" if type(value) is int else _checked(row, part.columns.concept, where)
        roles = [role for role in ("query", "passage", "text") if role in columns]
        yield [(concept, language, role, _checked(row, columns[role], where)) for role in roles if language]


def _checked(row: Mapping[str, Any], column: str, where: str) -> str:
    return checked_text(row[column], where, f"column {column!r}")


def _check_columns(columns: dict[str, str], have: Iterable[str], where: str) -> None:
    for what, column in columns.items():
        if column not in have:
            raise InputError(f"{where}: found the columns {' '.join(have)}, expected {column!r} ({what})")


def _rows(part: Description, folder: Path) -> _Rows:
    """Yield the place of each row and its values by column."""
    found = folder / part.source
    if part.revision is not None or found.is_dir():
        return _dataset_rows(part, part.source if part.revision else f"{found}")
    if part.subset or part.split:
        raise InputError(f"{found}: found a subset or a split of files, expected neither")
    files = [found] if found.is_file() else sorted(found.parent.glob(found.name))
    if not files:
        raise InputError(f"{found}: found no such file or folder, expected one, or a hub data set with its revision")
    return chain.from_iterable(_file_rows(file) for file in files)


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


def _file_rows(file: Path) -> _Rows:
    match Path(file.name.removesuffix(".gz")).suffix:
        case ".jsonl":
            return json_lines(file)
        case ".csv":
            return csv_lines(file, ",")
        case ".tsv":
            return csv_lines(file, "\t", quoted=False)
        case ".parquet":
            return _parquet_rows(file)
    raise InputError(f"{file}: found a file of another kind, expected .jsonl, .csv, .tsv (or these with .gz), .parquet")


def _parquet_rows(file: Path) -> _Rows:
    try:
        batches = pyarrow.parquet.ParquetFile(file).iter_batches()
        for number, row in enumerate(chain.from_iterable(batch.to_pylist() for batch in batches), start=1):
            yield f"{file}:row {number}", row
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise InputError(f"{file}: found no Parquet data ({error}), expected a whole Parquet file") from error


def _read(path: Path) -> Description:
    try:
        return Description.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: found no YAML ({error}), expected a description of a data set") from error
    except ValidationError as error:
        raise InputError("\n".join(f"{path}: {_explained(item)}" for item in error.errors())) from None


def _explained(item: ErrorDetails) -> str:
    name = ".".join(str(part) for part in item["loc"]) or "description"
    if item["type"] == "value_error":
        return f"{item['ctx']['error']}"
    if item["type"] == "extra_forbidden":
        known = Columns.model_fields if item["loc"][0] == "columns" else Description.model_fields
        return f"found unknown name {name!r}, expected one of {' '.join(known)}"
    expected = item["msg"].replace("Input should be", "expected").replace("String should have", "expected")
    return f"found {name} = {item['input']!r}, {expected}{' in quotes' if item['type'] == 'string_type' else ''}"
