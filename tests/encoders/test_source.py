"""Folders of encoders that are broken, ask for code, or hold pickles: refused by name, nothing of them is run."""

import json
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good") / "encoder"
    DualEncoder.load("tiny").save(folder)
    return folder


@pytest.fixture
def folder(good, tmp_path):
    return shutil.copytree(good, tmp_path / "encoder")


def change(file, **values):
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def refused(folder, said):
    with pytest.raises(InputError) as error:
        DualEncoder.load(str(folder))
    assert str(error.value).startswith("encoder: ")
    assert said in str(error.value)
    assert str(folder) in str(error.value)


E5 = {"query": "query: ", "passage": "passage: "}
NONE = {"query": "", "passage": ""}


@pytest.mark.parametrize(
    ("name", "prefixes"),
    [
        *((name, E5) for name in ("multilingual-e5-large", "E5-captions", "e5_base", "my-e5", "e5")),
        *((name, NONE) for name in ("xlm-roberta-base", "e5-runs/bert", "stage5", "Phase5", "release5", "e50", "2e5")),
    ],
)
def test_without_prompts_only_e5_has_prefixes(wordy_folder, tmp_path, name, prefixes):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    assert DualEncoder.load(str(wordy_folder.rename(tmp_path / name))).prefixes == prefixes


@pytest.mark.parametrize("load", [DualEncoder.load, DualEncoder.load_whole])
@pytest.mark.parametrize("name", ["tiny", "folder"])
def test_given_prefixes_go_before_those_of_the_files(folder, name, load):
    name = str(folder) if name == "folder" else name
    assert load(name).prefixes == E5
    assert load(name, query_prefix="").prefixes == {**E5, "query": ""}
    assert load(name, passage_prefix="told: ").prefixes == {**E5, "passage": "told: "}


class Touch:
    """What a pickle may do: here, leave a file."""

    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return open, (str(self.proof), "w")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pth", "model.ckpt", "model.pkl"])
def test_a_pickle_is_refused_by_name_and_not_opened(folder, tmp_path, name):
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Touch(tmp_path / "proof")))
    refused(folder, f"found {name}, which is not opened, in")
    assert not (tmp_path / "proof").exists()


def test_a_pickle_beside_safetensors_is_not_opened(folder, tmp_path):
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Touch(tmp_path / "proof")))
    DualEncoder.load(str(folder))
    assert not (tmp_path / "proof").exists()


def test_a_folder_without_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()
    refused(folder, "found no weights in")


@pytest.mark.parametrize(
    ("file", "auto_map"),
    [
        ("config.json", {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}),
        ("config.json", {"AutoModel": "someone/else--evil.Model"}),
        ("tokenizer_config.json", {"AutoTokenizer": ["evil.Tokenizer", None]}),
    ],
)
@pytest.mark.parametrize("kind", ["bert", "evil"])
def test_code_of_a_repository_is_refused_and_not_run(folder, tmp_path, file, auto_map, kind):
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'proof')!r}, 'w')\n")
    change(folder / file, auto_map=auto_map)
    change(folder / "config.json", model_type=kind)
    refused(folder, f"in {file} of {str(folder)!r}, which asks for code of its own")
    assert not (tmp_path / "proof").exists()


@pytest.mark.parametrize(
    "values", [{"attn_implementation": "evil/kernel"}, {"_attn_implementation": {"": "evil/k@v1:f"}}]
)
def test_kernels_of_the_hub_are_refused(folder, values):
    change(folder / "config.json", **values)
    refused(folder, "which asks for code of its own")


def test_an_adapter_of_another_encoder_is_refused(folder, good):
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(good), "peft_type": "LORA"}))
    refused(folder, "found adapter_config.json")


def test_weights_in_parts_are_read_from_the_folder_alone(folder, good):
    names = list(load_file(folder / "model.safetensors"))
    (folder / "model.safetensors").rename(folder / "part.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": dict.fromkeys(names, "part.safetensors")}))
    DualEncoder.load(str(folder))
    for outside in (f"../{good.name}/model.safetensors", f"{good}/model.safetensors", 3):
        index.write_text(json.dumps({"metadata": {}, "weight_map": dict.fromkeys(names, outside)}))
        refused(folder, "in model.safetensors.index.json of")


def test_missing_weights_are_not_made_up(folder):
    weights = load_file(folder / "model.safetensors")
    first = sorted(name for name in weights if "layer.1" in name)[0]
    save_file({n: w for n, w in weights.items() if "layer.1" not in n}, folder / "model.safetensors", {"format": "pt"})
    refused(folder, f"without the weights ['{first}', ")


def test_an_encoder_of_another_kind_than_its_weights_is_refused(folder):
    change(folder / "config.json", model_type="gpt2")
    refused(folder, "without the weights ['h.0.")


BROKEN = {
    "cut weights": ("model.safetensors", lambda data: data[:1000]),
    "no weights": ("model.safetensors", lambda data: b""),
    "endless header": ("model.safetensors", lambda data: b"\xff" * 100),
    "no JSON": ("config.json", lambda data: b"{"),
    "a list": ("config.json", lambda data: b"[]"),
    "deep JSON": ("config.json", lambda data: b'{"a":' * 10**5),
    "no UTF-8": ("config.json", lambda data: b"\xff\xff"),
    "no tokenizer": ("tokenizer.json", lambda data: b"{}"),
    "no tokenizer in UTF-8": ("tokenizer.json", lambda data: b"\xff"),
    "list for the tokenizer": ("tokenizer_config.json", lambda data: b"[]"),
    "list of settings": ("hybridlib.json", lambda data: b"[]"),
    "no settings": ("hybridlib.json", lambda data: b"{"),
    "text for ids": ("hybridlib.json", lambda data: b'{"kept_ids": "x"}'),
    "list for an id": ("hybridlib.json", lambda data: b'{"kept_ids": [[1]], "source": "x"}'),
    "no source": ("hybridlib.json", lambda data: b'{"kept_ids": [1]}'),
    "number for prompts": ("config_sentence_transformers.json", lambda data: b'{"prompts": 3}'),
    "number for a prompt": ("config_sentence_transformers.json", lambda data: b'{"prompts": {"query": 3}}'),
    "prompts in Latin-1": ("config_sentence_transformers.json", lambda data: b'{"prompts": {"query": "\xe9"}}'),
}


@pytest.mark.parametrize(("file", "broken"), BROKEN.values(), ids=BROKEN)
def test_broken_files_are_refused(folder, file, broken):
    (folder / file).write_bytes(broken((folder / file).read_bytes()))
    refused(folder, "expected ")


CONFIGS = [
    {"hidden_size": 64},
    {"hidden_size": "many"},
    {"vocab_size": 10**15},
    {"num_hidden_layers": 5},
    {"max_position_embeddings": "many"},
    {"model_type": "encoder-decoder"},
    {"dtype": "evil"},
    {"quantization_config": {"quant_method": "gptq"}},
]


@pytest.mark.parametrize("values", CONFIGS, ids=lambda values: f"{values}")
def test_settings_that_no_model_has_are_refused(folder, values):
    change(folder / "config.json", **values)
    refused(folder, "expected ")


@pytest.mark.parametrize(
    "name", ["../x", "../../etc/passwd", "bundled:../x", "bundled:", "a/b/c", "a\0b", "https://evil.example/x"]
)
def test_names_that_lead_elsewhere_are_refused(name, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError):
        DualEncoder.load(name)


def test_a_trimmed_encoder_knows_what_it_was_trimmed_from(folder):
    encoder = DualEncoder.load(str(folder))
    encoder.trim(["a few words"])
    encoder.save(folder.parent / "trimmed")
    loaded = DualEncoder.load(str(folder.parent / "trimmed"))
    assert (loaded.source, loaded.revision) == (str(folder), None)
    assert torch.equal(torch.as_tensor(loaded.kept_ids), torch.as_tensor(encoder.kept_ids))
