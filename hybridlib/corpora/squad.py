"""Questions and the sentences that answer them: XQuAD-R, MLQA-R (LAReQA, arXiv 2004.05484), other data in SQuAD's form.

SQuAD's form is ``{"data": [{"paragraphs": [{"context": "…", "qas": [{"id": "…", "question": "…", "answers":
[{"text": "…", "answer_start": 0}]}]}]}]}``, one file a language; LAReQA added ``sentences`` and ``sentence_breaks`` to
each paragraph. XQuAD-R is under CC BY-SA 4.0, MLQA-R under CC BY-NC 4.0.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from hybridlib.cache import cache_folder, new_folder
from hybridlib.corpora.collection import PASSAGE_COLUMNS, QUERY_COLUMNS, Collection
from hybridlib.corpora.lines import checked_language, checked_text, open_bytes
from hybridlib.errors import InputError

_LAREQA = "https://raw.githubusercontent.com/google-research-datasets/lareqa"
SOURCES = {
    "xquad-r": (f"{_LAREQA}/5405d2a77e83d5ccb47623a3f9e5604c3f103193/xquad-r", "ar de el en es hi ru th tr vi zh"),
    "mlqa-r": (f"{_LAREQA}/354d67d1cd066854cdfbf5ad0e6105528976141d/mlqa-r", "ar de en es hi vi zh"),
}
_CODE = r"[a-z]{2,3}(?:[-_](?:[A-Za-z]{2,4}|[0-9]{3})){0,3}"  # no train of en_train.json
_FILE = re.compile(
    rf"(?:xquad\.|(?:dev|test)-context-(?P<context>{_CODE})-question-)?"
    rf"(?P<language>{_CODE})\.json(?:\.gz)?"
)


def load(name: str = "xquad-r", folder: str | Path | None = None, *, paragraphs: bool = False) -> Collection:
    """Read questions as queries and all sentences of all paragraphs as passages.

    The relevant passages of a question are the sentences in which its answers start, in every language that has the
    question: the same ``id`` in two languages is the same concept. ``sentence_breaks`` are read as ``[start, end)``, as
    LAReQA's code does (``third_party/utils_lareqa.py`` of XTREME-R); an answer that goes on past a break belongs to the
    sentence it starts in, one that starts between two sentences to the later. Equal sentences of different places stay
    different passages: so XQuAD-R has the published 13,014, of which 13,005 differ within their language. The text is
    that of ``sentences``: two Turkish breaks of XQuAD-R are off by two characters.

    Paragraphs without ``sentences`` (XQuAD, MLQA, SQuAD) are divided by the library sentencex, and a note says so.

    Args:
        name: how reports call the collection; without ``folder``, ``xquad-r`` or ``mlqa-r``.
        folder: holds a file a language: ``de.json``, ``xquad.de.json`` or, of MLQA's, those whose two languages are the
            same (``test-context-de-question-de.json``), plain or gzipped. Without it ``$HYBRIDLIB_DATA/<name>/`` is
            tried, then the cache, into which the files are downloaded from LAReQA's repository.
        paragraphs: whether a passage is its sentence, a line break and its paragraph, as LAReQA encodes answers, rather
            than the sentence alone.

    Returns:
        Query ids are ``<question id>/<language>``; passage ids ``<language>/<article>/<paragraph>/<sentence>``, counted
        from 0.

    Raises:
        InputError: naming the file, the place in it and the value that is wrong, or where the data can come from.
    """
    queries: list[tuple[str, str, str, str]] = []
    passages: list[tuple[str, str, str]] = []
    answers: list[tuple[str, str]] = []
    divided: set[str] = set()
    misplaced = 0
    for language, file in _files(_source(name) if folder is None else Path(folder)).items():
        concepts: set[str] = set()
        for place, where, paragraph in _paragraphs(file, language):
            context = _text(paragraph, "context", where)
            if "sentences" in paragraph or "sentence_breaks" in paragraph:
                sentences, ends = _given(paragraph, where)
            else:
                sentences, ends = _divided(context, language)
                divided.add(language)
            for i, sentence in enumerate(sentences):
                passages.append((f"{place}/{i}", language, f"{sentence}\n{context}" if paragraphs else sentence))
            for there, question in _members(paragraph, "qas", where):
                concept = _text(question, "id", there)
                if concept in concepts:
                    raise InputError(f"{there}: found id {concept!r} again, expected each question once")
                concepts.add(concept)
                queries.append((f"{concept}/{language}", language, concept, _text(question, "question", there)))
                for number, as_said in _answers(question, f"{there} ({concept})", context, ends):
                    answers.append((concept, f"{place}/{number}"))
                    misplaced += not as_said
    asked = pd.DataFrame(queries, columns=list(QUERY_COLUMNS), dtype="str")
    relevant = pd.DataFrame(answers, columns=["concept", "passage"], dtype="str").drop_duplicates()
    return Collection.from_tables(
        asked,
        pd.DataFrame(passages, columns=list(PASSAGE_COLUMNS), dtype="str"),
        asked[["id", "concept"]].rename(columns={"id": "query"}).merge(relevant, on="concept").assign(relevance=1),
        name,
        tuple(_notes(divided, misplaced, len(answers), paragraphs)),
    )


def _notes(divided: set[str], misplaced: int, answers: int, paragraphs: bool) -> Iterator[str]:
    if paragraphs:
        yield "a passage is a sentence followed by its paragraph"
    if divided:
        yield (
            f"the file does not divide its paragraphs into sentences, sentencex did ({' '.join(sorted(divided))}): "
            "scores do not compare to those of XQuAD-R and MLQA-R"
        )
    if misplaced:
        yield f"{misplaced} of {answers} answers are not the text that stands at their answer_start"


def _given(paragraph: dict[str, Any], where: str) -> tuple[list[str], list[int]]:
    """Return the sentences that the file has, and where in the context each ends."""
    sentences, breaks = (_get(paragraph, key, list, where) for key in ("sentences", "sentence_breaks"))
    if len(sentences) != len(breaks):
        raise InputError(f"{where}: found {len(breaks)} sentence_breaks, expected {len(sentences)}, one a sentence")
    for found in breaks:
        if not isinstance(found, list) or [type(offset) for offset in found] != [int, int]:
            raise InputError(f"{where}: found {found!r} in sentence_breaks, expected [start, end]")
    return [checked_text(sentence, where, "a sentence") for sentence in sentences], [end for _, end in breaks]


def _divided(context: str, language: str) -> tuple[list[str], list[int]]:
    """Return the sentences that sentencex finds, and where in the context each ends.

    sentencex 1.0 panics at an initial, a space outside ASCII and a full stop; so it is shown plain spaces instead.
    """
    import sentencex  # needed only for files without sentences

    found = sentencex.get_sentence_boundaries(language, re.sub(r"[^\S\t-\r ]", " ", context))
    sentences = [(context[span["start_index"] : span["end_index"]].strip(), span["end_index"]) for span in found]
    return [text for text, _ in sentences if text], [end for text, end in sentences if text]


def _answers(question: dict[str, Any], where: str, context: str, ends: list[int]) -> Iterator[tuple[int, bool]]:
    """Yield the number of the sentence in which each answer starts, and whether the answer's text stands there."""
    if not _get(question, "answers", list, where):
        raise InputError(f"{where}: found no answer, expected one or more")
    for there, answer in _members(question, "answers", where):
        text, start = _text(answer, "text", there), _get(answer, "answer_start", int, there)
        number = next((i for i, end in enumerate(ends) if 0 <= start < end), None)
        if number is None:
            raise InputError(
                f"{there}: found answer_start {start}, expected 0 to {max(ends, default=0) - 1}, a place in a sentence"
            )
        yield number, context.startswith(text, start)


def _paragraphs(file: Path, language: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield ``"<language>/<article>/<paragraph>"``, the place in the file for messages, and the paragraph."""
    try:
        with open_bytes(file) as stream:
            document = json.loads(stream.read())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{file}: found a cut or damaged archive ({error}), expected a whole one") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: found no JSON ({error}), expected one JSON object in SQuAD's form") from error
    for i, (where, article) in enumerate(_members(document, "data", f"{file}")):
        for j, (there, paragraph) in enumerate(_members(article, "paragraphs", where)):
            yield f"{language}/{i}/{j}", there, paragraph


def _members(value: Any, key: str, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for i, member in enumerate(_get(value, key, list, where)):
        there = f"{where}:{key}[{i}]"
        if not isinstance(member, dict):
            raise InputError(f"{there}: found {member!r:.60}, expected an object")
        yield there, member


def _text(value: dict[str, Any], key: str, where: str) -> str:
    return checked_text(value.get(key), where, key)


def _get(value: Any, key: str, kind: type, where: str) -> Any:
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise InputError(f"{where}: found {found!r:.60} as {key}, expected {kind.__name__}")
    return found


def _files(folder: Path) -> dict[str, Path]:
    """Return the file of each language."""
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        parts = _FILE.fullmatch(file.name)
        if parts is None or parts["context"] not in (None, parts["language"]):
            continue
        other = files.setdefault(checked_language(parts["language"], f"{file}"), file)
        if other != file:
            raise InputError(f"{folder}: found {other.name} and {file.name}, expected one file a language")
    if not files:
        raise InputError(
            f"{folder}: found no file in SQuAD's form, expected one a language, such as de.json, de.json.gz or "
            "test-context-de-question-de.json"
        )
    return files


def _source(name: str) -> Path:
    """Return the folder of a collection that has a name, in the data folder or the cache; download it if need be."""
    if name not in SOURCES:
        raise InputError(f"name: found {name!r} without a folder, expected {' or '.join(SOURCES)}, or a folder")
    data = os.environ.get("HYBRIDLIB_DATA")
    if data and (Path(data) / name).is_dir():
        return Path(data) / name
    address, languages = SOURCES[name]
    folder = cache_folder() / name
    if folder.is_dir():
        return folder
    try:
        with new_folder(folder, first_wins=True) as part:
            for language in languages.split():
                with urllib.request.urlopen(f"{address}/{language}.json", timeout=60) as answer:
                    content = answer.read()
                json.loads(content)
                (part / f"{language}.json").write_bytes(content)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise InputError(
            f"{name}: found no data ({address}: {error}), expected it in one of three ways: a folder with a file a "
            f"language (de.json); $HYBRIDLIB_DATA/{name}/; or a network that lets it be downloaded into {folder}"
        ) from error
    return folder
