import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from drawn import texts
from matplotlib import pyplot as plt

from hybridlib.far_points import Edges, far_points

mpl.use("Agg")


@pytest.fixture
def axes():
    yield plt.subplots()[1]
    plt.close("all")


def panel(*values, width=0.02):
    return pd.DataFrame({"value": values, "low": np.subtract(values, width), "high": np.add(values, width)})


def test_a_point_that_would_take_the_panel_twice_as_high_is_far():
    assert far_points(panel(0.6, 0.61, 0.62, 0.63, 0.64, 0.3)).tolist() == [False] * 5 + [True]
    assert far_points(panel(1.0, 1.1, 1.2, 1.3, 1.2, 9.0)).tolist() == [False] * 5 + [True]


def test_a_point_whose_neighbours_have_wide_intervals_is_not():
    assert not far_points(panel(0.6, 0.61, 0.62, 0.63, 0.64, 0.3, width=0.5)).any()


def test_points_that_spread_are_not_far():
    assert not far_points(panel(0.1, 0.2, 0.3, 0.4, 0.5, 0.6)).any()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_points_are_not_far(count):
    assert far_points(panel(*[0.1, 0.9, 0.5][:count])).tolist() == [False] * count


def test_lines_at_an_edge_stand_one_above_the_other_beyond_what_is_drawn(axes):
    axes.plot([1, 2], [1, 2])
    low, high = axes.get_ylim()
    edges = Edges(axes)
    assert not edges.written
    for text, below in (("a", True), ("b", True), ("c", False)):
        edges.write(text, below=below, x=2)
    edges.make_room()
    assert edges.written
    assert axes.get_ylim()[0] < low < high < axes.get_ylim()[1]
    heights = [text.xy[1] for text in axes.texts]
    assert texts(axes.texts) == ["a", "b", "c"]
    assert 0 < heights[0] < heights[1] < 0.2 < 0.9 < heights[2]


def test_room_is_made_only_where_something_is_written(axes):
    axes.plot([1, 2], [1, 2])
    before = axes.get_ylim()
    Edges(axes).make_room()
    assert axes.get_ylim() == before


def test_text_turns_inwards(axes):
    axes.set_xlim(0, 1)
    edges = Edges(axes)
    edges.write("left", below=True, x=0.1)
    edges.write("right", below=True, x=0.9)
    assert [text.get_ha() for text in axes.texts] == ["left", "right"]
