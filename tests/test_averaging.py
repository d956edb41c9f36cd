import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from hybridlib.averaging import average
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.encoders.tiny import tiny_tokenizer
from hybridlib.errors import InputError

torch.set_num_threads(1)

TEXTS = ["a cat", "two dogs", "x"]


@pytest.fixture
def base(tmp_path) -> Path:
    """Write the encoder that all runs start from, the tiny one with words in its vocabulary."""
    backend = json.loads(tiny_tokenizer().backend_tokenizer.to_str())
    backend["model"]["vocab"] += [["▁cat", -3.0], ["▁dog", -3.0], ["▁bird", -3.0]]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(backend)), pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    encoder = DualEncoder.load("tiny")
    encoder.model.resize_token_embeddings(len(tokenizer))
    DualEncoder(encoder.model, tokenizer, prefixes=encoder.prefixes).save(tmp_path / "base")
    return tmp_path / "base"


def save_run(base: Path, folder: Path, seed: int, texts: list[str] = TEXTS) -> DualEncoder:
    """Write an encoder as training leaves it: trimmed, its weights moved."""
    encoder = loaded(base)
    encoder.trim(texts)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    encoder.save(folder)
    return encoder


@pytest.fixture
def pair(base, tmp_path) -> tuple[Path, Path]:
    """Write two encoders, the second inside a run's folder; return the two folders to name."""
    save_run(base, tmp_path / "first", 1)
    save_run(base, tmp_path / "run" / "encoder", 2)
    return tmp_path / "first", tmp_path / "run"


def loaded(folder: Path) -> DualEncoder:
    return DualEncoder.load(str(folder), precision="float32").eval()


@pytest.mark.parametrize("weight", [0, 0.25, 0.5, 1])
def test_each_weight_is_that_between(pair, tmp_path, weight):
    first, second = pair
    average(first, second, tmp_path / "out", weight)
    start, end, found = (loaded(folder).state_dict() for folder in (first, second / "encoder", tmp_path / "out"))
    assert found.keys() == start.keys()
    for name, tensor in found.items():
        expected = (1 - weight) * start[name].double() + weight * end[name].double()
        torch.testing.assert_close(tensor.double(), expected, rtol=1e-6, atol=1e-7, msg=name)


@pytest.mark.parametrize("weight", [0, 1])
def test_the_ends_are_the_encoders_themselves(pair, tmp_path, weight):
    average(*pair, tmp_path / "out", weight)
    end = loaded([pair[0], pair[1] / "encoder"][weight])
    assert (loaded(tmp_path / "out").encode(TEXTS, progress=False) == end.encode(TEXTS, progress=False)).all()


def test_result_is_a_whole_encoder_of_the_same_vocabulary(pair, tmp_path):
    average(*pair, tmp_path / "out")
    out, first = loaded(tmp_path / "out"), loaded(pair[0])
    assert (out.kept_ids == first.kept_ids).all()
    assert out.prefixes == first.prefixes
    restored = out.restored()
    assert len(restored.tokenizer) == len(out.tokenizer) + 1  # no text has a bird
    vectors = [encoder.encode(TEXTS, progress=False) for encoder in (out, restored)]
    assert np.abs(vectors[0] - vectors[1]).max() < 1e-6
    mode = [os.stat(folder / "model.safetensors").st_mode for folder in (tmp_path / "out", pair[0])]
    assert mode[0] == mode[1]


def test_a_folder_from_before_sentence_transformers_read_them_goes_with_a_new_one(pair, tmp_path):
    first, second = pair
    (first / "modules.json").unlink()
    shutil.rmtree(first / "1_Pooling")
    change_json(first / "config_sentence_transformers.json", prompts={"query": "query: ", "passage": "passage: "})
    average(first, second, tmp_path / "out")
    out, new = loaded(tmp_path / "out"), loaded(second / "encoder")
    assert (out.prefixes, out.pooling) == (new.prefixes, new.pooling)


@pytest.mark.parametrize("weight", [-0.1, 1.5, float("nan")])
def test_weight_outside_0_to_1_is_refused(pair, tmp_path, weight):
    with pytest.raises(InputError, match=rf"weight: found {weight}, expected a number from 0 to 1"):
        average(*pair, tmp_path / "out", weight)


def test_existing_folder_is_refused_and_left(pair, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"out: found an existing"):
        average(*pair, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def change_json(path: Path, **values) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def drop_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["embeddings.LayerNorm.bias"]
    save_file(tensors, folder / "model.safetensors")


def cut_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["embeddings.LayerNorm.bias"] = tensors["embeddings.LayerNorm.bias"][:-1].clone()
    save_file(tensors, folder / "model.safetensors")


def pool_by_cls(folder: Path) -> None:
    change_json(folder / "1_Pooling" / "config.json", pooling_mode="cls")


DAMAGE = {
    "architecture": (lambda f: change_json(f / "config.json", num_attention_heads=4), "another num_attention_heads"),
    "source": (lambda f: change_json(f / "hybridlib.json", source="other"), r"hybridlib\.json: found another source"),
    "vocabulary": (lambda f: change_json(f / "hybridlib.json", kept_ids=[1, 2]), "found another kept_ids, expected as"),
    "tokenizer": (lambda f: change_json(f / "tokenizer.json", normalizer=None), "found another normalizer"),
    "prefixes": (lambda f: change_json(f / "config_sentence_transformers.json", prompts={}), "found the prefixes"),
    "pooling": (pool_by_cls, r"found the pooling 'cls', expected 'mean' as in"),
    "no JSON": (lambda f: (f / "hybridlib.json").write_text("{"), r"hybridlib\.json: found .* expected a JSON file"),
    "no file": (lambda f: (f / "tokenizer.json").unlink(), r"tokenizer\.json: found .* expected a JSON file"),
    "no weight": (drop_tensor, r"found embeddings\.LayerNorm\.bias missing, expected torch\.float32 \[32\]"),
    "shape": (cut_tensor, r"found embeddings\.LayerNorm\.bias torch\.float32 \[31\], expected torch\.float32 \[32\]"),
    "no safetensors": (lambda f: (f / "model.safetensors").write_bytes(b"x"), "expected a safetensors file"),
    "no encoder": (lambda f: (f / "model.safetensors").unlink(), r"run: found no model\.safetensors, expected"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGE.values(), ids=DAMAGE)
def test_encoders_that_do_not_fit_are_refused_and_nothing_is_written(pair, tmp_path, damage, message):
    damage(pair[1] / "encoder")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=message):
        average(*pair, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_folders_of_sentence_transformers_are_averaged(pair, tmp_path):
    """It writes no settings of ours and keeps a pooler; two of its folders fit, and one fits that it started from."""
    generation = {"bos_token_id": 0, "use_cache": True, "pad_token_id": 9}
    for folder in pair:
        encoder = next(folder.rglob("hybridlib.json")).parent
        kept = json.loads((encoder / "hybridlib.json").read_text())["kept_ids"]
        (encoder / "hybridlib.json").unlink()
    start, end = pair[0], pair[1] / "encoder"
    assert kept
    change_json(end / "config.json", **generation)
    tensors = load_file(end / "model.safetensors")
    save_file({**tensors, "pooler.dense.weight": torch.ones(2, 2)}, end / "model.safetensors")
    average(start, end, tmp_path / "one", 0.25)
    average(end, start, tmp_path / "other", 0.75)
    one, other = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "other"))
    assert set(one) == set(other) == set(tensors)
    for name, value in one.items():
        assert torch.allclose(value, other[name], atol=1e-6)
        assert torch.equal(value, torch.lerp(load_file(start / "model.safetensors")[name], tensors[name], 0.25))


def add_positions(folder: Path, *numbers: int) -> None:
    """Add a buffer of whole numbers, as some architectures save."""
    file = next(folder.rglob("model.safetensors"))
    save_file({**load_file(file), "embeddings.position_ids": torch.tensor(numbers)}, file)


def test_whole_numbers_are_taken_over_and_have_no_mean(pair, tmp_path):
    for folder in pair:
        add_positions(folder, 0, 1, 2)
    average(*pair, tmp_path / "out", 0.5)
    assert load_file(tmp_path / "out" / "model.safetensors")["embeddings.position_ids"].tolist() == [0, 1, 2]
    add_positions(pair[1], 0, 1, 3)
    with pytest.raises(InputError, match=r"found other numbers in embeddings\.position_ids .*no mean"):
        average(*pair, tmp_path / "other", 0.5)


def test_encoders_trimmed_to_other_texts_of_as_many_pieces_are_refused(pair, base, tmp_path):
    save_run(base, tmp_path / "other", 3, ["a cat", "a bird"])
    with pytest.raises(InputError, match=r"hybridlib\.json: found another kept_ids, expected as in"):
        average(pair[0], tmp_path / "other", tmp_path / "out")


def test_cutting_that_a_tokenizer_was_last_used_with_is_no_difference(pair, base, tmp_path):
    encoder = save_run(base, tmp_path / "cut", 3)
    encoder.max_length = 5
    encoder.tokenize(["a long text"], "query")
    encoder.tokenizer.save_pretrained(tmp_path / "cut")
    assert json.loads((tmp_path / "cut" / "tokenizer.json").read_text())["truncation"]["max_length"] == 5
    average(pair[0], tmp_path / "cut", tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").exists()
