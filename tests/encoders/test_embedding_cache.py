import json
import logging

import numpy as np
import pytest
import torch
from datasets import Dataset

from hybridlib.encoders import embedding_cache
from hybridlib.encoders.embedding_cache import cached_text_vectors, cached_vectors
from hybridlib.encoders.encoder import DualEncoder

torch.set_num_threads(1)


@pytest.fixture
def encoder(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path))
    return DualEncoder.load("tiny")


@pytest.fixture
def rows(encoder):
    return encoder.tokenize(["a cat", "two dogs run", "x"], "query")


def entries(folder):
    return sorted((folder / "embeddings").iterdir())


def refuse(*_, **__):
    raise AssertionError("the encoder was used")


def test_first_call_encodes(encoder, rows):
    assert (cached_vectors(encoder, rows) == encoder.encode_rows(rows)).all()


def test_second_call_reads_the_file(encoder, rows, monkeypatch):
    first = cached_vectors(encoder, rows)
    monkeypatch.setattr(DualEncoder, "encode_rows", refuse)
    second = cached_vectors(encoder, rows)
    assert second.dtype == np.float32
    assert (second == first).all()


def test_other_rows_are_another_entry(encoder, rows, tmp_path):
    for some in (rows, rows[::-1], rows[:2], [rows[0] + rows[1], rows[2]], [rows[0], rows[1] + rows[2]]):
        assert (cached_vectors(encoder, some) == encoder.encode_rows(some)).all()
    assert len(entries(tmp_path)) == 5


def test_another_pooling_is_another_entry(encoder, rows, tmp_path):
    before = cached_vectors(encoder, rows)
    encoder.pooling = "cls"
    after = cached_vectors(encoder, rows)
    assert (after != before).any()
    assert (after == encoder.encode_rows(rows)).all()
    assert len(entries(tmp_path)) == 2


def test_other_weights_are_another_entry(encoder, rows, tmp_path):
    before = cached_vectors(encoder, rows)
    with torch.no_grad():
        encoder.model.encoder.layer[1].output.dense.weight[0, 0] += 0.5
    after = cached_vectors(encoder, rows)
    assert (after != before).any()
    assert (after == encoder.encode_rows(rows)).all()
    assert len(entries(tmp_path)) == 2


def test_other_precision_is_another_entry(encoder, rows, tmp_path):
    cached_vectors(encoder, rows)
    encoder.precision = "bfloat16"
    cached_vectors(encoder, rows)
    assert len(entries(tmp_path)) == 2


def loaded_with(folder, **values) -> DualEncoder:
    """Load the encoder of a folder after some settings of its model were changed there."""
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | values))
    return DualEncoder.load(str(folder), precision="float32")


@pytest.mark.parametrize(
    "values", [{"num_attention_heads": 4}, {"layer_norm_eps": 0.1}, {"hidden_act": "relu"}], ids=str
)
def test_other_settings_of_the_model_are_another_entry(encoder, rows, tmp_path, values):
    """Which leave its weights as they are."""
    encoder.save(tmp_path / "saved")
    before = cached_vectors(encoder, rows)
    other = loaded_with(tmp_path / "saved", **values)
    assert (cached_vectors(other, rows) == other.encode_rows(rows)).all()
    assert (other.encode_rows(rows) != before).any()
    assert len(entries(tmp_path)) == 2


def test_another_class_of_model_is_another_entry(encoder, rows, tmp_path):
    cached_vectors(encoder, rows)
    encoder.model.__class__ = type("Other", (type(encoder.model),), {})
    cached_vectors(encoder, rows)
    assert len(entries(tmp_path)) == 2


def test_names_versions_and_special_tokens_are_no_other_entry(encoder, rows, tmp_path):
    cached_vectors(encoder, rows)
    encoder.save(tmp_path / "saved")
    cached_vectors(encoder, rows)
    cached_vectors(loaded_with(tmp_path / "saved", transformers_version="4.0.0", sep_token_id=2), rows)
    assert len(entries(tmp_path)) == 1


def flip_a_byte(data: bytes) -> bytes:
    return data[:200] + bytes([data[200] ^ 1]) + data[201:]


DAMAGES = {
    "byte": flip_a_byte,
    "end cut": lambda data: data[:-1],
    "shorter than a checksum": lambda data: data[:10],
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_entry_is_computed_again_with_a_warning(encoder, rows, tmp_path, caplog, damage):
    vectors = cached_vectors(encoder, rows)
    (file,) = entries(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    with caplog.at_level(logging.WARNING):
        again = cached_vectors(encoder, rows)
    assert (again == vectors).all()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert f"{file}: found a damaged cache entry" in caplog.text
    assert file.read_bytes() == whole


def test_whole_entry_gives_no_warning(encoder, rows, caplog):
    for _ in range(2):
        cached_vectors(encoder, rows)
    assert not caplog.records


def test_nothing_else_is_left_in_the_folder(encoder, rows, tmp_path):
    cached_vectors(encoder, rows)
    assert [file.suffix for file in entries(tmp_path)] == [".npy"]


def test_encoder_loaded_again_finds_its_entry(encoder, rows, tmp_path):
    """Also where transformers adds a pooler with random weights that are not in the file and not used."""
    encoder.save(tmp_path / "saved")
    for seed in (1, 2):
        torch.manual_seed(seed)
        cached_vectors(DualEncoder.load(str(tmp_path / "saved"), precision="float32"), rows)
    assert len(entries(tmp_path)) == 1


TEXTS = ["a cat", "two dogs run", "x", "", "the sun", "a cat", "über"]
FORMS = {"memory": 100, "file": 3}


@pytest.fixture(params=FORMS)
def form(request, monkeypatch):
    """Parts of two texts; all in memory, or more than three texts in a file."""
    monkeypatch.setattr(embedding_cache, "_CHUNK", 2)
    monkeypatch.setattr(embedding_cache, "_IN_MEMORY", FORMS[request.param])
    return request.param


def encoded(encoder, texts, role="passage"):
    """Vectors of parts of two texts: what stands in one batch changes the last bits."""
    parts = [encoder.encode(texts[start : start + 2], role, progress=False) for start in range(0, len(texts), 2)]
    return np.concatenate(parts)


@pytest.mark.parametrize("as_column", [False, True], ids=["list", "column"])
def test_texts_are_embedded_in_parts(encoder, form, as_column):
    texts = Dataset.from_dict({"text": TEXTS})["text"] if as_column else TEXTS
    vectors = cached_text_vectors(encoder, texts, "passage")
    assert (vectors == encoded(encoder, TEXTS)).all()
    assert vectors.dtype == np.float32
    assert isinstance(vectors, np.memmap) == (form == "file")


def test_texts_are_read_the_second_time(encoder, form, monkeypatch):
    first = cached_text_vectors(encoder, TEXTS, "query")
    monkeypatch.setattr(DualEncoder, "encode_rows", refuse)
    assert (cached_text_vectors(encoder, TEXTS, "query") == first).all()


def test_no_text_has_no_vector(encoder):
    assert cached_text_vectors(encoder, [], "query").shape == (0, encoder.dimension)


def test_roles_and_texts_are_told_apart(encoder, form):
    for texts in (TEXTS, ["a", "cat", *TEXTS[1:]], ["a c", "at", *TEXTS[1:]]):
        for role in ("query", "passage"):
            assert (cached_text_vectors(encoder, texts, role) == encoded(encoder, texts, role)).all()


@pytest.mark.parametrize("change", ["max_length", "prefixes", "weights"])
def test_other_encoders_are_told_apart(encoder, form, change):
    cached_text_vectors(encoder, TEXTS, "passage")
    if change == "weights":
        with torch.no_grad():
            encoder.model.encoder.layer[1].output.dense.weight[0, 0] += 0.5
    else:
        setattr(encoder, change, {"max_length": 5, "prefixes": {"query": "", "passage": "p "}}[change])
    assert (cached_text_vectors(encoder, TEXTS, "passage") == encoded(encoder, TEXTS)).all()


def test_a_stopped_computation_goes_on_where_it_stopped(encoder, form, monkeypatch, tmp_path):
    expected, calls, encode = encoded(encoder, TEXTS), [], DualEncoder.encode_rows

    def stopping(self, rows):
        calls.append(len(rows))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(self, rows)

    monkeypatch.setattr(DualEncoder, "encode_rows", stopping)
    with pytest.raises(KeyboardInterrupt):
        cached_text_vectors(encoder, TEXTS, "passage")
    assert (cached_text_vectors(encoder, TEXTS, "passage") == expected).all()
    assert calls == [2, 2, 2, 2, 1]
    assert {file.suffix for file in entries(tmp_path)} == {".npy"} | ({".sha256"} if form == "file" else set())


def test_damaged_part_of_a_file_is_computed_again_with_a_warning(encoder, monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(embedding_cache, "_CHUNK", 2)
    monkeypatch.setattr(embedding_cache, "_IN_MEMORY", 3)
    first = np.array(cached_text_vectors(encoder, TEXTS, "passage"))
    (file,) = tmp_path.glob("**/*.npy")
    stored = np.lib.format.open_memmap(file, "r+")
    stored[3, 1] += 1
    stored.flush()
    del stored
    seen, encode = [], DualEncoder.encode_rows
    monkeypatch.setattr(DualEncoder, "encode_rows", lambda self, rows: seen.append(len(rows)) or encode(self, rows))
    assert (cached_text_vectors(encoder, TEXTS, "passage") == first).all()
    assert seen == [2]
    assert "found texts 2 to 4 damaged, computing them again" in caplog.text


@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: b"x" * len(data), lambda data: b""])
def test_damaged_file_is_computed_again_with_a_warning(encoder, monkeypatch, tmp_path, caplog, damage):
    monkeypatch.setattr(embedding_cache, "_CHUNK", 2)
    monkeypatch.setattr(embedding_cache, "_IN_MEMORY", 3)
    first = np.array(cached_text_vectors(encoder, TEXTS, "passage"))
    (file,) = tmp_path.glob("**/*.npy")
    file.write_bytes(damage(file.read_bytes()))
    assert (cached_text_vectors(encoder, TEXTS, "passage") == first).all()
    assert "found a damaged cache entry, computing it again" in caplog.text


def test_progress_is_logged(encoder, form, caplog):
    with caplog.at_level(logging.INFO):
        cached_text_vectors(encoder, TEXTS, "passage")
    assert [record.message for record in caplog.records] == [f"passage: {done} of 7 texts" for done in (2, 4, 6, 7)]
