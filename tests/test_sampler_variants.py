from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import islice, permutations, product

import numpy as np
import pytest
import sampler_cases as plain
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sampler_cases import Case, property_test
from scipy.stats import binomtest

from hybridlib.errors import InputError
from hybridlib.pairs import Pairs
from hybridlib.sampler_variants import (
    BothPairsBatchSampler,
    EvenHybridBatchSampler,
    OnePassageLanguageBatchSampler,
    RowHybridBatchSampler,
    ScheduledHybridBatchSampler,
    scheduled_alpha,
)
from hybridlib.samplers import Batch, HybridBatchSampler, PairBatchSampler

SAMPLERS = {
    "scheduled": partial(ScheduledHybridBatchSampler, alpha=0.9, alpha_end=0.1, schedule="linear", steps=12),
    "hybrid_even": EvenHybridBatchSampler,
    "hybrid_rows": RowHybridBatchSampler,
    "one_passage_language": OnePassageLanguageBatchSampler,
    "both_pairs": BothPairsBatchSampler,
}
ROWS = dict.fromkeys(SAMPLERS, 1) | {"both_pairs": 2}  # rows of one concept in a batch
every_sampler = pytest.mark.parametrize("kind", list(SAMPLERS))
by_weight = pytest.mark.parametrize(("power", "weight"), [(0, (1, 1, 1)), (1, (4, 2, 1))])  # of 40, 20, 10 concepts
# Two ragged corpora as one: else few concepts have monolingual pairs in two languages.
cases = st.builds(lambda one, other: replace(one, rows=one.rows + other.rows), plain.cases, plain.cases)


def name_of(kind: str) -> str:
    return getattr(SAMPLERS[kind], "func", SAMPLERS[kind]).__name__


def fitting(case: Case) -> list[set[int]]:
    """Return, for each language, the concepts that have a passage in it and a query in another, by loops."""
    fits = [set() for _ in range(4)]
    for query, passage in product(case.rows, repeat=2):
        if query[0] == passage[0] and query[1] != passage[1] and query[2] != "passage" and passage[2] != "query":
            fits[passage[1]].add(passage[0])
    return fits


def usable_concepts(kind: str, case: Case) -> set[int]:
    """Return the concepts that a sampler can draw, by loops."""
    monolingual, crosslingual = plain.naive_pairs(case.rows)
    has = Counter(concept for concepts in monolingual.values() for concept in concepts)
    hybrid = set().union(*(c for c in monolingual.values() if len(c) > 1)) & crosslingual
    return {
        "scheduled": hybrid,
        "hybrid_even": hybrid,
        "hybrid_rows": set(has) & crosslingual,
        "one_passage_language": set().union(*(concepts for concepts in fitting(case) if len(concepts) > 1)),
        "both_pairs": {concept for concept, languages in has.items() if languages > 1},
    }[kind]


def sampler_of(kind: str, case: Case, **changed: object) -> PairBatchSampler:
    """Return a sampler whose batch size fits the corpus; one with fewer than two usable concepts is no case."""
    usable = len(usable_concepts(kind, case))
    assume(usable >= 2)
    options = {"seed": case.seed, "batches": case.batches, **({"alpha": case.alpha} if "hybrid" in kind else {})}
    size = (2 + case.larger % (usable - 1)) * ROWS[kind]
    sampler = SAMPLERS[kind](plain.pairs_of(case.rows), size, **(options | changed))
    sampler.set_epoch(case.epoch)
    return sampler


def languages_drawn(pairs: Pairs, batches: Iterable[Batch], concepts: int) -> list[tuple[int, int]]:
    """Return the languages (query, passage) of all rows of the first concepts, which have texts in every language."""
    rows = [row for batch in batches for row in batch if pairs.concept[row[0]] < concepts]
    return plain.languages_of(pairs, rows)


@every_sampler
@given(case=cases)
@property_test
def test_rows_are_pairs_of_concepts_that_do_not_come_back_in_the_batch(kind: str, case: Case):
    sampler = sampler_of(kind, case)
    for batch in sampler:
        assert set(Counter(plain.concepts_of(sampler.pairs, batch)).values()) == {ROWS[kind]}
        for query, passage in ((case.rows[q], case.rows[p]) for q, p in batch):
            assert query[0] == passage[0]
            assert query[2] in ("query", "text")
            assert passage[2] in ("passage", "text")
            assert query[1] != passage[1] or query[3] != passage[3]


@every_sampler
@given(case=cases)
@property_test
def test_a_batch_is_full_unless_too_few_concepts_fit_its_language(kind: str, case: Case):
    sampler = sampler_of(kind, case)
    fits, (monolingual, _) = fitting(case), plain.naive_pairs(case.rows)
    for batch in sampler:
        full, language = sampler.batch_size, case.rows[batch[0][1]][1]
        if kind == "one_passage_language":
            full = min(full, len(fits[language]))
        if kind in ("scheduled", "hybrid_even") and plain.is_monolingual(sampler.pairs, batch):
            full = min(full, len(monolingual[language]))
        assert len(batch) == full >= 2


@pytest.mark.parametrize("kind", ["scheduled", "hybrid_even"])
@given(case=cases)
@property_test
def test_a_hybrid_batch_is_of_one_language_or_all_crosslingual(kind: str, case: Case):
    sampler = sampler_of(kind, case)
    sampler.set_epoch(0)
    for batch in sampler:
        assert plain.is_crosslingual(sampler.pairs, batch) or len(set(plain.languages_of(sampler.pairs, batch))) == 1


@given(case=cases)
@property_test
def test_passages_of_a_batch_are_in_one_language_and_queries_in_others(case: Case):
    sampler = sampler_of("one_passage_language", case)
    for batch in sampler:
        assert plain.is_crosslingual(sampler.pairs, batch)
        assert len({passage for _, passage in plain.languages_of(sampler.pairs, batch)}) == 1


@given(case=cases)
@property_test
def test_both_pairs_of_a_concept_are_monolingual_in_two_languages(case: Case):
    sampler = sampler_of("both_pairs", case)
    for batch in sampler:
        languages, concepts = plain.languages_of(sampler.pairs, batch), plain.concepts_of(sampler.pairs, batch)
        assert plain.is_monolingual(sampler.pairs, batch)
        assert all(one[0] != other[0] for one, other in zip(languages[::2], languages[1::2], strict=True))
        assert concepts[::2] == concepts[1::2]


@every_sampler
@given(case=cases)
@property_test
def test_length_is_what_was_asked_or_how_often_the_usable_concepts_fill_a_batch(kind: str, case: Case):
    asked, default = sampler_of(kind, case), sampler_of(kind, case, batches=None)
    assert len(list(asked)) == len(asked) == case.batches
    fills = len(usable_concepts(kind, case)) * ROWS[kind] // default.batch_size
    assert len(list(default)) == len(default) == fills


@every_sampler
def test_seed_and_epoch_fix_the_batches(kind: str):
    pairs = plain.corpus_of([32, 32, 32])
    epochs = {}
    for seed, epoch, _ in product(range(3), range(3), range(2)):
        sampler = SAMPLERS[kind](pairs, 8, seed=seed)
        sampler.set_epoch(epoch)
        batches = list(sampler)
        assert batches == epochs.setdefault((seed, epoch), batches) == list(sampler)
    assert all(one != other for one, other in permutations(epochs.values(), 2))


@every_sampler
@given(case=cases, done=st.integers(0, 9), epoch=st.integers(0, 3))
@property_test
def test_a_loaded_state_goes_on_with_exactly_the_remaining_batches(kind: str, case: Case, done: int, epoch: int):
    whole, stopped, resumed = (sampler_of(kind, case) for _ in range(3))
    whole.set_epoch(epoch)
    stopped.set_epoch(epoch)
    expected, done = list(whole), min(done, case.batches)
    assert list(islice(stopped, done)) == expected[:done]
    resumed.load_state_dict(stopped.state_dict())
    assert list(resumed) == expected[done:]
    for sampler in (whole, resumed):
        sampler.set_epoch(epoch + 1)
    assert list(resumed) == list(whole)


@given(case=cases, schedule=st.sampled_from(["linear", "step"]), steps=st.integers(2, 20))
@property_test
def test_a_schedule_between_equal_alphas_gives_the_batches_of_hybrid(case: Case, schedule: str, steps: int):
    constant = {"alpha": case.alpha, "alpha_end": case.alpha, "schedule": schedule, "steps": steps}
    scheduled = sampler_of("scheduled", case, **constant)
    options = {"alpha": case.alpha, "seed": case.seed, "batches": case.batches}
    hybrid = HybridBatchSampler(scheduled.pairs, scheduled.batch_size, **options)
    for epoch in (0, 1, case.epoch):
        scheduled.set_epoch(epoch)
        hybrid.set_epoch(epoch)
        assert list(scheduled) == list(hybrid)


def test_alpha_moves_to_its_end_and_stays_there():
    linear, step = ([scheduled_alpha(t, 0.9, 0.1, schedule, 5) for t in range(7)] for schedule in ("linear", "step"))
    assert linear == pytest.approx([0.9, 0.7, 0.5, 0.3, 0.1, 0.1, 0.1])
    assert step == [0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1]


@pytest.mark.parametrize(("alpha", "alpha_end"), [(1, 0), (0, 1)])
@pytest.mark.parametrize("schedule", ["linear", "step"])
def test_share_of_monolingual_batches_follows_the_schedule_over_epochs(schedule: str, alpha: int, alpha_end: int):
    pairs, seeds, monolingual = plain.corpus_of([4, 4]), 300, np.zeros(9)
    for seed in range(seeds):
        moving = {"alpha": alpha, "alpha_end": alpha_end, "schedule": schedule, "steps": 7}
        sampler = ScheduledHybridBatchSampler(pairs, 2, seed=seed, batches=3, **moving)
        for epoch in range(3):
            sampler.set_epoch(epoch)
            monolingual[3 * epoch :][:3] += [plain.is_monolingual(pairs, batch) for batch in sampler]
    for number, count in enumerate(monolingual):
        assert binomtest(int(count), seeds, scheduled_alpha(number, alpha, alpha_end, schedule, 7)).pvalue > 1e-4


@given(alpha=st.floats(0, 1), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_of_any_batches_in_a_row_the_share_alpha_is_monolingual(alpha: float, seed: int):
    """Over the ends of epochs too: three of eight batches."""
    pairs = plain.corpus_of([4, 4])
    sampler = EvenHybridBatchSampler(pairs, 2, alpha=alpha, seed=seed, batches=8)
    kinds = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        kinds += [plain.is_monolingual(pairs, batch) for batch in sampler]
    sums = np.cumsum([0, *kinds])
    for count in range(1, 25):
        assert np.abs(sums[count:] - sums[:-count] - alpha * count).max() < 1 + 1e-9


@pytest.mark.parametrize("alpha", [0.1, 0.25, 0.5])
def test_each_batch_is_monolingual_with_probability_alpha_over_seeds(alpha: float):
    pairs, seeds = plain.corpus_of([4, 4]), 300
    drawn = [list(EvenHybridBatchSampler(pairs, 2, alpha=alpha, seed=seed, batches=5)) for seed in range(seeds)]
    for batches in zip(*drawn, strict=True):
        count = sum(plain.is_monolingual(pairs, batch) for batch in batches)
        assert binomtest(count, seeds, alpha).pvalue > 1e-4


@pytest.mark.parametrize("alpha", [0, 0.2, 0.5, 1])
def test_each_row_is_monolingual_with_probability_alpha(alpha: float):
    pairs = plain.corpus_of([20] * 4)
    batches = list(RowHybridBatchSampler(pairs, 20, alpha=alpha, batches=400))
    counts = [sum(query == passage for query, passage in plain.languages_of(pairs, batch)) for batch in batches]
    assert binomtest(sum(counts), 8000, alpha).pvalue > 1e-4
    # Decided by batch, the variance would be 20 times as large.
    assert np.var(counts) == pytest.approx(20 * alpha * (1 - alpha), rel=0.3)


@by_weight
def test_rows_draw_languages_as_mixed_and_crosslingual_batches_do(power: int, weight: tuple[int, ...]):
    pairs = plain.corpus_of([40, 20, 10])
    drawn = languages_drawn(pairs, RowHybridBatchSampler(pairs, 20, language_power=power, batches=400), 10)
    own, two = ([pair for pair in drawn if (pair[0] == pair[1]) == same] for same in (True, False))
    assert plain.close(Counter(own), {(a, a): weight[a] for a in range(3)}, tolerance=6)
    assert plain.close(Counter(two), {(a, b): weight[a] * weight[b] for a, b in permutations(range(3), 2)}, tolerance=5)


@by_weight
def test_passage_language_is_drawn_by_weight_and_so_are_the_query_languages(power: int, weight: tuple[int, ...]):
    pairs = plain.corpus_of([40, 20, 10])
    batches = list(OnePassageLanguageBatchSampler(pairs, 10, language_power=power, batches=2000))
    passages = Counter(plain.languages_of(pairs, batch)[0][1] for batch in batches)
    assert plain.close(passages, dict(enumerate(weight)), tolerance=6)
    drawn = languages_drawn(pairs, batches, 10)
    for passage in range(3):
        queries = Counter(query for query, answered in drawn if answered == passage)
        assert plain.close(queries, {query: weight[query] for query in range(3) if query != passage}, tolerance=12)


def test_a_passage_language_that_few_concepts_fit_gives_small_batches_and_one_that_one_fits_none():
    pairs = plain.corpus_of([20, 20, 3, 1])
    batches = list(OnePassageLanguageBatchSampler(pairs, 8, batches=200))
    assert {plain.languages_of(pairs, batch)[0][1]: len(batch) for batch in batches} == {0: 8, 1: 8, 2: 3}


@by_weight
def test_both_pairs_draws_two_languages_by_the_product_of_weights(power: int, weight: tuple[int, ...]):
    pairs = plain.corpus_of([40, 20, 10])
    batches = BothPairsBatchSampler(pairs, 40, language_power=power, batches=300)
    drawn = [language for language, _ in languages_drawn(pairs, batches, 10)]
    two = Counter(zip(drawn[::2], drawn[1::2], strict=True))
    assert plain.close(two, {(a, b): weight[a] * weight[b] for a, b in permutations(range(3), 2)}, tolerance=5)


@pytest.mark.parametrize("kind", ["hybrid_rows", "both_pairs"])
@given(case=cases)
@settings(max_examples=10, deadline=None)
def test_every_language_and_pair_of_languages_of_every_usable_concept_is_reached(kind: str, case: Case):
    usable = usable_concepts(kind, case)
    assume(len(usable) >= 2)
    sampler = SAMPLERS[kind](plain.pairs_of(case.rows), len(usable) * ROWS[kind], seed=case.seed, batches=600)
    drawn = {case.rows[q][:2] + case.rows[p][1:2] for batch in sampler for q, p in batch}
    candidates = product([r for r in case.rows if r[2] != "passage"], [r for r in case.rows if r[2] != "query"])
    legal = [(q, p) for q, p in candidates if q[0] == p[0] and q[0] in usable and (q[1] != p[1] or q[3] != p[3])]
    assert drawn == {q[:2] + p[1:2] for q, p in legal if kind == "hybrid_rows" or q[1] == p[1]}


@every_sampler
@given(case=cases)
@property_test
def test_a_batch_size_above_the_usable_concepts_is_an_error(kind: str, case: Case):
    most = len(usable_concepts(kind, case)) * ROWS[kind]
    size = max(most, ROWS[kind]) + ROWS[kind]
    said = f"found batch_size {size}, expected at most {most}, .*have" if most else "found no concept that has "
    with pytest.raises(InputError, match=f"^{name_of(kind)}: {said}"):
        SAMPLERS[kind](plain.pairs_of(case.rows), size)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("scheduled", {"alpha": 1.01}),
        ("scheduled", {"alpha_end": float("nan")}),
        ("scheduled", {"schedule": "cosine"}),
        ("scheduled", {"steps": 1}),
        ("hybrid_even", {"alpha": -0.01}),
        ("hybrid_rows", {"alpha": -0.01}),
        ("one_passage_language", {"batch_size": 1}),
        ("both_pairs", {"batch_size": 5}),
        ("both_pairs", {"batch_size": 2}),
    ],
    ids=str,
)
def test_an_option_out_of_range_is_an_error(kind: str, wrong: dict):
    ((option, value),) = wrong.items()
    with pytest.raises(InputError, match=f"^{name_of(kind)}: found {option} {value!r}, expected "):
        SAMPLERS[kind](plain.corpus_of([9, 9]), **({"batch_size": 4} | wrong))
