"""What a configuration needs of its training texts, checked before anything is embedded or trained."""

from __future__ import annotations

import numpy as np

from hybridlib.config import RunConfig, objective_needs
from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.joined import JoinedCorpus
from hybridlib.errors import InputError
from hybridlib.mining import check_count


def check_texts(config: RunConfig, corpus: Corpus) -> None:
    """Raise if a corpus cannot give what the objective of a configuration learns from.

    Raises:
        InputError: for a concept without queries in two languages where second queries are needed, or without a text in
            the teacher's language; for a language with too few concepts to mine hard negatives from.
    """
    if "second_queries" in objective_needs(config.objective):
        lone = np.flatnonzero(corpus.pairs.has_query.sum(1) < 2)
        if len(lone):
            raise InputError(
                f"corpus {corpus.name}: found {len(lone)} concepts with queries in one language or none "
                f"({corpus.concepts[lone[0]]}), expected two at least, as the objective needs second queries"
            )
    if config.teacher_language is not None:
        for serves in (corpus.pairs.is_query, corpus.pairs.is_passage):
            concept_versions(corpus, np.flatnonzero(serves), config.teacher_language, 0)
    if config.hard_negatives:
        for part in corpus.parts if isinstance(corpus, JoinedCorpus) else (corpus,):
            check_count(part.pairs, config.hard_negatives)


def concept_versions(corpus: Corpus, rows: np.ndarray, language: str, which: int) -> np.ndarray:
    """Return for each concept the first (0) or the last (-1) of ``rows`` in a language: int [concepts].

    Raises:
        InputError: if a concept has none.
    """
    pairs = corpus.pairs
    code = pairs.languages.index(language) if language in pairs.languages else -1
    chosen = rows[pairs.language[rows] == code]
    chosen = chosen[:: 1 if which == 0 else -1]
    concepts, first = np.unique(pairs.concept[chosen], return_index=True)
    missing = np.setdiff1d(np.arange(pairs.concepts), concepts)
    if len(missing):
        raise InputError(
            f"teacher_language: found {len(missing)} of {pairs.concepts} concepts of {corpus.name} without a text in "
            f"{language!r} that it needs ({corpus.concepts[missing[0]]}), expected one for every concept"
        )
    return chosen[first]
