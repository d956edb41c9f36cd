"""An encoder whose vocabulary is trimmed, and restored."""

import json

import numpy as np
import pytest
import torch
from small_encoders import assert_same_weights, change_weights, load

from hybridlib.encoders import encoder as encoder_module
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.encoders.source import lasting_name


def weights(encoder: DualEncoder) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in encoder.state_dict().items()}


def test_trim_keeps_the_vectors_of_the_texts_and_drops_other_words(wordy_folder):
    encoder, texts = load(wordy_folder), ["the cat sleeps", "a bird", "zzz"]
    encoder.prefixes = {"query": "query: ", "passage": "passage: "}
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


def test_rows_trained_in_two_runs_are_all_kept(wordy_folder, tmp_path):
    """Each run trims to its own texts and trains; the second starts from the encoder of the first."""
    texts = ["the cat sleeps", "a dog in the park"]
    first, start = load(wordy_folder), load(wordy_folder).model.get_input_embeddings().weight.detach()
    first.trim(texts[:1])
    change_weights(first)
    first.save(tmp_path / "first")
    second = DualEncoder.load_whole(str(tmp_path / "first"), precision="float32")
    expected = weights(second)
    second.trim(texts[1:])
    second.save(tmp_path / "second")
    whole = DualEncoder.load_whole(str(tmp_path / "second"), precision="float32")
    assert all(torch.equal(tensor, expected[name]) for name, tensor in whole.state_dict().items())
    assert not torch.equal(whole.model.get_input_embeddings().weight, start)


def test_restored_keeps_the_prefixes(wordy_folder):
    encoder = load(wordy_folder)
    encoder.trim(["the cat sleeps"])
    encoder.prefixes = {"query": "ask ", "passage": ""}
    assert encoder.restored().prefixes == {"query": "ask ", "passage": ""}


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


@pytest.mark.parametrize("load", [DualEncoder.load, DualEncoder.load_whole])
def test_trimmed_encoder_of_a_relative_folder_is_restored_in_any_working_directory(
    wordy_folder, tmp_path, monkeypatch, load
):
    monkeypatch.chdir(tmp_path)
    encoder = load(wordy_folder.name, precision="float32")
    encoder.trim(["the cat sleeps"])
    encoder.save("trimmed")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    whole = DualEncoder.load_whole("../trimmed", precision="float32")
    assert_same_weights(whole, DualEncoder.load(str(wordy_folder), precision="float32"))
    assert json.loads((tmp_path / "trimmed" / "hybridlib.json").read_text())["source"] == str(wordy_folder)


def test_names_of_no_folder_stay_as_they_are(wordy_folder, tmp_path, monkeypatch):
    """Also where a folder is called as the built-in encoder."""
    monkeypatch.chdir(wordy_folder.rename(tmp_path / "tiny").parent)
    assert DualEncoder.load_whole("tiny").source == "tiny"
    for name in ("tiny", "bundled:multilingual-e5-small", "intfloat/multilingual-e5-small"):
        assert lasting_name(name) == name
