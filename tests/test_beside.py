"""Curves beside the baseline's, at the same place on the axis."""

import pandas as pd
import pytest
from drawn import texts
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from hybridlib import beside
from hybridlib.curves import PANELS

PLACES = (16, 32, 64)
LYING = pd.DataFrame(
    [(f"{name}, batch_size {x}", name, float(x)) for name in ("mixed", "hybrid 0.5", "monolingual") for x in PLACES],
    columns=["configuration", "series", "x"],
)
BASELINE = "hybrid 0.5, batch_size 64"
SURE = {"mixed": (-0.2, -0.1, 0.3), "monolingual": (0.1, 0.2, -0.3)}  # separable but where it is 0.2


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def compared(gains=SURE):
    """Rows at the same batch size, of which monolingual's stand the other way round, and one across sizes."""
    rows = []
    for name, line in gains.items():
        for x, gain in zip(PLACES, line, strict=True):
            for setting, measure in PANELS:
                value, p = gain * (1000 if measure == "rank_distance" else 1), 0.5 if abs(gain) == 0.2 else 0.01
                pair = [f"{name}, batch_size {x}", f"hybrid 0.5, batch_size {x}"]
                if name == "monolingual":
                    pair, value = pair[::-1], -value
                rows.append((*pair, setting, measure, value, value - 0.05, value + 0.01, p, 1, 2))
    rows.append(("mixed, batch_size 16", BASELINE, *PANELS[0], 9.0, 8.0, 10.0, 0.0, 1, 2))
    columns = "configuration baseline setting measure difference low high holm_p wins losses".split()
    return pd.DataFrame(rows, columns=columns).assign(seeds=1, baseline_seeds=1)


def test_a_row_a_curve_place_and_panel_turned_to_curve_minus_reference():
    table = beside.beside(LYING, compared(), BASELINE)
    assert len(table) == 2 * len(PLACES) * len(PANELS)
    assert set(table["reference"]) == {"hybrid 0.5"}
    for name, line in SURE.items():
        rows = table[(table["series"] == name) & (table["setting"] == "crosslingual")]
        assert dict(zip(rows["x"], rows["difference"], strict=True)) == pytest.approx(
            dict(zip(PLACES, line, strict=True))
        )
        below, above = (0.05, 0.01) if name == "mixed" else (0.01, 0.05)
        assert list(rows["low"]) == pytest.approx([gain - below for gain in line])
        assert list(rows["high"]) == pytest.approx([gain + above for gain in line])


def test_what_was_not_tested_at_two_places_at_least_is_left_out():
    few = compared()[lambda rows: ~rows["configuration"].isin(["mixed, batch_size 16", "mixed, batch_size 64"])]
    table = beside.beside(LYING, few, BASELINE)
    assert set(table["series"]) == {"monolingual"}
    assert beside.beside(LYING, compared(), "untrained").empty
    assert beside.beside(LYING, compared().head(0), BASELINE).empty


def test_finding_tallies_the_places_with_the_ends_of_what_is_separable():
    """A rank distance that grows is worse."""
    mixed, monolingual = beside.finding(beside.beside(LYING, compared(), BASELINE), "batch_size")
    assert mixed.startswith(
        "**mixed** against **hybrid 0.5** at the same batch_size: within a language better at 1 of 3 (+0.300), "
        "worse at 1 of 3 (-0.100); between two languages"
    )
    assert mixed.endswith("by rank distance better at 1 of 3 (-100), worse at 1 of 3 (+300).")
    assert "in the pool of all languages better at 1 of 3 (+0.100), worse at 1 of 3 (-0.300)" in monolingual
    (all_worse,) = beside.finding(beside.beside(LYING, compared({"mixed": (-0.1, -0.3, -0.4)}), BASELINE), "x")
    assert "in the pool of all languages worse at all (-0.400 to -0.100);" in all_worse
    (none,) = beside.finding(beside.beside(LYING, compared({"mixed": (0.2, 0.2, -0.2)}), BASELINE), "x")
    assert "in the pool of all languages not separable at any of 3;" in none


def test_points_are_filled_where_separable_and_upwards_is_better():
    table = beside.beside(LYING, compared(), BASELINE)
    figure = beside.differences(table, x_label="batch_size")
    figure.canvas.draw()
    assert [axes.get_title() for axes in figure.axes] == [*(s for s, _ in PANELS[:3]), "rank distance"]
    assert [axes.yaxis_inverted() for axes in figure.axes] == [False, False, False, True]
    assert texts(figure.legends[0].get_texts()) == list(SURE)
    for axes, scale in zip(figure.axes, (1, 1, 1, 1000), strict=True):
        assert texts(axes.get_xticklabels()) == ["16", "32", "64"]
        for line, (name, gains) in zip(axes.lines[:2], SURE.items(), strict=True):
            assert line.get_label() == name
            assert list(line.get_ydata()) == pytest.approx([gain * scale for gain in gains])
            assert [round(x) for x in line.get_xdata()] == [0, 1, 2]
        points = [part for part in axes.collections if hasattr(part, "get_sizes") and len(part.get_sizes())]
        for part, gains in zip(points, SURE.values(), strict=True):
            filled = [to_hex(colour) != "#ffffff" for colour in part.get_facecolor()]
            assert filled == [abs(gain) != 0.2 for gain in gains]
