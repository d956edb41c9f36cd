from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridlib.debias import DEBIASINGS, Debiasing, centring, fitted, remove_components, shift
from hybridlib.errors import InputError

SEEDS = st.integers(0, 2**32 - 1)
CODES = np.array(["ar", "de", "en"])
CONCEPT = np.tile(np.arange(8), 3)
LANGUAGE = np.repeat(CODES, 8)
FITS: dict[str, Callable[[np.ndarray], Debiasing]] = {
    "centring": lambda vectors: centring(vectors, LANGUAGE),
    "shift": lambda vectors: shift(vectors, LANGUAGE, CONCEPT, source="en"),
    "lir": lambda vectors: remove_components(vectors, LANGUAGE, components=2),
}
property_test = settings(max_examples=50, deadline=None, derandomize=True)
each = pytest.mark.parametrize("name", FITS)


def gaussian(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def offsets(seed: int) -> np.ndarray:
    return np.repeat(5 * gaussian(seed, 3, 6), 8, axis=0)


def test_centring_subtracts_the_mean_of_the_language_as_fitted():
    train, test = gaussian(0, 24, 6), gaussian(1, 10, 6)
    language = np.array(["de", "en"] * 5)
    expected = [
        unit(vector - np.mean([train[i] for i in range(24) if LANGUAGE[i] == code], axis=0))
        for vector, code in zip(test, language, strict=True)
    ]
    assert centring(train, LANGUAGE)(test, language) == pytest.approx(np.array(expected), abs=1e-6)


def test_means_vanish_by_centring():
    half = unit(gaussian(0, 3, 4, 6))
    vectors = np.concatenate([half, -half], axis=1).reshape(24, 6) + offsets(1)
    moved = centring(vectors, LANGUAGE)(vectors, LANGUAGE).reshape(3, 8, 6)
    assert moved.mean(1) == pytest.approx(0, abs=1e-6)
    assert moved[:, :4] == pytest.approx(half, abs=1e-6)


@property_test
@given(SEEDS)
def test_centring_does_not_see_what_all_texts_of_a_language_share(seed):
    train, test, offset = gaussian(seed, 24, 6), gaussian(seed + 1, 24, 6), offsets(seed + 2)
    moved = centring(train + offset, LANGUAGE)(test + offset, LANGUAGE)
    assert moved == pytest.approx(centring(train, LANGUAGE)(test, LANGUAGE), abs=1e-4)


def test_shift_moves_parallel_texts_onto_each_other():
    meaning, offset = gaussian(0, 8, 6), offsets(1)
    vectors = np.tile(meaning, (3, 1)) + offset
    other = np.tile(gaussian(2, 8, 6), (3, 1)) + offset
    moved = shift(vectors, LANGUAGE, CONCEPT, source="en")(other, LANGUAGE)
    assert moved == pytest.approx(np.tile(unit(other[16:]), (3, 1)), abs=1e-5)


def test_shift_goes_alpha_of_the_way():
    vectors, language = np.array([[1.0, 0, 0], [0, 1, 0]]), np.array(["en", "de"])
    moved = shift(vectors, language, np.array([7, 7]), source="en", alpha=0.25)(vectors, language)
    assert moved == pytest.approx(unit(np.array([[1, 0, 0], [0.25, 0.75, 0]])))


def test_shift_counts_each_concept_once_and_those_of_both_languages_alone():
    vectors = np.array([[1.0, 0], [3, 0], [0, 2], [9, 9], [2, 0], [5, 5], [7, 7]])
    concept = np.array(["a", "a", "b", "only de", "a", "b", "only en"])
    language = np.array(["de"] * 4 + ["en"] * 3)
    moved = shift(vectors, language, concept, source="en")(np.array([[1.0, 0]]), np.array(["de"]))
    difference = (np.array([2.0, 0]) - [2, 0] + np.array([0.0, 2]) - [5, 5]) / 2
    assert moved == pytest.approx(unit(np.array([[1.0, 0]]) - difference))


@pytest.mark.parametrize("components", [1, 2, 5])
def test_removed_components_are_the_first_singular_vectors_of_the_uncentred_language(components):
    train, test = gaussian(0, 24, 6) + offsets(1), gaussian(2, 24, 6)
    moved = remove_components(train, LANGUAGE, components=components)(test, LANGUAGE)
    for rows in np.split(np.arange(24), 3):
        basis = np.linalg.svd(train[rows].T, full_matrices=False)[0][:, :components]
        assert moved[rows] @ basis == pytest.approx(0, abs=1e-5)
        assert moved[rows] == pytest.approx(unit(test[rows] - test[rows] @ basis @ basis.T), abs=1e-4)


@property_test
@given(SEEDS)
def test_removing_components_again_changes_nothing(seed):
    debias = remove_components(gaussian(seed, 24, 6), LANGUAGE)
    once = debias(gaussian(seed + 1, 24, 6), LANGUAGE)
    assert debias(once, LANGUAGE) == pytest.approx(once, abs=1e-4)


@each
@property_test
@given(seed=SEEDS, scale=st.floats(1e-3, 1e3))
def test_result_is_of_unit_length_in_float32(name, seed, scale):
    moved = FITS[name](scale * gaussian(seed, 24, 6))(scale * gaussian(seed + 1, 24, 6), LANGUAGE)
    assert moved.dtype == np.float32
    assert np.linalg.norm(moved, axis=1) == pytest.approx(1, abs=1e-5)


@each
@property_test
@given(seed=SEEDS)
def test_rotating_the_space_rotates_the_result(name, seed):
    train, test = gaussian(seed, 24, 6), gaussian(seed + 1, 24, 6)
    rotation = np.linalg.qr(gaussian(seed + 2, 6, 6))[0]
    rotated = FITS[name](train @ rotation)(test @ rotation, LANGUAGE)
    assert rotated == pytest.approx(FITS[name](train)(test, LANGUAGE) @ rotation, abs=1e-3)


@each
def test_a_row_depends_on_its_vector_and_language_alone(name):
    debias, test = FITS[name](gaussian(0, 24, 6)), gaussian(1, 24, 6)
    rows = np.random.default_rng(2).permutation(24)[:9]
    assert debias(test[rows], LANGUAGE[rows]) == pytest.approx(debias(test, LANGUAGE)[rows], abs=1e-6)


@each
def test_order_of_the_training_texts_does_not_matter(name):
    vectors, order = gaussian(0, 24, 6), np.random.default_rng(1).permutation(24)
    fits = {
        "centring": lambda v, language, _: centring(v, language),
        "shift": lambda v, language, concept: shift(v, language, concept, source="en"),
        "lir": lambda v, language, _: remove_components(v, language, components=2),
    }
    moved = fits[name](vectors[order], LANGUAGE[order], CONCEPT[order])(vectors, LANGUAGE)
    assert moved == pytest.approx(FITS[name](vectors)(vectors, LANGUAGE), abs=1e-5)


@each
def test_inputs_stay_as_they_are_and_an_empty_set_is_mapped(name):
    vectors = gaussian(0, 24, 6)
    before = vectors.copy()
    debias = FITS[name](vectors)
    debias(vectors, LANGUAGE)
    assert (vectors == before).all()
    assert debias(vectors[:0], LANGUAGE[:0]).shape == (0, 6)


def test_languages_may_be_numbers():
    vectors, numbers = gaussian(0, 24, 6), np.repeat([4, 0, 9], 8)
    assert (centring(vectors, numbers)(vectors, numbers) == centring(vectors, LANGUAGE)(vectors, LANGUAGE)).all()


def queries_and_passages(seed: int = 0) -> tuple[np.ndarray, ...]:
    return gaussian(seed, 24, 6), LANGUAGE, gaussian(seed + 1, 24, 6), LANGUAGE, CONCEPT


@pytest.mark.parametrize(("name", "fit"), [("centring", centring), ("lir", remove_components)])
def test_queries_and_passages_are_fitted_apart(name, fit):
    queries, _, passages, *_ = data = queries_and_passages()
    test = gaussian(5, 24, 6)
    for debias, train in zip(fitted(name, *data), (queries, passages), strict=True):
        assert (debias(test, LANGUAGE) == fit(train, LANGUAGE)(test, LANGUAGE)).all()


def test_shift_leaves_queries_and_moves_passages_to_english():
    data, test = queries_and_passages(), gaussian(5, 24, 6)
    for_queries, for_passages = fitted("shift", *data)
    assert for_queries(test, LANGUAGE) == pytest.approx(unit(test), abs=1e-6)
    expected = shift(data[2], LANGUAGE, CONCEPT, source="en")(test, LANGUAGE)
    assert (for_passages(test, LANGUAGE) == expected).all()


def test_shift_moves_to_the_largest_language_where_there_is_no_english():
    vectors, language, concept = gaussian(0, 5, 3), np.array(["ar", "de", "de", "ar", "de"]), np.array([0, 0, 1, 1, 2])
    moved = fitted("shift", vectors, language, vectors, language, concept)[1](vectors, language)
    assert moved == pytest.approx(shift(vectors, language, concept, source="de")(vectors, language))


@each
def test_language_that_was_not_fitted(name):
    with pytest.raises(InputError, match=f"{name}: found language 'fr', expected one fitted on: ar de en"):
        FITS[name](gaussian(0, 24, 6))(gaussian(1, 2, 6), np.array(["en", "fr"]))


@each
def test_vectors_of_another_dimension(name):
    with pytest.raises(InputError, match=f"{name}: found vectors of dimension 5, expected 6 as fitted"):
        FITS[name](gaussian(0, 24, 6))(gaussian(1, 24, 5), LANGUAGE)


def vanishing(name: str) -> tuple[Debiasing, np.ndarray]:
    """Return a debiasing and a vector of en that it makes 0, but for rounding."""
    vectors = gaussian(0, 24, 6)
    if name == "centring":
        return FITS[name](vectors), vectors[16:].mean(0)
    if name == "lir":
        return FITS[name](vectors), np.linalg.svd(vectors[16:])[2][0]
    swapped = shift(vectors, LANGUAGE, CONCEPT, source="ar")
    return swapped, (vectors[16:] - vectors[:8]).mean(0)


@each
def test_vector_of_which_nothing_is_left_is_named(name):
    debias, vector = vanishing(name)
    with pytest.raises(InputError, match=f"{name}: found a vector of length .* after debiasing in row 2"):
        debias(np.stack([vector + 1, vector - 1, vector]), np.array(["en"] * 3))


def test_zero_query_is_named_though_shift_leaves_queries():
    with pytest.raises(InputError, match="in row 1"):
        fitted("shift", *queries_and_passages())[0](np.array([[1.0, 0], [0, 0]]), np.array(["en", "en"]))


@each
def test_number_that_is_not_finite_is_named_in_fitting_and_in_use(name):
    good, bad = gaussian(0, 24, 6), gaussian(0, 24, 6)
    bad[3, 1] = np.nan
    for use in (lambda: FITS[name](bad), lambda: FITS[name](good)(bad, LANGUAGE)):
        with pytest.raises(InputError, match=f"{name}: found a number that is not finite in row 3"):
            use()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda v: centring(v, LANGUAGE[:5]), r"shape \(24, 6\) and 5 languages"),
        (lambda v: centring(v[0], LANGUAGE[:6]), r"shape \(6,\)"),
        (lambda v: centring(v[:0], LANGUAGE[:0]), "found no vector to fit on"),
        (lambda v: shift(v, LANGUAGE, CONCEPT[:7], source="en"), "found 7 concepts, expected one for each of the 24"),
        (lambda v: shift(v, LANGUAGE, CONCEPT, source="fr"), "found source 'fr', expected one of: ar de en"),
        (lambda v: shift(v, LANGUAGE, np.arange(24), source="en"), "found no concept in both 'ar' and source 'en'"),
        (lambda v: remove_components(v, LANGUAGE, components=0), "found components 0, expected 1 to 5"),
        (lambda v: remove_components(v, LANGUAGE, components=6), "found components 6, expected 1 to 5"),
        (lambda v: remove_components(v[:10], LANGUAGE[:10], components=3), "found 2 texts in 'de', expected 3"),
        (lambda v: fitted("whitening", v, LANGUAGE, v, LANGUAGE, CONCEPT), "found 'whitening', expected one of: cent"),
    ],
)
def test_input_that_cannot_be_fitted(wrong, message):
    with pytest.raises(InputError, match=message):
        wrong(gaussian(0, 24, 6))


def test_every_name_is_fitted():
    assert [len(fitted(name, *queries_and_passages())) for name in DEBIASINGS] == [2, 2, 2]
