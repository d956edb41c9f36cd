import json

import pytest

from hybridlib.config import RunConfig
from hybridlib.corpora.overlap import shared_texts
from hybridlib.errors import InputError
from hybridlib.splits import check_settings, data_fingerprint, fit_corpus, other_corpora, run_corpus, run_splits

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
    with pytest.raises(
        InputError, match=r"^batch_size: found 17, expected at most 16, what the 16 training concepts of scenes give$"
    ):
        run_splits(changed(batch_size=17))


def test_untrained_run_needs_no_batch():
    assert len(run_splits(changed(batch_size=17, sampler="untrained")).train.concepts) == 16


def test_language_that_the_corpus_does_not_have():
    with pytest.raises(
        InputError,
        match="found language 'xx', expected one of: en de",
    ):
        run_splits(changed(test_languages=("xx",)))


def test_language_that_only_the_training_concepts_have(tmp_path):
    """As of real data with a rare language; the message names the part and not the corpus, which has it."""
    lines = [
        {"concept": f"c{i}", "language": code, "query": f"{i} {code}?", "passage": f"{i} {code}."}
        for i in range(30) for code in (("en", "de", "fr") if i == 0 else ("en", "de"))
    ]  # fmt: skip
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    config = RunConfig(corpus=str(file), train_concepts=20, validation_concepts=5, test_concepts=5)
    message = r"^train_languages: found 'fr' \(none is named: all\), in which none of the \d+ (train|validation) conc"
    with pytest.raises(InputError, match=message):
        run_splits(config)


def test_texts_of_one_language_cannot_test_all_settings():
    split = run_splits(changed(test_languages=("de",)))
    with pytest.raises(InputError, match="found test texts of scenes for monolingual retrieval, expected concepts in"):
        check_settings(split.test)


def test_more_concepts_than_there_are():
    with pytest.raises(
        InputError, match="scenes: found 1500 concepts, expected at least 1000016: 1000000 to train on, 6 to"
    ):
        run_splits(changed(train_concepts=10**6))


# ------------------------------------------------------------------------------------------- trained on other corpora


@pytest.fixture
def own(tmp_path):
    """Write a corpus of English and other texts in the line form; returns its path."""

    def write(name: str, languages: str, concepts: int = 20, first: str = "") -> str:
        file = tmp_path / f"{name}.jsonl"
        lines = [
            {"concept": f"c{c}", "language": language, "text": f"{name} {c} {language}{end}"}
            for c in range(concepts)
            for language in languages.split()
            for end in ("", " too")
        ]
        lines[0]["text"] = first or lines[0]["text"]
        file.write_text("\n".join(map(json.dumps, lines)))
        return str(file)

    return write


def zero_shot(*files: str, **values) -> RunConfig:
    given = {"validation_concepts": 6, "test_concepts": 10, "batch_size": 16, "train_corpora": files}
    return RunConfig(**{**given, **values})


def test_training_corpora_train_in_their_own_languages(own):
    split = run_splits(zero_shot(own("one", "en zh"), own("two", "fr sw", 18)))
    assert [part.languages for part in split.train.parts] == [["en", "zh"], ["fr", "sw"]]
    assert [len(part.concepts) for part in split.train.parts] == [20, 18]
    assert (split.train.name, len(split.train.concepts)) == ("one + two", 38)


def test_the_tested_corpus_stands_for_its_training_part(own):
    config = zero_shot(own("one", "en zh"), "scenes", train_languages=("en", "de", "zh"), train_concepts=40)
    split, alone = run_splits(config), run_splits(changed(train_languages=("en", "de", "zh"), train_concepts=40))
    assert [(len(part.concepts), part.languages) for part in split.train.parts] == [
        (40, ["en", "de", "zh"]),
        (20, ["en", "zh"]),
    ]
    assert split.train.parts[0].fingerprint == alone.train.fingerprint
    held_out = {*split.validation.concepts, *split.test.concepts}
    assert not held_out & set(split.train.parts[0].concepts)


def test_the_tested_corpus_under_another_name_is_refused(own, monkeypatch, tmp_path):
    file = own("one", "en zh", 40)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"train_corpora: found ./one.jsonl, another name of .*, which is tested on"):
        run_splits(zero_shot("./one.jsonl", corpus=file))


def test_a_batch_with_two_pairs_a_concept_needs_half_as_many(own):
    file = own("one", "en zh", 10)
    assert run_splits(zero_shot(file, sampler="both_pairs", batch_size=20))
    with pytest.raises(InputError, match="batch_size: found 22, expected at most 20"):
        run_splits(zero_shot(file, sampler="both_pairs", batch_size=22))


def test_training_languages_restrict_each_training_corpus(own):
    parts = other_corpora(zero_shot(own("one", "en zh"), own("two", "en fr sw"), train_languages=("en", "sw")))
    assert [part.languages for part in parts] == [["en"], ["en", "sw"]]


def test_a_training_corpus_without_a_training_language(own):
    file = own("two", "fr sw")
    with pytest.raises(
        InputError, match=rf"found {file} in fr sw, expected one at least of the training languages en$"
    ):
        run_splits(zero_shot(own("one", "en zh"), file, train_languages=("en",)))


def test_a_training_language_that_no_training_corpus_has(own):
    with pytest.raises(InputError, match="train_languages: found 'de', expected a language of "):
        run_splits(zero_shot(own("one", "en zh"), train_languages=("en", "de")))


def test_test_concepts_are_those_of_a_run_trained_on_the_corpus_itself(own):
    inside = changed(train_languages=None, test_languages=None, train_concepts=None)
    outside = zero_shot(own("one", "en"), **{name: getattr(inside, name) for name in ("validation_concepts", "seed")})
    assert run_splits(outside).test.fingerprint == run_splits(inside).test.fingerprint
    assert run_splits(outside).validation.concepts == run_splits(inside).validation.concepts


def test_validation_is_in_the_languages_trained_on_that_the_corpus_has(own):
    split = run_splits(zero_shot(own("one", "en sw"), own("two", "zh fi"), test_languages=("de", "ar")))
    assert split.validation.languages == ["en", "zh"]
    assert split.test.languages == ["de", "ar"]


def test_no_language_to_validate_on(own):
    with pytest.raises(InputError, match="train_corpora: found no language of scenes among sw fi, expected one at"):
        run_splits(zero_shot(own("one", "sw"), own("two", "fi")))


def test_all_concepts_of_a_corpus_may_be_held_out(own):
    config = zero_shot(own("one", "en"), corpus=own("test", "en de", 16))
    assert [len(part.concepts) for part in run_splits(config)] == [20, 6, 10]


def test_more_held_out_concepts_than_there_are(own):
    config = zero_shot(own("one", "en"), corpus=own("test", "en de", 15))
    with pytest.raises(InputError, match=r"found a split of 6 validation and 10 test concepts, .* the 15 concepts"):
        run_splits(config)


def test_each_training_corpus_must_fill_a_batch(own):
    with pytest.raises(
        InputError, match="batch_size: found 16, expected at most 9, what the 9 training concepts of two"
    ):
        run_splits(zero_shot(own("one", "en"), own("two", "en", 9)))


@pytest.mark.parametrize("leave_out", [False, True])
def test_overlap_with_validation_and_test_can_be_left_out(own, leave_out):
    held_out = run_splits(zero_shot(own("one", "en")))[1:]
    texts = [part.table.query("language == 'en'")["text"].iloc[0] for part in held_out]
    files = [own(name, "en", first=text.upper()) for name, text in zip(("three", "four"), texts, strict=True)]
    split = run_splits(zero_shot(*files, leave_out_overlap=leave_out))
    shared = [shared_texts(split.train, part)["shared"].sum() > 0 for part in split[1:]]
    assert shared == ([False, False] if leave_out else [True, True])
    assert [len(part.concepts) for part in split.train.parts] == ([19, 19] if leave_out else [20, 20])


def test_overlap_between_the_parts_of_one_corpus_can_be_left_out(tmp_path):
    file = tmp_path / "own.jsonl"
    texts = [(c, text) for c in range(40) for text in (f"one {c}", f"two {c}", "Common")]
    file.write_text("\n".join(json.dumps({"concept": f"c{c}", "language": "en", "text": text}) for c, text in texts))
    config = RunConfig(corpus=str(file), validation_concepts=6, test_concepts=10, batch_size=24)
    before, after = (run_splits(config.model_copy(update={"leave_out_overlap": out})) for out in (False, True))
    assert set(before.train.table["text"]) - set(after.train.table["text"]) == {"Common"}
    assert [part.fingerprint for part in after[1:]] == [part.fingerprint for part in before[1:]]


def test_debiasing_is_fitted_on_training_concepts_in_all_tested_languages():
    """Also in those that training leaves out."""
    fit, split = fit_corpus(CONFIG, 5, ["en", "ar"]), run_splits(CONFIG)
    assert fit.languages == ["en", "ar"]
    assert fit.concepts == split.train.concepts[:5]


def test_debiasing_is_fitted_on_other_training_texts_where_they_have_the_languages(own):
    config = zero_shot(own("one", "en de"))
    fit = fit_corpus(config, 5, ["en", "de"])
    assert fit.languages == ["en", "de"]
    assert fit.concepts == run_splits(config).train.concepts[:5]


def test_debiasing_is_fitted_on_validation_concepts_where_training_texts_lack_a_tested_language(own):
    config = zero_shot(own("one", "en de"))
    fit, split = fit_corpus(config, 200, ["en", "ar"]), run_splits(config)
    assert fit.languages == ["en", "ar"]
    assert fit.concepts == split.validation.concepts
    assert not set(fit.concepts) & set(split.test.concepts)


def test_data_are_fingerprinted_with_the_training_corpora(own):
    config = zero_shot(own("one", "en"))
    others = [config, zero_shot(own("two", "en")), zero_shot(own("two", "en"), own("one", "en")), CONFIG]
    assert len({data_fingerprint(config) for config in others}) == 4
    assert data_fingerprint(CONFIG) == run_corpus(CONFIG).fingerprint
