import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from matplotlib import pyplot as plt

from hybridlib.corpora.collection import Collection
from hybridlib.corpora.corpus import Corpus
from hybridlib.errors import InputError
from hybridlib.explore import Explorer, checked_queries, even_mix, language_mix, query_language, some_queries
from hybridlib.explore_show import Panel, mix_figure, mix_finding, query_title, results_html

mpl.use("Agg")
HOSTILE = "<img src=x onerror=alert(1)> </td>[a](javascript:b) **c** $d$ & \"'"


class FixedEncoder:
    """Gives every query the same vector."""

    def __init__(self, vector):
        self.vector = np.asarray(vector, dtype=np.float32)

    def encode(self, texts, role, *, progress):
        assert role == "query"
        return np.tile(self.vector, (len(texts), 1))


def unit(count, dimension=4, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def collection_of(passages, queries=(("q0", "en", "a", "cat?"),), qrels=(("q0", "p0"),)):
    """Passages are (id, language, text), queries (id, language, concept, text), qrels (query, passage)."""
    return Collection.from_tables(
        pd.DataFrame(queries, columns=["id", "language", "concept", "text"]),
        pd.DataFrame(passages, columns=["id", "language", "text"]),
        pd.DataFrame(qrels, columns=["query", "passage"]).assign(relevance=1),
        "small",
    )


@pytest.mark.parametrize("top", [1, 7, 40, 100])
def test_search_is_that_of_a_loop_over_all_passages(top):
    """Similarities are of few values, so that many are equal."""
    names = [f"p{number}" for number in np.random.default_rng(3).permutation(40)]
    passages = [(name, ("en", "zh", "ar")[i % 3], f"text of {name}") for i, name in enumerate(names)]
    vectors = unit(5)[np.random.default_rng(1).integers(5, size=40)]
    query = unit(1, seed=2)[0]
    found = Explorer(collection_of(passages), FixedEncoder(query), vectors).search("dog?", top)
    scores = [np.float32(sum(float(a) * float(b) for a, b in zip(query, row, strict=True))) for row in vectors]
    best = sorted(zip(scores, names, passages, strict=True), reverse=True)[:top]
    assert found["rank"].tolist() == list(range(1, min(top, 40) + 1))
    assert found["similarity"].tolist() == [score for score, *_ in best]
    assert found["text"].tolist() == [text for *_, (_, _, text) in best]
    assert found["language"].tolist() == [language for *_, (_, language, _) in best]


QUERIES = [("q0", "en", "a", "cat?"), ("q1", "zh", "a", "猫?"), ("q2", "en", "b", "dog?"), ("q3", "de", "b", "cat?")]
PASSAGES = [("p0", "en", "a cat"), ("p1", "zh", "猫"), ("p2", "en", "a dog"), ("p3", "en", "a stone")]
QRELS = [("q0", "p0"), ("q0", "p1"), ("q1", "p0"), ("q2", "p2"), ("q3", "p2")]


@pytest.fixture
def explorer():
    """Passages stand in the order of their names."""
    vectors = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], dtype=np.float32)
    return Explorer(collection_of(PASSAGES, QUERIES, QRELS), FixedEncoder([1, 0]), vectors)


@pytest.mark.parametrize(
    ("text", "relevant"), [("猫?", [True, False, False, False]), ("dog?", [False, False, True, False])]
)
def test_relevant_are_the_answers_of_a_test_query(explorer, text, relevant):
    assert explorer.search(text)["relevant"].tolist() == relevant


def test_a_text_that_two_concepts_ask_has_the_answers_of_both(explorer):
    assert explorer.search("cat?")["relevant"].tolist() == [True, True, True, False]


@pytest.mark.parametrize("text", ["Cat?", "cat? ", "bird?"])
def test_what_is_relevant_to_other_texts_is_not_known(explorer, text):
    found = explorer.search(text)
    assert found["relevant"].isna().all()
    assert found["concept"].tolist() == ["a", "a", "b", ""]


def test_own_text_is_left_out_as_in_the_evaluation():
    rows = [("a", "en", "text", "cat"), ("a", "de", "text", "Katze"), ("b", "en", "text", "dog")]
    collection = Collection.from_corpus(Corpus.from_rows(rows, "single"))
    vectors = {"cat": (1, 0), "Katze": (0, 1), "dog": (0.6, 0.8)}
    passages = np.array([vectors[text] for text in collection.passages["text"]], dtype=np.float32)
    explorer = Explorer(collection, FixedEncoder([1, 0]), passages)
    assert explorer.search("a cat")["text"].tolist() == ["cat", "dog", "Katze"]
    assert explorer.search("cat")["text"].tolist() == ["dog", "Katze"]
    assert explorer.search("cat")["rank"].tolist() == [1, 2]
    assert explorer.search("cat", top=1)["text"].tolist() == ["dog"]


@pytest.mark.parametrize("text", ["", " \n", None, 3])
def test_a_query_without_text_is_refused(explorer, text):
    with pytest.raises(InputError, match=r"query: found .*, expected a text"):
        explorer.search(text)


@pytest.mark.parametrize("top", [0, -1, 101, 2.0, True, "3"])
def test_top_out_of_range_is_refused(explorer, top):
    with pytest.raises(InputError, match=r"top: found .*, expected 1 to 100"):
        explorer.search("dog?", top)


def test_language_mix_is_of_shares():
    mix = language_mix(pd.DataFrame({"language": ["zh", "en", "xx", "zh"]}))
    assert mix.to_dict() == {"en": 0.25, "zh": 0.5, "xx": 0.25}
    assert list(mix.index) == ["en", "zh", "xx"]


@pytest.mark.parametrize("top", [1, 3, 4])
def test_language_mixes_sum_to_1(explorer, top):
    assert language_mix(explorer.search("dog?", top)).sum() == 1


def test_even_mix_is_that_of_the_pool(explorer):
    assert even_mix(explorer.collection).to_dict() == {"en": 0.75, "de": 0.0, "zh": 0.25}


def test_language_of_a_test_query(explorer):
    assert [query_language(explorer.collection, text) for text in ("猫?", "cat?", "bird?")] == ["zh", "en", None]


def test_some_queries_are_of_one_concept_in_different_scripts():
    codes = ["en", "de", "fr", "ru", "ar", "zh"]
    queries = [(f"b/{code}", code, "b", f"b in {code}") for code in reversed(codes)]
    collection = collection_of(PASSAGES, [QUERIES[0], *queries], [("q0", "p0")])
    assert some_queries(collection, 3) == ["b in en", "b in ru", "b in ar"]
    assert some_queries(collection, 5) == ["b in en", "b in de", "b in ru", "b in ar", "b in zh"]
    assert some_queries(collection, 9) == [f"b in {code}" for code in codes]
    assert checked_queries(None, collection) == some_queries(collection)


@pytest.mark.parametrize("texts", [[], "cat", ["cat", 3], [" "], {"a": 1}])
def test_queries_that_are_no_list_of_texts_are_refused(explorer, texts):
    with pytest.raises(InputError, match=r"queries: found .*, expected a list of texts"):
        checked_queries(texts, explorer.collection)


def hits(*languages, text="text", relevant=pd.NA):
    return pd.DataFrame(
        {
            "rank": range(1, len(languages) + 1),
            "language": languages,
            "similarity": 0.5,
            "text": text,
            "relevant": pd.array([relevant] * len(languages), dtype="boolean"),
            "concept": "",
        }
    )


def parsed(html):
    return BeautifulSoup(html, "html.parser")


def test_texts_of_others_are_text_in_html():
    page = parsed(results_html(HOSTILE, {HOSTILE: hits(HOSTILE, text=HOSTILE)}, HOSTILE))
    assert {tag.name for tag in page.find_all(True)} == set("div h3 blockquote table thead tbody tr th td".split())
    assert {name for tag in page.find_all(True) for name in tag.attrs} <= {"class", "style", "dir", "lang"}
    assert page.h3.get_text() == page.blockquote.get_text() == page.find_all("th")[1].get_text() == HOSTILE
    assert [one.get_text() for one in page.td.find_all("div")] == [f"{HOSTILE} · 0.500", HOSTILE]


def test_texts_that_turn_the_direction_are_shown_as_escapes():
    html = results_html("a\u202eb", {"one": hits("en", text="c\u2066d\x1b")}, "Query")
    assert parsed(html).blockquote.get_text() == r"a\u202eb"
    assert parsed(html).td.find_all("div")[1].get_text() == r"c\u2066d\x1b"


def test_direction_and_language_of_a_text_are_said():
    page = parsed(results_html("قطة", {"one": hits("ar", text="قطة!")}, "Query"))
    text = page.find("div", class_="text")
    assert (text["dir"], text["lang"], page.blockquote["dir"]) == ("auto", "ar", "auto")


def test_a_row_is_a_rank_and_a_column_a_system():
    page = parsed(results_html("q", {"one": hits("en", "zh", relevant=True), "two": hits("ar", relevant=False)}, "Q"))
    rows = [[cell.get_text("|") for cell in row.find_all(["th", "td"])] for row in page.find_all("tr")]
    assert rows == [
        ["rank", "one", "two"],
        ["1", "✓ relevant| · English · 0.500|text", "Arabic · 0.500|text"],
        ["2", "✓ relevant| · Chinese · 0.500|text", ""],
    ]


def test_title_of_a_query_says_its_language_where_it_is_known(explorer):
    titles = [query_title(explorer.collection, text, number) for text, number in (("猫?", 2), ("bird?", 3))]
    assert titles == ["Query 2, in Chinese", "Query 3"]


def test_mix_figure_has_a_panel_a_query_and_a_bar_a_system():
    searches = {f"Query {number}": {"one": hits("en", "zh", "zh", "zh"), "two": hits("ar")} for number in range(3)}
    drawn = mix_figure(searches, pd.Series({"zh": 0.25, "en": 0.25, "ar": 0.5}))
    shown = [axes for axes in drawn.axes if axes.axison]
    assert [axes.get_title() for axes in shown] == list(searches)
    assert [label.get_text() for label in shown[0].get_xticklabels()] == ["en", "ar", "zh"]
    heights = [[bar.get_height() for bar in bars] for bars in shown[0].containers]
    assert heights == [[0.25, 0, 0.75], [0, 1, 0]]
    marks = shown[0].collections[0].get_segments()
    assert [float(mark[0, 1]) for mark in marks] == [0.25, 0.5, 0.25]
    plt.close(drawn)


def test_mix_figure_takes_names_of_others_as_text():
    drawn = mix_figure({r"$\frac{$": {r"$\frac{$": hits("$x^{")}}, pd.Series({"$x^{": 1.0}))
    drawn.canvas.draw()
    plt.close(drawn)


def test_mix_finding_is_of_means_over_queries():
    searches = {
        "Query 1": {"one": hits("en", "en", relevant=True), "two": hits("en", "zh", relevant=False)},
        "Query 2": {"one": hits("zh", "en", relevant=False), "two": hits("en", "ar", relevant=False)},
    }
    even = pd.Series({"en": 0.5, "zh": 0.2, "ar": 0.3})
    assert mix_finding(searches, ["en", "zh"], even) == (
        "one: 1.5 languages a query, 75% of the passages in the query's language, 50% relevant; "
        "two: 2.0 languages a query, 25% of the passages in the query's language, 0% relevant. "
        "Even would be 35% in the query's language."
    )
    assert mix_finding(searches, [None, None], even) == "one: 1.5 languages a query; two: 2.0 languages a query."


class TwoSystems:
    """What a panel needs of :class:`hybridlib.explore.Systems`."""

    first, second, names = "one", "two", ["one", "two", "broken"]

    def __init__(self, explorer):
        self.explorer, self.collection = explorer, explorer.collection

    def search(self, text, names, top):
        if "broken" in names:
            raise InputError(f"encoder: found {HOSTILE}")
        return {name: self.explorer.search(text, top) for name in names}


@pytest.fixture
def panel(explorer):
    return Panel(TwoSystems(explorer), top=2)


def test_panel_shows_both_systems_for_a_typed_text(panel):
    panel.text.value = HOSTILE
    page = parsed(panel.output.value)
    assert page.blockquote.get_text() == HOSTILE
    assert [head.get_text() for head in page.thead.find_all("th")] == ["rank", "one", "two"]
    assert [cell.find_all("div")[1].get_text() for cell in page.find_all("td")] == ["a cat"] * 2 + ["猫"] * 2
    assert [picture["src"][:22] for picture in page.find_all("img")] == ["data:image/png;base64,"]
    assert "one: English 50%, Chinese 50%; two: English 50%" in page.img["alt"]
    assert "relevant" not in page.get_text()


def test_panel_marks_what_is_relevant_to_a_chosen_query(panel):
    panel.language.value = "zh"
    panel.query.value = "猫?"
    page = parsed(panel.output.value)
    assert panel.text.value == "猫?"
    assert page.h3.get_text() == "Query, in Chinese"
    assert [cell.strong is not None for cell in page.find_all("td")] == [True, True, False, False]


def test_panel_lists_the_test_queries_of_the_language(panel):
    assert [code for _, code in panel.language.options] == ["en", "de", "zh"]
    panel.language.value = "en"
    assert panel.query.options == (("choose one", ""), ("cat?", "cat?"), ("dog?", "dog?"))


def test_panel_searches_again_with_another_system_and_says_what_is_wrong(panel):
    panel.text.value = "dog?"
    panel.second.value = "one"
    assert [head.get_text() for head in parsed(panel.output.value).thead.find_all("th")] == ["rank", "one"]
    panel.second.value = "broken"
    assert [tag.name for tag in parsed(panel.output.value).find_all(True)] == ["p"]
    assert parsed(panel.output.value).get_text() == f"encoder: found {HOSTILE}"
    panel.text.value = " "
    assert panel.output.value == ""
