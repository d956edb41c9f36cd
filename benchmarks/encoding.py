"""Texts a second of DualEncoder.encode and of sentence-transformers with the same weights, texts and threads.

Run ``python benchmarks/encoding.py``, on the captions of Crossmodal-3600 if $HYBRIDLIB_DATA has them, else on scenes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

import common
import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers.utils import logging

from hybridlib.corpora import load_corpus
from hybridlib.encoders.bundled import bundled_folder
from hybridlib.encoders.encoder import DualEncoder, Precision, has_bfloat16

NAME, LENGTH, BATCHES = "multilingual-e5-small", 128, (32, 64, 128)
OURS, BY_CHARACTERS = "hybridlib", "hybridlib, sorted by characters"
DEFAULTS = "sentence-transformers float32 32"


def peer(dtype: torch.dtype) -> SentenceTransformer:
    """Load the same weights into sentence-transformers, mean pooling and unit length."""
    transformer = Transformer(str(bundled_folder(NAME)), max_seq_length=LENGTH)
    pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")
    return SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu").to(dtype)


def ways(texts: list[str], encoder: DualEncoder) -> dict[str, Callable[[], np.ndarray]]:
    """Return every way to encode the texts, by name."""
    prompt = encoder.prefixes["query"]
    precise, half = peer(torch.float32), peer(torch.bfloat16)

    def theirs(model: SentenceTransformer, batch: int, autocast: bool = False) -> np.ndarray:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            return model.encode(texts, prompt=prompt, batch_size=batch, show_progress_bar=False)

    def ours(precision: Precision, batch: int) -> np.ndarray:
        encoder.precision = precision
        return encoder.encode(texts, "query", batch_size=batch, progress=False)

    found: dict[str, Callable[[], np.ndarray]] = {}
    for batch in BATCHES:
        found[f"sentence-transformers float32 {batch}"] = lambda batch=batch: theirs(precise, batch)
        found[f"sentence-transformers autocast {batch}"] = lambda batch=batch: theirs(precise, batch, True)
        found[f"sentence-transformers bfloat16 {batch}"] = lambda batch=batch: theirs(half, batch)
    found["hybridlib float32 64"] = lambda: ours("float32", 64)
    found[BY_CHARACTERS] = lambda: by_characters(texts, encoder)
    found[OURS] = lambda: ours("auto", 64)
    return found


@torch.inference_mode()
def by_characters(texts: list[str], encoder: DualEncoder) -> np.ndarray:
    """Encode as hybridlib does, but in batches of like numbers of characters, as sentence-transformers does."""
    encoder.precision = "auto"
    rows = encoder.eval().tokenize(texts, "query")
    order = np.argsort([-len(text) for text in texts])
    vectors = np.empty((len(texts), encoder.dimension), dtype=np.float32)
    for start in range(0, len(texts), 64):
        chosen = order[start : start + 64]
        vectors[chosen] = encoder([rows[i] for i in chosen], chunk=64).numpy()
    return vectors


def padding(lengths: np.ndarray, order: np.ndarray, batch: int) -> float:
    """Tokens with padding over tokens, where each batch is as wide as its longest row."""
    parts = [lengths[order[start : start + batch]] for start in range(0, len(order), batch)]
    return sum(len(part) * part.max() for part in parts) / lengths.sum()


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cosine of each row with the same row of the other."""
    return (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=2, help="of each way; the fastest counts")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    name = common.captions()
    every = load_corpus(name).table["text"].to_numpy()
    texts = np.random.default_rng(0).choice(every, options.texts, replace=False).tolist()
    encoder = DualEncoder.load(f"bundled:{NAME}", max_length=LENGTH)
    print(common.describe("torch", "transformers", "tokenizers", "sentence-transformers"))
    print(f"{len(texts)} texts of {name}, torch {torch.get_num_threads()} threads, ", end="")
    print(f"instructions for bfloat16: {has_bfloat16(torch.device('cpu'))}\n")

    times: dict[str, tuple[float, float]] = {}
    vectors: dict[str, np.ndarray] = {}
    for way, encode in ways(texts, encoder).items():
        times[way] = common.seconds(lambda way=way, encode=encode: vectors.update({way: encode()}), options.repeats)
    rows = []
    for way, (wall, processor) in times.items():
        cosine = cosines(vectors[way].astype(np.float64), vectors[DEFAULTS].astype(np.float64))
        speeds = len(texts) / wall, times[DEFAULTS][0] / wall, len(texts) / processor
        rows.append([way, *speeds, f"{cosine.min():.6f}", f"{cosine.mean():.6f}"])
    header = ["", "texts/s", "x defaults", "texts/s of processor", "least cosine", "mean cosine"]
    print(common.table(header, rows), "\n")
    print(common.table(["", "factor"], factors(texts, encoder, {way: wall for way, (wall, _) in times.items()})))


def factors(texts: list[str], encoder: DualEncoder, walls: dict[str, float]) -> list[list[object]]:
    """Say what each of the differences is worth."""
    best = min((way for way in walls if way.startswith("sentence")), key=walls.__getitem__)
    batch = f"{best.rsplit(' ', 1)[0]} 32"
    lengths = np.array([len(row) for row in encoder.tokenize(texts, "query")])
    tokenized, _ = common.seconds(lambda: encoder.tokenize(texts, "query"), 3)
    orders = {
        "given": np.arange(len(texts)),
        "by characters": np.argsort([-len(text) for text in texts]),
        "by tokens": np.argsort(-lengths),
    }
    return [
        ["hybridlib against sentence-transformers' defaults", walls[DEFAULTS] / walls[OURS]],
        [f"hybridlib against the best of it ({best})", walls[best] / walls[OURS]],
        [f"precision: {batch} against its defaults", walls[DEFAULTS] / walls[batch]],
        [f"batch size: {best} against {batch}", walls[batch] / walls[best]],
        ["sorting: hybridlib by tokens against by characters", walls[BY_CHARACTERS] / walls[OURS]],
        ["share of tokenisation in hybridlib's time", tokenized / walls[OURS]],
        *([f"tokens with padding a token, order {what}", padding(lengths, o, 64)] for what, o in orders.items()),
    ]


if __name__ == "__main__":
    main()
