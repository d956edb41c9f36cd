"""Comparisons with some systems alone, and rows that are asked for."""

import pandas as pd
import pytest
from random_scores import TESTED, score_rows, three_systems

from hybridlib.comparison import against, compared_labels, comparisons
from hybridlib.errors import InputError
from hybridlib.significance import holm

FOUR = {**three_systems(), "untrained": [score_rows(4), score_rows(5)]}


def test_with_references_every_other_is_compared_with_each():
    """A reference is the baseline; of two references the first is."""
    table = comparisons(FOUR, references=["hybrid 0.5", "not finished", "mixed"], flips=99)
    pairs = [("mixed", "hybrid 0.5"), ("monolingual", "hybrid 0.5"), ("untrained", "hybrid 0.5")]
    pairs += [("monolingual", "mixed"), ("untrained", "mixed")]
    assert list(table[["configuration", "baseline"]].itertuples(index=False, name=None)) == [
        pair for pair in pairs for _ in TESTED
    ]


def test_rows_are_those_of_the_whole_table_but_for_holm():
    whole, some = comparisons(FOUR, flips=1500), comparisons(FOUR, references=["hybrid 0.5"], flips=1500)
    assert (len(whole), len(some)) == (30, 15)
    for row in some.to_dict("records"):
        other = against(whole, *(row[name] for name in ("configuration", "baseline", "setting", "measure")))
        corrected, of_more = row.pop("holm_p"), other.pop("holm_p")
        assert corrected <= of_more
        counts = [name for name in ("wins", "ties", "losses") if pd.isna(row[name]) and pd.isna(other[name])]
        assert {k: v for k, v in row.items() if k not in counts} == pytest.approx(
            {k: v for k, v in other.items() if k not in counts}
        )
    for _, rows in some.groupby(["setting", "measure"]):
        assert rows["holm_p"].tolist() == pytest.approx(holm(rows["p"].to_numpy()).tolist())


def test_references_of_which_none_is_there_are_refused():
    with pytest.raises(InputError, match="comparisons: found 4 systems"):
        comparisons(FOUR, references=["not finished"], flips=99)


def test_a_row_turns_with_the_pair_asked_for():
    table = comparisons({name: FOUR[name] for name in ("mixed", "untrained")}, flips=99)
    row, turned = (
        against(table, *pair, "crosslingual", "nDCG@10") for pair in (("untrained", "mixed"), ("mixed", "untrained"))
    )
    names = "configuration baseline difference low high p wins ties losses seeds baseline_seeds".split()
    values = {name: row[name] for name in names}
    assert [values["configuration"], values["baseline"], values["seeds"], values["baseline_seeds"]] == [
        "untrained", "mixed", 2, 1,
    ]  # fmt: skip
    assert {name: turned[name] for name in names} == {
        **{"configuration": "mixed", "baseline": "untrained", "seeds": 1, "baseline_seeds": 2},
        **{"difference": -values["difference"], "low": -values["high"], "high": -values["low"]},
        **{"wins": values["losses"], "losses": values["wins"], "ties": values["ties"], "p": values["p"]},
    }


@pytest.mark.parametrize(
    "wrong", [("mixed", "best", "monolingual", "nDCG@10"), ("mixed", "untrained", "monolingual", "AP")]
)
def test_a_pair_that_was_not_compared_is_named(wrong):
    table = comparisons({name: FOUR[name] for name in ("mixed", "untrained")}, flips=99)
    with pytest.raises(InputError, match=f"found no row of mixed and {wrong[1]} by monolingual {wrong[3]}, expected"):
        against(table, *wrong)


def test_compared_labels_stand_in_their_order():
    assert compared_labels(comparisons(FOUR, flips=99)) == list(FOUR)
    found = compared_labels(comparisons(FOUR, references=["untrained"], flips=99))
    assert found == ["untrained", "mixed", "monolingual", "hybrid 0.5"]
