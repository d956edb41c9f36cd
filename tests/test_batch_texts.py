import numpy as np
import pytest
import torch
from torch import nn

from hybridlib.batch_texts import TrainingTexts
from hybridlib.batches import make_sampler
from hybridlib.config import RunConfig
from hybridlib.corpora import scenes
from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.joined import joined
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.errors import InputError

SECOND = {"lakda": {}}


@pytest.fixture(scope="module")
def corpus():
    return scenes.load(count=30, languages=("en", "de", "ru"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path))


def config(**values) -> RunConfig:
    return RunConfig(**{"encoder": "tiny", "batch_size": 6, "threads": 1, "precision": "float32", **values})


def texts_of(corpus, batch=None, step=1, **values):
    settings = config(**values)
    source = TrainingTexts(settings, DualEncoder.load("tiny"), corpus)
    return source.of(batch or next(iter(make_sampler(settings, corpus))), step)


def test_queries_and_passages_alone_by_default(corpus):
    batch = next(iter(make_sampler(config(), corpus)))[:2]
    (first, one), (second, two) = batch
    step, encoder, text = texts_of(corpus, batch), DualEncoder.load("tiny"), corpus.table["text"]
    assert step.tokens == [
        *encoder.tokenize([text[first], text[second]], "query"),
        *encoder.tokenize([text[one], text[two]], "passage"),
    ]
    vectors = nn.functional.normalize(torch.randn(4, 5), dim=-1)
    embedded = step.batch(vectors)
    assert torch.equal(embedded.queries, vectors[:2])
    assert torch.equal(embedded.passages, vectors[2:])
    pairs = corpus.pairs
    assert embedded.concepts.tolist() == pairs.concept[[first, second]].tolist()
    assert embedded.query_language.tolist() == pairs.language[[first, second]].tolist()
    assert embedded.passage_language.tolist() == pairs.language[[one, two]].tolist()
    assert (embedded.second_queries, embedded.hard_negatives, embedded.teacher_queries) == (None, None, None)


def test_second_queries_ask_the_same_in_another_language(corpus):
    step = texts_of(corpus, objective=SECOND)
    first, second, pairs = step.rows["queries"], step.rows["second_queries"], corpus.pairs
    assert (pairs.concept[first] == pairs.concept[second]).all()
    assert (pairs.language[first] != pairs.language[second]).all()
    assert pairs.is_query[second].all()


def test_second_queries_change_with_the_step_and_are_drawn_again_alike(corpus):
    batch = next(iter(make_sampler(config(), corpus)))
    drawn = [
        texts_of(corpus, batch, step, objective=SECOND, seed=seed).rows["second_queries"].tolist()
        for step, seed in ((1, 1), (1, 1), (2, 1), (1, 2))
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert drawn[0] != drawn[3]


def test_second_queries_take_every_other_language_alike(corpus):
    batch = next(iter(make_sampler(config(), corpus)))[:1]
    codes = [
        corpus.pairs.language[texts_of(corpus, batch, step, objective=SECOND).rows["second_queries"][0]]
        for step in range(60)
    ]
    counts = np.bincount(codes, minlength=3)
    assert counts[corpus.pairs.language[batch[0][0]]] == 0
    assert sorted(counts)[1] >= 15  # 30 expected, 15 is 3.9 standard deviations away


def test_concept_that_asks_in_one_language_has_no_second_query(corpus):
    rows = [row for row in corpus.table.itertuples(index=False, name=None) if row[0] != corpus.concepts[4]]
    lone = Corpus.from_rows([*rows, ("lone", "en", "text", "one"), ("lone", "en", "text", "two")], "own")
    with pytest.raises(InputError, match=r"corpus own: found 1 concepts .* \(lone\), expected two at least"):
        texts_of(lone, objective=SECOND)


def test_hard_negatives_are_other_concepts_in_the_passages_language(corpus):
    step = texts_of(corpus, hard_negatives=3)
    hard, pairs = step.rows["hard_negatives"], corpus.pairs
    assert hard.shape == (6, 3)
    assert (pairs.language[hard] == pairs.language[step.rows["passages"]][:, None]).all()
    assert (pairs.concept[hard] != pairs.concept[step.rows["passages"]][:, None]).all()
    vectors = nn.functional.normalize(torch.randn(len(step.tokens), 5), dim=-1)
    embedded = step.batch(vectors)
    assert torch.equal(embedded.hard_negatives, vectors[12:].reshape(6, 3, 5))
    assert embedded.hard_negative_concepts.tolist() == pairs.concept[hard].tolist()


def test_hard_negatives_are_mined_where_a_language_has_a_single_text(corpus):
    """A query, that is: of its passages a language must have several."""
    rows = list(corpus.table.itertuples(index=False, name=None))
    lone = Corpus.from_rows([*rows, (corpus.concepts[3], "fr", "query", "seul")], "own")
    pairs, query = lone.pairs, len(rows)
    assert lone.table["text"][query] == "seul"
    passage = np.flatnonzero((pairs.concept == pairs.concept[query]) & pairs.is_passage)[0]
    source = TrainingTexts(config(hard_negatives=2), DualEncoder.load("tiny"), lone)
    (hard,) = source.of([(query, passage)], 0).rows["hard_negatives"]
    assert (pairs.concept[hard] != pairs.concept[query]).all()
    assert (pairs.language[hard] == pairs.language[passage]).all()


def test_hard_negatives_of_joined_corpora_are_of_the_batchs_corpus(corpus):
    parts = [corpus.select(concepts=corpus.concepts[:18]), corpus.select(concepts=corpus.concepts[18:])]
    settings = config(hard_negatives=2)
    source = TrainingTexts(settings, DualEncoder.load("tiny"), joined(parts))
    for batch in make_sampler(settings, joined(parts)):
        rows = source.of(batch, 0).rows
        second = rows["passages"] >= len(parts[0].table)
        assert second.all() or not second.any()
        assert ((rows["hard_negatives"] >= len(parts[0].table)) == second[0]).all()
        concepts = joined(parts).pairs.concept
        assert (concepts[rows["hard_negatives"]] != concepts[rows["passages"]][:, None]).all()


def test_batches_of_one_update_draw_their_own_second_queries(corpus):
    batch = next(iter(make_sampler(config(), corpus)))
    source = TrainingTexts(config(objective=SECOND, accumulate=4), DualEncoder.load("tiny"), corpus)
    drawn = {tuple(source.of(batch, number).rows["second_queries"]) for number in range(4)}
    assert len(drawn) > 1


def test_all_that_there_can_be_stands_in_one_batch(corpus):
    objective = {"lakda": {}, "gist": {}}
    step = texts_of(corpus, objective=objective, hard_negatives=2, teacher="tiny", teacher_language="en")
    vectors = nn.functional.normalize(torch.randn(len(step.tokens), 32), dim=-1)
    assert len(step.tokens) == 6 * (2 + 1 + 2)
    embedded = step.batch(vectors)
    assert torch.equal(embedded.second_queries, vectors[12:18])
    assert torch.equal(embedded.hard_negatives, vectors[18:].reshape(6, 2, 32))
    assert embedded.teacher_queries.shape == embedded.teacher_passages.shape
    assert embedded.teacher_hard_negatives.shape[:2] == (6, 2)


def test_sizes_for_objectives(corpus):
    settings, encoder = config(objective={"kl": {}}, teacher="tiny"), DualEncoder.load("tiny")
    assert TrainingTexts(settings, encoder, corpus).sizes == {"concepts": 30, "teacher_dimension": encoder.dimension}
    assert TrainingTexts(config(), encoder, corpus).sizes == {"concepts": 30}
