"""Tables as HTML; what :func:`hybridlib.show.table` shows of them is tested there."""

import pandas as pd
from bs4 import BeautifulSoup

from hybridlib.html_table import html_table

HOSTILE = "<img src=x onerror=alert(1)> & \"'"
COLUMNS = pd.MultiIndex.from_tuples([("AP", "mono"), ("AP", "cross"), ("", "seconds")])
ROWS = pd.MultiIndex.from_tuples([("A", "x"), ("A", "y"), ("B", "x")], names=["test", "batches"])


def table_of(content):
    return BeautifulSoup(html_table(content), "html.parser").table


def texts(tags):
    return [tag.get_text() for tag in tags]


def test_a_head_spans_the_columns_that_share_it():
    upper, lower = table_of(pd.DataFrame("1", ["r"], COLUMNS)).thead.find_all("tr")
    assert [(cell.get_text(), cell["colspan"]) for cell in upper.find_all("th")] == [("AP", "2"), ("", "1")]
    assert texts(lower.find_all("th")) == ["", "mono", "cross", "seconds"]


def test_a_group_of_rows_has_its_name_above():
    table = table_of(pd.DataFrame({"a": ["1", "2", "3"]}, ROWS))
    assert texts(table.thead.find_all("th")) == ["test / batches", "a"]
    groups = [[texts(row.find_all(["th", "td"])) for row in body.find_all("tr")] for body in table.find_all("tbody")]
    assert groups == [[["A"], ["x", "1"], ["y", "2"]], [["B"], ["x", "3"]]]
    assert [body.th["colspan"] for body in table.find_all("tbody")] == ["2", "2"]


def test_a_table_without_rows_has_its_heads():
    table = table_of(pd.DataFrame(columns=["a"]))
    assert (len(table.find_all("tbody")), texts(table.find_all("th"))) == (1, ["", "a"])


def test_heads_may_be_broken_after_an_underscore():
    assert "same_<wbr>language_<wbr>share@10" in html_table(pd.DataFrame(columns=["same_language_share@10"]))


def test_groups_and_heads_are_escaped():
    index = pd.MultiIndex.from_tuples([(HOSTILE, HOSTILE)], names=[HOSTILE, HOSTILE])
    table = table_of(pd.DataFrame(HOSTILE, index, pd.MultiIndex.from_tuples([(HOSTILE, HOSTILE)])))
    assert table.find("img") is None
    assert texts(table.find_all(["th", "td"]))[1:] == [HOSTILE, f"{HOSTILE} / {HOSTILE}", *[HOSTILE] * 4]


def test_columns_of_words_say_so_and_those_of_numbers_do_not():
    content = pd.DataFrame(
        {"command": ["make study", "–"], "score": ["0.5", "*0.4"], "mixed": ["12", "none"], "prose": ["a " * 30, "1"]}
    )
    table = table_of(content)
    kinds = [(head.get("class") or [""])[0] for head in table.thead.find_all("th")[1:]]
    assert kinds == ["text", "", "", "words"]
    (first, second) = ([(cell.get("class") or [""])[0] for cell in row.find_all("td")] for row in table.tbody("tr"))
    assert first == ["text", "whole", "whole", "words"]
    assert second == ["text", "whole", "", "words"]
