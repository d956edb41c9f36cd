"""What is loaded by which name, and what is saved."""

import pytest
import torch
from small_encoders import TEXTS, assert_same_weights, change_weights, load

from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError


def test_saved_encoder_loads_with_the_same_weights(wordy_folder, tmp_path):
    encoder = load(wordy_folder)
    change_weights(encoder)
    encoder.save(tmp_path / "saved")
    assert_same_weights(load(tmp_path / "saved"), encoder)


def test_saved_encoder_loads_with_the_same_vectors(tiny, tmp_path):
    change_weights(tiny)
    tiny.save(tmp_path / "saved")
    assert (load(tmp_path / "saved").encode(TEXTS, progress=False) == tiny.encode(TEXTS, progress=False)).all()


def test_an_encoder_that_was_saved_is_not_taken_for_another(tiny, tmp_path):
    tiny.save(tmp_path / "saved")
    before = tiny.encode(TEXTS, progress=False)
    change_weights(tiny)
    with pytest.raises(InputError, match="saved: found an existing folder, expected a new one: remove it first"):
        tiny.save(tmp_path / "saved")
    assert (load(tmp_path / "saved").encode(TEXTS, progress=False) == before).all()


def test_saved_encoder_keeps_its_prefixes(tiny, tmp_path):
    tiny.prefixes = {"query": "ask ", "passage": ""}
    tiny.save(tmp_path / "saved")
    assert load(tmp_path / "saved").prefixes == {"query": "ask ", "passage": ""}


def test_saved_folder_has_safetensors_alone(tiny, tmp_path):
    tiny.save(tmp_path / "saved")
    names = {file.name for file in (tmp_path / "saved").iterdir()}
    assert "model.safetensors" in names
    assert not any(name.endswith((".bin", ".pt", ".pkl")) for name in names)


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
    with pytest.raises(InputError, match=r"found pytorch_model\.bin, which is not opened, .*expected safetensors"):
        DualEncoder.load(str(wordy_folder))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_refused(wordy_folder, value):
    model = load(wordy_folder).model
    with torch.no_grad():
        model.embeddings.LayerNorm.weight[2] = value
    model.save_pretrained(wordy_folder)
    with pytest.raises(InputError, match=r"NaN or infinity in .*embeddings\.LayerNorm\.weight.*expected numbers"):
        DualEncoder.load(str(wordy_folder))


def test_tiny_has_the_same_weights_each_time_and_leaves_the_random_state():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second = DualEncoder.load("tiny"), DualEncoder.load("tiny")
    assert torch.equal(torch.rand(3), expected)
    assert_same_weights(first, second)
