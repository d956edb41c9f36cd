"""The batches of a sampler written out as a data set, for a trainer that cuts its batches out of one in order."""

from __future__ import annotations

from datasets import Dataset

from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError
from hybridlib.samplers import Batch, PairBatchSampler


def drawn_pairs(corpus: Corpus, sampler: PairBatchSampler, *, epochs: int = 1) -> Dataset:
    """Draw all batches of some epochs, from epoch 0 on; the sampler is left at the last.

    Args:
        corpus: that the sampler's pairs are of.
        sampler: every batch that it draws has ``batch_size`` pairs.
        epochs: at least 1. A trainer that goes through the data set once has then seen different batches in each.

    Returns:
        A data set with the columns ``anchor`` (the query) and ``positive`` (the passage), one batch after the other:
        rows ``k * batch_size`` to ``(k + 1) * batch_size - 1`` are batch ``k``.

    Raises:
        InputError: for less than one epoch, and for a batch of another size: one of a language with few concepts.

    Example:
        >>> from hybridlib.corpora import load_corpus
        >>> from hybridlib.samplers import HybridBatchSampler
        >>> corpus = load_corpus("scenes")
        >>> drawn_pairs(corpus, HybridBatchSampler(corpus.pairs, 8, batches=3), epochs=2).shape
        (48, 2)
    """
    if epochs < 1:
        raise InputError(f"epochs: found {epochs}, expected 1 or more")
    texts = corpus.table["text"].to_numpy()
    rows = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        for number, batch in enumerate(sampler):
            if len(batch) != sampler.batch_size:
                raise _uneven(f"batch {number} of epoch {epoch}", batch, corpus, sampler.batch_size)
            rows += batch
    queries, passages = (list(column) for column in zip(*rows, strict=True))
    return Dataset.from_dict({"anchor": texts[queries].tolist(), "positive": texts[passages].tolist()})


def _uneven(where: str, batch: Batch, corpus: Corpus, size: int) -> InputError:
    codes = {corpus.pairs.languages[corpus.pairs.language[passage]] for _, passage in batch}
    passages = f" with passages in {codes.pop()!r}" if len(codes) == 1 else ""
    return InputError(
        f"{where}: found {len(batch)} pairs{passages}, expected {size}, as a trainer cuts batches of one size: choose "
        "a smaller batch_size, leave the language out, or take a DataLoader of PairDataset, which needs no equal sizes"
    )
