"""Vectors of texts."""

import numpy as np
import pytest
import torch
from small_encoders import SIZES, TEXTS
from transformers import AutoConfig, AutoModel, BertConfig, BertModel

from hybridlib.encoders.encoder import DualEncoder
from hybridlib.encoders.tiny import tiny_tokenizer
from hybridlib.errors import InputError


def test_vectors_have_unit_length(tiny):
    assert np.linalg.norm(tiny.encode(TEXTS, progress=False), axis=1) == pytest.approx(1, abs=1e-6)


def test_vectors_are_float32_of_the_models_dimension(tiny):
    vectors = tiny.encode(TEXTS, progress=False)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), 32) == (len(TEXTS), tiny.dimension)


def test_no_texts_give_no_vectors(tiny):
    assert tiny.encode([], progress=False).shape == (0, 32)


def test_vectors_are_the_normalised_mean_of_the_token_vectors(tiny):
    text = "two dogs run"
    ids = torch.tensor([tiny.tokenizer("query: " + text)["input_ids"]])
    with torch.inference_mode():
        mean = tiny.model(input_ids=ids).last_hidden_state[0].mean(0)
    assert tiny.encode([text], progress=False)[0] == pytest.approx((mean / mean.norm()).numpy(), abs=1e-5)


def test_order_of_texts_is_kept(tiny):
    vectors = tiny.encode(TEXTS, progress=False)
    alone = np.concatenate([tiny.encode([text], progress=False) for text in TEXTS])
    assert vectors == pytest.approx(alone, abs=1e-5)
    assert np.abs(vectors[:, None] - vectors[None]).max(2)[np.triu_indices(len(TEXTS), 1)].min() > 1e-3


def test_equal_texts_have_equal_vectors(tiny):
    vectors = tiny.encode(["a cat", "a cat"], progress=False)
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_batches_change_no_vector(tiny, batch_size):
    expected = tiny.encode(TEXTS, progress=False)
    assert tiny.encode(TEXTS, batch_size=batch_size, progress=False) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("role", ["query", "passage"])
def test_encode_puts_the_roles_prefix_before(tiny, role):
    rows = tiny.tokenizer([f"{role}: {text}" for text in TEXTS])["input_ids"]
    assert tiny.tokenize(TEXTS, role) == rows
    assert (tiny.encode(TEXTS, role, progress=False) == tiny.encode_rows(rows)).all()


def test_roles_have_different_vectors(tiny):
    query, passage = (tiny.encode(["a cat"], role, progress=False) for role in ("query", "passage"))
    assert np.abs(query - passage).max() > 1e-3


def test_longer_texts_are_cut_to_max_length():
    encoder = DualEncoder.load("tiny", max_length=20)
    short, long = encoder.tokenize(["abc", "abc" * 50], "query")
    assert len(short) < 20
    assert len(long) == 20
    assert long[-1] == short[-1] == encoder.tokenizer.eos_token_id


def test_text_after_max_length_changes_no_vector():
    encoder = DualEncoder.load("tiny", max_length=20)
    vectors = encoder.encode(["a" * 30 + "b", "a" * 30 + "c"], progress=False)
    assert (vectors[0] == vectors[1]).all()


def test_text_of_as_many_tokens_as_the_model_has_positions_is_encoded():
    tokenizer = tiny_tokenizer()
    model = BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=20, pad_token_id=1, **SIZES))
    encoder = DualEncoder(model, tokenizer, prefixes={"query": "", "passage": ""}, max_length=20, precision="float32")
    assert encoder.encode(["a" * 30], progress=False).shape == (1, 16)


@pytest.mark.parametrize(("kind", "most"), [("bert", 20), ("xlm-roberta", 18), ("mpnet", 18)])
def test_max_length_is_at_most_the_positions_that_hold_a_token(tmp_path, kind, most):
    """Those of RoBERTa begin behind the position of padding."""
    tokenizer = tiny_tokenizer()
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), max_position_embeddings=20, pad_token_id=1, **SIZES)
    AutoModel.from_config(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    encoder = DualEncoder.load(str(tmp_path), max_length=most, precision="float32")
    assert encoder.encode(["a" * 30], progress=False).shape == (1, 16)
    with pytest.raises(InputError, match=f"found max_length {most + 1}, expected at most {most}, the model's pos"):
        DualEncoder.load(str(tmp_path), max_length=most + 1)


def test_bfloat16_vectors_are_float32_and_near(tiny):
    expected = tiny.encode(TEXTS, progress=False)
    tiny.precision = "bfloat16"
    found = tiny.encode(TEXTS, progress=False)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-6)
    assert found == pytest.approx(expected, abs=0.05)
    assert (found != expected).any()
