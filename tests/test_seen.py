"""Languages that were trained on beside those that were not."""

import pandas as pd
import pytest
from told_cases import SYSTEMS, told

from hybridlib.seen import reading, seen_table, transfer
from hybridlib.tables import ranked

GROUPS = {"all": ["en", "sw"], "seen": ["en"], "unseen": ["sw"]}


def summary(**systems):
    """Means of the systems, half as high in the languages that were not trained on."""
    whole = told(systems or SYSTEMS).summary
    unseen = whole.assign(languages="unseen", value=whole["value"] / 2)
    return pd.concat([whole, whole.assign(languages="seen"), unseen])


def test_seen_and_unseen_languages_stand_side_by_side_in_the_order_given():
    table = seen_table(ranked(summary()), GROUPS)
    assert table.index.tolist() == ["hybrid 0.5", "crosslingual", "monolingual"]
    assert table["seen: nDCG@10", "monolingual"].tolist() == ["0.750", "0.700", "*0.800"]
    assert table["unseen: nDCG@10", "multilingual"].tolist() == ["*0.350", "0.325", "0.300"]
    assert table["unseen: rank_distance", "multilingual"].tolist() == ["617", "*250", "450"]
    assert [setting for _, setting in table][:4] == ["monolingual", "crosslingual", "multilingual", "multilingual"]


@pytest.mark.parametrize("lacking", ["seen", "unseen"])
def test_languages_of_one_kind_are_not_set_apart(lacking):
    assert seen_table(summary(), {**GROUPS, lacking: []}).empty


@pytest.mark.parametrize(("label", "said"), [("hybrid 0.5 + centring", True), ("hybrid 0.5 + VRNS", False)])
def test_what_debiasing_is_fitted_on_is_said_where_there_is_one(label, said):
    assert ("Debiasing" in reading(GROUPS, ["hybrid 0.5", label])) == said


def test_gains_are_those_of_each_group():
    said = transfer(summary(), ["monolingual", "hybrid 0.5"], over="monolingual")
    assert said == (
        "Gains of nDCG@10 over monolingual (monolingual / crosslingual / multilingual): "
        "**hybrid 0.5** -0.050 / +0.050 / +0.100 seen, -0.025 / +0.025 / +0.050 unseen."
    )


@pytest.mark.parametrize(("labels", "over"), [(["hybrid 0.5"], "untrained"), (["monolingual"], "monolingual")])
def test_without_a_rival_nothing_is_said(labels, over):
    assert transfer(summary(), labels, over) == ""


def test_a_group_without_means_is_not_said():
    table = summary()
    said = transfer(table[table["languages"] != "unseen"], ["hybrid 0.5"], over="monolingual")
    assert said.endswith("**hybrid 0.5** -0.050 / +0.050 / +0.100 seen.")
