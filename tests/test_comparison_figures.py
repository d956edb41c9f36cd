from itertools import pairwise

import pandas as pd
import pytest
from drawn import CODES, ORDER, heights, texts
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from hybridlib import comparison_figures
from hybridlib.palette import system_colours


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_rank_distance_bars_with_the_random_expectation():
    bars = pd.DataFrame({"before": [4.0, 3.0, 2.0, 1.0], "after": [8.0, 7.0, 6.0, 5.0]}, CODES)
    (axes,) = comparison_figures.rank_distance_bars(bars, pd.Series([10.0, 20.0])).axes
    assert texts(axes.get_xticklabels()) == ORDER
    assert heights(axes) == [bars.loc[ORDER, column].tolist() for column in bars]
    assert set(axes.lines[0].get_ydata()) == {15.0}
    assert sorted(texts(axes.get_legend().get_texts())) == ["after", "before", "random ranking"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("query language", "rank distance (lower is better)")


def test_rank_distance_of_many_configurations_is_a_mean_with_a_dot_a_language():
    bars = pd.DataFrame({f"run {i}": [4.0 + i, 3.0, 2.0, 1.0] for i in range(9)}, CODES)
    (axes,) = comparison_figures.rank_distance_bars(bars, pd.Series([10.0, 20.0])).axes
    assert texts(axes.get_yticklabels()) == [f"run {i}" for i in reversed(range(9))]
    assert [bar.get_width() for bar in axes.containers[0].patches] == bars.mean()[::-1].tolist()
    dots = axes.collections[0].get_offsets().tolist()
    assert sorted(dots) == sorted([x, 8 - i] for i, run in enumerate(bars) for x in bars[run])
    assert set(axes.lines[-1].get_xdata()) == {15.0}
    said = texts(axes.get_legend().get_texts())
    assert sorted(said) == ["a query language", "mean over query languages", "random ranking"]


def test_bars_of_a_kind_of_batch_have_its_colour_in_every_figure():
    """Whatever stands beside them."""
    bars = pd.DataFrame({"untrained": [4.0] * 4, "hybrid 0.5": [3.0] * 4}, CODES)
    (axes,) = comparison_figures.rank_distance_bars(bars, pd.Series([10.0])).axes
    colours = [to_rgb(bar.patches[0].get_facecolor()) for bar in axes.containers]
    known = system_colours(["mixed", "hybrid", "untrained"])
    assert colours == [known["untrained"], known["hybrid"]]


def compared(configuration, baseline, setting="monolingual", measure="nDCG@10", holm_p=0.5, at=0.0):
    """A row of comparisons with the interval from ``at`` - 0.1 to ``at`` + 0.3."""
    keys = {"configuration": configuration, "baseline": baseline, "setting": setting, "measure": measure}
    numbers = {"difference": at, "low": at - 0.1, "high": at + 0.3, "holm_p": holm_p}
    return {**keys, **numbers, "wins": 0, "losses": 0, "seeds": 1, "baseline_seeds": 1}


def forest(*rows, reference="mixed"):
    drawn = comparison_figures.forest(pd.DataFrame(rows), reference)
    drawn.canvas.draw()
    return drawn.axes


TESTS = [*((s, "nDCG@10") for s in ("monolingual", "crosslingual", "multilingual")), ("multilingual", "rank_distance")]


def test_forest_has_a_panel_a_test_and_a_row_a_system():
    """Systems that are equal stand in the order of the table, from top to bottom."""
    rows = [compared(label, "mixed", *test) for label in ("b", "a", "c") for test in TESTS]
    panels = forest(*rows, compared("b", "mixed", "multilingual", "same_language_share@10"))
    assert [axes.get_title() for axes in panels] == ["monolingual", "crosslingual", "multilingual", "rank distance"]
    assert [axes.get_xlabel() for axes in panels] == [f"{measure} minus mixed" for _, measure in TESTS]
    assert texts(panels[0].get_yticklabels()) == ["b", "a", "c"]
    assert panels[0].yaxis_inverted()


def test_forest_has_the_best_in_the_pool_first():
    gains = {"a": 0.1, "b": 0.3, "c": -0.2}
    rows = [compared(label, "mixed", *test, at=at) for label, at in gains.items() for test in TESTS]
    assert texts(forest(*rows)[0].get_yticklabels()) == ["b", "a", "c"]


def test_forest_without_the_pool_has_the_least_of_what_is_better_when_lower_first():
    rows = [compared(label, "mixed", *TESTS[3], at=at) for label, at in {"a": 9.0, "b": -9.0}.items()]
    assert texts(forest(*rows)[0].get_yticklabels()) == ["b", "a"]


def test_forest_writes_what_is_far_off_at_the_edge():
    """To the left what is worse, also where the axis is turned."""
    near = {f"n{i}": i / 100 for i in range(8)}
    rows = [compared(name, "mixed", at=at) for name, at in {**near, "bad": -5.0, "good": 7.0}.items()]
    rows += [compared(name, "mixed", *TESTS[3], at=at) for name, at in {**near, "bad": 5.0, "good": -7.0}.items()]
    for axes, said in zip(
        forest(*rows), ({"◂ 5.000 worse", "7.000 better ▸"}, {"◂ 5 worse", "7 better ▸"}), strict=True
    ):
        assert set(texts(axes.texts)) == said
        assert max(map(abs, axes.get_xlim())) < 1
        assert sum(len(dots.get_offsets()) for dots in axes.collections[1:]) == len(near)


def test_forest_breaks_the_name_of_a_long_reference():
    long = "hybrid 0.5, InfoNCE + VRNS, batches of 1,024 pairs at 4,096 pairs"
    panels = forest(*(compared("a", long, *test) for test in TESTS), reference=long)
    below = [axes.xaxis.label.get_window_extent() for axes in panels]
    assert all(left.x1 < right.x0 for left, right in pairwise(below))
    assert panels[0].get_xlabel().replace("\n", " ") == f"nDCG@10 minus {long}"


def test_forest_leaves_out_what_was_not_tested():
    rows = [compared("a", "mixed", *test) for test in TESTS[1:]]
    assert [axes.get_title() for axes in forest(*rows)] == ["crosslingual", "multilingual", "rank distance"]


def test_forest_turns_the_axis_of_the_rank_distance():
    """To the right is better."""
    panels = forest(*(compared("a", "mixed", *test) for test in TESTS))
    assert [axes.xaxis_inverted() for axes in panels] == [False, False, False, True]


def test_forest_draws_differences_to_the_reference_with_their_intervals():
    """Where the reference is not the baseline of a row, the row is turned."""
    (axes,) = forest(compared("a", "mixed", at=0.5), compared("mixed", "b", at=0.2), compared("a", "b", at=9))
    intervals, filled, open_ = axes.collections
    heights = dict(zip(texts(axes.get_yticklabels()), axes.get_yticks(), strict=True))
    found = {y: (low, high) for (low, y), (high, _) in intervals.get_segments()}
    assert found == {heights["a"]: pytest.approx((0.4, 0.8)), heights["b"]: pytest.approx((-0.5, -0.1))}
    assert len(filled.get_offsets()) == 0
    places = {y: x for x, y in open_.get_offsets()}
    assert places == {heights["a"]: pytest.approx(0.5), heights["b"]: pytest.approx(-0.2)}


def test_forest_fills_what_is_separable():
    (axes,) = forest(compared("a", "mixed", holm_p=0.049, at=1), compared("b", "mixed", holm_p=0.05, at=2))
    _, filled, open_ = axes.collections
    assert [dots.get_offsets()[:, 0].tolist() for dots in (filled, open_)] == [[1], [2]]
    assert [to_rgb(dots.get_facecolor()[0]) == to_rgb("white") for dots in (filled, open_)] == [False, True]
