"""Grids of two things crossed."""

import numpy as np
import pandas as pd
import pytest
from drawn import texts
from matplotlib import pyplot as plt

from hybridlib import crossed
from hybridlib.along import along
from hybridlib.curves import PANELS

SAMPLERS = ["monolingual", "hybrid", "crosslingual"]
CELLS = {"InfoNCE": [0.5, 0.6, 0.4], "DCL": [0.7, 0.8, 0.9], "SigLIP": [0.1, 0.3, 0.2]}


def points_of(cells=CELLS):
    """Cells of each panel: those of nDCG@10 shifted by setting, and rank distances a thousand times the cells."""
    return pd.DataFrame(
        [
            (row, sampler, setting, measure, value * 1000 if measure == "rank_distance" else value + shift)
            for row, values in cells.items()
            for sampler, value in zip(SAMPLERS, values, strict=False)
            for (setting, measure), shift in zip(PANELS, (0, 0.01, 0.02, 0), strict=True)
            if not np.isnan(value)
        ],
        columns=["series", "x", "setting", "measure", "value"],
    )


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_rows_are_sorted_by_the_pool_and_columns_stand_as_given():
    tables = crossed.grids(points_of())
    assert list(tables) == PANELS
    for (_, measure), shift in zip(tables, (0, 0.01, 0.02, 0), strict=True):
        table = tables[_, measure]
        assert (table.index.tolist(), table.columns.tolist()) == (["DCL", "InfoNCE", "SigLIP"], SAMPLERS)
        scale = 1000 if measure == "rank_distance" else 1
        expected = np.array([CELLS[row] for row in table.index]) * scale + shift
        assert table.to_numpy() == pytest.approx(expected)


def test_a_panel_a_measure_with_a_number_a_cell_and_the_best_of_a_row_in_bold():
    level = pd.Series(dict(zip(PANELS, (0.25, 0.15, 0.125, 2000.0), strict=True)))
    figure = crossed.heatmaps(points_of(), {"untrained": level}, x_label="sampler")
    figure.canvas.draw()
    assert [axes.get_title() for axes in figure.axes] == [
        "monolingual\nuntrained 0.250",
        "crosslingual\nuntrained 0.150",
        "multilingual\nuntrained 0.125",
        "rank distance\nuntrained 2,000",
    ]
    first, *_, last = figure.axes
    assert texts(first.texts) == [f"{v:.3f}" for v in (0.7, 0.8, 0.9, 0.5, 0.6, 0.4, 0.1, 0.3, 0.2)]
    assert [text.get_text() for text in first.texts if text.get_fontweight() == "bold"] == ["0.900", "0.600", "0.300"]
    assert [text.get_text() for text in last.texts if text.get_fontweight() == "bold"] == ["700", "400", "100"]
    assert texts(first.get_yticklabels()) == ["DCL", "InfoNCE", "SigLIP"]
    assert texts(last.get_xticklabels()) == SAMPLERS


def test_cells_that_were_not_run_stay_empty_and_shift_no_bold():
    """Their row stands last, as its mean would be one over other cells."""
    figure = crossed.heatmaps(points_of({**CELLS, "DCL": [np.nan, 0.8, 0.9]}), {}, x_label="sampler")
    figure.canvas.draw()
    first = figure.axes[0]
    assert texts(first.texts) == [f"{v:.3f}" for v in (0.5, 0.6, 0.4, 0.1, 0.3, 0.2, 0.8, 0.9)]
    assert [text.get_text() for text in first.texts if text.get_fontweight() == "bold"] == ["0.600", "0.300", "0.900"]


def test_a_cell_alone_in_its_row_is_not_bold():
    figure = crossed.heatmaps(points_of({"InfoNCE": CELLS["InfoNCE"], "DCL": [np.nan, 0.9]}), {}, x_label="sampler")
    bold = [text.get_text() for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    assert bold == ["0.600"]


def test_finding_counts_the_best_columns_and_says_how_far_they_move():
    """Of the two rows that are best in the pool: the median of their ranges, and their distance by column."""
    said = crossed.finding(points_of(), "sampler")
    cells = np.array(sorted(CELLS.values(), key=sum))[1:]
    moved = sum(max(row) - min(row) for row in cells) / 2
    apart = sorted(zip((max(column) - min(column) for column in cells.T), SAMPLERS, strict=True))
    ends = f"another sampler moves by {moved:.3f}, another row by {apart[0][0]:.3f} ({apart[0][1]}) to "
    assert said.startswith(
        "Over 3 rows; how far another sampler (median over rows) or another row (over columns) moves is said of the 2 "
        f"that are best in the pool. **Within a language** best are hybrid for 2, crosslingual for 1; {ends}"
    )
    assert "**By rank distance** best are monolingual for 2, crosslingual for 1; another sampler moves by " in said


def test_rows_that_lack_cells_are_left_out_and_named():
    whole = {key: CELLS[key] for key in ("InfoNCE", "SigLIP")}
    found = crossed.finding(points_of({**CELLS, "DCL": [0.7, np.nan, 0.9]}), "sampler")
    assert found == crossed.finding(points_of(whole), "sampler") + " Not counted, as they lack cells: DCL."


@pytest.mark.parametrize("cells", [{"a": [1.0, 2.0, 3.0]}, {"a": [1.0], "b": [2.0]}, {"a": [1.0, np.nan]}])
def test_too_few_cells_say_so(cells):
    assert crossed.finding(points_of(cells), "sampler") == "Too few cells are there to compare."


def test_a_grid_stands_for_samplers_and_curves_for_numbers():
    points = points_of().assign(low=0.0, high=1.0)
    grid = along(points, points, {}, "sampler")
    assert grid.alt.startswith("Heatmaps")
    assert grid.finding == crossed.finding(points, "sampler")
    line = along(
        points.assign(x=points["x"].map({s: 2.0**i for i, s in enumerate(SAMPLERS)})), points[:0], {}, "batch_size"
    )
    assert line.alt.startswith("Curves over batch_size")
    assert line.finding.startswith("**3 curves** over batch_size: within a language they move by ")


def test_rows_that_hardly_work_change_nothing():
    """The others are equal and moved by .2 by the sampler."""
    rows = [
        (f"objective {n}", x, *panel, 0.5 + 0.1 * place - 0.4 * (n > 3))
        for n in range(6)
        for place, x in enumerate(SAMPLERS)
        for panel in crossed.PANELS
    ]
    said = crossed.finding(pd.DataFrame(rows, columns=["series", "x", "setting", "measure", "value"]), "sampler")
    moved = "another sampler moves by 0.200, another row by 0.000 (monolingual) to 0.000 (crosslingual). "
    assert f" for 6; {moved}" in said


def test_more_curves_than_can_be_told_apart_are_a_grid_in_the_order_of_the_axis():
    names = [f"objective {n}" for n in range(9)]
    rows = [(name, x, *panel, n + x) for n, name in enumerate(names) for x in (0.1, 0.02) for panel in crossed.PANELS]
    points = pd.DataFrame(rows, columns=["series", "x", "setting", "measure", "value"]).assign(low=0.0, high=1.0)
    grid = along(points, points, {}, "temperature")
    assert grid.alt.startswith("Heatmaps, a column for each temperature")
    assert list(crossed.grids(points)["multilingual", "nDCG@10"]) == [0.02, 0.1]
    assert "best are 0.1 for 9; another temperature moves by 0.080" in grid.finding


def test_the_first_hit_is_told_where_points_have_it():
    """By it another kind of batch may be best; the heatmaps have no panel of it."""
    points = points_of()
    hits = points[(points["setting"] == "multilingual") & (points["measure"] == "nDCG@10")].assign(measure="RR")
    hits["value"] = hits["value"].where(hits["x"] != "monolingual", 1.0)
    said = crossed.finding(pd.concat([points, hits]), "sampler")
    assert "**By the first hit in the pool (RR)** best are monolingual for 3; another sampler moves by " in said
    assert len(crossed.heatmaps(pd.concat([points, hits]), {}, x_label="sampler").axes) == len(PANELS)
