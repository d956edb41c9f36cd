import numpy as np
import pandas as pd
import pytest
from drawn import texts
from matplotlib import pyplot as plt
from matplotlib.collections import PathCollection

from hybridlib import along, balance_figures

TESTS = [("monolingual", "nDCG@10"), ("crosslingual", "nDCG@10"), ("multilingual", "rank_distance")]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def means_of(**systems):
    """A table of the map: label -> monolingual and crosslingual nDCG@10, rank distance; an interval is uneven."""
    columns = [(*test, end) for test in TESTS for end in ("value", "low", "high")]
    rows = [[end for value in values for end in (value, value - 0.1, value + 0.2)] for values in systems.values()]
    return pd.DataFrame(rows, list(systems), pd.MultiIndex.from_tuples(columns)).sort_index(axis=1)


MAP = means_of(mixed=(0.5, 0.4, 900.0), hybrid=(0.7, 0.6, 300.0), parent=(0.8, 0.3, 500.0))


def drawn_map(means=MAP):
    drawn = balance_figures.balance_map(means)
    drawn.canvas.draw()
    axes, bar = drawn.axes
    across, up, dots, corner = axes.collections
    return axes, bar, dots, corner, across, up


def test_map_has_a_point_a_system_coloured_by_rank_distance():
    """The shortest distance is the lightest."""
    axes, bar, dots, *_ = drawn_map()
    assert np.allclose(dots.get_offsets(), [(0.5, 0.4), (0.7, 0.6), (0.8, 0.3)])
    assert dots.get_array().tolist() == [900, 300, 500]
    lightness = dict(zip(MAP.index, dots.to_rgba(dots.get_array())[:, :3].sum(axis=1), strict=True))
    assert sorted(lightness, key=lightness.get) == ["mixed", "parent", "hybrid"]
    assert bar.get_ylabel() == "rank distance (lighter is less biased)"
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "monolingual nDCG@10 (better →)",
        "crosslingual nDCG@10 (better ↑)",
    )


def test_map_has_the_intervals_as_lines():
    *_, across, up = drawn_map()
    values = [(0.5, 0.4), (0.7, 0.6), (0.8, 0.3)]
    assert np.allclose(across.get_segments(), [((x - 0.1, y), (x + 0.2, y)) for x, y in values])
    assert np.allclose(up.get_segments(), [((x, y - 0.1), (x, y + 0.2)) for x, y in values])


def test_map_marks_the_best_of_both_as_ideal_corner():
    axes, _, _, corner, *_ = drawn_map()
    assert np.allclose(corner.get_offsets(), [(0.8, 0.6)])
    lines = [(set(line.get_xdata()), set(line.get_ydata())) for line in axes.lines if len(line.get_xdata()) == 2]
    assert ({0.8}, {0, 1}) in lines
    assert ({0, 1}, {0.6}) in lines


def test_map_names_every_system_and_the_corner():
    axes, *_ = drawn_map()
    assert {text.get_text(): text.xy for text in axes.texts} == {
        "mixed": pytest.approx((0.5, 0.4)),
        "hybrid": pytest.approx((0.7, 0.6)),
        "parent": pytest.approx((0.8, 0.3)),
        "ideal corner": pytest.approx((0.8, 0.6)),
    }
    frame = axes.get_window_extent()
    for text in axes.texts:
        box = text.get_window_extent()
        assert frame.x0 <= box.x0 < box.x1 <= frame.x1


def test_map_of_a_mean_at_the_end_of_its_interval():
    """Tables have six digits, so a mean may lie a little outside."""
    means = MAP.copy()
    means["monolingual", "nDCG@10", "low"] = means["monolingual", "nDCG@10", "value"] + 1e-6
    means["crosslingual", "nDCG@10", "high"] = means["crosslingual", "nDCG@10", "value"] - 1e-6
    *_, across, up = drawn_map(means)
    assert np.allclose([line[0][0] for line in across.get_segments()], [0.5, 0.7, 0.8])
    assert np.allclose([line[1][1] for line in up.get_segments()], [0.4, 0.6, 0.3])


def test_map_of_one_system():
    axes, _, dots, corner, *_ = drawn_map(MAP.iloc[:1])
    assert np.allclose(dots.get_offsets(), corner.get_offsets())
    assert texts(axes.texts) == ["mixed", "ideal corner"]


def test_map_names_what_is_far_off_instead_of_drawing_it():
    """Else the others would stand upon one another."""
    near = {f"s{i}": (0.6 + 0.01 * i, 0.5 - 0.01 * i, 300.0) for i in range(8)}
    axes, _, dots, *_ = drawn_map(means_of(**near, lost=(0.1, 0.05, 2000.0)))
    assert len(dots.get_offsets()) == 8
    assert axes.get_title(loc="left") == "Not drawn, as it is far off: lost at 0.100, 0.050"
    assert axes.get_xlim()[0] > 0.4
    assert drawn_map()[0].get_title(loc="left") == ""


def test_map_joins_a_series_in_the_order_of_its_axis():
    lying = pd.DataFrame({"configuration": ["mixed", "parent", "hybrid"], "series": "s", "x": [0.1, 0.9, 0.5]})
    axes, *_ = balance_figures.balance_map(MAP, lying=lying).axes
    assert [0.5, 0.7, 0.8] in [line.get_xdata().tolist() for line in axes.lines if hasattr(line.get_xdata(), "tolist")]


SAMPLERS = ("crosslingual", "monolingual", "hybrid")
CROSSED = means_of(
    untrained=(0.3, 0.2, 2000.0),
    **{
        f"{name}, {sampler}": (level + 0.01 * place, level - 0.01 * place, 500.0 + place)
        for name, level in (("good", 0.7), ("fair", 0.6), ("bad", 0.4))
        for place, sampler in enumerate(SAMPLERS)
    },
)


def lying_over_samplers(means=CROSSED):
    parts = [label.partition(", ") for label in means.index if ", " in label]
    rows = [(f"{name}, {sampler}", name, sampler) for name, _, sampler in parts]
    return pd.DataFrame(rows, columns=["configuration", "series", "x"])


def test_joined_map_names_each_series_once_in_one_of_the_panels():
    whole, part, _ = balance_figures.joined_map(CROSSED, lying_over_samplers(), "sampler").axes
    names = [text.get_text() for axes in (whole, part) for text in axes.texts]
    assert sorted(names) == ["bad", "fair", "good", "ideal corner", "ideal corner", "untrained"]
    assert {"good", "fair"} <= set(texts(part.texts))


def test_joined_map_draws_all_systems_and_enlarges_the_nearer_series():
    whole, part, _ = balance_figures.joined_map(CROSSED, lying_over_samplers(), "sampler").axes
    expected = CROSSED.xs("value", axis=1, level=2)[["monolingual", "crosslingual"]].to_numpy().tolist()
    for axes in (whole, part):
        dots = np.vstack([one.get_offsets() for one in axes.collections if isinstance(one, PathCollection)])
        assert sorted(dots.tolist()) == sorted([*expected, [0.72, 0.7]])
    assert part.get_xlim()[0] > 0.4
    assert whole.get_xlim()[0] < 0.3


def test_joined_map_has_a_shape_a_sampler_and_joins_them_in_one_order():
    whole, *_ = balance_figures.joined_map(CROSSED, lying_over_samplers(), "sampler").axes
    assert texts(whole.get_legend().get_texts()) == ["monolingual", "hybrid", "crosslingual"]
    lines = [np.round(line.get_xdata(), 2).tolist() for line in whole.lines if len(line.get_xdata()) == 3]
    assert sorted(lines) == [[0.41, 0.42, 0.4], [0.61, 0.62, 0.6], [0.71, 0.72, 0.7]]


def test_in_a_joined_map_what_was_trained_on_more_does_not_move_the_corner():
    means = pd.concat([CROSSED, means_of(**{"good, twice": (0.9, 0.8, 400.0)})])
    whole, *_ = balance_figures.joined_map(means, lying_over_samplers(), "sampler", ["good, twice"]).axes
    dots = [one for one in whole.collections if isinstance(one, PathCollection)]
    assert [one.get_offsets().tolist() for one in dots if one.get_sizes().tolist() == [200]] == [[[0.72, 0.7]]]


def test_joined_map_over_a_number_has_marks_that_grow_with_it():
    lying = lying_over_samplers().assign(x=[16.0, 32.0, 64.0] * 3)
    whole, *_ = balance_figures.joined_map(CROSSED, lying, "batch_size").axes
    assert texts(whole.get_legend().get_texts()) == ["batch_size 16", "batch_size 64"]
    (dots,) = [dots for dots in whole.collections if len(dots.get_offsets()) == len(CROSSED)]
    sizes = dict(zip(CROSSED.index, dots.get_sizes(), strict=True))
    assert sizes["good, crosslingual"] < sizes["good, monolingual"] < sizes["good, hybrid"]


@pytest.mark.parametrize(("copies", "panels"), [(1, 1), (2, 2)], ids=["few", "more than names fit"])
def test_a_study_with_an_axis_and_many_systems_names_each_series_once(copies, panels):
    rows = [
        (f"{label}{copy}", "all", *test, CROSSED[test]["value"][label])
        for copy in range(copies)
        for label in CROSSED.index
        for test in TESTS
    ]
    columns = ["configuration", "languages", "setting", "measure", "value"]
    means = pd.DataFrame(rows, columns=columns).assign(low=0.1, high=0.9, seed=1)
    lying = pd.concat(
        lying_over_samplers().assign(
            configuration=lambda t, c=copy: t["configuration"] + str(c), series=lambda t, c=copy: t["series"] + str(c)
        )
        for copy in range(copies)
    )
    drawn = along.balance(means, means, lying, "sampler")
    assert len(drawn.figure.axes) == panels + 1
    assert ("each is named once" in drawn.read) is (panels == 2)
    assert "A line joins what differs in sampler alone" in drawn.read
    assert "A line" not in along.balance(means, means, lying[:0], None).read
