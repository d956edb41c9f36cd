"""Pairs for a DataLoader, and the loop that the README shows."""

import pytest
from torch.utils.data import DataLoader

from hybridlib.corpora import load_corpus
from hybridlib.pair_dataset import PairDataset
from hybridlib.samplers import HybridBatchSampler


@pytest.mark.parametrize("workers", [0, 1])
def test_a_loader_gives_what_the_sampler_drew(workers):
    corpus = load_corpus("scenes")
    sampler = HybridBatchSampler(corpus.pairs, batch_size=8, alpha=0.5, seed=3, batches=4)
    drawn = list(sampler)
    table, pairs = corpus.table, corpus.pairs
    for batch, rows in zip(
        DataLoader(PairDataset(corpus), batch_sampler=sampler, num_workers=workers), drawn, strict=True
    ):
        queries, passages = map(list, zip(*rows, strict=True))
        assert batch["query"] == table["text"][queries].tolist()
        assert batch["passage"] == table["text"][passages].tolist()
        assert batch["concept"].tolist() == pairs.concept[queries].tolist() == pairs.concept[passages].tolist()
        assert batch["query_language"].tolist() == pairs.language[queries].tolist()
        assert batch["passage_language"].tolist() == pairs.language[passages].tolist()


def test_the_loop_of_the_readme_trains(readme_code):
    (code,) = (block for block in readme_code if "DataLoader(" in block)
    short = code.replace("seed=1)", "seed=1, batches=2)")  # an epoch of all would take a minute
    assert short != code
    names = {}
    exec(compile(short, "README.md", "exec"), names)
    assert 0 < names["loss"].item() < 10
