"""mMARCO: MS MARCO's queries and passages, translated into 13 languages by Google (arXiv 2108.13897), to train on.

Read are the text files of the hub's ``unicamp-dl/mmarco`` at one commit. Its loading program is not run; the Parquet
that the hub made with it has the training triples without their ids. The pairs are those (query id, id of a relevant
passage) that MS MARCO's training triples begin with, which are sorted by neither; equal ids mean the same in all
languages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import fsspec
from datasets import Dataset, Features, Value, concatenate_datasets
from datasets.exceptions import DatasetGenerationError

from hybridlib.cache import cache_folder
from hybridlib.corpora.corpus import COLUMNS, Corpus
from hybridlib.corpora.hub import pinned
from hybridlib.corpora.lines import checked_text
from hybridlib.errors import InputError

SOURCE = "unicamp-dl/mmarco"
REVISIONS = {SOURCE: "6d039c4638c0ba3e46a9cb7b498b145e7edc6230"}
LANGUAGES = {
    "ar": "arabic", "de": "german", "en": "english", "es": "spanish", "fr": "french", "hi": "hindi",
    "id": "indonesian", "it": "italian", "ja": "japanese", "nl": "dutch", "pt": "portuguese", "ru": "russian",
    "vi": "vietnamese", "zh": "chinese",
}  # fmt: skip
TRIPLES = "data/triples.train.ids.small.tsv"
QUERIES = "data/google/queries/train/{language}_queries.train.tsv"
PASSAGES = "data/google/collections/{language}_collection.tsv"
_BLOCK = 1 << 25  # bytes asked for at once


def load(languages: Sequence[str], *, pairs: int, source: str = SOURCE, revision: str | None = None) -> Corpus:
    """Load the first ``pairs`` training pairs, the same in each language; a concept is ``query id/passage id``.

    Files are streamed and read only as far as needed. The passages are scattered over the whole collection of a
    language, 2.7 GB (Chinese) to 7.6 GB (Hindi), so the first load of a language takes as long as that download; what
    was selected is kept in :func:`hybridlib.cache.cache_folder` and loads at once the next time, without a network.

    Args:
        languages: of :data:`LANGUAGES`.
        pairs: number of pairs a language; there are about 532,000.
        source: repository of the hub, or a local folder with the same files.
        revision: its commit; may be left out for the one in :data:`REVISIONS` and for a folder.

    Raises:
        InputError: naming file, line and value, for what is missing, cut or cannot be fetched.
    """
    languages = list(dict.fromkeys(languages))
    unknown = [code for code in languages if code not in LANGUAGES]
    if unknown or not languages:
        found = repr(unknown[0]) if unknown else "none"
        raise InputError(f"mmarco: found language {found}, expected one or several of {' '.join(LANGUAGES)}")
    if pairs < 1:
        raise InputError(f"mmarco: found {pairs} pairs, expected one at least")
    commit = pinned(source, revision, REVISIONS)
    root = f"hf://datasets/{source}@{commit}" if commit else str(Path(source).resolve())
    return Corpus(
        concatenate_datasets([_selected(root, language, pairs) for language in languages]),
        "mmarco",
        ("every language but English is machine translation", "MS MARCO is for research that is not commercial"),
    )


def _selected(root: str, language: str, pairs: int) -> Dataset:
    """Return the rows of a language from the cache, where they are put if they are missing or local files changed."""
    name = LANGUAGES[language]
    names = [file.format(language=name) for file in (TRIPLES, QUERIES, PASSAGES)]
    local = [Path(root) / file for file in names if (Path(root) / file).exists()]
    states = [(file.stat().st_size, file.stat().st_mtime_ns) for file in local]
    try:
        return Dataset.from_generator(
            _rows,
            features=Features({column: Value("string") for column in COLUMNS}),
            cache_dir=str(cache_folder() / "mmarco"),
            gen_kwargs={"root": root, "language": language, "pairs": pairs},
            fingerprint=hashlib.sha256(repr((root, language, pairs, states)).encode()).hexdigest(),
        )
    except DatasetGenerationError as error:
        reason = error.__cause__
        if isinstance(reason, InputError):
            raise reason from None
        raise InputError(
            f"{root}: found no {name} texts ({type(reason).__name__}: {reason}), expected {', '.join(names)} in a "
            "folder, or a network to fetch them"
        ) from error


def _rows(root: str, language: str, pairs: int) -> Iterator[dict[str, str]]:
    """Yield query and passage of each pair, in the order of the triples."""
    name = LANGUAGES[language]
    order = _pairs(f"{root}/{TRIPLES}", pairs)
    queries = _texts(f"{root}/{QUERIES.format(language=name)}", {query for query, _ in order})
    passages = _texts(f"{root}/{PASSAGES.format(language=name)}", {passage for _, passage in order})
    for query, passage in order:
        concept = f"{query}/{passage}"
        yield {"concept": concept, "language": language, "role": "query", "text": queries[query]}
        yield {"concept": concept, "language": language, "role": "passage", "text": passages[passage]}


def _pairs(path: str, count: int) -> list[tuple[str, str]]:
    """Return the first ``count`` different (query id, passage id) of a file of query, relevant and other passage."""
    found: dict[tuple[str, str], None] = {}
    for _, (query, passage, _) in _lines(path, 3):
        found[query, passage] = None
        if len(found) == count:
            return list(found)
    raise InputError(f"{path}: found {len(found)} pairs, expected {count}")


def _texts(path: str, wanted: set[str]) -> dict[str, str]:
    """Return the texts with the wanted ids, from a file of id and text; reading ends with the last of them."""
    texts: dict[str, str] = {}
    for number, (key, text) in _lines(path, 2):
        if key in wanted:
            texts[key] = checked_text(text, f"{path}:{number}", "text")
            if len(texts) == len(wanted):
                return texts
    raise InputError(f"{path}: found no text with the id {min(wanted - set(texts))!r}, expected one a line")


def _lines(path: str, count: int) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        with fsspec.open(path, "rt", encoding="utf-8", newline="\n", block_size=_BLOCK) as stream:
            for number, line in enumerate(stream, start=1):
                fields = line.rstrip("\n").split("\t", count - 1)
                if len(fields) != count:
                    raise InputError(f"{path}:{number}: found {len(fields)} fields, expected {count}")
                yield number, fields
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: found bytes that are not UTF-8 ({error.reason}) after line {number}") from error
