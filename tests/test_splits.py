import pytest

from hybridlib.config import RunConfig
from hybridlib.errors import InputError
from hybridlib.splits import run_corpus, run_splits

CONFIG = RunConfig(
    train_languages=("zh", "en"),
    test_languages=("en", "ar"),
    train_concepts=16,
    validation_concepts=6,
    test_concepts=10,
    batch_size=16,
)


def changed(**values):
    return CONFIG.model_copy(update=values)


def test_training_and_validation_have_the_training_languages():
    split = run_splits(CONFIG)
    assert [corpus.languages for corpus in split] == [["en", "zh"], ["en", "zh"], ["en", "ar"]]


def test_parts_have_the_concepts_asked_for_and_share_none():
    split = run_splits(CONFIG)
    assert [len(corpus.concepts) for corpus in split] == [16, 6, 10]
    assert len(set().union(*(corpus.concepts for corpus in split))) == 32


def test_test_concepts_are_the_same_whatever_is_trained_on():
    other = changed(train_languages=("de", "ru", "zh"), train_concepts=40)
    assert run_splits(CONFIG).test.fingerprint == run_splits(other).test.fingerprint


def test_corpus_of_a_run_has_its_languages():
    assert run_corpus(CONFIG).languages == ["en", "ar", "zh"]


def test_no_languages_are_all():
    config = changed(train_languages=None, test_languages=None)
    assert len(run_corpus(config).languages) == 12
    assert {len(corpus.languages) for corpus in run_splits(config)} == {12}


def test_batch_of_all_training_concepts_is_the_largest():
    with pytest.raises(InputError, match=r"^batch_size: found 17, expected at most the 16 training concepts$"):
        run_splits(changed(batch_size=17))


def test_untrained_run_needs_no_batch():
    assert len(run_splits(changed(batch_size=17, sampler="untrained")).train.concepts) == 16


def test_language_that_the_corpus_does_not_have():
    with pytest.raises(InputError, match="found language 'xx', expected one of: en de"):
        run_splits(changed(test_languages=("xx",)))


def test_more_concepts_than_there_are():
    with pytest.raises(InputError, match="expected at least one each and together at most the"):
        run_splits(changed(train_concepts=10**6))
