import numpy as np
import pandas as pd
import pytest
from datasets import Dataset, concatenate_datasets

from hybridlib.corpora.collection import Collection
from hybridlib.corpora.corpus import Corpus
from hybridlib.debias import DEBIASINGS, centring, remove_components, shift
from hybridlib.errors import InputError
from hybridlib.evaluation import evaluate
from hybridlib.measures import DEFAULT
from hybridlib.system import PLAIN, Embedded, debiased, evaluate_system

LANGUAGES = ("en", "de", "ru")


def vector_of(text: str, language: str) -> np.ndarray:
    """A unit vector that hangs on the text alone, moved by its language."""
    vector = np.random.default_rng(list(text.encode())).standard_normal(16)
    vector[LANGUAGES.index(language)] += 3
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def embedded(collection: Collection) -> Embedded:
    queries, passages = (
        np.stack([vector_of(text, code) for text, code in zip(texts, codes, strict=True)])
        for texts, codes in (
            (collection.queries["text"], collection.queries["language"]),
            (collection.passages["text"][:], collection.passages["language"][:]),
        )
    )
    return Embedded(collection, queries, passages)


@pytest.fixture(scope="module")
def whole():
    """Forty concepts in three languages; in German a passage serves as the query."""
    rows = [
        (f"c{concept}", code, role, f"{concept} {code} {role}")
        for concept in range(40)
        for code in LANGUAGES
        for role in (["text"] if code == "de" else ["query", "passage"])
    ]
    return embedded(Collection.from_corpus(Corpus.from_rows(rows, "mine")))


def assert_vectors_are_of_their_texts(part: Embedded) -> None:
    again = embedded(part.collection)
    assert (part.queries == again.queries).all()
    assert (part.passages == again.passages).all()


def test_parts_share_no_concept_and_keep_their_vectors(whole):
    fit, test = whole.divided(15)
    concepts = [set(part.collection.queries["concept"]) for part in (fit, test)]
    assert [len(names) for names in concepts] == [15, 25]
    assert not concepts[0] & concepts[1]
    for part in (fit, test):
        assert_vectors_are_of_their_texts(part)
        assert len(part.collection.passages) == 3 * part.collection.queries["concept"].nunique()


def test_too_few_concepts_to_hold_out_are_refused(whole):
    with pytest.raises(InputError, match="mine: found 40 concepts to hold out"):
        whole.divided(40)


def test_geometry_is_that_of_relevant_pairs_and_of_all_others_but_a_text_and_itself(whole):
    products = whole.queries.astype(float) @ whole.passages.T.astype(float)
    query, passage = whole.collection.relevant["query"], whole.collection.relevant["passage"]
    positive, same = (
        np.zeros(products.shape, bool),
        whole.collection.query_language[:, None] == whole.collection.passage_language,
    )
    positive[query, passage] = True
    negative = ~positive
    own = np.flatnonzero(whole.collection.itself >= 0)
    negative[own, whole.collection.itself[own]] = False
    assert len(own) == 40
    found = whole.geometry()
    for kind, chosen in (("positive", positive), ("negative", negative)):
        for language, of in (("same", same), ("other", ~same), ("all", True)):
            values = products[chosen & of]
            assert found[f"{kind}_{language}_mean"] == pytest.approx(values.mean())
            assert found[f"{kind}_{language}_variance"] == pytest.approx(values.var())


def test_passages_that_answer_no_query_are_of_concepts_of_their_own():
    """Else a language with such passages alone would have one concept, too few for a probe."""
    rng = np.random.default_rng(0)
    ids = [f"p{i:02}" for i in range(60)]
    collection = Collection.from_tables(
        pd.DataFrame([("q", "en", "c", "?")], columns=["id", "language", "concept", "text"]),
        pd.DataFrame({"id": ids, "language": ["en", "de"] * 30, "text": "."}),
        pd.DataFrame([("q", "p00", 1)], columns=["query", "passage", "relevance"]),
        "mine",
    )
    drawn = rng.standard_normal((61, 8)) + np.asarray([0, *[1, -1] * 30])[:, None]
    vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    assert Embedded(collection, vectors[:1], vectors[1:]).geometry()["language_probe"] > 0.9


def codes(texts: pd.Series | list[str]) -> np.ndarray:
    return np.asarray(list(texts))


def fitted_apart(name: str, fit: Embedded, test: Embedded) -> tuple[np.ndarray, np.ndarray]:
    """Apply the debiasing to vectors and language codes, without the help of a collection."""
    queries, passages = fit.collection.queries, fit.collection.passages
    asked, held = codes(test.collection.queries["language"]), codes(test.collection.passages["language"][:])
    if name == "shift":
        concepts = codes([name.split("/")[0] for name in passages["id"][:]])
        moved = shift(fit.passages, codes(passages["language"][:]), concepts, source="en")
        return test.queries, moved(test.passages, held)
    method = {"centring": centring, "lir": remove_components}[name]
    of_queries = method(fit.queries, codes(queries["language"]))
    of_passages = method(fit.passages, codes(passages["language"][:]))
    return of_queries(test.queries, asked), of_passages(test.passages, held)


@pytest.mark.parametrize("name", DEBIASINGS)
def test_debiasing_is_fitted_on_one_part_and_applied_to_the_other(whole, name):
    fit, test = whole.divided(15)
    found = debiased(name, fit, test)
    queries, passages = fitted_apart(name, fit, test)
    assert found.collection is test.collection
    assert found.queries == pytest.approx(queries, abs=1e-6)
    assert found.passages == pytest.approx(passages, abs=1e-6)
    assert np.abs(found.passages - test.passages).max() > 0.1


def test_shift_does_not_align_passages_that_answer_no_query(whole):
    """Such passages, here of one language far away from all others, have no concept in common."""
    fit, test = whole.divided(15)
    lone = pd.DataFrame({"id": ["x", "y"], "language": ["en", "ru"], "text": "."})
    passages = concatenate_datasets([fit.collection.passages, Dataset.from_pandas(lone)])
    vectors = np.concatenate([fit.passages, np.eye(2, 16, dtype=np.float32)])
    more = Collection(fit.collection.queries, passages, fit.collection.qrels, "mine")
    found, expected = (debiased("shift", part, test) for part in (Embedded(more, fit.queries, vectors), fit))
    assert found.passages == pytest.approx(expected.passages, abs=1e-6)


def test_debiasing_goes_by_the_names_of_languages_not_by_their_numbers(whole):
    """The fitted part may have languages that the tested one does not have."""
    fit, test = whole.divided(15)
    ru = np.asarray(test.collection.queries["language"] == "ru"), codes(test.collection.passages["language"][:]) == "ru"
    part = Embedded(test.collection.select(languages=["ru"]), test.queries[ru[0]], test.passages[ru[1]])
    found, every = debiased("centring", fit, part), debiased("centring", fit, test)
    assert (found.queries == every.queries[ru[0]]).all()
    assert (found.passages == every.passages[ru[1]]).all()


def test_fitting_on_the_concepts_that_are_tested_is_refused(whole):
    fit, test = whole.divided(15)
    with pytest.raises(InputError, match="centring: found 40 concepts to fit on among those to test on"):
        debiased("centring", whole, whole)
    with pytest.raises(InputError, match="centring: found 15 concepts"):
        debiased("centring", fit, whole)
    debiased("centring", fit, test)


def test_language_without_texts_to_fit_on_is_refused(whole):
    fit, test = whole.divided(15)
    kept = [codes(fit.collection.queries["language"]) != "ru", codes(fit.collection.passages["language"][:]) != "ru"]
    part = Embedded(fit.collection.kept(*kept), fit.queries[kept[0]], fit.passages[kept[1]])
    with pytest.raises(InputError, match="centring: found language 'ru', expected one fitted on: de en"):
        debiased("centring", part, test)


def test_systems_are_the_plain_one_and_each_debiasing(whole):
    fit, test = whole.divided(15)
    found = evaluate_system(test, fit, ["lir", "centring"], measures=["RR"], settings=["multilingual"])
    assert list(found) == [PLAIN, "lir", "centring"]
    for name, (system, evaluation) in found.items():
        expected = test if name == PLAIN else debiased(name, fit, test)
        assert (system.passages == expected.passages).all()
        again = evaluate(
            test.collection, expected.queries, expected.passages, measures=["RR"], settings=["multilingual"]
        )
        pd.testing.assert_frame_equal(evaluation.scores, again.scores)
    assert len({evaluation.scores["RR"].mean() for _, evaluation in found.values()}) == 3


def test_without_debiasing_nothing_is_fitted(whole):
    found = evaluate_system(whole)
    assert list(found) == [PLAIN]
    assert set(DEFAULT) <= set(found[PLAIN][1].scores)


def test_debiasing_without_texts_to_fit_on_is_refused(whole):
    with pytest.raises(InputError, match="lir: found no texts to fit on"):
        evaluate_system(whole, None, ["lir"])
