import random

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import nn
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from hybridlib.encoders import encoder as encoder_module
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.encoders.tiny import tiny_tokenizer
from hybridlib.errors import InputError

torch.set_num_threads(1)

TEXTS = ["a cat sleeps", "", "two dogs run over the wet grass of a park", "Ein Hund.", "кот", "x", "猫が寝る", "cat"]
WORDS = ["cat", "dog", "bird", "sleeps", "runs", "sings", "the", "a", "park", "house", "rain", "query:", "passage:"]


@pytest.fixture
def tiny():
    encoder = DualEncoder.load("tiny")
    encoder.eval()
    return encoder


@pytest.fixture
def wordy_folder(tmp_path):
    """Write an encoder whose vocabulary has words, in the hub's form and not by DualEncoder; return its folder."""
    rng = random.Random(0)
    pieces = [(piece, 0.0) for piece in ("<s>", "<pad>", "</s>", "<unk>")]
    pieces += [(piece, -9.0) for piece in ["▁", *"abcdefghijklmnopqrstuvwxyz:"]]
    pieces += [("▁" + word, -3.0 - rng.random()) for word in WORDS]
    backend = Tokenizer(models.Unigram(pieces, unk_id=3))
    backend.normalizer, backend.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    torch.manual_seed(0)
    model = BertModel(BertConfig(vocab_size=len(pieces), pad_token_id=1, **sizes))
    folder = tmp_path / "wordy"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def load(folder) -> DualEncoder:
    encoder = DualEncoder.load(str(folder), precision="float32")
    encoder.eval()
    return encoder


def weights(encoder: DualEncoder) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in encoder.state_dict().items()}


def assert_same_weights(first: DualEncoder, second: DualEncoder) -> None:
    found, expected = first.state_dict(), second.state_dict()
    assert found.keys() == expected.keys()
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


def change_weights(encoder: DualEncoder) -> None:
    """Move every weight, as training does."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)


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


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_chunks_and_padding_change_no_vector(tiny, chunk):
    rows = tiny.tokenize(TEXTS, "passage")
    with torch.no_grad():
        expected = torch.cat([tiny([row]) for row in rows])
        assert tiny(rows, chunk=chunk).numpy() == pytest.approx(expected.numpy(), abs=1e-5)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_batches_change_no_vector(tiny, batch_size):
    expected = tiny.encode(TEXTS, progress=False)
    assert tiny.encode(TEXTS, batch_size=batch_size, progress=False) == pytest.approx(expected, abs=1e-5)


def gradients(encoder: DualEncoder, chunk: int) -> dict[str, torch.Tensor]:
    """Gradient of a loss that depends on every pair of vectors."""
    encoder.zero_grad()
    vectors = encoder(encoder.tokenize(TEXTS, "query"), chunk=chunk)
    target = torch.randn(len(TEXTS), len(TEXTS), generator=torch.Generator().manual_seed(0))
    ((vectors @ vectors.T - target) ** 2).mean().backward()
    return {name: parameter.grad.clone() for name, parameter in encoder.named_parameters()}


def test_gradient_of_chunks_is_that_of_one_chunk_without_dropout(tiny):
    tiny.train()
    for module in tiny.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    whole, parts = gradients(tiny, 100), gradients(tiny, 3)
    for name, gradient in whole.items():
        assert parts[name].numpy() == pytest.approx(gradient.numpy(), abs=1e-5), name
    assert max(gradient.abs().max() for gradient in whole.values()) > 1e-3


def test_chunks_with_dropout_give_every_parameter_a_finite_gradient(tiny):
    tiny.train()
    for name, gradient in gradients(tiny, 3).items():
        assert gradient.isfinite().all(), name
        assert gradient.abs().sum() > 0 or name.endswith("key.bias"), name  # a key's bias cancels in the softmax


def test_training_mode_has_dropout_and_evaluation_mode_none(tiny):
    rows = tiny.tokenize(TEXTS, "query")
    assert torch.equal(tiny(rows), tiny(rows))
    tiny.train()
    assert not torch.allclose(tiny(rows), tiny(rows), atol=1e-3)


def test_encode_has_no_dropout_in_training_mode(tiny):
    expected = tiny.encode(TEXTS, progress=False)
    tiny.train()
    assert (tiny.encode(TEXTS, progress=False) == expected).all()


@pytest.mark.parametrize("training", [True, False])
def test_encode_leaves_the_training_flag(tiny, training):
    tiny.train(training)
    tiny.encode(TEXTS, progress=False)
    assert {module.training for module in tiny.modules()} == {training}


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
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    model = BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=20, pad_token_id=1, **sizes))
    encoder = DualEncoder(model, tokenizer, prefixes={"query": "", "passage": ""}, max_length=20, precision="float32")
    assert encoder.encode(["a" * 30], progress=False).shape == (1, 16)


def test_bfloat16_vectors_are_float32_and_near(tiny):
    expected = tiny.encode(TEXTS, progress=False)
    tiny.precision = "bfloat16"
    found = tiny.encode(TEXTS, progress=False)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-6)
    assert found == pytest.approx(expected, abs=0.05)
    assert (found != expected).any()


def test_saved_encoder_loads_with_the_same_weights(wordy_folder, tmp_path):
    encoder = load(wordy_folder)
    change_weights(encoder)
    encoder.save(tmp_path / "saved")
    assert_same_weights(load(tmp_path / "saved"), encoder)


def test_saved_encoder_loads_with_the_same_vectors(tiny, tmp_path):
    change_weights(tiny)
    tiny.save(tmp_path / "saved")
    assert (load(tmp_path / "saved").encode(TEXTS, progress=False) == tiny.encode(TEXTS, progress=False)).all()


def test_saved_encoder_keeps_its_prefixes(tiny, tmp_path):
    tiny.prefixes = {"query": "ask ", "passage": ""}
    tiny.save(tmp_path / "saved")
    assert load(tmp_path / "saved").prefixes == {"query": "ask ", "passage": ""}


def test_saved_folder_has_safetensors_alone(tiny, tmp_path):
    tiny.save(tmp_path / "saved")
    names = {file.name for file in (tmp_path / "saved").iterdir()}
    assert "model.safetensors" in names
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in names)


def test_trim_keeps_the_vectors_of_the_texts_and_drops_other_words(wordy_folder):
    encoder, texts = load(wordy_folder), ["the cat sleeps", "a bird", "zzz"]
    expected = [encoder.encode(texts, role, progress=False) for role in ("query", "passage")]
    size = len(encoder.tokenizer)
    encoder.trim(texts)
    for role, vectors in zip(("query", "passage"), expected, strict=True):
        assert encoder.encode(texts, role, progress=False) == pytest.approx(vectors, abs=1e-6)
    rows = len(encoder.model.get_input_embeddings().weight)
    assert rows == len(encoder.tokenizer) == len(encoder.kept_ids) < size
    assert "▁park" not in encoder.tokenizer.get_vocab()
    assert {"▁cat", "▁query:", "▁passage:"} <= set(encoder.tokenizer.get_vocab())


def test_trimmed_encoder_saves_and_loads(wordy_folder, tmp_path):
    encoder = load(wordy_folder)
    encoder.trim(["the cat sleeps"])
    encoder.save(tmp_path / "trimmed")
    loaded = load(tmp_path / "trimmed")
    assert (loaded.kept_ids == encoder.kept_ids).all()
    assert (loaded.encode(["the cat"], progress=False) == encoder.encode(["the cat"], progress=False)).all()


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("trims", [1, 2])
def test_restored_has_all_words_with_the_trained_rows(wordy_folder, tmp_path, saved, trims):
    encoder, before = load(wordy_folder), load(wordy_folder)
    for texts in (["the cat sleeps", "a dog"], ["the cat"])[:trims]:
        encoder.trim(texts)
    change_weights(encoder)
    trained = encoder.model.get_input_embeddings().weight.detach().clone()
    if saved:
        encoder.save(tmp_path / "trimmed")
        encoder = load(tmp_path / "trimmed")
    full = encoder.restored()
    rows, old = (e.model.get_input_embeddings().weight.detach() for e in (full, before))
    others = np.setdiff1d(np.arange(len(old)), encoder.kept_ids)
    assert len(rows) == len(full.tokenizer) == len(old)
    assert torch.equal(rows[torch.from_numpy(encoder.kept_ids)], trained)
    assert torch.equal(rows[torch.from_numpy(others)], old[torch.from_numpy(others)])
    assert full.tokenize(["the park"], "query") == before.tokenize(["the park"], "query")
    assert len(others) > 0


def test_restored_gives_the_trimmed_encoders_vectors(wordy_folder):
    encoder = load(wordy_folder)
    encoder.trim(["the cat sleeps"])
    change_weights(encoder)
    full = encoder.restored()
    assert full.kept_ids is None
    expected = encoder.encode(["the cat sleeps"], progress=False)
    assert full.encode(["the cat sleeps"], progress=False) == pytest.approx(expected, abs=1e-6)


def test_restored_leaves_the_trimmed_encoder_as_it_is(wordy_folder):
    encoder = load(wordy_folder)
    encoder.trim(["the cat sleeps"])
    before = weights(encoder)
    change_weights(encoder.restored())
    assert all(torch.equal(tensor, before[name]) for name, tensor in encoder.state_dict().items())


def test_restored_of_a_full_encoder_is_itself(tiny):
    assert tiny.restored() is tiny


def test_restored_after_loading_a_trained_encoder_has_its_weights(wordy_folder, tmp_path):
    """Train the full vocabulary, save, load, trim, restore: dropped rows are the trained ones, not the first ones."""
    trained = load(wordy_folder)
    change_weights(trained)
    trained.save(tmp_path / "trained")
    encoder = load(tmp_path / "trained")
    encoder.trim(["the cat sleeps"])
    assert_same_weights(encoder.restored(), trained)


def test_restored_loads_the_revision_that_was_trimmed(wordy_folder, monkeypatch):
    asked = []
    from_pretrained = encoder_module.AutoModel.from_pretrained

    def record(*args, **options):
        asked.append(options["revision"])
        return from_pretrained(*args, **options)

    monkeypatch.setattr(encoder_module.AutoModel, "from_pretrained", record)
    encoder = DualEncoder.load(str(wordy_folder), revision="v1", precision="float32")
    encoder.trim(["the cat sleeps"])
    encoder.restored()
    assert asked == ["v1", "v1"]


@pytest.mark.parametrize("name", ["no/such-encoder", "./no such folder/at all", "/no/such/folder", ""])
def test_unknown_name_is_refused(name, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match=rf"encoder: found '{name}' .*expected a Hugging Face hub id or a local"):
        DualEncoder.load(name)


def test_unknown_bundled_name_is_refused():
    with pytest.raises(InputError):
        DualEncoder.load("bundled:no-such-encoder")


def test_folder_without_safetensors_is_refused(wordy_folder):
    model = load(wordy_folder).model
    torch.save(model.state_dict(), wordy_folder / "pytorch_model.bin")
    (wordy_folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"expected .* safetensors weights"):
        DualEncoder.load(str(wordy_folder))


def test_tiny_has_the_same_weights_each_time_and_leaves_the_random_state():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = DualEncoder.load("tiny"), DualEncoder.load("tiny")
    assert torch.equal(torch.rand(3), expected)
    assert_same_weights(first, second)
