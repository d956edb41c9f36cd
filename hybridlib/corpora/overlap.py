"""Texts that stand in two corpora: what a test set shares with a training set."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
from datasets import Dataset

from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError


def normalised(text: str) -> str:
    """Return the text in NFKC, without case, punctuation at its ends, or runs of spaces: equal for equal wording.

    Example:
        >>> normalised(" A  Boy is singing. ")
        'a boy is singing'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .,;:!?。،؟।")


def shared_texts(train: Corpus, test: Corpus) -> pd.DataFrame:
    """Count the test texts that stand, normalised, in the training texts of the same language.

    Returns:
        Index language; columns ``texts`` (test texts), ``shared`` and ``share``.
    """
    counts = (
        test.table.assign(shared=_stand_in(test, train)).groupby("language")["shared"].agg(texts="size", shared="sum")
    )
    return counts.assign(share=counts["shared"] / counts["texts"]).reindex(test.languages)


def without_shared(train: Corpus, test: Corpus) -> Corpus:
    """Drop the training texts that stand, normalised, in the test texts of the same language.

    A concept that keeps no pair of a query and a passage goes with them. A note says how many texts were shared.

    Raises:
        InputError: if nothing is left.
    """
    shared = _stand_in(train, test)
    left = train.table[~shared]
    pairs = Corpus(Dataset.from_pandas(left, preserve_index=False), train.name).pairs
    left = left[(pairs.has_monolingual.any(1) | pairs.has_crosslingual)[pairs.concept]]
    if left.empty:
        raise InputError(
            f"corpus {train.name}: found {shared.sum()} of {len(shared)} texts in {test.name} too, "
            "expected a query and a passage at least of some concept that are not"
        )
    note = (
        f"{shared.sum():,} of {len(shared):,} texts of {train.name} stand, normalised, in what is held out of "
        f"{test.name}: they are left out of training, and with them concepts that keep no pair; "
        f"{len(left):,} texts are left."
    )
    return Corpus(Dataset.from_pandas(left, preserve_index=False), train.name, (*train.notes, note))


def _stand_in(corpus: Corpus, other: Corpus) -> np.ndarray:
    """Say of each text whether it stands, normalised, in the other corpus in the same language; bool [texts]."""
    keys, known = (
        list(zip(c.table["language"], map(normalised, c.table["text"]), strict=True)) for c in (corpus, other)
    )
    others = set(known)
    return np.array([key in others for key in keys], dtype=bool)
