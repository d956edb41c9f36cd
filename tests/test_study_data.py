"""What a study asks of its data is looked at before anything is trained."""

import json

import pytest

from hybridlib.errors import InputError
from hybridlib.study_data import check_data


def test_a_batch_larger_than_the_concepts_is_refused_before_training(study_of):
    study = study_of("defaults: {train_concepts: 40, batch_size: 50}\ngrid: {sampler: [mixed, hybrid], seed: [1, 2]}")
    with pytest.raises(InputError, match="batch_size: found 50, expected at most 40, what the 40 training concepts"):
        check_data(study)


def test_training_corpora_are_checked_with_the_rest(study_of, tmp_path):
    (file := tmp_path / "own.jsonl").write_text('{"concept": "c", "language": "en", "query": "a", "passage": "b"}')
    study = study_of(f"defaults: {{train_corpora: [{file}], batch_size: 8}}\ngrid: {{corpus_power: [0, 1]}}")
    with pytest.raises(InputError, match="found 8, expected at most 1, what the 1 training concepts of own"):
        check_data(study)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("{teacher: tiny, teacher_language: xx, objective: {kl: {}}}", "without a text in 'xx'"),
        ("{hard_negatives: 40}", "found 40 concepts with a passage in"),
        ("{objective: {lakda: {}}, train_languages: [en]}", "expected two at least, as the objective needs second"),
    ],
)
def test_texts_that_an_objective_lacks_are_refused_before_training(study_of, run, message):
    with pytest.raises(InputError, match=message):
        check_data(study_of(f"defaults: {{sampler: monolingual, train_concepts: 40, batch_size: 40}}\nruns: [{run}]"))


@pytest.mark.parametrize(
    ("lines", "settings"),
    [
        ([("c{}", "de", {"query": "q {}", "passage": "p {}"})], "monolingual"),
        ([("c{}", "de", {"text": "t {}"}), ("c{}", "en", {"text": "u {}"})], "crosslingual, multilingual"),
        ([("c{}", "de", {"query": "q {}", "passage": "p {}"}), ("d{}", "en", {"query": "q", "passage": "p {}"})],
         "monolingual"),
    ],
    ids=["one language", "one text a language", "no concept in two languages"],
)  # fmt: skip
def test_texts_that_cannot_test_all_settings_are_refused_before_training(study_of, tmp_path, lines, settings):
    """What a report shows of them is not there."""
    texts = [
        {"concept": concept.format(n), "language": language, **{role: text.format(n) for role, text in roles.items()}}
        for n in range(40)
        for concept, language, roles in lines
    ]
    (file := tmp_path / "own.jsonl").write_text("\n".join(map(json.dumps, texts)))
    sizes = "train_concepts: 10, validation_concepts: 8, test_concepts: 12, batch_size: 4"
    study = study_of(f"defaults: {{corpus: {file}, {sizes}}}\nruns: [{{sampler: untrained}}]")
    with pytest.raises(InputError, match=f"found test texts of own.* for {settings} retrieval, expected concepts in"):
        check_data(study)


def test_data_that_fit_pass_the_check(study_of):
    check_data(study_of("defaults: {train_concepts: 40, batch_size: 40}\ngrid: {sampler: [untrained, mixed]}"))


def test_a_study_of_one_system_is_refused_before_training(study_of):
    text = "defaults: {train_concepts: 40, batch_size: 40}\ngrid: {sampler: [mixed], seed: [1, 2]}"
    with pytest.raises(InputError, match=r"mine\.yaml: found mixed alone, expected two systems at least"):
        check_data(study_of(text))
    check_data(study_of(f"{text}\nsystems: [{{of: mixed, debias: [lir]}}]"))


ORDER = "c4 c18 c0 c10 c16 c17 c19 c6 c13 c3 c8 c9 c2 c5 c1 c12 c14 c7 c15 c11".split()  # of their hashes


def lines_of(concepts, *languages):
    return "".join(
        json.dumps({"concept": one, "language": language, "query": f"{language} {one}", "passage": f"{one} {language}"})
        + "\n"
        for one in concepts
        for language in languages
    )


def test_debiasing_without_texts_of_a_tested_language_is_refused_before_training(study_of, tmp_path):
    """Trained on other texts, in English and German alone; of the corpus only test concepts are in Russian."""
    (trained := tmp_path / "trained.jsonl").write_text(lines_of([f"a{n}" for n in range(8)], "en", "de"))

    def study(name, russian):
        (file := tmp_path / f"{name}.jsonl").write_text(lines_of(ORDER, "en", "de") + lines_of(russian, "ru"))
        sizes = "test_concepts: 10, validation_concepts: 10, batch_size: 4"
        defaults = f"corpus: {file}, train_corpora: [{trained}], {sizes}"
        return study_of(
            f"defaults: {{{defaults}}}\nruns: [{{sampler: untrained}}]\nsystems: [{{of: untrained, debias: [lir]}}]"
        )

    check_data(study("none", []))
    with pytest.raises(InputError, match=r"mine\.yaml: found systems with debias of untrained, tested in ru, of which"):
        check_data(study("tested", ORDER[-10:]))
    check_data(study("all", ORDER))
