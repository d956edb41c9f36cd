"""Texts that stand in two corpora: what a test set shares with a training set."""

from __future__ import annotations

import unicodedata

import pandas as pd

from hybridlib.corpora.corpus import Corpus


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
    tables = [c.table.assign(text=c.table["text"].map(normalised)) for c in (train, test)]
    known = set(tables[0][["language", "text"]].itertuples(index=False, name=None))
    found = [pair in known for pair in tables[1][["language", "text"]].itertuples(index=False, name=None)]
    counts = tables[1].assign(shared=found).groupby("language")["shared"].agg(texts="size", shared="sum")
    return counts.assign(share=counts["shared"] / counts["texts"]).reindex(test.languages)
