"""Whether a study's corpora are what its runs and systems need."""

from __future__ import annotations

from hybridlib.batches import make_sampler
from hybridlib.config import RunConfig
from hybridlib.corpora import Corpus
from hybridlib.errors import InputError
from hybridlib.evaluate_request import Request
from hybridlib.needs import check_texts
from hybridlib.splits import check_settings, fit_corpus, run_splits
from hybridlib.study import Study


def check_data(study: Study) -> None:
    """Raise, before anything is trained, if a corpus cannot be read, lacks texts, or cannot test all three settings.

    Raises:
        InputError: as said; if vectors are debiased and a language that is tested has no text to fit on; or if there is
            nothing to compare.
    """
    same = {"seed": 0, "alpha": 0.0, "learning_rate": 1.0, "language_power": 0.0, "corpus_power": 0.0}
    stages = (stage.model_copy(update=same) for config in study.configs for stage in config.stages())
    tested: dict[str, Corpus] = {}
    for config in dict.fromkeys(stages):
        split = run_splits(config)
        tested.setdefault(split.test.fingerprint, split.test)
        if config.sampler != "untrained":
            make_sampler(config, split.train)
            check_texts(config, split.train)
    debiased = {system.parents[0].model_copy(update=same): system.label for system in study.systems if system.debias}
    try:
        for test in tested.values():
            check_settings(test)
        for config, label in debiased.items():
            _check_fit(config, label)
        systems = dict.fromkeys([*study.names, *(label for one in study.systems for label in one.labels())])
        if len(systems) < 2:
            raise InputError(f"found {', '.join(systems)} alone, expected two systems at least: a report compares them")
    except InputError as error:
        raise InputError(f"{study.path}: {error}") from None


def _check_fit(config: RunConfig, label: str) -> None:
    """Refuse a language that is tested and not among the texts that debiasing is fitted on."""
    tested = run_splits(config).test.languages
    fitted = fit_corpus(config, Request.fit_concepts, tested).languages
    lacking = [language for language in tested if language not in fitted]
    if lacking:
        raise InputError(
            f"found systems with debias of {label}, tested in {' '.join(lacking)}, of which there is no training "
            f"or validation text, expected some: of {config.corpus} in train_corpora, or without debias"
        )
