"""Names of points that do not hide one another."""

from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from hybridlib.label_places import name_points
from hybridlib.rectangles import crossing

mpl.use("Agg")
REACH = 4.5  # of a mark, in points


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def named(points, names=None, dpi=100, size=(8, 6)):
    """Name points in axes from 0 to 1; returns figure and axes, drawn."""
    figure, axes = plt.subplots(figsize=size, dpi=dpi)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    name_points(figure, axes, np.array(points), names or [f"system {n}" for n in range(len(points))])
    figure.canvas.draw()
    return figure, axes


def boxes(axes):
    """Of the names, without their lines."""
    return [Text.get_window_extent(text) for text in axes.texts]


def marks(axes, points):
    reach = REACH * axes.figure.dpi / 72
    return [Bbox.from_extents(x - reach, y - reach, x + reach, y + reach) for x, y in axes.transData.transform(points)]


def shared(first, second):
    both = Bbox.intersection(first, second)
    return 0 if both is None else both.width * both.height


def lines(axes):
    """Of each name with a line: both ends of it, where its name begins and where its point is, in pixels."""
    found = []
    for text, box in zip(axes.texts, boxes(axes), strict=True):
        if text.arrow_patch is not None:
            path = text.arrow_patch.get_transform().transform_path(text.arrow_patch.get_path()).vertices
            point = axes.transData.transform(text.xy)
            found.append((path[0], path[-1], np.clip(point, box.min, box.max), point))
    return found


def scattered(count, seed, low=0.1, high=0.9):
    return np.random.default_rng(seed).uniform(low, high, (count, 2))


CROWD = scattered(25, 0, 0.4, 0.6)


@pytest.mark.parametrize("points", [scattered(14, 0), scattered(14, 1), CROWD], ids=["few", "others", "crowd"])
def test_where_there_is_room_no_name_covers_another_a_mark_or_the_edge(points):
    _, axes = named(points)
    found, frame = boxes(axes), axes.get_window_extent()
    assert [pair for pair in combinations(range(len(points)), 2) if shared(found[pair[0]], found[pair[1]])] == []
    assert [n for n, box in enumerate(found) if any(shared(box, mark) for mark in marks(axes, points))] == []
    assert [n for n, box in enumerate(found) if shared(box, frame) < box.width * box.height * 0.999] == []


def test_texts_are_the_names_at_their_points():
    points = scattered(5, 1)
    _, axes = named(points, list("abcde"))
    assert [text.get_text() for text in axes.texts] == list("abcde")
    assert np.allclose([text.xy for text in axes.texts], points)


def test_a_name_alone_stands_to_the_right_at_the_height_of_its_point():
    _, axes = named([(0.5, 0.5)])
    (box,), (x, y) = boxes(axes), axes.transData.transform((0.5, 0.5))
    assert (box.y0 + box.y1) / 2 == pytest.approx(y, abs=1)
    assert (box.x0 - x) * 72 / 100 == pytest.approx(7.5, abs=1)


@pytest.mark.parametrize(("point", "inside"), [((0.99, 0.5), "x1"), ((0.995, 0.995), "y1"), ((0.995, 0.005), "y0")])
def test_at_an_edge_a_name_turns_inwards(point, inside):
    _, axes = named([point])
    (box,), frame = boxes(axes), axes.get_window_extent()
    assert box.x1 < axes.transData.transform(point)[0]
    sign = -1 if inside == "y0" else 1
    assert sign * getattr(box, inside) <= sign * getattr(frame, inside)


def test_a_name_beside_its_point_alone_has_no_line():
    assert lines(named([(0.5, 0.5), (0.1, 0.1)])[1]) == []


def test_a_name_that_stands_away_or_beside_others_is_tied_to_its_point():
    """Of 25 points in a twenty-fifth of the axes nearly all are."""
    _, axes = named(CROWD)
    found = lines(axes)
    assert len(found) > 15
    for begins, ends, name, point in found:
        assert np.allclose(begins, name, atol=3)
        assert np.allclose(ends, point, atol=1)
    reach = (REACH + 6) * 100 / 72
    for text, box in zip(axes.texts, boxes(axes), strict=True):
        point = axes.transData.transform(text.xy)
        if np.hypot(*(point - np.clip(point, box.min, box.max))) > reach + 1:
            assert text.arrow_patch is not None


def test_lines_to_names_do_not_cross_one_another_or_other_names():
    found = lines(named(CROWD)[1])
    ties = np.array([(begins, ends) for begins, ends, *_ in found])
    crossed = crossing(ties, ties)
    assert crossed.sum() / 2 <= 1


def test_a_name_rather_stands_beside_a_line_than_upon_it():
    figure, axes = plt.subplots(figsize=(8, 6), dpi=100)
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axhline(0.5, linestyle=":")
    axes.errorbar([0.5], [0.5], xerr=0.2, yerr=0.2, linestyle="")
    name_points(figure, axes, np.array([(0.5, 0.5)]), ["system"])
    (box,), (x, y) = boxes(axes), axes.transData.transform((0.5, 0.5))
    assert not box.x0 <= x <= box.x1
    assert not box.y0 <= y <= box.y1


def test_a_name_does_not_stand_upon_the_legend():
    figure, axes = plt.subplots(figsize=(3, 2), dpi=100)
    axes.plot([0, 1], [0, 1], label="a line")
    legend = axes.legend(loc="lower right", fontsize=8)
    name_points(figure, axes, np.array([(0.6, 0.1)]), ["system"])
    assert shared(boxes(axes)[0], legend.get_window_extent()) == 0


def test_a_name_that_another_mark_would_take_for_its_own_moves_away():
    """The one to the right would stand between both marks."""
    _, axes = named([(0.5, 0.5), (0.56, 0.5)], ["long system", ""])
    (box,), (x, _) = boxes(axes), axes.transData.transform((0.56, 0.5))
    assert box.x1 < x - REACH


def test_limits_stay():
    _, axes = named([(0.0, 0.0), (1.0, 1.0), (0.999, 0.5), (0.999, 0.501)], ["a very long name " * 3] * 4)
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, 1), (0, 1))


def test_names_keep_apart_at_another_resolution():
    figure, axes = named(scattered(12, 2, 0.3, 0.7))
    figure.set_dpi(220)
    figure.canvas.draw()
    found = boxes(axes)
    assert [pair for pair in combinations(range(12), 2) if shared(found[pair[0]], found[pair[1]])] == []


def test_places_are_the_same_each_time():
    first, second = ([text.get_position() for text in named(CROWD)[1].texts] for _ in range(2))
    assert np.allclose(first, second)


def test_points_at_one_place_have_names_apart():
    _, axes = named([(0.5, 0.5)] * 4)
    assert [pair for pair in combinations(boxes(axes), 2) if shared(*pair)] == []


def test_every_point_has_one_name():
    with pytest.raises(ValueError, match="found 1 names, expected one for each of 2 points"):
        named([(0.5, 0.5), (0.2, 0.2)], ["a"])


def test_nothing_to_name():
    _, axes = named(np.empty((0, 2)), [])
    assert list(axes.texts) == []
