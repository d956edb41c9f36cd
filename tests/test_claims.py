"""Claims of papers: reading, judging and showing them, and the committed ones."""

import json
import os
from pathlib import Path

import pytest
from claim_cases import claims_of, pair, row, verdict_of

from hybridlib.claims import claims_table, judge, load_claims
from hybridlib.errors import InputError
from hybridlib.study import load_study

PROJECT = Path(__file__).parents[1]
CLAIMS = PROJECT / "notebooks" / "claims.yaml"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "not run: the study mine has no comparisons.csv yet."),
        ([row(0, 1, 0.5, "a", "c")], "not run: b in the study mine."),
        ([row(0, 1, 0.5, setting="monolingual")], "not compared: a with b by multilingual nDCG@10 in the study mine."),
    ],
)
def test_what_is_not_there_is_named(tmp_path, rows, reason):
    found = verdict_of(tmp_path, [pair("better")], rows)
    assert (found.verdict, found.ours, found.reason) == ("cannot tell here", "", reason)


def test_a_claim_holds_if_all_its_tests_do_and_fails_if_any_does(tmp_path):
    rows = [row(0.02, 0.04, 0.01), row(-0.04, -0.02, 0.01, "a", "c"), row(-0.04, 0.04, 0.5, "a", "d")]
    missing = "not run: e in the study mine."
    found = {
        names: verdict_of(tmp_path, [pair("better", baseline=list(names))], rows)
        for names in ("b", "bc", "bd", "be", "bce")
    }
    assert {names: (one.verdict, one.reason) for names, one in found.items()} == {
        "b": ("holds", ""),
        "bc": ("does not hold", "Too short."),
        "bd": ("cannot tell here", "Too short. undecided: 1 of 2 comparisons."),
        "be": ("cannot tell here", missing),
        "bce": ("does not hold", f"Too short. {missing}"),
    }


def test_ours_says_differences_intervals_p_seeds_and_the_margin_where_it_decides(tmp_path):
    rows = [row(0.02, 0.04, 0.0123), row(-0.5, 0.3, 0.5, setting="monolingual", seeds=(1, 1))]
    tests = [pair("better"), pair("not_worse", setting="monolingual", margin=0.005)]
    assert verdict_of(tmp_path, tests, rows).ours == (
        "a − b (3 and 2 seeds): multilingual nDCG@10 +0.030 [+0.020, +0.040], p = 0.012: holds. "
        "a − b (1 seed): monolingual nDCG@10 -0.100 [-0.500, +0.300], p = 0.500 (margin 0.005) "
        "(1 seed of the 2 it takes): cannot tell here."
    )


def test_table_is_of_strings_and_says_how_to_reproduce(tmp_path):
    claims = claims_of(
        tmp_path, {"tests": [pair("better")]}, {"id": "two", "tests": [pair("flat")], "command": "make x"}
    )
    table = claims_table([judge(claim, tmp_path) for claim in claims])
    assert list(table) == ["claim", "paper", "published", "ours", "verdict", "reproduce"]
    assert list(table.index) == ["one", "two"]
    assert list(table["reproduce"]) == ["make study STUDY=mine", "make x"]
    assert set(table["paper"]) == {"2408.10536, Table 1"}
    assert set(table["ours"]) == {"not run: the study mine has no comparisons.csv yet."}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"tests": [pair("best")]}, r"claim 'one': found the test .*'best'.*, expected its kind to be one of .*flat"),
        ({"tests": "better"}, "claim 'one': found the test 'better'"),
        ({"tests": []}, "claim 'one': found tests"),
        ({"tests": [pair("better", margn=1)]}, "claim 'one': better: found unknown name 'margn'.* margin"),
        ({"tests": [pair("better", margin=0)]}, "claim 'one': better: found margin = 0"),
        ({"tests": [pair("better", setting="bilingual")]}, "better: found setting.0 = 'bilingual'"),
        ({"tests": [pair("better", baseline=[])]}, "better: found baseline"),
        ({"tests": [pair("better", measure="same_language_share@10")]}, "expected higher or lower"),
        ({"tests": [pair("better", expected="lower")]}, "with expected lower"),
        ({"tests": [pair("flat")], "colour": "red"}, "claim 'one': found unknown name 'colour'"),
        ({"tests": [pair("flat")], "paper": 2408.10536}, "claim 'one': found paper = 2408.10536"),
        ({"tests": [pair("flat")], "study": "../mine"}, "claim 'one': found study"),
        ({"tests": [pair("flat")], "id": "A"}, "claim 'A': found id"),
    ],
)
def test_wrong_claims_are_refused(tmp_path, entry, message):
    with pytest.raises(InputError, match=message) as error:
        claims_of(tmp_path, entry)
    assert str(error.value).startswith(str(tmp_path / "claims.yaml"))


def test_files_that_are_no_claims_and_claims_that_stand_twice_are_refused(tmp_path):
    with pytest.raises(InputError, match="found two claims one"):
        claims_of(tmp_path, {"tests": [pair("flat")]}, {"tests": [pair("flat")]})
    (tmp_path / "no.yaml").write_text("one: two")
    with pytest.raises(InputError, match="expected a list of claims"):
        load_claims(tmp_path / "no.yaml")


def test_broken_tables_are_named_and_not_taken_for_missing(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "comparisons.csv").write_text("configuration,baseline\na,b\n")
    with pytest.raises(InputError, match=r"comparisons\.csv: found no table"):
        verdict_of(tmp_path, [pair("better")])


def labels_of(claim):
    """Names of the configurations that a claim speaks of."""
    fields = ("configuration", "baseline", "than", "configurations")
    values = [getattr(test, field) for test in claim.tests for field in fields if hasattr(test, field)]
    return {label for value in values for label in ([value] if isinstance(value, str) else value)}


@pytest.mark.parametrize("claim", load_claims(CLAIMS), ids=lambda claim: claim.id)
def test_committed_claims_speak_of_what_their_study_has(claim):
    file = PROJECT / "studies" / f"{claim.study}.yaml"
    if not file.exists():
        pytest.skip(f"{file.name} is not written yet")
    if "$HYBRIDLIB_DATA" in file.read_text(encoding="utf-8") and "HYBRIDLIB_DATA" not in os.environ:
        pytest.skip("the study names a file in $HYBRIDLIB_DATA")
    assert labels_of(claim) <= set(load_study(file).names)


def test_committed_geometry_numbers_exist():
    results = sorted((PROJECT / "reports" / "objectives-short" / "runs").glob("*/result.json"))
    known = set(json.loads(results[0].read_text(encoding="utf-8"))["geometry"])
    assert {test.number for claim in load_claims(CLAIMS) for test in claim.tests if test.kind == "order"} <= known


def test_committed_results_of_xm3600_judge_its_claims():
    verdicts = {c.id: judge(c, PROJECT / "reports") for c in load_claims(CLAIMS) if c.study == "xm3600"}
    assert all(verdict.ours for verdict in verdicts.values())
    assert verdicts["hybrid-lowers-rank-distance"].verdict == "holds"
    assert verdicts["hybrid-as-good-as-the-better-parent"].verdict == "does not hold"
    assert len(load_claims(CLAIMS)) >= 12
