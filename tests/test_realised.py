"""Retrieval by the share of batches that really were of one language."""

import pandas as pd
import pytest
from drawn import texts
from matplotlib import pyplot as plt

from hybridlib.curves import PANELS
from hybridlib.realised import finding, realised, scatter, shares


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


SHARES = {0.0: 0.0, 0.25: 0.4, 0.4: 0.2, 0.5: 0.6, 0.75: 0.8, 1.0: 1.0}  # 0.25 and 0.4 came out the other way round
LABELS = {0.0: "crosslingual", 1.0: "monolingual"}


def label(alpha):
    return LABELS.get(alpha, f"hybrid {alpha}")


def tables(seeds=(1, 2), shares=SHARES):
    """Values are the share itself; a system that lies on no curve and one whose batches are not known are there too."""
    lying = pd.DataFrame([(label(a), "hybrid", a) for a in shares], columns=["configuration", "series", "x"])
    runs = [(label(a), seed, share) for a, share in shares.items() for seed in seeds]
    costs = pd.DataFrame([*runs, ("untrained", 1, None)], columns=["configuration", "seed", "one_language_batches"])
    rows = [
        (name, seed, languages, *panel, value)
        for name, seed, value in [*runs, ("untrained", 1, 0.0)]
        for languages in ("all", "seen")
        for panel in [*PANELS, ("multilingual", "AP")]
    ]
    columns = ["configuration", "seed", "languages", "setting", "measure", "value"]
    return lying, costs, pd.DataFrame(rows, columns=columns)


def test_there_is_a_row_a_run_and_panel():
    runs = realised(*tables())
    assert len(runs) == len(SHARES) * 2 * len(PANELS)
    assert not runs.duplicated(["configuration", "seed", "setting", "measure"]).any()
    assert dict(zip(runs["alpha"], runs["share"], strict=True)) == SHARES


def test_runs_whose_batches_are_not_known_are_left_out():
    lying, costs, summary = tables()
    costs.loc[costs["configuration"] == "hybrid 0.5", "one_language_batches"] = None
    assert "hybrid 0.5" not in set(realised(lying, costs, summary)["configuration"])


def test_dots_stand_at_the_share_by_seed():
    drawn = scatter(realised(*tables()))
    panels = drawn.axes
    assert texts(drawn.legends[0].get_texts()) == ["seed 1", "seed 2"]
    assert [axes.get_title() for axes in panels] == ["monolingual", "crosslingual", "multilingual", "rank distance"]
    for axes in panels:
        first, second = axes.collections
        assert first.get_offsets()[:, 0].tolist() == sorted(SHARES.values())
        assert second.get_offsets()[:, 1].tolist() == sorted(SHARES.values())


def test_finding_compares_share_and_alpha():
    said = finding(realised(*tables()))
    assert said.startswith("The share is furthest from alpha in hybrid 0.4, seed 1: 0.20. ")
    assert "over the 8 runs of both kinds: monolingual +1.00 (+0.80)" in said


def test_few_runs_have_no_correlation():
    few = {alpha: SHARES[alpha] for alpha in (0.0, 0.4, 1.0)}
    assert finding(realised(*tables(shares=few))) == "The share is furthest from alpha in hybrid 0.4, seed 1: 0.20."


def test_shares_are_said_of_batches_of_both_kinds():
    lying, costs, _ = tables()
    lying = pd.concat([lying, pd.DataFrame([("untrained", "none", 64.0)], columns=lying.columns)])
    costs.loc[(costs["configuration"] == "hybrid 0.25") & (costs["seed"] == 1), "one_language_batches"] = 0.2
    assert shares(lying, costs, "alpha") == (
        "Share of batches of one language over alpha: hybrid 0.30 at 0.25, 0.20 at 0.4, 0.60 at 0.5, 0.80 at 0.75."
    )
    assert shares(lying[lying["x"].isin([0, 1])], costs, "alpha") == ""
