"""How often which languages are drawn."""

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from sampler_cases import (
    SAMPLERS,
    Case,
    cases,
    close,
    corpus_of,
    is_crosslingual,
    is_monolingual,
    languages_of,
    pairs_of,
    usable_concepts,
)

from hybridlib.samplers import CrosslingualBatchSampler, HybridBatchSampler, MixedBatchSampler


def test_alpha_zero_has_only_crosslingual_batches():
    pairs = corpus_of([40, 40, 40])
    assert all(is_crosslingual(pairs, batch) for batch in HybridBatchSampler(pairs, 4, alpha=0, batches=300))


def test_alpha_one_has_only_monolingual_batches():
    pairs = corpus_of([40, 40, 40])
    assert all(is_monolingual(pairs, batch) for batch in HybridBatchSampler(pairs, 4, alpha=1, batches=300))


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.8])
def test_share_of_monolingual_batches_is_alpha(alpha: float):
    pairs = corpus_of([40, 40, 40])
    batches = list(HybridBatchSampler(pairs, 2, alpha=alpha, batches=4000))
    assert np.mean([is_monolingual(pairs, batch) for batch in batches]) == pytest.approx(alpha, abs=0.025)


def test_alpha_is_one_half_by_default():
    assert HybridBatchSampler(corpus_of([4, 4]), 2).alpha == 0.5


@pytest.mark.parametrize("kind", ["monolingual", "hybrid"])
@pytest.mark.parametrize("power", [0, 0.5, 1])
def test_languages_of_monolingual_batches_are_drawn_by_size_to_the_power(kind: str, power: float):
    sizes = [80, 40, 20, 5]
    pairs = corpus_of(sizes)
    batches = list(SAMPLERS[kind](pairs, 5, language_power=power, batches=4000))
    counts = Counter(languages_of(pairs, batch)[0][0] for batch in batches if is_monolingual(pairs, batch))
    assert close(counts, {language: size**power for language, size in enumerate(sizes)})


@pytest.mark.parametrize("kind", ["monolingual", "hybrid"])
def test_languages_of_monolingual_batches_are_uniform_by_default(kind: str):
    pairs = corpus_of([80, 40, 20, 5])
    batches = list(SAMPLERS[kind](pairs, 5, batches=4000))
    counts = Counter(languages_of(pairs, batch)[0][0] for batch in batches if is_monolingual(pairs, batch))
    assert close(counts, dict.fromkeys(range(4), 1))


@pytest.mark.parametrize("power", [0, 1])
def test_languages_of_mixed_pairs_are_drawn_by_size_to_the_power(power: int):
    sizes = [80, 40, 20, 10]
    pairs = corpus_of(sizes)
    drawn = [pair for batch in MixedBatchSampler(pairs, 80, language_power=power, batches=400) for pair in batch]
    counts = Counter(int(pairs.language[query]) for query, _ in drawn if pairs.concept[query] < min(sizes))
    assert close(counts, {language: size**power for language, size in enumerate(sizes)})


def test_ordered_language_pairs_of_crosslingual_are_uniform_by_default():
    pairs = corpus_of([50] * 5)
    batches = CrosslingualBatchSampler(pairs, 50, batches=200)
    counts = Counter(languages for batch in batches for languages in languages_of(pairs, batch))
    assert close(counts, dict.fromkeys(permutations(range(5), 2), 1))


def test_ordered_language_pairs_of_crosslingual_are_drawn_by_the_product_of_weights():
    sizes = [80, 40, 20, 10]
    pairs = corpus_of(sizes)
    batches = CrosslingualBatchSampler(pairs, 40, language_power=1, batches=1500)
    drawn = [(int(pairs.language[q]), int(pairs.language[p])) for b in batches for q, p in b if pairs.concept[q] < 10]
    assert close(Counter(drawn), {(a, b): sizes[a] * sizes[b] for a, b in permutations(range(4), 2)})


def test_a_steep_power_leaves_crosslingual_pairs_in_both_directions():
    # With two languages the only pairs are en-de and de-en, whatever the weights 100 ** 12 and 4 ** 12.
    pairs = corpus_of([100, 4])
    batches = CrosslingualBatchSampler(pairs, 4, language_power=12, batches=100)
    counts = Counter(languages for batch in batches for languages in languages_of(pairs, batch))
    assert close(counts, {(0, 1): 1, (1, 0): 1}, tolerance=8)


@pytest.mark.parametrize("kind", ["monolingual", "hybrid"])
def test_a_power_without_bound_draws_the_largest_language(kind: str):
    pairs = corpus_of([50, 3000])
    options = {"alpha": 1.0} if kind == "hybrid" else {}
    batches = SAMPLERS[kind](pairs, 4, language_power=200, batches=20, **options)
    assert {languages for batch in batches for languages in languages_of(pairs, batch)} == {(1, 1)}


@given(case=cases)
@settings(max_examples=20, deadline=None)
def test_crosslingual_reaches_every_ordered_language_pair_of_every_concept(case: Case):
    usable = usable_concepts("crosslingual", case.rows)
    assume(len(usable) >= 2)
    sampler = CrosslingualBatchSampler(pairs_of(case.rows), len(usable), seed=case.seed, batches=250)
    drawn = {case.rows[q][:2] + case.rows[p][1:2] for batch in sampler for q, p in batch}
    candidates = product([r for r in case.rows if r[2] != "passage"], [r for r in case.rows if r[2] != "query"])
    assert drawn == {q[:2] + p[1:2] for q, p in candidates if q[0] == p[0] and q[1] != p[1]}
