"""In which order the concepts are drawn."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from sampler_cases import (
    SAMPLERS,
    Case,
    cases,
    concepts_of,
    corpus_of,
    every_sampler,
    is_monolingual,
    languages_of,
    property_test,
    usable_concepts,
)


@pytest.mark.parametrize("batch_size", [4, 7, 30])
def test_on_complete_data_all_samplers_meet_the_same_concepts_in_the_same_batches(batch_size: int):
    pairs = corpus_of([30] * 4)
    met = []
    for sampler_class in SAMPLERS.values():
        sampler = sampler_class(pairs, batch_size, seed=3, batches=40)
        sampler.set_epoch(2)
        met.append([concepts_of(pairs, batch) for batch in sampler])
    assert met[0] == met[1] == met[2] == met[3]


@every_sampler
@pytest.mark.parametrize("batch_size", [4, 7, 30])
def test_on_complete_data_every_concept_is_used_before_one_is_used_again(kind: str, batch_size: int):
    pairs = corpus_of([30] * 4)
    used = np.zeros(30, dtype=int)
    for batch in SAMPLERS[kind](pairs, batch_size, batches=40):
        used[concepts_of(pairs, batch)] += 1
        assert used.max() - used.min() <= 1


@pytest.mark.parametrize("kind", ["mixed", "crosslingual"])
@given(case=cases)
@property_test
def test_on_ragged_data_every_usable_concept_is_used_before_one_is_used_again(kind: str, case: Case):
    used = dict.fromkeys(usable_concepts(kind, case.rows), 0)
    for batch in case.sampler(kind):
        for query, _ in batch:
            used[case.rows[query][0]] += 1
        assert max(used.values()) - min(used.values()) <= 1


@pytest.mark.parametrize("kind", ["monolingual", "hybrid"])
@pytest.mark.parametrize("sizes", [[12, 9, 5, 3], [6, 4, 3]], ids=str)
def test_a_batch_takes_the_least_used_concepts_of_its_language(kind: str, sizes: list[int]):
    pairs = corpus_of(sizes)
    used = Counter()
    for batch in SAMPLERS[kind](pairs, 2, batches=60):
        eligible = sizes[languages_of(pairs, batch)[0][0]] if is_monolingual(pairs, batch) else sizes[1]
        taken = set(concepts_of(pairs, batch))
        assert max(used[concept] for concept in taken) <= min(used[c] for c in set(range(eligible)) - taken)
        used.update(taken)


@every_sampler
def test_each_epoch_has_its_own_order_of_concepts(kind: str):
    pairs = corpus_of([64, 64])
    sampler = SAMPLERS[kind](pairs, 64)
    orders = []
    for epoch in range(4):
        sampler.set_epoch(epoch)
        orders.append(concepts_of(pairs, next(iter(sampler))))
    assert len(set(map(tuple, orders))) == 4
