"""What a sampler refuses."""

import numpy as np
import pytest
from hypothesis import given
from sampler_cases import SAMPLERS, Case, cases, corpus_of, every_sampler, pairs_of, property_test, usable_concepts

from hybridlib.errors import InputError
from hybridlib.pairs import Pairs
from hybridlib.samplers import HybridBatchSampler


@every_sampler
@pytest.mark.parametrize("batch_size", [1, 0, -3])
def test_a_batch_size_below_two_is_an_error(kind: str, batch_size: int):
    message = f"^{SAMPLERS[kind].__name__}: found batch_size {batch_size}, expected at least 2"
    with pytest.raises(InputError, match=message):
        SAMPLERS[kind](corpus_of([9, 9]), batch_size)


@every_sampler
def test_a_seed_out_of_range_is_an_error(kind: str):
    for seed in (-1, 2**32):  # with an epoch, seed 2**32 + 7 would be seed 7 in the next one
        with pytest.raises(InputError, match=f"^{SAMPLERS[kind].__name__}: found seed {seed}, expected 0 to"):
            SAMPLERS[kind](corpus_of([9, 9]), 4, seed=seed)


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
    said = f"found batch_size {usable + 1}, expected at most {usable}, " if usable else "found no concept that has "
    with pytest.raises(InputError, match=said):
        SAMPLERS[kind](pairs_of(case.rows), max(usable, 1) + 1)
    if usable > 1:
        assert len(SAMPLERS[kind](pairs_of(case.rows), usable)) == 1


@pytest.mark.parametrize("kind", ["mixed", "monolingual", "hybrid"])
def test_symmetric_texts_alone_have_no_monolingual_pair_to_draw(kind: str):
    pairs = pairs_of([(c, lang, "text", 10 * c + lang) for c in range(9) for lang in range(3)])
    with pytest.raises(InputError, match=r"found no concept that has .*a monolingual pair.*, expected 2"):
        SAMPLERS[kind](pairs, 2)


@pytest.mark.parametrize("kind", ["crosslingual", "hybrid"])
def test_one_language_alone_has_no_crosslingual_pair_to_draw(kind: str):
    with pytest.raises(InputError, match=r"found no concept that has .*texts in two languages, expected 2"):
        SAMPLERS[kind](corpus_of([9]), 2)


@every_sampler
def test_a_corpus_with_no_text_is_an_error(kind: str):
    nothing = np.zeros(0, dtype=np.int64)
    pairs = Pairs(nothing, nothing, nothing.astype(bool), nothing.astype(bool), nothing, ("en", "de"))
    with pytest.raises(InputError, match=r"found no concept that has .*, expected 2"):
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
