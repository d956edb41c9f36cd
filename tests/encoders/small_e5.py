"""A small file in the format of the bundled E5, and what a naive reading of it gives."""

import struct

import numpy as np

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
