"""Pairs a second of `train` and of sentence-transformers' trainer: the same weights, texts, batches and optimiser.

Run ``python benchmarks/training.py``, on captions of Crossmodal-3600 in nine languages if $HYBRIDLIB_DATA has them,
else on scenes. sentence-transformers' trainer also needs the package ``accelerate``.

Both minimise the in-batch softmax loss at a temperature of 0.05 with fused AdamW, a learning rate that falls linearly
without warm-up, weight decay on matrices alone (the default of both), and gradients clipped to norm 1. The trainer
gets the texts with their prefixes, in the order of our sampler's batches. Timed are the steps; what comes before
(loading, and in ``train`` tokenising the whole corpus for both roles) stands in a column of its own. The ways take
turns. Each run has another dropout, so the distance of two ways' loss curves can be held against that of one way's.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Self

import common
import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from torch import Tensor
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback, TrainerCallback
from transformers.utils import logging

from hybridlib.batches import batches, make_sampler
from hybridlib.config import RunConfig
from hybridlib.corpora import load_corpus
from hybridlib.corpora.corpus import Corpus
from hybridlib.encoders.encoder import DualEncoder, Precision, has_bfloat16
from hybridlib.training import train

LANGUAGES = "ar de en es fa ko th tr zh".split()
PEER, HALF = "sentence-transformers", "sentence-transformers bfloat16"
OURS, BARE = "hybridlib", "hybridlib without all four"
CAUSES = ("trimming", "bfloat16", "sorting", "tokenising once")
LEFT_OUT = {OURS: (), **{f"{OURS} without {cause}": (cause,) for cause in CAUSES}, BARE: CAUSES}
StepTexts = tuple[list[str], list[str]]


class Run(TrainerCallback):
    """Clock and loss curve of one training."""

    losses: np.ndarray

    def __init__(self) -> None:
        self.made, self.begun, self.done = _now(), None, None

    def on_train_begin(self, *_: object, **__: object) -> None:
        """Note that the steps begin."""
        self.begun = _now()

    def on_step_end(self, *_: object, **__: object) -> None:
        """Note the end of a step."""
        self.done = _now()

    def seconds(self) -> tuple[float, float, float]:
        """Return wall time before the steps, wall and processor time of the steps."""
        return (self.begun - self.made)[0], *(self.done - self.begun)


class Variant(DualEncoder):
    """An encoder that can leave out sorting and tokenising beforehand, and notes when its steps begin."""

    run: Run
    left_out: tuple[str, ...]
    texts: Iterator[StepTexts]
    dropout: int

    def train(self, mode: bool = True) -> Self:
        """Switch modes; the training loop does so for the first time right before the first step."""
        if mode and self.run.begun is None:
            torch.manual_seed(self.dropout)
            self.run.on_train_begin()
        return super().train(mode)

    def forward(self, rows: list[list[int]], chunk: int = 32) -> Tensor:
        """Embed queries, then passages; unsorted: each in one pass, in the given order, as the peer does."""
        if "tokenising once" in self.left_out:
            queries, passages = next(self.texts)
            rows = self.tokenize(queries, "query") + self.tokenize(passages, "passage")
        if "sorting" not in self.left_out:
            return super().forward(rows, chunk)
        half = len(rows) // 2
        return self.embed(rows, [range(half), range(half, len(rows))])


def ours(
    scratch: Path, left_out: tuple[str, ...], config: RunConfig, corpus: Corpus, steps: list[StepTexts], dropout: int
) -> Run:
    """Train with hybridlib; validation is the end of the last step."""
    run = Run()
    folder = scratch / ("full" if "trimming" in left_out else "trimmed")
    precision: Precision = "float32" if "bfloat16" in left_out else "auto"
    encoder = Variant.load(str(folder), max_length=config.max_length, precision=precision)
    encoder.run, encoder.left_out, encoder.texts, encoder.dropout = run, left_out, iter(steps), dropout
    run.losses = train(config, encoder, corpus, lambda _: run.on_step_end() or 0.0).history["loss"].to_numpy()
    return run


def theirs(scratch: Path, bfloat16: bool, config: RunConfig, texts: Dataset, dropout: int) -> Run:
    """Train with sentence-transformers' trainer."""
    run = Run()
    transformer = Transformer(str(scratch / "full"), max_seq_length=config.max_length)
    pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")
    model = SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu")
    machine = {"use_cpu": True, "bf16": bfloat16, "dataloader_pin_memory": False, "seed": dropout}
    output = {"logging_steps": 1, "report_to": "none", "save_strategy": "no", "disable_tqdm": True}
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(scratch / "trainer"),
        per_device_train_batch_size=config.batch_size,
        max_steps=config.updates,
        learning_rate=config.learning_rate,
        lr_scheduler_type="linear",
        optim="adamw_torch_fused",
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_gradient_norm,
        batch_sampler=lambda dataset, **options: DefaultBatchSampler(SequentialSampler(dataset), **options),
        **(machine | output),
    )
    loss = MultipleNegativesRankingLoss(model, scale=1 / config.objective["infonce"]["temperature"])
    trainer = SentenceTransformerTrainer(model, arguments, texts, loss=loss)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(run)
    trainer.train()
    run.losses = np.array([row["loss"] for row in trainer.state.log_history if "loss" in row])
    return run


def measure(scratch: Path, config: RunConfig, corpus: Corpus, repeats: int) -> dict[str, list[Run]]:
    """Train every way in turn, each run with a dropout of its own."""
    encoder = DualEncoder.load(config.encoder, max_length=config.max_length)
    encoder.save(scratch / "full")
    text = corpus.table["text"].to_numpy()
    begun = time.perf_counter()
    encoder.trim(text.tolist())
    print(f"trimmed to {len(encoder.kept_ids):,} pieces, once, in {time.perf_counter() - begun:.1f} s\n")
    encoder.save(scratch / "trimmed")
    drawn = batches(make_sampler(config, corpus), config.updates)
    steps = [tuple(text[rows].tolist() for rows in np.array(batch).T) for batch in drawn]
    query, passage = encoder.prefixes["query"], encoder.prefixes["passage"]
    pairs = [(query + one, passage + other) for step in steps for one, other in zip(*step, strict=True)]
    texts = Dataset.from_list([{"anchor": anchor, "positive": positive} for anchor, positive in pairs])
    runs: dict[str, list[Run]] = {name: [] for name in (PEER, HALF, *LEFT_OUT)}
    for turn in range(repeats):
        for number, (name, some) in enumerate(runs.items()):
            dropout = number * repeats + turn
            if name in LEFT_OUT:
                some.append(ours(scratch, LEFT_OUT[name], config, corpus, steps, dropout))
            else:
                some.append(theirs(scratch, name == HALF, config, texts, dropout))
    return runs


def report(runs: dict[str, list[Run]], pairs: int) -> None:
    """Print times, what each difference is worth, and loss curves; ``pairs`` are those of a run."""
    times = {name: np.median([run.seconds() for run in some], axis=0) for name, some in runs.items()}
    walls = {name: wall for name, (_, wall, _) in times.items()}
    rows = [[name, *some, *(n / some[1] for n in (pairs, walls[PEER], walls[HALF]))] for name, some in times.items()]
    header = ["", "before [s]", "steps [s]", "processor [s]", "pairs/s", f"x {PEER}", f"x {HALF}"]
    print(common.table(header, rows), "\n")
    factors = [[f"{OURS} against {name}", wall / walls[OURS]] for name, wall in walls.items() if name != OURS]
    print(common.table(["", "factor"], [*factors, [f"{BARE} against {PEER}", walls[PEER] / walls[BARE]]]), "\n")
    curves, compared = [], (PEER, HALF, OURS)
    for name in compared:
        mean = np.mean([run.losses for run in runs[name]], axis=0)
        curves.append([name, mean[0], mean[-1], mean.mean(), *(distance(runs[name], runs[to]) for to in compared)])
    print(common.table(["loss", "first", "last", "mean", *(f"from {name}" for name in compared)], curves))
    print("from: mean distance of two curves over steps; from itself: of runs that differ in dropout alone")


def distance(some: list[Run], others: list[Run]) -> float:
    """Mean over steps of the distance of two loss curves, mean over pairs of runs, of which each counts once."""
    pairs = list(combinations(some, 2) if some is others else product(some, others))
    return float(np.mean([abs(one.losses - other.losses).mean() for one, other in pairs])) if pairs else float("nan")


def _now() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default="bundled:multilingual-e5-small", help="or tiny, to try this script")
    parser.add_argument("--pairs", type=int, default=64, help="of a batch")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3, help="of each way; the median counts")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    name = common.captions()
    corpus = load_corpus(name).select(languages=LANGUAGES if name == "xm3600" else None)
    sizes = {"batch_size": options.pairs, "steps": options.steps, "validate_every": options.steps}
    config = RunConfig(corpus=name, encoder=options.encoder, warmup=0.0, threads=options.threads, **sizes)
    print(common.describe("torch", "transformers", "tokenizers", "sentence-transformers", "accelerate"))
    print(f"{options.steps} steps of {options.pairs} pairs, {len(corpus.table):,} texts of {name}, ", end="")
    print(f"torch {options.threads} threads, instructions for bfloat16: {has_bfloat16(torch.device('cpu'))}")
    with tempfile.TemporaryDirectory() as scratch:
        runs = measure(Path(scratch), config, corpus, options.repeats)
    report(runs, config.updates * config.batch_size)


if __name__ == "__main__":
    main()
