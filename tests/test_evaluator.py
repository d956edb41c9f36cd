import numpy as np
import pandas as pd
import pytest

from hybridlib.config import RunConfig
from hybridlib.corpora.collection import Collection
from hybridlib.corpora.corpus import Corpus
from hybridlib.encoders.encoder import DualEncoder
from hybridlib.evaluation import SETTINGS, evaluate
from hybridlib.evaluator import Evaluator
from hybridlib.splits import run_splits

CONFIG = RunConfig(
    train_languages=("en", "zh"),
    test_languages=("en", "zh"),
    train_concepts=4,
    validation_concepts=2,
    test_concepts=12,
    batch_size=4,
)


@pytest.fixture(scope="module")
def encoder():
    return DualEncoder.load("tiny", max_length=32)


@pytest.fixture(scope="module")
def collection():
    return Collection.from_corpus(run_splits(CONFIG).test)


def test_vectors_are_those_of_queries_and_passages(encoder, collection):
    embedded = Evaluator(collection, encoder).embedded(encoder)
    queries, passages = embedded.queries, embedded.passages
    texts = collection.queries["text"].tolist(), collection.passages["text"][:]
    assert (queries == encoder.encode(texts[0], "query", progress=False)).all()
    assert (passages == encoder.encode(texts[1], "passage", progress=False)).all()


def test_scores_are_those_of_the_vectors(encoder, collection):
    evaluator = Evaluator(collection, encoder)
    embedded = evaluator.embedded(encoder)
    expected = evaluate(collection, embedded.queries, embedded.passages).scores
    for _ in range(2):
        pd.testing.assert_frame_equal(evaluator.evaluate(encoder).scores, expected)


def test_cached_vectors_give_the_same_scores(encoder, collection, tmp_path, monkeypatch):
    monkeypatch.setenv("HYBRIDLIB_CACHE", str(tmp_path))
    evaluator = Evaluator(collection, encoder)
    direct = evaluator.evaluate(encoder)
    for _ in ("computed", "read"):
        pd.testing.assert_frame_equal(evaluator.cached(encoder).evaluate().scores, direct.scores)
    assert [file for file in tmp_path.rglob("*") if file.is_file()]


def test_balance_is_the_mean_of_the_three_settings(encoder, collection):
    evaluator = Evaluator(collection, encoder)
    scores = evaluator.evaluate(encoder).scores
    by_pair = scores.groupby(["setting", "query_language", "passage_language"], observed=True)["nDCG@10"].mean()
    expected = np.mean([by_pair[setting].mean() for setting in SETTINGS])
    assert evaluator.balance(encoder) == pytest.approx(expected)


def test_balance_without_monolingual_pairs_is_the_mean_of_the_other_two(encoder):
    rows = [(c, language, "text", f"{c} {language}") for c in "abcdefgh" for language in ("en", "de")]
    evaluator = Evaluator(Collection.from_corpus(Corpus.from_rows(rows, "parallel")), encoder)
    scores = evaluator.evaluate(encoder).scores
    assert set(scores["setting"]) == {"crosslingual", "multilingual"}
    by_pair = scores.groupby(["setting", "query_language", "passage_language"], observed=True)["nDCG@10"].mean()
    expected = np.mean([by_pair[setting].mean() for setting in ("crosslingual", "multilingual")])
    assert evaluator.balance(encoder) == pytest.approx(expected)
