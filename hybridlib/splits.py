"""The data of a run: which texts train, validate and test."""

from __future__ import annotations

from functools import lru_cache

from hybridlib.config import RunConfig
from hybridlib.corpora import Corpus, Split, load_corpus
from hybridlib.errors import InputError


@lru_cache(maxsize=4)
def _corpus(name: str, path: str | None) -> Corpus:
    return load_corpus(name, path)


def run_corpus(config: RunConfig) -> Corpus:
    """Return the whole corpus in the languages of the run; loaded once a process."""
    corpus = _corpus(config.corpus, config.corpus_path)
    train, test = (
        names if names is not None else corpus.languages for names in (config.train_languages, config.test_languages)
    )
    return corpus.select(languages=sorted({*train, *test}))


def run_splits(config: RunConfig) -> Split:
    """Return training, validation and test corpora: training languages for the first two, test languages for the last.

    Raises:
        InputError: if there are fewer concepts than the split or the batch needs.
    """
    whole = run_corpus(config)
    split = whole.split(config.train_concepts, config.validation_concepts, config.test_concepts)
    if config.sampler != "untrained" and len(split.train.concepts) < config.batch_size:
        raise InputError(
            f"batch_size: found {config.batch_size}, expected at most the {len(split.train.concepts)} training concepts"
        )
    return Split(
        split.train.select(languages=config.train_languages),
        split.validation.select(languages=config.train_languages),
        split.test.select(languages=config.test_languages),
    )
