import numpy as np
import pandas as pd
import pytest
from datasets import concatenate_datasets

from hybridlib.corpora import scenes
from hybridlib.corpora.collection import SETTINGS, Collection
from hybridlib.corpora.corpus import Corpus
from hybridlib.corpora.holdout import held_out
from hybridlib.errors import InputError

QUERIES = pd.DataFrame(
    [
        ("q1/de", "de", "q1", "Frage eins"),
        ("q1/en", "en", "q1", "question one"),
        ("q2/en", "en", "q2", "question two"),
        ("q3/en", "en", "q3", "question three"),
    ],
    columns=["id", "language", "concept", "text"],
)
PASSAGES = pd.DataFrame(
    [
        ("p1", "de", "Satz eins"),
        ("p2", "en", "sentence one"),
        ("p3", "en", "sentence two"),
        ("p4", "en", "nobody asks for this"),
        ("p0", "fr", "phrase"),
    ],
    columns=["id", "language", "text"],
)
QRELS = pd.DataFrame(
    [
        ("q1/de", "p1", 1),
        ("q1/de", "p2", 2),
        ("q1/en", "p2", 1),
        ("q2/en", "p2", 1),
        ("q2/en", "p3", 3),
        ("q3/en", "p0", 1),
    ],
    columns=["query", "passage", "relevance"],
)


def collection(queries=QUERIES, passages=PASSAGES, qrels=QRELS) -> Collection:
    return Collection.from_tables(queries, passages, qrels, "tiny")


def pairs_of(c: Collection) -> set[tuple[str, str, int]]:
    queries, passages = c.queries["id"].tolist(), c.passages["id"][:]
    return {(queries[q], passages[p], r) for q, p, r in c.qrels.itertuples(index=False)}


def test_qrels_name_the_texts_that_they_named():
    assert pairs_of(collection()) == set(QRELS.itertuples(index=False, name=None))


def test_languages_are_those_of_queries_and_passages():
    c = collection()
    assert c.languages == ["en", "de", "fr"]
    assert [c.languages[i] for i in c.query_language] == QUERIES["language"].tolist()
    assert [c.languages[i] for i in c.passage_language] == PASSAGES["language"].tolist()


def test_ties_are_broken_by_id():
    assert collection().tie_order.tolist() == [1, 2, 3, 4, 0]


def test_a_passage_has_the_first_concept_that_it_is_relevant_to():
    assert collection().passage_concept.tolist() == ["q1", "q1", "q2", "", "q3"]


def test_settings_are_those_that_have_relevant_passages():
    assert collection().settings == SETTINGS
    assert collection(qrels=QRELS.iloc[[2, 3, 4]]).settings == ("monolingual",)
    assert collection(qrels=QRELS.iloc[[1]]).settings == ("crosslingual", "multilingual")


def test_judgements_of_0_are_kept_but_not_relevant():
    c = collection(qrels=QRELS.assign(relevance=[0, 1, 1, -1, 1, 1]))
    assert len(c.qrels) == 6
    assert len(c.relevant) == 4


def test_selecting_languages_keeps_their_texts_and_judgements():
    c = collection().select(languages=["en"])
    assert c.languages == ["en"]
    assert pairs_of(c) == {("q1/en", "p2", 1), ("q2/en", "p2", 1), ("q2/en", "p3", 3)}


def test_selecting_an_unknown_language_is_an_error():
    with pytest.raises(InputError, match="tiny: found language 'xx', expected one of: en de fr"):
        collection().select(languages=["en", "xx"])


@pytest.mark.parametrize("column", ["id", "text"])
def test_fingerprint_changes_with_any_text(column):
    other = PASSAGES.copy()
    other.loc[3, column] += "!"
    assert collection(passages=other).fingerprint != collection().fingerprint == collection().fingerprint


def test_fingerprint_changes_with_a_judgement():
    assert collection(qrels=QRELS.assign(relevance=1)).fingerprint != collection().fingerprint


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([("id", 3, "q3/en"), ("language", 0, "de")], [("id", 3, "q3/end"), ("language", 0, "e")]),
        ([("text", 0, "a\0b"), ("text", 1, "c")], [("text", 0, "a"), ("text", 1, "b\0c")]),
    ],
    ids=["columns", "texts"],
)
def test_fingerprint_keeps_columns_and_texts_apart(first, second):
    """With the same characters one after the other in both."""
    prints = []
    for changes in (first, second):
        c = collection()
        for column, row, value in changes:
            c.queries.loc[row, column] = value
        prints.append(c.fingerprint)
    assert prints[0] != prints[1]


def test_fingerprint_does_not_depend_on_chunks():
    c = collection()
    parts = concatenate_datasets([c.passages.select(range(2)), c.passages.select(range(2, 5))])
    assert Collection(c.queries, parts, c.qrels, "tiny").fingerprint == c.fingerprint


def test_fingerprint_changes_with_what_is_not_ranked():
    c = collection()
    prints = [
        Collection(c.queries, c.passages, c.qrels, "tiny", itself=itself).fingerprint
        for itself in (None, np.full(4, -1), np.array([-1, -1, -1, 3]))
    ]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {"qrels": QRELS.replace("p3", "p9")},
            r"found qrels of passage 'p9' \(row 5\), expected the id of one of the 5",
        ),
        ({"qrels": QRELS.replace("q3/en", "q9")}, r"found qrels of query 'q9' \(row 6\), expected"),
        ({"passages": PASSAGES.replace("p4", "p1")}, "found passage id 'p1' twice"),
        ({"qrels": pd.concat([QRELS, QRELS.iloc[[0]]])}, "found query 0 and passage 0 judged twice"),
        ({"qrels": QRELS.assign(relevance=0)}, "found no relevant passage in 6 qrels"),
        ({"queries": QUERIES.iloc[:0], "qrels": QRELS.iloc[:0]}, "found no query, expected one at least"),
    ],
)
def test_what_does_not_fit_is_an_error(tables, message):
    with pytest.raises(InputError, match=f"tiny: {message}"):
        collection(**tables)


def test_a_corpus_asks_with_the_last_query_of_each_cell_and_finds_every_passage():
    rows = [
        ("a", "en", "passage", "one"), ("a", "en", "query", "first"), ("a", "en", "query", "last"),
        ("a", "de", "text", "eins"), ("b", "en", "passage", "two"),
    ]  # fmt: skip
    c = Collection.from_corpus(Corpus.from_rows(rows, "mine"))
    assert c.queries["text"].tolist() == ["last", "eins"]
    assert c.queries["id"].tolist() == ["a/en", "a/de"]
    assert c.passages["text"][:] == ["one", "eins", "two"]
    assert c.passages["id"][:] == ["a/en/0", "a/de/0", "b/en/0"]
    assert pairs_of(c) == {("a/en", "a/en/0", 1), ("a/en", "a/de/0", 1), ("a/de", "a/en/0", 1)}
    assert c.itself is not None
    assert c.itself.tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("roles", "asked"),
    [
        (["query", "query"], ["1"]),
        (["text", "query"], ["1"]),
        (["query", "text"], ["0"]),
        (["text", "text"], ["1"]),
        (["passage", "text"], ["1"]),
        (["passage", "query"], ["1"]),
    ],
)
def test_a_text_asks_only_where_there_is_no_query(roles, asked):
    rows = [("a", "en", role, str(i)) for i, role in enumerate(roles)] + [("a", "de", "passage", "x")]
    assert Collection.from_corpus(Corpus.from_rows(rows, "mine")).queries["text"].tolist() == asked


def test_queries_that_are_not_asked_are_told():
    cells = [(concept, code) for concept in "ab" for code in ("en", "de")]
    rows = [(*cell, role, f"{cell} {role}") for cell in cells for role in ("query", "passage")]
    more = [("a", "en", "query", "second"), ("a", "en", "query", "third"), ("b", "de", "query", "second")]
    told = "3 of 7 queries are not asked: the last of a concept in a language is"
    collection = Collection.from_corpus(Corpus.from_rows(rows + more, "mine", ("a note",)))
    assert collection.notes == ("a note", told)
    assert collection.described()["notes"] == ["a note", told]
    assert Collection.from_corpus(collection.to_corpus()).notes == collection.notes  # said once


def test_queries_that_no_mean_counts_are_told():
    """A judged query without a relevant passage is 0 in other programs; here it is left out."""
    graded = QRELS.assign(relevance=[1, 0, 0, 0, 0, 0])
    told = collection(qrels=graded).described()["notes"]
    assert told == ["3 of 4 queries have no relevant passage and are left out of every mean"]
    assert collection().described()["notes"] == []


def test_queries_that_find_their_own_words_are_told():
    """In their own language, and once a query; a text that is query and passage at once is not ranked for itself."""
    words = ["Satz eins", "sentence one", "sentence two", "phrase"]
    told = collection(queries=QUERIES.assign(text=words)).described()["notes"]
    assert told == ["3 of 4 queries have their own words as a relevant passage of their language"]
    rows = [("a", code, "text", f"{code} text") for code in ("en", "de")]
    assert Collection.from_corpus(Corpus.from_rows(rows, "mine")).described()["notes"] == []


def test_texts_that_only_answer_need_no_note():
    """Captions as in XM3600: the last asks, the others are found."""
    roles = ("passage", "text", "text", "query")
    rows = [("a", code, role, f"{code} {number}") for code in ("en", "de") for number, role in enumerate(roles)]
    assert Collection.from_corpus(Corpus.from_rows(rows, "mine")).notes == ()
    assert Collection.from_corpus(Corpus.from_rows([row for row in rows if row[2] == "text"], "mine")).notes == ()
    assert Collection.from_corpus(scenes.load(count=20, languages=("en", "de"))).notes == scenes.load(count=20).notes


def test_relevant_pairs_are_a_corpus_to_train_on():
    rows = set(collection().to_corpus().table.itertuples(index=False, name=None))
    assert rows == {
        ("q1", "de", "query", "Frage eins"), ("q1", "en", "query", "question one"),
        ("q1", "de", "passage", "Satz eins"), ("q1", "en", "passage", "sentence one"),
        ("q2", "en", "query", "question two"), ("q2", "en", "passage", "sentence one"),
        ("q2", "en", "passage", "sentence two"),
        ("q3", "en", "query", "question three"), ("q3", "fr", "passage", "phrase"),
    }  # fmt: skip


def test_what_is_held_out_shares_no_relevant_passage_with_the_rest():
    c = collection()
    queries, passages = held_out(c, 1)
    fit, rest = c.kept(queries, passages), c.kept(~queries, ~passages)
    concepts = [set(part.queries["concept"]) for part in (fit, rest)]
    assert sorted(concepts, key=len) == [{"q3"}, {"q1", "q2"}]
    assert "p4" in rest.passages["id"][:]
    assert pairs_of(fit) | pairs_of(rest) == pairs_of(c)
    assert len(fit.passages) + len(rest.passages) == 5


def test_holding_out_takes_the_number_of_concepts_or_a_few_more():
    rows = [(f"c{i}", language, "text", f"{i} {language}") for i in range(50) for language in ("en", "de")]
    c = Collection.from_corpus(Corpus.from_rows(rows, "mine"))
    queries, passages = held_out(c, 20)
    fit = c.kept(queries, passages)
    assert fit.queries["concept"].nunique() == 20
    assert fit.itself is not None
    assert fit.itself.tolist() == list(range(40))
    smaller, _ = held_out(c, 10)
    assert set(c.queries["concept"][smaller]) < set(fit.queries["concept"])


@pytest.mark.parametrize("concepts", [0, 3, 100])
def test_holding_out_all_or_nothing_is_an_error(concepts):
    with pytest.raises(InputError, match=f"tiny: found {concepts} concepts to hold out, expected at least 1"):
        held_out(collection(), concepts)


def test_positions_outside_the_tables_are_an_error():
    c = collection()
    with pytest.raises(InputError, match="tiny: found passage 5 in qrels, expected 0 to 4"):
        Collection(c.queries, c.passages, c.qrels.assign(passage=np.arange(6)), "tiny")


@pytest.mark.parametrize(
    ("itself", "message"),
    [
        ([-1, -1, 5, -1], "found itself 5, expected -1 to 4"),
        ([-2, -1, -1, -1], "found itself -2, expected -1 to 4"),
        ([-1, -1], r"found itself of shape \(2,\), expected \(4,\)"),
    ],
)
def test_own_texts_that_are_no_passages_are_an_error(itself, message):
    c = collection()
    with pytest.raises(InputError, match=f"tiny: {message}"):
        Collection(c.queries, c.passages, c.qrels, "tiny", itself=np.array(itself))
