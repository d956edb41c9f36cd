from collections import Counter
from dataclasses import dataclass
from itertools import islice, permutations, product

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset

from hybridlib.errors import InputError
from hybridlib.pairs import Pairs
from hybridlib.samplers import (
    Batch,
    CrosslingualBatchSampler,
    HybridBatchSampler,
    MixedBatchSampler,
    MonolingualBatchSampler,
    PairBatchSampler,
)

torch.set_num_threads(1)

SAMPLERS = {
    "mixed": MixedBatchSampler,
    "monolingual": MonolingualBatchSampler,
    "crosslingual": CrosslingualBatchSampler,
    "hybrid": HybridBatchSampler,
}
ROLES = {"query": (True, False), "passage": (False, True), "text": (True, True)}
CODES = ("en", "de", "zh", "sw", "tr", "ar", "ja", "fi")
Row = tuple[int, int, str, int]

every_sampler = pytest.mark.parametrize("kind", list(SAMPLERS))
property_test = settings(max_examples=30, deadline=None)


@dataclass(frozen=True)
class Case:
    """A random ragged corpus and what a sampler over it is given."""

    rows: list[Row]
    larger: int
    seed: int
    epoch: int
    batches: int
    alpha: float

    def sampler(self, kind: str, **changed: int) -> PairBatchSampler:
        """Return a sampler whose batch size fits the corpus; one with fewer than two usable concepts is no case."""
        usable = len(usable_concepts(kind, self.rows))
        assume(usable >= 2)
        options = {"seed": self.seed, "batches": self.batches} | ({"alpha": self.alpha} if kind == "hybrid" else {})
        sampler = SAMPLERS[kind](pairs_of(self.rows), 2 + self.larger % (usable - 1), **(options | changed))
        sampler.set_epoch(self.epoch)
        return sampler


# Cells with no text, with one symmetric text, and with one string twice all come about often.
cases = st.builds(
    Case,
    rows=st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 3), st.sampled_from(list(ROLES)), st.integers(0, 3)),
        min_size=16,
        max_size=70,
    ),
    larger=st.integers(0, 6),
    seed=st.integers(0, 2**32),
    epoch=st.integers(0, 1000),
    batches=st.integers(1, 9),
    alpha=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
)


def pairs_of(rows: list[Row]) -> Pairs:
    """Return the pairs of (concept, language, role, text) rows."""
    concept, language, role, text = zip(*rows, strict=True)
    return Pairs(
        concept=np.array(concept),
        language=np.array(language),
        is_query=np.array([ROLES[r][0] for r in role]),
        is_passage=np.array([ROLES[r][1] for r in role]),
        text=np.array(text),
        languages=CODES[: max(language) + 1],
    )


def corpus_of(sizes: list[int]) -> Pairs:
    """Return pairs in which language i has a query and a passage of concepts 0 .. sizes[i] - 1."""
    cells = [(c, lang) for lang, size in enumerate(sizes) for c in range(size)]
    rows = [
        (c, lang, role, 2 * i + (role == "query"))
        for i, (c, lang) in enumerate(cells)
        for role in ROLES
        if role != "text"
    ]
    return pairs_of(rows)


def naive_pairs(rows: list[Row]) -> tuple[dict[int, set[int]], set[int]]:
    """Return the concepts with a monolingual pair by language, and those with a cross-lingual one, by loops."""
    monolingual: dict[int, set[int]] = {language: set() for language in range(8)}
    crosslingual = set()
    for query, passage in product(rows, repeat=2):
        if query[0] != passage[0] or query[2] == "passage" or passage[2] == "query":
            continue
        if query[1] != passage[1]:
            crosslingual.add(query[0])
        elif query[3] != passage[3]:
            monolingual[query[1]].add(query[0])
    return monolingual, crosslingual


def usable_concepts(kind: str, rows: list[Row]) -> set[int]:
    """Return the concepts that a sampler can draw, by loops."""
    monolingual, crosslingual = naive_pairs(rows)
    in_batches = set().union(*(concepts for concepts in monolingual.values() if len(concepts) > 1))
    return {
        "mixed": set().union(*monolingual.values()),
        "monolingual": in_batches,
        "crosslingual": crosslingual,
        "hybrid": in_batches & crosslingual,
    }[kind]


def languages_of(pairs: Pairs, batch: Batch) -> list[tuple[int, int]]:
    """Return the languages (query, passage) of each pair."""
    return [(int(pairs.language[q]), int(pairs.language[p])) for q, p in batch]


def concepts_of(pairs: Pairs, batch: Batch) -> list[int]:
    return [int(pairs.concept[q]) for q, _ in batch]


def is_monolingual(pairs: Pairs, batch: Batch) -> bool:
    return all(query == passage for query, passage in languages_of(pairs, batch))


def is_crosslingual(pairs: Pairs, batch: Batch) -> bool:
    return all(query != passage for query, passage in languages_of(pairs, batch))


def close(counts: Counter, expected: dict, tolerance: float = 2.0) -> bool:
    """Whether counts have the expected distribution: chi-square below ``tolerance`` times its degrees of freedom."""
    total, share = sum(counts.values()), sum(expected.values())
    wanted = {key: total * value / share for key, value in expected.items()}
    chi_square = sum((counts[key] - value) ** 2 / value for key, value in wanted.items())
    return set(counts) <= set(expected) and chi_square < tolerance * (len(expected) - 1)


class Rows(Dataset):
    """A data set whose item is its index."""

    def __getitem__(self, index: tuple[int, int]) -> tuple[int, int]:
        return index

    def __len__(self) -> int:
        return 10**6


# ---------------------------------------------------------------------------------------------- what a batch holds


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


# -------------------------------------------------------------------------------------- length, seed, epoch, resuming


@every_sampler
@given(case=cases)
@property_test
def test_length_is_the_number_of_batches(kind: str, case: Case):
    sampler = case.sampler(kind)
    assert len(list(sampler)) == len(sampler) == case.batches


@every_sampler
@given(case=cases)
@property_test
def test_default_length_is_how_often_the_usable_concepts_fill_a_batch(kind: str, case: Case):
    sampler = case.sampler(kind, batches=None)
    assert len(list(sampler)) == len(sampler) == len(usable_concepts(kind, case.rows)) // sampler.batch_size


@every_sampler
@given(case=cases)
@property_test
def test_seed_and_epoch_fix_the_batches(kind: str, case: Case):
    once, again = case.sampler(kind), case.sampler(kind)
    batches = list(once)
    assert batches == list(again)
    assert batches == list(once)


@every_sampler
def test_another_seed_gives_other_batches(kind: str):
    pairs = corpus_of([64, 64, 64])
    epochs = [list(SAMPLERS[kind](pairs, 8, seed=seed)) for seed in range(6)]
    assert all(one != other for one, other in permutations(epochs, 2))


@every_sampler
def test_another_epoch_gives_other_batches(kind: str):
    sampler = SAMPLERS[kind](corpus_of([64, 64, 64]), 8)
    epochs = []
    for epoch in range(6):
        sampler.set_epoch(epoch)
        epochs.append(list(sampler))
    assert all(one != other for one, other in permutations(epochs, 2))


@every_sampler
def test_epoch_of_one_seed_is_not_a_neighbouring_seed(kind: str):
    pairs = corpus_of([64, 64, 64])
    one, other = SAMPLERS[kind](pairs, 8, seed=1), SAMPLERS[kind](pairs, 8, seed=0)
    other.set_epoch(1)
    assert list(one) != list(other)


@every_sampler
def test_set_epoch_comes_back_to_the_same_batches(kind: str):
    sampler = SAMPLERS[kind](corpus_of([64, 64, 64]), 8)
    first = list(sampler)
    sampler.set_epoch(3)
    assert list(sampler) != first
    sampler.set_epoch(0)
    assert list(sampler) == first


@every_sampler
def test_set_epoch_in_the_middle_starts_at_the_first_batch(kind: str):
    sampler = SAMPLERS[kind](corpus_of([64, 64, 64]), 8)
    list(islice(sampler, 3))
    sampler.set_epoch(0)
    assert len(list(sampler)) == len(sampler)


@every_sampler
@given(case=cases, done=st.integers(0, 9))
@property_test
def test_a_loaded_state_goes_on_with_exactly_the_remaining_batches(kind: str, case: Case, done: int):
    done = min(done, case.batches)
    whole = list(case.sampler(kind))
    stopped = case.sampler(kind)
    assert list(islice(stopped, done)) == whole[:done]
    resumed = case.sampler(kind)
    resumed.set_epoch(case.epoch + 1)
    resumed.load_state_dict(stopped.state_dict())
    assert list(resumed) == whole[done:]


@every_sampler
def test_after_a_resumed_epoch_the_next_one_is_whole(kind: str):
    pairs = corpus_of([64, 64, 64])
    uninterrupted, stopped, resumed = (SAMPLERS[kind](pairs, 8) for _ in range(3))
    stopped.set_epoch(4)
    list(islice(stopped, 5))
    resumed.load_state_dict(stopped.state_dict())
    list(resumed)
    uninterrupted.set_epoch(5)
    resumed.set_epoch(5)
    assert list(resumed) == list(uninterrupted)


@every_sampler
def test_a_resumed_epoch_can_be_stopped_and_resumed_again(kind: str):
    pairs = corpus_of([64, 64, 64])
    whole = list(SAMPLERS[kind](pairs, 8))
    batches, state = [], SAMPLERS[kind](pairs, 8).state_dict()
    for _ in range(4):
        sampler = SAMPLERS[kind](pairs, 8)
        sampler.load_state_dict(state)
        batches += list(islice(sampler, 2))
        state = sampler.state_dict()
    assert batches == whole


# ------------------------------------------------------------------------------------------------- which are drawn


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


@given(case=cases)
@settings(max_examples=20, deadline=None)
def test_crosslingual_reaches_every_ordered_language_pair_of_every_concept(case: Case):
    usable = usable_concepts("crosslingual", case.rows)
    assume(len(usable) >= 2)
    sampler = CrosslingualBatchSampler(pairs_of(case.rows), len(usable), seed=case.seed, batches=250)
    drawn = {case.rows[q][:2] + case.rows[p][1:2] for batch in sampler for q, p in batch}
    candidates = product([r for r in case.rows if r[2] != "passage"], [r for r in case.rows if r[2] != "query"])
    assert drawn == {q[:2] + p[1:2] for q, p in candidates if q[0] == p[0] and q[1] != p[1]}


# ------------------------------------------------------------------------------------------------ order of concepts


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


# ------------------------------------------------------------------------------------------------------ with others


@every_sampler
def test_a_data_loader_takes_it_as_batch_sampler(kind: str):
    sampler = SAMPLERS[kind](corpus_of([40, 40, 40]), 8)
    loader = DataLoader(Rows(), batch_sampler=sampler, collate_fn=list)
    assert len(loader) == 5
    assert list(loader) == list(SAMPLERS[kind](corpus_of([40, 40, 40]), 8))


@every_sampler
def test_a_data_loader_goes_through_the_epoch_that_was_set(kind: str):
    sampler, alone = (SAMPLERS[kind](corpus_of([40, 40, 40]), 8) for _ in range(2))
    loader = DataLoader(Rows(), batch_sampler=sampler, collate_fn=list)
    first = list(loader)
    sampler.set_epoch(1)
    alone.set_epoch(1)
    assert list(loader) == list(alone) != first


@every_sampler
def test_indices_are_plain_integers(kind: str):
    for batch in SAMPLERS[kind](corpus_of([40, 40, 40]), 8):
        assert all(type(query) is int and type(passage) is int for query, passage in batch)


# ----------------------------------------------------------------------------------------------------------- errors


@every_sampler
@pytest.mark.parametrize("batch_size", [1, 0, -3])
def test_a_batch_size_below_two_is_an_error(kind: str, batch_size: int):
    message = f"^{SAMPLERS[kind].__name__}: found batch_size {batch_size}, expected at least 2"
    with pytest.raises(InputError, match=message):
        SAMPLERS[kind](corpus_of([9, 9]), batch_size)


@every_sampler
def test_a_batch_size_above_the_usable_concepts_is_an_error(kind: str):
    with pytest.raises(
        InputError, match=f"^{SAMPLERS[kind].__name__}: found batch_size 10, expected at most 9, .*have"
    ):
        SAMPLERS[kind](corpus_of([9, 9]), 10)


@every_sampler
@given(case=cases)
@property_test
def test_the_largest_batch_size_is_the_number_of_usable_concepts(kind: str, case: Case):
    usable = len(usable_concepts(kind, case.rows))
    with pytest.raises(InputError, match=f"found batch_size {max(usable, 1) + 1}, expected at most {usable}, "):
        SAMPLERS[kind](pairs_of(case.rows), max(usable, 1) + 1)
    if usable > 1:
        assert len(SAMPLERS[kind](pairs_of(case.rows), usable)) == 1


@pytest.mark.parametrize("kind", ["mixed", "monolingual", "hybrid"])
def test_symmetric_texts_alone_have_no_monolingual_pair_to_draw(kind: str):
    pairs = pairs_of([(c, lang, "text", 10 * c + lang) for c in range(9) for lang in range(3)])
    with pytest.raises(InputError, match=r"found batch_size 2, expected at most 0, .* a monolingual pair"):
        SAMPLERS[kind](pairs, 2)


@pytest.mark.parametrize("kind", ["crosslingual", "hybrid"])
def test_one_language_alone_has_no_crosslingual_pair_to_draw(kind: str):
    with pytest.raises(InputError, match=r"found batch_size 2, expected at most 0, .*texts in two languages"):
        SAMPLERS[kind](corpus_of([9]), 2)


@every_sampler
def test_a_corpus_with_no_text_is_an_error(kind: str):
    nothing = np.zeros(0, dtype=np.int64)
    pairs = Pairs(nothing, nothing, nothing.astype(bool), nothing.astype(bool), nothing, ("en", "de"))
    with pytest.raises(InputError, match="found batch_size 2, expected at most 0"):
        SAMPLERS[kind](pairs, 2)


@pytest.mark.parametrize("alpha", [-0.01, 1.01, float("nan")])
def test_an_alpha_outside_zero_to_one_is_an_error(alpha: float):
    with pytest.raises(InputError, match=rf"found alpha {alpha}, expected a number in \[0, 1\]"):
        HybridBatchSampler(corpus_of([9, 9]), 2, alpha=alpha)


@every_sampler
@pytest.mark.parametrize("batches", [0, -1])
def test_no_batch_an_epoch_is_an_error(kind: str, batches: int):
    with pytest.raises(InputError, match=f"^{SAMPLERS[kind].__name__}: found batches {batches}, expected at least 1"):
        SAMPLERS[kind](corpus_of([9, 9]), 2, batches=batches)


@every_sampler
def test_a_state_of_another_seed_is_an_error(kind: str):
    pairs = corpus_of([9, 9])
    with pytest.raises(InputError, match=f"^{SAMPLERS[kind].__name__}: found a state of seed 5, expected 6"):
        SAMPLERS[kind](pairs, 2, seed=6).load_state_dict(SAMPLERS[kind](pairs, 2, seed=5).state_dict())
