"""The data of a run: which texts train, validate and test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from hybridlib.config import RunConfig
from hybridlib.corpora import Corpus, Split, load_corpus
from hybridlib.corpora.collection import SETTINGS, Collection
from hybridlib.corpora.joined import joined
from hybridlib.corpora.load import corpus_identity
from hybridlib.corpora.overlap import without_shared
from hybridlib.errors import InputError


@lru_cache(maxsize=16)
def _corpus(name: str, path: str | None, languages: tuple[str, ...] | None = None) -> Corpus:
    return load_corpus(name, path, languages)


@lru_cache(maxsize=16)
def _selected(name: str, path: str | None, loaded: tuple[str, ...] | None, languages: tuple[str, ...]) -> Corpus:
    """Return a corpus in some languages; kept, as many runs share it and its fingerprint."""
    return _corpus(name, path, loaded).select(languages=languages)


def run_corpus(config: RunConfig) -> Corpus:
    """Return the whole corpus that is tested on, in the languages of the run; loaded once a process."""
    named = {*(config.train_languages or ()), *(config.test_languages or ())}
    every = None in (config.train_languages, config.test_languages) or config.train_corpora is not None
    loaded = None if every else tuple(sorted(named))
    corpus = _corpus(config.corpus, config.corpus_path, loaded)
    train, test = (
        names if names is not None else corpus.languages for names in (config.train_languages, config.test_languages)
    )
    if not _trains_on_itself(config):
        train = _trained(corpus, other_corpora(config))
    elif config.train_corpora is not None:
        train = [language for language in train if language in corpus.languages]
    return _selected(config.corpus, config.corpus_path, loaded, tuple(sorted({*train, *test})))


def _trains_on_itself(config: RunConfig) -> bool:
    """Whether a part of the corpus that is tested on is trained on."""
    return config.train_corpora is None or config.corpus in config.train_corpora


def other_corpora(config: RunConfig) -> list[Corpus]:
    """Return those of ``train_corpora`` that are not tested on, each in those of the training languages that it has.

    Raises:
        InputError: for a corpus without any of the training languages, and for a language that no corpus has.
    """
    wanted, parts = config.train_languages, []
    for name in config.train_corpora or ():
        if name == config.corpus:
            continue
        if corpus_identity(name) == corpus_identity(config.corpus):
            raise InputError(
                f"train_corpora: found {name}, another name of {config.corpus}, which is tested on, "
                f"expected {config.corpus} for its training part, or other corpora"
            )
        corpus = _corpus(name, config.corpus_path, wanted)
        kept = [language for language in corpus.languages if wanted is None or language in wanted]
        if not kept:
            raise InputError(
                f"train_corpora: found {name} in {' '.join(corpus.languages)}, "
                f"expected one at least of the training languages {' '.join(wanted or ())}"
            )
        parts.append(_selected(name, config.corpus_path, wanted, tuple(kept)))
    if not _trains_on_itself(config):
        _check_languages(config, parts)
    return parts


def _check_languages(config: RunConfig, parts: list[Corpus]) -> None:
    """Refuse a training language that no training corpus has."""
    unknown = set(config.train_languages or ()) - {language for part in parts for language in part.languages}
    if unknown:
        expected = " ".join(config.train_corpora or (config.corpus,))
        raise InputError(f"train_languages: found {min(unknown)!r}, expected a language of {expected}")


def fit_corpus(config: RunConfig, concepts: int, languages: list[str]) -> Corpus:
    """Return texts to fit debiasing on: those of the first training concepts, in the languages to be tested.

    A language that was not trained on has to be fitted as well. So of the corpus that is tested on all languages are
    taken; and if the training texts are others, which lack one of them, those of the validation concepts.
    """
    if _trains_on_itself(config):
        train = run_corpus(config).split(config.train_concepts, config.validation_concepts, config.test_concepts).train
    else:
        train = joined(other_corpora(config))
        if not set(languages) <= set(train.languages):
            train, _ = _held_out(run_corpus(config), config.validation_concepts, config.test_concepts)
    return train.select(
        concepts=train.concepts[:concepts], languages=[code for code in languages if code in train.languages]
    )


def data_fingerprint(config: RunConfig) -> str:
    """SHA-256 (hex) of the texts that a run is made of: of its corpus, and of those it is trained on instead."""
    corpora = [run_corpus(config), *(corpus for stage in config.stages() for corpus in other_corpora(stage))]
    prints = [corpus.fingerprint for corpus in corpora]
    return prints[0] if len(prints) == 1 else hashlib.sha256("".join(prints).encode()).hexdigest()


def check_settings(test: Corpus) -> None:
    """Raise :class:`InputError` if texts cannot test all three settings: pages and reports show them side by side."""
    settings = Collection.from_corpus(test).settings
    if settings != SETTINGS:
        raise InputError(
            f"found test texts of {test.name} for {', '.join(settings) or 'no'} retrieval, expected concepts in two "
            "languages, and two texts of a concept in one language"
        )


def check_languages(test: Corpus) -> None:
    """Raise :class:`InputError` if texts cannot tell how languages stand to each other; no pair need be monolingual."""
    settings = Collection.from_corpus(test).settings
    if "crosslingual" not in settings:
        raise InputError(
            f"found test texts of {test.name} for {', '.join(settings) or 'no'} retrieval, expected concepts in two "
            "languages"
        )


def run_splits(config: RunConfig) -> Split:
    """Return training, validation and test corpora: training languages for the first two, test languages for the last.

    With ``train_corpora`` the training corpus is a :class:`hybridlib.corpora.joined.JoinedCorpus` of these, ``corpus``
    standing for its training part. Where it is not among them, the last of its concepts test, those before them
    validate, in the languages trained on.

    Raises:
        InputError: if there are fewer concepts than the split or the batch needs.
    """
    whole = run_corpus(config)
    parts = other_corpora(config)
    if _trains_on_itself(config):
        split = whole.split(config.train_concepts, config.validation_concepts, config.test_concepts)
        own = [code for code in config.train_languages or whole.languages if code in whole.languages]
        parts = [_in_languages(split.train, own, "train", config.train_languages), *parts]
        _check_languages(config, parts)
        validation, test = _in_languages(split.validation, own, "validation", config.train_languages), split.test
    else:
        validation, test = _held_out(whole, config.validation_concepts, config.test_concepts)
        validation = validation.select(languages=_trained(validation, parts))
    test = _in_languages(test, config.test_languages, "test", config.test_languages)
    if config.leave_out_overlap:
        held_out = joined([validation, test])
        parts = [without_shared(part, held_out) for part in parts]
    for part in parts:
        pairs = len(part.concepts) * (2 if config.sampler == "both_pairs" else 1)
        if config.sampler != "untrained" and pairs < config.batch_size:
            raise InputError(
                f"batch_size: found {config.batch_size}, expected at most {pairs}, what the {len(part.concepts)} "
                f"training concepts of {part.name} give"
            )
    return Split(parts[0] if config.train_corpora is None else joined(parts), validation, test)


def _trained(corpus: Corpus, parts: list[Corpus]) -> list[str]:
    """Return the languages of ``corpus`` that some training corpus has: those to validate on."""
    trained = dict.fromkeys(language for part in parts for language in part.languages)
    shared = [language for language in corpus.languages if language in trained]
    if not shared:
        raise InputError(
            f"train_corpora: found no language of {corpus.name} among {' '.join(trained)}, "
            f"expected one at least, to validate on: {' '.join(corpus.languages)}"
        )
    return shared


def _held_out(corpus: Corpus, validation: int, test: int) -> tuple[Corpus, Corpus]:
    """Return the last ``test`` concepts of the corpus's order, and the ``validation`` concepts before them."""
    order = corpus.concepts
    if validation + test > len(order):
        raise InputError(
            f"corpus {corpus.name}: found a split of {validation} validation and {test} test concepts, "
            f"expected together at most the {len(order)} concepts there are"
        )
    start, middle = len(order) - validation - test, len(order) - test
    chosen = order[start:middle], order[middle:]
    return corpus.select(concepts=chosen[0]), corpus.select(concepts=chosen[1])


def _in_languages(part: Corpus, languages: Sequence[str] | None, what: str, named: Sequence[str] | None) -> Corpus:
    """Select languages of a part of a corpus; one that only the others have is an error that says so."""
    missing = [code for code in languages or () if code not in part.languages]
    if missing:
        found = f"{'test' if what == 'test' else 'train'}_languages: found {missing[0]!r}"
        raise InputError(
            f"{found}{' (none is named: all)' * (named is None)}, in which none of the {len(part.concepts)} {what} "
            f"concepts of {part.name} has a text, expected languages among {' '.join(part.languages)}"
        )
    return part.select(languages=languages)
