"""What a batch holds."""

import pytest
from hypothesis import given
from sampler_cases import (
    SAMPLERS,
    Case,
    cases,
    concepts_of,
    corpus_of,
    every_sampler,
    is_crosslingual,
    is_monolingual,
    languages_of,
    naive_pairs,
    property_test,
)

from hybridlib.samplers import MixedBatchSampler, MonolingualBatchSampler


@every_sampler
@given(case=cases)
@property_test
def test_no_concept_stands_twice_in_a_batch(kind: str, case: Case):
    sampler = case.sampler(kind)
    for batch in sampler:
        concepts = concepts_of(sampler.pairs, batch)
        assert len(set(concepts)) == len(concepts)


@every_sampler
@given(case=cases)
@property_test
def test_a_pair_is_a_query_and_a_passage_of_one_concept(kind: str, case: Case):
    for query, passage in (pair for batch in case.sampler(kind) for pair in batch):
        assert case.rows[query][0] == case.rows[passage][0]
        assert case.rows[query][2] in ("query", "text")
        assert case.rows[passage][2] in ("passage", "text")


@every_sampler
@given(case=cases)
@property_test
def test_a_pair_in_one_language_is_two_different_strings(kind: str, case: Case):
    for query, passage in (pair for batch in case.sampler(kind) for pair in batch):
        assert case.rows[query][1] != case.rows[passage][1] or case.rows[query][3] != case.rows[passage][3]


@given(case=cases)
@property_test
def test_mixed_pairs_are_monolingual(case: Case):
    sampler = case.sampler("mixed")
    assert all(is_monolingual(sampler.pairs, batch) for batch in sampler)


@given(case=cases)
@property_test
def test_a_monolingual_batch_is_in_one_language(case: Case):
    sampler = case.sampler("monolingual")
    for batch in sampler:
        assert len({language for pair in languages_of(sampler.pairs, batch) for language in pair}) == 1


@given(case=cases)
@property_test
def test_crosslingual_pairs_are_in_two_languages(case: Case):
    sampler = case.sampler("crosslingual")
    assert all(is_crosslingual(sampler.pairs, batch) for batch in sampler)


@given(case=cases)
@property_test
def test_a_hybrid_batch_is_of_one_language_or_all_crosslingual(case: Case):
    sampler = case.sampler("hybrid")
    for batch in sampler:
        one_language = len({language for pair in languages_of(sampler.pairs, batch) for language in pair}) == 1
        assert one_language or is_crosslingual(sampler.pairs, batch)


@every_sampler
@given(case=cases)
@property_test
def test_a_batch_is_full_unless_its_language_has_too_few_concepts(kind: str, case: Case):
    sampler = case.sampler(kind)
    monolingual, _ = naive_pairs(case.rows)
    for batch in sampler:
        full = sampler.batch_size
        if kind in ("monolingual", "hybrid") and is_monolingual(sampler.pairs, batch):
            full = min(full, len(monolingual[case.rows[batch[0][0]][1]]))
        assert len(batch) == full >= 2


def test_a_language_with_few_concepts_gives_a_batch_of_all_of_them():
    pairs = corpus_of([30, 3])
    batches = list(MonolingualBatchSampler(pairs, 8, batches=40))
    small = [batch for batch in batches if languages_of(pairs, batch)[0] == (1, 1)]
    assert small
    assert all(sorted(concepts_of(pairs, batch)) == [0, 1, 2] for batch in small)
    assert {len(batch) for batch in batches} == {3, 8}


@pytest.mark.parametrize("kind", ["monolingual", "hybrid"])
def test_a_language_with_one_concept_is_never_drawn_for_a_monolingual_batch(kind: str):
    pairs = corpus_of([20, 1, 20])
    batches = [batch for batch in SAMPLERS[kind](pairs, 4, batches=200) if is_monolingual(pairs, batch)]
    assert {language for batch in batches for language, _ in languages_of(pairs, batch)} == {0, 2}


def test_mixed_draws_each_language_row_by_row():
    pairs = corpus_of([40, 40, 40])
    languages = [{language for language, _ in languages_of(pairs, batch)} for batch in MixedBatchSampler(pairs, 20)]
    assert languages == [{0, 1, 2}, {0, 1, 2}]


@every_sampler
def test_indices_are_plain_integers(kind: str):
    for batch in SAMPLERS[kind](corpus_of([40, 40, 40]), 8):
        assert all(type(query) is int and type(passage) is int for query, passage in batch)
