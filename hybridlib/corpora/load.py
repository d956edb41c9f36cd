"""One name for each corpus: what ``corpus`` in a configuration and on the command line may be."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

from hybridlib.corpora import beir, belebele, jsonl, mapping, miracl, mmarco, scenes, squad, xm3600
from hybridlib.corpora.collection import Collection
from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError

CORPORA = (
    "scenes, xm3600, xquad-r, mlqa-r, belebele, miracl, mmarco:PAIRS, squad:FOLDER, beir:FOLDER[#SPLIT], "
    "a .yaml file that describes columns, or a .jsonl, .jsonl.gz or .parquet file; xm3600:PATH, xquad-r:FOLDER, "
    "mlqa-r:FOLDER and miracl:SOURCE read from elsewhere, xquad-r+paragraphs adds its paragraph to each sentence; "
    "$NAME stands for a variable of the environment"
)
_Languages = Sequence[str] | None


def load_corpus(name: str, path: str | None = None, languages: _Languages = None) -> Corpus:
    """Load texts to train on, and to test on by concept.

    Args:
        name: see :data:`CORPORA`; of a test collection, the relevant pairs (:meth:`Collection.to_corpus`).
        path: for ``xm3600``: where the captions are, if not in the usual places.
        languages: where each language is a download of its own, the ones to load; the corpus may have others.

    Raises:
        InputError: naming the file, line and value that is wrong.
    """
    kind, place = _parsed(name)
    if kind in _COLLECTIONS:
        return _COLLECTIONS[kind](place, languages).to_corpus()
    return _CORPORA[kind](place or path or "", languages)


def load_collection(name: str, languages: _Languages = None) -> Collection:
    """Load what is tested on, in all languages or in some.

    Args:
        name: see :data:`CORPORA`; of a corpus, its concepts (:meth:`Collection.from_corpus`).
        languages: codes; default: all there are.

    Raises:
        InputError: naming the file, line and value that is wrong.
    """
    kind, place = _parsed(name)
    if kind in _COLLECTIONS:
        return _COLLECTIONS[kind](place, languages).select(languages=languages)
    corpus = load_corpus(name, languages=languages)
    return Collection.from_corpus(corpus.select(languages=languages))


def check_corpus_name(name: str, where: str = "corpus") -> None:
    """Raise unless :func:`load_corpus` knows ``name``; reads nothing."""
    _parsed(name, where)


def corpus_identity(name: str) -> tuple[str, str]:
    """Return what is equal for two names of one corpus: its kind and where it is.

    All copies of XM3600, and a collection with and without paragraphs, count as one corpus.
    """
    kind, place = _parsed(name)
    if kind == "xm3600":
        place = ""
    return kind.removesuffix("+paragraphs"), str(Path(place).resolve()) if place else ""


def _parsed(name: str, where: str = "corpus") -> tuple[str, str]:
    """Return the kind of corpus and what stands after the colon (of a file: the file)."""
    name = os.path.expandvars(name)
    kind, colon, place = name.partition(":")
    known = (kind in _COLLECTIONS or kind in _CORPORA) and kind not in _FILES
    fits = bool(colon) == bool(place) and (kind != "scenes" if place else kind not in _NEED_PLACE)
    if known and fits:
        return kind, place
    for kind, suffixes in _FILES.items():
        if name.endswith(suffixes) and Path(name).is_file():
            return kind, name
    if not known and name.endswith(tuple(chain.from_iterable(_FILES.values()))):
        below = "" if Path(name).is_absolute() else f" in {Path.cwd()}"
        what = "a folder" if Path(name).is_dir() else f"but no such file{below}"
        raise InputError(f"{where}: found corpus {name!r}, {what}, expected a file that is there")
    if name.endswith(_OTHER_FILES) and not known:
        there = "" if Path(name).is_file() else ", which is not there"
        raise InputError(
            f"{where}: found corpus {name!r}{there}, expected a .yaml file that names it as its source, and its columns"
        )
    raise InputError(f"{where}: found corpus {name!r}, expected {CORPORA}")


def _mmarco(place: str, languages: _Languages) -> Corpus:
    if not place.isdecimal():
        raise InputError(f"corpus: found mmarco:{place}, expected a number of pairs, such as mmarco:100000")
    return mmarco.load(languages or list(mmarco.LANGUAGES), pairs=int(place))


def _miracl(place: str, languages: _Languages) -> Collection:
    if not languages:
        raise InputError("corpus: found miracl without languages, expected some: each is a download of its own")
    return miracl.load(languages, source=place or miracl.SOURCE)


def _beir(place: str, languages: _Languages) -> Collection:
    folder, _, split = place.partition("#")
    sub_folders = not any(Path(folder).glob("corpus.jsonl*"))  # they name their languages themselves
    alone = languages[0] if languages and len(languages) == 1 and not sub_folders else None
    return beir.load(folder, split=split or "test", language=alone)


def _squad(kind: str, *, paragraphs: bool) -> Callable[[str, _Languages], Collection]:
    return lambda place, _: squad.load(kind, place or None, paragraphs=paragraphs)


_COLLECTIONS: dict[str, Callable[[str, _Languages], Collection]] = {
    "belebele": lambda place, languages: belebele.load(
        languages or list(belebele.CODES), source=place or belebele.SOURCE
    ),
    "miracl": _miracl,
    "beir": _beir,
    **{kind: _squad(kind, paragraphs=False) for kind in ("xquad-r", "mlqa-r", "squad")},
    **{f"{kind}+paragraphs": _squad(kind, paragraphs=True) for kind in ("xquad-r", "mlqa-r", "squad")},
}
_CORPORA: dict[str, Callable[[str, _Languages], Corpus]] = {
    "scenes": lambda *_: scenes.load(),
    "xm3600": lambda place, _: xm3600.load(place or None),
    "mmarco": _mmarco,
    "description": lambda place, _: mapping.load(Path(place)),
    "file": lambda place, _: jsonl.load(place),
}
_FILES = {"description": (".yaml", ".yml"), "file": jsonl.SUFFIXES}
_OTHER_FILES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".json", ".json.gz", ".txt")
_NEED_PLACE = ("mmarco", "beir", "squad", "squad+paragraphs")
