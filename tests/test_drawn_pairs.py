"""Batches written out, and the training by sentence-transformers that the README shows."""

import pytest
import torch
from torch.utils.data import DataLoader

from hybridlib.corpora import load_corpus, scenes
from hybridlib.corpora.corpus import Corpus
from hybridlib.drawn_pairs import drawn_pairs
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError
from hybridlib.pair_dataset import PairDataset
from hybridlib.sampler_variants import OnePassageLanguageBatchSampler
from hybridlib.samplers import HybridBatchSampler, MonolingualBatchSampler


def sampler_of(corpus):
    return HybridBatchSampler(corpus.pairs, batch_size=8, alpha=0.5, seed=3, batches=3)


def test_epochs_stand_batch_after_batch():
    corpus = load_corpus("scenes")
    found, sampler = drawn_pairs(corpus, sampler_of(corpus), epochs=2), sampler_of(corpus)
    expected = []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        expected += DataLoader(PairDataset(corpus), batch_sampler=sampler)
    assert found.column_names == ["anchor", "positive"]
    assert found["anchor"][:] == [text for batch in expected for text in batch["query"]]
    assert found["positive"][:] == [text for batch in expected for text in batch["passage"]]
    assert found[:24] != found[24:]


def test_no_epoch_is_an_error():
    corpus = load_corpus("scenes")
    with pytest.raises(InputError, match="epochs: found 0, expected 1 or more"):
        drawn_pairs(corpus, sampler_of(corpus), epochs=0)


@pytest.mark.parametrize("kind", [MonolingualBatchSampler, OnePassageLanguageBatchSampler])
def test_a_batch_of_a_small_language_is_an_error_that_names_it(kind):
    """Else all that comes after it would be cut elsewhere, and a concept could stand twice in a batch."""
    whole = scenes.load(count=12, languages=("en", "de", "ru"))
    few = set(whole.concepts[:5])
    rows = [row for row in whole.table.itertuples(index=False, name=None) if row[1] != "ru" or row[0] in few]
    corpus = Corpus.from_rows(rows, "own")
    said = r"batch \d+ of epoch [01]: found 5 pairs with passages in 'ru', expected 8, .*: choose a smaller batch_size"
    with pytest.raises(InputError, match=said):
        drawn_pairs(corpus, kind(corpus.pairs, batch_size=8, batches=20), epochs=2)
    assert len(drawn_pairs(corpus, kind(corpus.pairs, batch_size=5, batches=20))) == 100


def test_the_trainer_of_the_readme_meets_the_batches_as_they_were_drawn(readme_code, tmp_path, monkeypatch):
    (code,) = (block for block in readme_code if "SentenceTransformerTrainer(" in block)
    monkeypatch.chdir(tmp_path)
    DualEncoder.load("tiny").save("tiny")
    for written, short in {
        '"intfloat/multilingual-e5-small"': '"tiny"',
        "batch_size=64, alpha=0.5, seed=1": "batch_size=8, alpha=0.5, seed=3, batches=3",
        "train_batch_size=64": "train_batch_size=8, use_cpu=True, report_to='none', save_strategy='no'",
    }.items():
        assert code.count(written) == 1
        code = code.replace(written, short)
    names = {"__name__": "readme"}
    exec(compile(code, "README.md", "exec"), names)
    trainer, model, corpus = names["trainer"], names["model"], names["corpus"]
    expected, met = drawn_pairs(corpus, sampler_of(corpus), epochs=2), list(trainer.get_train_dataloader())
    assert (trainer.state.global_step, len(met)) == (6, 6)
    for number, batch in enumerate(met):
        drawn = expected[8 * number : 8 * number + 8]
        for column, role in (("anchor", "query"), ("positive", "passage")):
            tokens = model.tokenizer(
                [f"{role}: {text}" for text in drawn[column]], padding=True, truncation=True, return_tensors="pt"
            )
            assert torch.equal(batch[f"{column}_input_ids"].cpu(), tokens["input_ids"])
    assert DualEncoder.load("my-run/encoder").prefixes == {"query": "query: ", "passage": "passage: "}
