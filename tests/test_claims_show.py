"""Claims and verdicts as a notebook shows them, and their count."""

import json

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from claim_cases import FIELDS, pair, row, write_summary

from hybridlib import claims_show
from hybridlib.claims import judge, load_claims, tally
from hybridlib.claims_show import details

ROWS = [row(0.02, 0.04, 0.01), row(-0.04, -0.02, 0.01, "a", "c"), row(-0.04, 0.04, 0.5, "a", "d")]
HOSTILE = "<img src=x onerror=alert(1)> & \"' </dd></dl><script>alert(1)</script> \u202e"
SEEN = HOSTILE.replace("\u202e", "\\u202e")


@pytest.fixture
def judged(tmp_path):
    """Judge claims that compare a with others: b holds, c does not, d is undecided, e was not run."""

    def judge_all(baselines, **fields):
        (tmp_path / "mine").mkdir()
        write_summary(tmp_path / "mine", ROWS)
        pd.DataFrame(ROWS).to_csv(tmp_path / "mine" / "comparisons.csv", index=False)
        entries = [{**FIELDS, "id": f"{n}", "tests": [pair("better", baseline=b)]} for n, b in enumerate(baselines)]
        (tmp_path / "claims.yaml").write_text(json.dumps([{**entry, **fields} for entry in entries]))
        return [judge(claim, tmp_path) for claim in load_claims(tmp_path / "claims.yaml")]

    return judge_all


@pytest.fixture
def page(monkeypatch):
    """Display claims; returns the parsed HTML."""

    def render(verdicts, incomplete=(), **papers):
        shown = []
        monkeypatch.setattr(claims_show, "display", shown.append)
        details(verdicts, {"2408.10536": "hybrid batches", **papers}, incomplete)
        return BeautifulSoup("".join(html.data for html in shown), "html.parser")

    return render


@pytest.mark.parametrize(
    ("baselines", "expected"),
    [
        ("bcde", "Of 4 claims, holds: 1, does not hold: 1, cannot tell here: 2."),
        ("bbbcc", "Of 5 claims, holds: 3, does not hold: 2, cannot tell here: 0."),
        ("", "Of 0 claims, holds: 0, does not hold: 0, cannot tell here: 0."),
    ],
)
def test_tally_counts_verdicts(judged, baselines, expected):
    assert tally(judged(baselines)) == expected


def test_claims_stand_below_their_paper_with_how_many_hold(judged, page):
    found = page(judged("bcd"))
    assert found.h3.get_text() == "2408.10536, hybrid batches"
    assert found.p.get_text() == "Of 3 claims, holds: 1, does not hold: 1, cannot tell here: 1."
    assert found.h3.a["href"] == "https://arxiv.org/abs/2408.10536"


def test_each_paper_has_its_claims(judged, page):
    first, second = judged("bb")
    paper = first.claim.model_copy(update={"paper": "2506.09781"})
    found = page([first, type(first)(paper, "does not hold", "", ""), second])
    assert [head.get_text() for head in found.find_all("h3")] == ["2408.10536, hybrid batches", "2506.09781"]
    assert [len(part.find_all("details")) for part in found.select("div.claims")] == [2, 1]


@pytest.mark.parametrize(("incomplete", "place"), [({"mine"}, "study mine, not complete"), ({"other"}, "study mine")])
def test_a_study_that_is_not_complete_is_marked(judged, page, incomplete, place):
    (where,) = page(judged("b"), incomplete).select("span.where")
    assert where.get_text() == f"Table 1; {place}"


def test_a_line_says_verdict_claim_place_and_study(judged, page):
    lines = page(judged("bcd")).find_all("summary")
    said = ["✓ holds", "✗ does not hold", "? cannot tell here"]
    assert [line.get_text() for line in lines] == [f"{verdict} A beats B. Table 1; study mine" for verdict in said]
    assert [line.strong["class"][1] for line in lines] == ["holds", "fails", "unclear"]


def test_a_claim_opens_to_what_was_published_what_is_found_and_how_to_find_it(judged, page):
    parts = [[part.get_text() for part in one.find_all("p")] for one in page(judged("bce")).find_all("details")]
    published, command = "Published. .8 and .7", "make study STUDY=mine"
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


def test_no_claims_show_nothing(judged, page):
    assert page(judged("")).find(True) is None


def test_nothing_of_a_claim_is_markup(judged, page):
    fields = dict.fromkeys(("claim", "where", "published", "differs", "command"), HOSTILE)
    found = page(judged("c", **fields), **{"2408.10536": HOSTILE})
    expected = {"h3", "a", "div", "details", "summary", "strong", "span", "p", "em", "code"}
    assert {tag.name for tag in found.find_all(True)} == expected
    assert {name for tag in found.find_all(True) for name in tag.attrs} == {"class", "href"}
    assert found.h3.get_text() == f"2408.10536, {SEEN}"
    assert found.summary.get_text() == f"✗ does not hold {SEEN} {SEEN}; study mine"
    texts = [part.get_text() for part in found.select("details p")]
    assert texts[0] == f"Published. {SEEN}"
    assert texts[1].endswith(SEEN)
    assert texts[2] == SEEN


def test_labels_in_what_is_found_are_no_markup(judged, page):
    """They come from a table that others may have written."""
    verdict = judged("b")[0]
    found = page([type(verdict)(verdict.claim, verdict.verdict, HOSTILE, HOSTILE)])
    assert found.select("details p")[1].get_text() == f"Here. {SEEN} {SEEN}"
    assert found.find(["img", "script"]) is None
