"""Several corpora as one: what a run trains on that draws the corpus of each batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from datasets import Dataset

from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError


@dataclass(frozen=True, eq=False)
class JoinedCorpus(Corpus):
    """The texts of several corpora, one corpus after the other; no concept is of two corpora.

    Attributes:
        parts: the corpora; the rows of ``dataset`` are theirs, in their order.
    """

    parts: tuple[Corpus, ...] = ()


def joined(corpora: Sequence[Corpus]) -> JoinedCorpus:
    """Put corpora one after the other; concept ``c`` of the first is called ``0/c``, of the second ``1/c``, and so on.

    A number and no name stands there, so that equal content keeps an equal fingerprint, whatever its files are called.

    Raises:
        InputError: if there is no corpus.

    Example:
        >>> one = Corpus.from_rows([("a", "en", "text", "x"), ("a", "de", "text", "y")], "one")
        >>> both = joined([one, one])
        >>> both.name, both.table["concept"].tolist()
        ('one', ['0/a', '0/a', '1/a', '1/a'])
    """
    if not corpora:
        raise InputError("joined: found no corpus, expected one at least")
    tables = [c.table.assign(concept=f"{number}/" + c.table["concept"]) for number, c in enumerate(corpora)]
    return JoinedCorpus(
        Dataset.from_pandas(pd.concat(tables), preserve_index=False),
        " + ".join(dict.fromkeys(corpus.name for corpus in corpora)),
        tuple(dict.fromkeys(note for corpus in corpora for note in corpus.notes)),
        tuple(corpora),
    )
