"""Folders of sentence-transformers and of this library, each opened by both: the vectors are the same."""

import json
import shutil

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from small_encoders import TEXTS, change_weights, load

from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError

ROLES = ["query", "passage"]
POOLING = "1_Pooling/config.json"


def write_theirs(folder, *after, pooling="mean", **prompts):
    """Let sentence-transformers write the tiny encoder, with modules after its pooling; return the folder."""
    DualEncoder.load("tiny").save(folder / "ours")
    modules = [Transformer(str(folder / "ours")), Pooling(32, pooling), *after]
    SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save(str(folder / "theirs"))
    return folder / "theirs"


def theirs(folder, role, texts=TEXTS):
    model = SentenceTransformer(str(folder), device="cpu")
    return (model.encode_query if role == "query" else model.encode_document)(texts, normalize_embeddings=True)


def cosines(found, expected):
    return (found * expected).sum(1)


def change(file, **values):
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


@pytest.fixture
def folder(tmp_path):
    return write_theirs(tmp_path, Normalize())


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("after", [(), (Normalize(),)], ids=["raw", "normalized"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_their_folder_gives_their_vectors(tmp_path, pooling, after, role):
    folder = write_theirs(tmp_path, *after, pooling=pooling, query="ask: ", document="told: ")
    encoder = load(folder)
    assert encoder.pooling == pooling
    assert encoder.prefixes == {"query": "ask: ", "passage": "told: "}
    assert cosines(encoder.encode(TEXTS, role, progress=False), theirs(folder, role)) == pytest.approx(1, abs=1e-5)


def test_poolings_differ(tiny):
    mean = tiny.encode(TEXTS, progress=False)
    tiny.pooling = "cls"
    assert cosines(tiny.encode(TEXTS, progress=False), mean).max() < 0.99


OLD = [
    {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False, "pooling_mode_max_tokens": False},
    {"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True, "pooling_mode_lasttoken": False},
    {"pooling_mode_mean_tokens": False},
    {"pooling_mode_cls_token": True, "pooling_mode": "mean"},
    {},
]


@pytest.mark.parametrize("flags", OLD, ids=str)
def test_flags_of_the_old_form_are_read_as_they_read_them(folder, flags):
    (folder / POOLING).write_text(json.dumps({"word_embedding_dimension": 32, **flags}))
    modules = json.loads((folder / "modules.json").read_text())
    for module in modules:
        module["type"] = "sentence_transformers.models." + module["type"].rpartition(".")[2]
    (folder / "modules.json").write_text(json.dumps(modules))
    encoder = load(folder)
    assert encoder.pooling == SentenceTransformer(str(folder), device="cpu")[1].pooling_mode
    found = encoder.encode(TEXTS, progress=False)
    assert cosines(found, theirs(folder, "query")) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("pooling", ["max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", ("cls", "mean")])
def test_other_poolings_are_refused(tmp_path, pooling):
    folder = write_theirs(tmp_path, pooling=pooling)
    name = pooling if isinstance(pooling, str) else r"\['cls', 'mean'\]"
    with pytest.raises(InputError, match=rf"encoder: found the pooling .*{name}.* in {POOLING} of .*mean or cls"):
        load(folder)


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ({"pooling_mode_max_tokens": True}, "'pooling_mode_max_tokens'"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, r"\['cls', 'mean'\]"),
        ({"pooling_mode": 3}, "3"),
        ({"pooling_mode": ["max"]}, "'max'"),
        ({"include_prompt": False}, "include_prompt False"),
    ],
)
def test_other_poolings_by_hand_are_refused(folder, flags, found):
    (folder / POOLING).write_text(json.dumps(flags))
    with pytest.raises(InputError, match=rf"encoder: found (the pooling )?({found}).* in {POOLING} of .*expected"):
        load(folder)


def test_dense_is_refused(tmp_path):
    folder = write_theirs(tmp_path, Dense(32, 16), Normalize())
    with pytest.raises(
        InputError, match=r"encoder: found the module .*\.Dense.* in modules\.json of .*expected a Tran"
    ):
        load(folder)


MODULES = {
    "own code": lambda modules: [modules[0] | {"type": "custom_st.Transformer"}, modules[1]],
    "no pooling": lambda modules: modules[:1],
    "none": lambda modules: [],
    "two poolings": lambda modules: [*modules, modules[1]],
    "tokens normalised": lambda modules: [modules[0], modules[2], modules[1]],
    "no list": lambda modules: {"0": modules[0]},
    "no module": lambda modules: ["Transformer"],
    "no type": lambda modules: [{}],
    "path up": lambda modules: [modules[0], modules[1] | {"path": ".."}],
    "path elsewhere": lambda modules: [modules[0], modules[1] | {"path": "/etc"}],
    "no path": lambda modules: [modules[0], modules[1] | {"path": None}],
}


@pytest.mark.parametrize("damage", MODULES.values(), ids=MODULES)
def test_other_modules_are_refused(folder, damage):
    file = folder / "modules.json"
    file.write_text(json.dumps(damage(json.loads(file.read_text()))))
    with pytest.raises(InputError, match=r"encoder: .*modules\.json of .*expected"):
        load(folder)


def test_a_pooling_that_is_named_and_not_there_is_refused(folder):
    (folder / POOLING).unlink()
    with pytest.raises(InputError, match=rf"found no {POOLING} in .*expected it, as modules\.json names it"):
        load(folder)


def test_a_folder_without_modules_is_mean_pooled_with_its_prefixes(folder):
    change(folder / "config_sentence_transformers.json", prompts={"query": "ask: ", "passage": ""})
    (folder / "modules.json").unlink()
    shutil.rmtree(folder / "1_Pooling")
    encoder = load(folder)
    assert (encoder.pooling, encoder.prefixes) == ("mean", {"query": "ask: ", "passage": ""})


def test_a_repository_of_the_hub_is_read_as_a_folder_is(tmp_path, monkeypatch):
    folder, commit = write_theirs(tmp_path, Normalize(), pooling="cls"), "a" * 40
    repository = tmp_path / "hub" / "models--some--encoder"
    shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    found = load("some/encoder").encode(TEXTS, progress=False)
    assert cosines(found, theirs(folder, "query")) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_our_folder_gives_our_vectors_in_their_hands(tiny, tmp_path, pooling, role):
    change_weights(tiny)
    tiny.pooling, tiny.max_length = pooling, 24
    tiny.save(tmp_path / "saved")
    texts = [*TEXTS, "far more words than the encoder has room for, so that both cut them"]
    expected, found = tiny.encode(texts, role, progress=False), theirs(tmp_path / "saved", role, texts)
    assert found.dtype == np.float32
    assert cosines(found, expected) == pytest.approx(1, abs=1e-4)
    loaded = DualEncoder.load(str(tmp_path / "saved"), max_length=24, precision="float32")
    assert loaded.pooling == pooling
    assert (loaded.encode(texts, role, progress=False) == expected).all()


def test_their_vectors_of_our_folder_have_unit_length_unasked(tiny, tmp_path):
    tiny.save(tmp_path / "saved")
    vectors = SentenceTransformer(str(tmp_path / "saved"), device="cpu").encode_query(TEXTS)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_our_prompts_in_their_hands(tiny, tmp_path):
    tiny.prefixes = {"query": "ask: ", "passage": "told: "}
    tiny.save(tmp_path / "saved")
    prompts = SentenceTransformer(str(tmp_path / "saved"), device="cpu").prompts
    assert prompts == {"query": "ask: ", "passage": "told: ", "document": "told: "}
    assert load(tmp_path / "saved").prefixes == tiny.prefixes


def test_a_folder_that_went_through_their_hands_is_the_same(tiny, tmp_path):
    tiny.pooling = "cls"
    tiny.save(tmp_path / "saved")
    SentenceTransformer(str(tmp_path / "saved"), device="cpu").save(str(tmp_path / "again"))
    encoder = load(tmp_path / "again")
    assert encoder.prefixes == tiny.prefixes
    assert encoder.encode(TEXTS, progress=False) == pytest.approx(tiny.encode(TEXTS, progress=False), abs=1e-6)


@pytest.mark.parametrize("role", ROLES)
def test_a_trimmed_encoder_keeps_its_pooling_everywhere(wordy_folder, tmp_path, role):
    encoder, texts = load(wordy_folder), ["the cat sleeps", "a bird"]
    encoder.pooling = "cls"
    expected = encoder.encode(texts, role, progress=False)
    encoder.trim(texts)
    encoder.save(tmp_path / "trimmed")
    loaded = load(tmp_path / "trimmed")
    whole = DualEncoder.load_whole(str(tmp_path / "trimmed"), precision="float32")
    for other in (encoder, loaded, encoder.restored(), loaded.restored(), whole):
        assert other.pooling == "cls"
        assert other.encode(texts, role, progress=False) == pytest.approx(expected, abs=1e-6)
    assert cosines(theirs(tmp_path / "trimmed", role, texts), expected) == pytest.approx(1, abs=1e-4)
