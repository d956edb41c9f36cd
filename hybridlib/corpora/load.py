"""One name for each corpus: what ``corpus`` in a configuration may be."""

from __future__ import annotations

from pathlib import Path

from hybridlib.corpora import jsonl, scenes, xm3600
from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError

NAMES = ("scenes", "xm3600")


def check_corpus_name(name: str, where: str = "corpus") -> None:
    """Raise unless :func:`load_corpus` knows ``name``; reads nothing."""
    if name not in NAMES and not (name.endswith(jsonl.SUFFIXES) and Path(name).is_file()):
        raise InputError(
            f"{where}: found corpus {name!r}, expected {', '.join(NAMES)}, "
            f"or an existing file ending in {', '.join(jsonl.SUFFIXES)}"
        )


def load_corpus(name: str, path: str | None = None) -> Corpus:
    """Load a corpus by name, or a file in the line form by its path.

    Args:
        name: ``scenes``, ``xm3600``, or the path of a ``.jsonl``, ``.jsonl.gz`` or ``.parquet`` file.
        path: for ``xm3600``: where the captions are, if not in the usual places.

    Raises:
        InputError: naming the file, line and value that is wrong.
    """
    check_corpus_name(name)
    if name == "scenes":
        return scenes.load()
    return xm3600.load(path) if name == "xm3600" else jsonl.load(name)
