from pathlib import Path

import numpy as np
import pytest

from hybridlib.corpora.collection import Collection
from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError
from hybridlib.evaluate_request import Request

OUT = Path("out")
KINDS = {
    "encoder": {"encoder": "tiny"},
    "embeddings": {"embeddings": OUT},
    "run": {"run": OUT},
    "encoder and run": {"encoder": "tiny", "run": OUT},
}
OPTIONS = {
    "corpus": "scenes",
    "revision": "main",
    "max_length": 128,
    "precision": "auto",
    "query_prefix": "",
    "passage_prefix": "told: ",
}
USED = {"encoder": set(OPTIONS), "embeddings": {"corpus"}, "run": {"corpus"}, "encoder and run": {"revision"}}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_options_that_a_system_does_not_use_are_refused(kind, option):
    given = KINDS[kind] | {option: OPTIONS[option]}
    if option in USED[kind]:
        assert getattr(Request(OUT, **given), option) == OPTIONS[option]
    else:
        with pytest.raises(InputError, match=f"^{option}: found {OPTIONS[option]!r}, expected none: {kind} does not"):
            Request(OUT, **given)


def test_a_run_on_another_corpus_may_be_cut_elsewhere():
    request = Request(OUT, run=OUT, corpus="scenes", max_length=128, precision="float32")
    assert (request.corpus, request.max_length) == ("scenes", 128)
    with pytest.raises(InputError, match=r"^revision: found 'main', expected none: run and corpus does not use it"):
        Request(OUT, run=OUT, corpus="scenes", revision="main")


def collection(concept: str = "c{}") -> Collection:
    """Nine English, six German and two French passages; the French ones answer German queries alone."""
    rows = [(concept.format(i), "en", role, f"{role} {i}") for i in range(9) for role in ("query", "passage")]
    rows += [(concept.format(i), "de", role, f"de {role} {i}") for i in range(6) for role in ("query", "passage")]
    rows += [(f"d{i}", *cell, f"x {i}") for i in range(2) for cell in (("de", "query"), ("fr", "passage"))]
    return Collection.from_corpus(Corpus.from_rows(rows, "mine"))


@pytest.mark.parametrize(
    ("settings", "most", "where"),
    [
        (["monolingual"], 6, "in de"),
        (["crosslingual"], 2, "in fr"),
        (["multilingual"], 17, "of all languages"),
        (["multilingual", "monolingual"], 6, "in de"),
        (None, 2, "in fr"),
    ],
)
def test_cutoffs_go_up_to_the_smallest_pool_that_is_ranked(settings, most, where):
    Request(OUT, encoder="tiny", settings=settings, measures=["AP", f"R@{most}"]).check(collection())
    request = Request(OUT, encoder="tiny", settings=settings, measures=["AP", f"R@{most + 1}"])
    with pytest.raises(InputError, match=rf"^measures: found R@{most + 1}, expected K of at most {most}, .* {where}$"):
        request.check(collection())


def test_settings_that_the_collection_does_not_have_are_refused():
    english = collection().select(languages=["en"])
    with pytest.raises(InputError, match="found setting 'crosslingual', expected one that mine has: monolingual"):
        Request(OUT, encoder="tiny", settings=["crosslingual"]).check(english)


def test_ids_that_trec_files_cannot_hold_are_refused_where_such_files_are_asked_for():
    spaced = collection("a concept {}")
    Request(OUT, encoder="tiny").check(spaced)
    with pytest.raises(
        InputError, match=r"^out/trec: found query id 'a concept 0/en', expected one without whitespace"
    ):
        Request(OUT, encoder="tiny", trec_depth=3).check(spaced)
    passages = collection().passages.map(lambda row, i: {"id": f"p {i}"}, with_indices=True)
    renamed = Collection(collection().queries, passages, collection().qrels, "mine", itself=np.full(17, -1))
    with pytest.raises(InputError, match=r"^out/trec: found passage id 'p 0'"):
        Request(OUT, encoder="tiny", trec_depth=3).check(renamed)
