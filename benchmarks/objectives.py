"""What each objective costs: forward and backward pass on a batch's vectors, beside a step of the encoder on its texts.

Run ``python benchmarks/objectives.py``. The step is that of GradCache with InfoNCE, without the optimiser's part; its
texts are captions of Crossmodal-3600 if $HYBRIDLIB_DATA has them, else scenes. Hard negatives, a teacher's vectors and
second queries are there for the objectives that need them; the step embeds none, so their share is overstated.
"""

from __future__ import annotations

import argparse
import time

import common
import numpy as np
import torch
from torch import Tensor, nn

from hybridlib.corpora import load_corpus
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.gradcache import cached_backward
from hybridlib.objectives import Batch
from hybridlib.objectives.batch import SHAPES
from hybridlib.objectives.compose import OBJECTIVES, build

CONCEPTS, WARM = 10_000, 3  # two batches of 512 fill the memory bank


def random_batch(needs: tuple[str, ...], pairs: int, dimension: int) -> Batch:
    """Return unit vectors of different concepts in ten languages, and what else an objective needs."""
    generator = torch.Generator().manual_seed(0)
    sizes = {"B": pairs, "H": 1, "d": dimension, "t": dimension}

    def vectors(name: str) -> Tensor:
        made = torch.randn([sizes[axis] for axis in SHAPES[name].split()], generator=generator)
        return nn.functional.normalize(made, dim=-1).requires_grad_(not name.startswith("teacher"))

    rows = torch.arange(pairs)
    known = {"concepts": rows, "query_language": rows % 10, "passage_language": rows % 7}
    if "hard_negatives" in needs:
        known["hard_negative_concepts"] = rows[:, None] + pairs
    return Batch(**known, **{name: vectors(name) for name in ("queries", "passages", *needs) if name not in known})


def milliseconds(name: str, pairs: int, dimension: int, repeats: int) -> float:
    """Median time of an objective's forward and backward pass."""
    objective = build({name: {}}, concepts=CONCEPTS, dimension=dimension, teacher_dimension=dimension)
    batch = random_batch(objective.needs, pairs, dimension)
    leaves = [part for part in vars(batch).values() if part is not None and part.requires_grad]
    times = []
    for _ in range(WARM + repeats):
        for leaf in (*leaves, *objective.parameters()):
            leaf.grad = None
        start = time.perf_counter()
        objective(batch).backward()
        times.append(time.perf_counter() - start)
    return float(np.median(times[WARM:])) * 1e3


def step_milliseconds(name: str, pairs: int, chunk_tokens: int) -> tuple[float, int]:
    """Time of the second of two steps of an encoder, and the length of its vectors."""
    torch.manual_seed(0)
    corpus = common.captions()
    texts = load_corpus(corpus).table["text"].to_numpy()
    encoder = DualEncoder.load(name, max_length=64)
    encoder.trim(texts[: 2 * 4096].tolist())
    rows = encoder.train().tokenize(np.random.default_rng(0).choice(texts, 2 * pairs).tolist(), "query")
    objective = build({"infonce": {}})

    def loss_of(vectors: Tensor) -> Tensor:
        return objective(Batch(vectors[:pairs], vectors[pairs:], torch.arange(pairs)))

    def step() -> None:
        encoder.zero_grad()
        cached_backward(encoder, rows, loss_of, chunk_tokens=chunk_tokens)

    step()
    return common.seconds(step)[0] * 1e3, encoder.dimension


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default="bundled:multilingual-e5-small", help="or tiny, to try this script")
    parser.add_argument("--pairs", type=int, default=512, help="of a batch")
    parser.add_argument("--chunk-tokens", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=20, help="of each objective; the median counts")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(common.describe("torch", "transformers"))
    step, dimension = step_milliseconds(options.encoder, options.pairs, options.chunk_tokens)
    print(f"{options.pairs} pairs of {dimension} dimensions; a step of {options.encoder} takes {step / 1e3:.4g} s")
    rows = []
    for name in OBJECTIVES:
        spent = milliseconds(name, options.pairs, dimension, options.repeats)
        rows.append([name, spent, 100 * spent / step])
    print(common.table(["", "ms", "% of the step"], rows))


if __name__ == "__main__":
    main()
