"""Files of the bundled E5: read, and refused."""

import struct

import numpy as np
import pytest
from small_e5 import HIDDEN, LAYERS, PIECES, POSITIONS, SCORES, VOCABULARY, e5_bytes, naive_q4

from hybridlib.encoders.e5_file import dequantise_q4, read_e5
from hybridlib.errors import InputError


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


@pytest.mark.parametrize("layers", [3, 2**31 - 1])
def test_layers_that_are_not_there_are_refused_at_once(layers: int) -> None:
    data, _ = e5_bytes()
    with pytest.raises(InputError, match=r"tensor l2\.|the tensors of 2147483647 layers; found 37 tensors"):
        read_e5(data[:12] + struct.pack("<i", layers) + data[16:], "small.bin")


def test_tokenizer_splits_and_normalises() -> None:
    tokenizer = read_e5(e5_bytes()[0], "small.bin").tokenizer()
    assert tokenizer.encode("ab  b").tokens == ["<s>", "▁ab", "▁", "b", "</s>"]
    assert tokenizer.encode("\u3000ab\n").tokens == ["<s>", "▁ab", "</s>"]  # nmt: every space is a space
    assert tokenizer.encode("a～~ｂ").tokens == ["<s>", "▁", "a", "～", "~", "b", "</s>"]  # U+FF5E is kept
    assert tokenizer.encode("e\u0301").tokens == ["<s>", "▁", "é", "</s>"]
    assert tokenizer.decode(tokenizer.encode("ab b").ids) == "ab b"
