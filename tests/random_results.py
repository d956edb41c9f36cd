"""An evaluation of random vectors, for the tests of what is written of evaluations."""

import numpy as np

from hybridlib.corpora.collection import Collection
from hybridlib.corpora.corpus import Corpus
from hybridlib.evaluation import Evaluation, evaluate


def corpus() -> Corpus:
    """Two languages, and a third one that has passages and no queries."""
    cells = [(f"c{c}", code) for c in range(12) for code in ("en", "de")]
    rows = [(*cell, role, "x") for cell in cells for role in ("query", "passage")] + [("c0", "fr", "passage", "x")]
    return Corpus.from_rows(rows, "mine")


def evaluated(seed: int, settings: list[str] | None = None) -> Evaluation:
    """Evaluate random vectors for the texts of the corpus."""
    collection = Collection.from_corpus(corpus())
    drawn = np.random.default_rng(seed).standard_normal((24 + 25, 8))
    vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return evaluate(collection, vectors[:24], vectors[24:], settings=settings)
