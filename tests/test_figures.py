from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from drawn import CODES, ORDER, texts
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from hybridlib import figures
from hybridlib.languages import LANGUAGES


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def table_of(values=None, codes=CODES, seed=0):
    size = len(codes)
    values = np.random.default_rng(seed).normal(size=(size, size)) if values is None else values
    return pd.DataFrame(values, codes, codes)


def heatmaps(tables, *, diverging=False, **options):
    drawn = figures.heatmaps(tables, x_label="passage language", diverging=diverging, bar_label="nDCG@10", **options)
    drawn.canvas.draw()
    return drawn


def panels(drawn):
    """Axes with a heatmap, without the colour bar and the empty places."""
    return [axes for axes in drawn.axes if axes.get_title()]


def test_long_titles_are_broken_so_that_panels_keep_apart():
    long = "hybrid 0.5, InfoNCE + VRNS, batches of 1,024 pairs at 4,096 pairs minus the untrained encoder"
    drawn = heatmaps({long: table_of(), "beside " + long: table_of(seed=1)})
    left, right = (axes.title.get_window_extent() for axes in panels(drawn))
    assert left.x1 < right.x0
    assert [" ".join(axes.get_title().split()) for axes in panels(drawn)] == [long, "beside " + long]


def bar(drawn):
    """The axes of the colour bar: beside the panels, or inside a place that is left over."""
    inside = [child for axes in drawn.axes for child in axes.child_axes]
    return inside[0] if inside else drawn.axes[-1]


def test_a_panel_a_table_and_one_colour_bar_in_the_place_that_is_left():
    drawn = heatmaps({"one": table_of(), "two": table_of(seed=1), "three": table_of(seed=2)})
    assert isinstance(drawn, Figure)
    assert [axes.get_title() for axes in panels(drawn)] == ["one", "two", "three"]
    assert [axes.axison for axes in drawn.axes] == [True, True, True, False]
    assert bar(drawn).get_xlabel() == "nDCG@10"
    hole, scale = drawn.axes[3].get_window_extent(), bar(drawn).get_window_extent()
    assert hole.x0 < scale.x0 < scale.x1 < hole.x1
    assert hole.y0 < scale.y0 < scale.y1 < hole.y1


def test_where_no_place_is_left_the_colour_bar_stands_beside_the_panels():
    drawn = heatmaps({str(n): table_of(seed=n) for n in range(4)})
    assert len(drawn.axes) == 5
    assert bar(drawn).get_window_extent().x0 > max(axes.get_window_extent().x1 for axes in panels(drawn))


@pytest.mark.parametrize(("codes", "shown"), [(CODES, 3), (list(LANGUAGES), 2)], ids=["few", "many"])
def test_of_many_languages_two_panels_stand_in_a_row(codes, shown):
    drawn = heatmaps({str(n): table_of(codes=codes, seed=n) for n in range(3)}, columns=3)
    assert len({round(axes.get_window_extent().y0) for axes in panels(drawn)}) == -(-3 // shown)


def test_many_languages_can_be_read_on_a_page():
    """Of 1,017 px; names neither shrink below 8 px nor touch one another."""
    codes = list(LANGUAGES)
    drawn = heatmaps({str(n): table_of(codes=codes, seed=n) for n in range(5)})
    shrunk = min(1, 1017 / (drawn.get_size_inches()[0] * 110))
    place = panels(drawn)[0]
    assert place.get_yticklabels()[0].get_fontsize() / 72 * 110 * shrunk >= 8
    for labels, side in ((place.get_yticklabels(), "y"), (place.get_xticklabels(), "x")):
        ends = sorted((getattr(box, f"{side}0"), getattr(box, f"{side}1")) for box in map(extent, labels))
        assert all(left[1] <= right[0] for left, right in pairwise(ends))


def extent(label):
    return label.get_window_extent()


def test_heatmap_languages_are_ordered_on_both_sides():
    (place,) = panels(heatmaps({"one": table_of()}))
    assert texts(place.get_xticklabels()) == ORDER
    assert texts(place.get_yticklabels()) == ORDER


def test_heatmap_cells_move_with_their_languages():
    table = table_of()
    (place,) = panels(heatmaps({"one": table}))
    drawn = place.collections[0].get_array().reshape(4, 4)
    assert np.allclose(drawn, table.loc[ORDER, ORDER])


def test_heatmap_axes_are_labelled():
    drawn = heatmaps({"one": table_of()})
    assert (drawn.get_supylabel(), drawn.get_supxlabel()) == ("query language", "passage language")
    assert bar(drawn).get_ylabel() == "nDCG@10"


def scales(drawn):
    return {place.collections[0].get_clim() for place in panels(drawn)}


def test_diverging_scale_goes_as_far_as_the_cells_and_is_shared():
    drawn = heatmaps({"one": table_of(np.full((4, 4), -0.2)), "two": table_of(np.full((4, 4), 0.7))}, diverging=True)
    assert scales(drawn) == {(-0.2, 0.7)}
    assert bar(drawn).get_ylim() == (-0.2, 0.7)


def test_diverging_scale_is_white_at_0_and_as_steep_on_both_sides():
    drawn = heatmaps({"one": table_of(np.linspace(-0.2, 0.7, 16).reshape(4, 4))}, diverging=True)
    picture = panels(drawn)[0].collections[0]
    colours = picture.cmap(picture.norm(np.array([-0.2, -0.1, 0.0, 0.1, 0.7])))[:, :3]
    whole = plt.get_cmap(figures.DIFFERENCES)
    expected = [whole(0.5 + 0.5 * value / 0.7)[:3] for value in (-0.2, -0.1, 0.0, 0.1, 0.7)]
    assert np.allclose(colours, expected, atol=0.03)
    assert colours[2].min() > 0.95


def test_scale_of_shares_does_not_reach_to_values_that_are_not_there():
    drawn = heatmaps({"one": table_of(np.where(np.eye(4), 0.9, -0.08))}, diverging=True)
    assert scales(drawn) == {(-0.08, 0.9)}


def test_scale_of_losses_alone_ends_at_0():
    assert scales(heatmaps({"one": table_of(np.full((4, 4), -0.3))}, diverging=True)) == {(-0.3, 0.0)}


def test_sequential_scale_begins_at_0():
    drawn = heatmaps({"one": table_of(np.full((4, 4), 0.3)), "two": table_of(np.full((4, 4), 0.7))})
    assert scales(drawn) == {(0.0, 0.7)}


def test_equal_configurations_have_a_scale_around_0():
    assert scales(heatmaps({"one": table_of(np.zeros((4, 4)))}, diverging=True)) == {(-1.0, 1.0)}


def test_empty_cells_do_not_reach_the_scale():
    values = np.full((4, 4), 0.5)
    values[0, 0] = np.nan
    assert scales(heatmaps({"one": table_of(values)}, diverging=True)) == {(0.0, 0.5)}


def test_a_few_large_cells_do_not_pale_the_others():
    values = np.full((4, 4), 0.1)
    values[0, 0] = -2.0
    drawn = heatmaps({"one": table_of(values)}, diverging=True, within=0.9)
    ((low, high),) = scales(drawn)
    assert (low, high) == pytest.approx((-0.1, 0.1))
    assert bar(drawn).get_ylim() == pytest.approx((-0.1, 0.1))
    assert scales(heatmaps({"one": table_of(values)}, diverging=True)) == {(-2.0, 0.1)}


def test_a_scale_that_would_be_of_zeros_reaches_the_largest_cell():
    values = np.zeros((4, 4))
    values[0, 0] = -2.0
    assert scales(heatmaps({"one": table_of(values)}, diverging=True, within=0.9)) == {(-2.0, 0.0)}


def test_what_rounds_to_0_has_no_sign():
    (place,) = panels(heatmaps({"one": table_of(np.full((4, 4), -0.001))}, diverging=True))
    assert set(texts(place.texts)) == {"0.00"}


def test_numbers_stand_in_the_cells():
    table = table_of()
    (place,) = panels(heatmaps({"one": table}))
    assert texts(place.texts) == [f"{value:.2f}" for value in table.loc[ORDER, ORDER].to_numpy().ravel()]


def test_cells_may_hold_words():
    table = table_of(np.eye(4))
    (place,) = panels(heatmaps({"one": table}, cell=lambda value: "win" if value else ""))
    assert texts(place.texts) == ["win" if row == column else "" for row in range(4) for column in range(4)]


def test_empty_cells_hold_no_number():
    (place,) = panels(heatmaps({"one": table_of(np.where(np.eye(4), np.nan, 0.5))}))
    assert texts(place.texts) == ["0.50"] * 12


def test_numbers_are_left_out_of_large_heatmaps():
    codes = "en nl de da no sv fr es pt it ro pl cs sk hr ru".split()
    (place,) = panels(heatmaps({"one": table_of(codes=codes)}))
    assert texts(place.texts) == []
    assert texts(place.get_yticklabels()) == codes


def test_families_are_set_apart():
    (place,) = panels(heatmaps({"one": table_of()}))
    rows = [line.get_ydata()[0] for line in place.lines if len(set(line.get_ydata())) == 1]
    assert rows == [2, 3]  # en de | ar | zh


QUERY = np.array([[0, 1, 2], [1, 1, -1]])
PASSAGE = np.array([[0, 2, 2], [1, 0, -1]])


def test_a_strip_a_batch():
    drawn = figures.language_strips(QUERY, PASSAGE, ["en", "de", "zh"])
    assert [axes.get_ylabel() for axes in drawn.axes] == ["batch 1", "batch 2"]
    assert texts(drawn.axes[0].get_yticklabels()) == ["query", "passage"]
    assert texts(drawn.legends[0].get_texts()) == ["en", "de", "zh"]


def test_strip_has_queries_above_passages_in_the_colours_of_the_legend():
    drawn = figures.language_strips(QUERY, PASSAGE, ["en", "de", "zh"])
    key = [to_rgb(patch.get_facecolor()) for patch in drawn.legends[0].get_patches()]
    for axes, query, passage in zip(drawn.axes, QUERY, PASSAGE, strict=True):
        picture = axes.images[0]
        colours = picture.cmap(picture.norm(picture.get_array()))[..., :3]
        expected = [[key[n] if n >= 0 else (1, 1, 1) for n in row] for row in (query, passage)]
        assert np.allclose(colours, expected)


@pytest.mark.parametrize("count", [1, 2, 12, 36])
def test_a_colour_a_language(count):
    colours = figures.language_colours([str(number) for number in range(count)])
    assert len(set(colours)) == count
    assert all(0 <= part <= 1 for colour in colours for part in colour)


def test_training_curve_has_loss_rate_and_validation():
    history = pd.DataFrame(
        {
            "step": [1, 2, 3, 4],
            "loss": [3.0, 2.0, 1.5, 1.0],
            "learning_rate": [0.1, 0.2, 0.1, 0.0],
            "validation": [np.nan, 0.4, np.nan, 0.3],
        }
    )
    left, right, rate = figures.training_curve(history, best_step=2).axes
    assert left.lines[0].get_xydata().tolist() == [[1, 3], [2, 2], [3, 1.5], [4, 1]]
    assert rate.lines[0].get_ydata().tolist() == [0.1, 0.2, 0.1, 0.0]
    assert right.lines[0].get_xydata().tolist() == [[2, 0.4], [4, 0.3]]
    assert right.lines[1].get_xdata() == [2, 2]
    assert (left.get_xlabel(), left.get_ylabel()) == ("step", "loss")
    assert rate.get_ylabel() == "learning rate (dotted)"
    assert right.get_ylabel() == "validation nDCG@10, mean of settings"
    assert left.get_ylim()[0] == 0
