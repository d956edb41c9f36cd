"""Claims and verdicts as a notebook shows them, and their count."""

import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from claim_cases import FIELDS, pair, row

from hybridlib import claims_show, show
from hybridlib.claims import judge, load_claims, tally
from hybridlib.claims_show import details, overview_table

ROWS = [row(0.02, 0.04, 0.01), row(-0.04, -0.02, 0.01, "a", "c"), row(-0.04, 0.04, 0.5, "a", "d")]
HOSTILE = "<img src=x onerror=alert(1)> & \"' </dd></dl><script>alert(1)</script> \u202e"
SEEN = HOSTILE.replace("\u202e", "\\u202e")


@pytest.fixture
def judged(tmp_path):
    """Judge claims that compare a with others: b holds, c does not, d is undecided, e was not run."""

    def judge_all(baselines, **fields):
        (tmp_path / "mine").mkdir()
        pd.DataFrame(ROWS).to_csv(tmp_path / "mine" / "comparisons.csv", index=False)
        entries = [{**FIELDS, "id": f"{n}", "tests": [pair("better", baseline=b)]} for n, b in enumerate(baselines)]
        (tmp_path / "claims.yaml").write_text(json.dumps([{**entry, **fields} for entry in entries]))
        return [judge(claim, tmp_path) for claim in load_claims(tmp_path / "claims.yaml")]

    return judge_all


@pytest.fixture
def page(monkeypatch):
    """Display details; returns the parsed HTML."""

    def render(verdicts):
        shown = []
        monkeypatch.setattr(claims_show, "display", shown.append)
        details(verdicts)
        (html,) = shown
        return BeautifulSoup(html.data, "html.parser")

    return render


@pytest.mark.parametrize(
    ("baselines", "expected"),
    [
        ("bcde", "Of 4 claims 1 hold, 1 do not hold, and 2 cannot be told here."),
        ("bbbcc", "Of 5 claims 3 hold, 2 do not hold, and 0 cannot be told here."),
        ("", "Of 0 claims 0 hold, 0 do not hold, and 0 cannot be told here."),
    ],
)
def test_tally_counts_verdicts(judged, baselines, expected):
    assert tally(judged(baselines)) == expected


def test_overview_has_a_row_a_claim_with_its_verdict_in_bold(judged):
    """Two claims may be said in the same words, by two papers."""
    table = overview_table(judged("bcd"))
    assert table.index.tolist() == ["A beats B."] * 3
    assert table.to_dict("list") == {
        "verdict": ["*holds", "*does not hold", "*cannot tell here"],
        "paper": ["2408.10536, Table 1"] * 3,
        "study": ["mine"] * 3,
    }
    assert table.index.name == "claim"


def test_overview_of_no_claims_is_empty(judged):
    table = overview_table(judged(""))
    assert (len(table), list(table)) == (0, ["verdict", "paper", "study"])


def test_details_are_a_list_of_claims_with_verdicts_in_order(judged, page):
    found = page(judged("bcd"))
    terms = [term.get_text() for term in found.dl.find_all("dt")]
    assert terms == [f"{verdict}: A beats B." for verdict in ("holds", "does not hold", "cannot tell here")]
    assert [term.strong.get_text() for term in found.find_all("dt")] == ["holds", "does not hold", "cannot tell here"]
    assert [tag.name for tag in found.dl.find_all(recursive=False)] == ["dt", "dd"] * 3


def test_details_say_what_was_published_what_is_found_and_how_to_find_it(judged, page):
    parts = [[part.get_text() for part in one.find_all("p")] for one in page(judged("bce")).find_all("dd")]
    published = "Published (2408.10536, Table 1). .8 and .7"
    command = "make study STUDY=mine"
    assert parts == [
        [published, "Here. a − b (3 and 2 seeds): multilingual nDCG@10 +0.030 [+0.020, +0.040], p = 0.010.", command],
        [
            published,
            "Here. a − c (3 and 2 seeds): multilingual nDCG@10 -0.030 [-0.040, -0.020], p = 0.010. Too short.",
            command,
        ],
        [published, "Here. not run: e in the study mine.", command],
    ]


def test_the_command_of_a_claim_is_its_own_if_it_has_one(judged, page):
    assert page(judged("b", command="make x")).code.get_text() == "make x"


def test_nothing_of_a_claim_is_markup(judged, page):
    fields = dict.fromkeys(("claim", "where", "published", "differs", "command"), HOSTILE)
    found = page(judged("c", **fields))
    assert {tag.name for tag in found.find_all(True)} == {"dl", "dt", "dd", "p", "em", "strong", "code"}
    assert [name for tag in found.find_all(True) for name in tag.attrs] == ["class"]
    assert found.dt.get_text() == f"does not hold: {SEEN}"
    texts = [part.get_text() for part in found.find_all("p")]
    assert texts[0] == f"Published (2408.10536, {SEEN}). {SEEN}"
    assert texts[1].endswith(SEEN)
    assert texts[2] == SEEN


def test_labels_in_what_is_found_are_no_markup(judged, page):
    """They come from a table that others may have written."""
    verdict = judged("b")[0]
    found = page([type(verdict)(verdict.claim, verdict.verdict, HOSTILE, HOSTILE)])
    assert found.find_all("p")[1].get_text() == f"Here. {SEEN} {SEEN}"
    assert found.find(["img", "script"]) is None


def test_overview_is_shown_as_text(judged, monkeypatch):
    shown = []
    monkeypatch.setattr(show, "display", shown.append)
    show.table(overview_table(judged("b", claim=HOSTILE, where=HOSTILE)))
    found = BeautifulSoup(shown[0].data, "html.parser")
    assert found.find(["img", "script"]) is None
    assert found.tbody.th.get_text() == SEEN
    assert found.td.strong.get_text() == "holds"
