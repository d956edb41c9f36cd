"""Time per pair and peak memory of a training step: the plain batch, and GradCache at batches of thousands.

Run ``python benchmarks/gradcache.py``, on the captions of Crossmodal-3600 if $HYBRIDLIB_DATA has them, else on scenes.
Each way runs in a process of its own, so that none inherits another's memory.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import common
import numpy as np
import torch

from hybridlib.corpora import load_corpus
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.gradcache import cached_backward
from hybridlib.objectives import Batch, InfoNCE


@dataclass(frozen=True)
class Way:
    """How a step is made; without ``chunk_tokens`` as one graph."""

    encoder: str
    pairs: int
    chunk_tokens: int | None
    steps: int
    threads: int


def measure(way: Way) -> list[float]:
    """Return seconds and processor seconds a pair (best step), and MiB resident before and at the peak."""
    torch.set_num_threads(way.threads)
    torch.manual_seed(0)
    name = common.captions()
    texts = load_corpus(name).table["text"].to_numpy()
    chosen = np.random.default_rng(0).choice(texts, 2 * way.pairs).tolist()
    encoder = DualEncoder.load(way.encoder, max_length=64)
    encoder.trim(texts[: 2 * 4096].tolist())
    rows = encoder.train().tokenize(chosen, "query")
    objective = InfoNCE()

    def loss_of(vectors: torch.Tensor) -> torch.Tensor:
        return objective(Batch(vectors[: way.pairs], vectors[way.pairs :], torch.arange(way.pairs)))

    def step() -> None:
        encoder.zero_grad()
        if way.chunk_tokens is None:
            loss_of(encoder(rows)).backward()
        else:
            cached_backward(encoder, rows, loss_of, chunk_tokens=way.chunk_tokens)

    start = time.perf_counter()
    before, peak = common.peak_memory(step)
    first = time.perf_counter() - start
    wall, processor = common.seconds(step, way.steps - 1) if way.steps > 1 else (first, float("nan"))
    return [wall / way.pairs * 1e3, processor / way.pairs * 1e3, before / 2**20, peak / 2**20]


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default="bundled:multilingual-e5-small")
    parser.add_argument("--plain", type=int, nargs="*", default=[64, 256], help="pairs of the plain batches")
    parser.add_argument("--cached", type=int, nargs="*", default=[64, 256, 1024, 4096], help="pairs with GradCache")
    parser.add_argument("--chunk-tokens", type=int, default=1024)
    parser.add_argument(
        "--steps", type=int, default=2, help="of each way; the first one is not timed if there are more"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    shared = (options.steps, options.threads)
    ways = {f"plain {pairs}": Way(options.encoder, pairs, None, *shared) for pairs in options.plain}
    ways |= {f"cached {pairs}": Way(options.encoder, pairs, options.chunk_tokens, *shared) for pairs in options.cached}
    print(common.describe("torch", "transformers"))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        results = [[name, *pool.submit(measure, way).result()] for name, way in ways.items()]
    header = ["pairs a batch", "ms/pair", "ms of processor/pair", "MiB before", "MiB at peak"]
    print(common.table(header, results))


if __name__ == "__main__":
    main()
