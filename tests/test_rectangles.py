import numpy as np
import pytest

from hybridlib import rectangles


def boxes_by_lot(count, seed):
    corners = np.sort(np.random.default_rng(seed).uniform(0, 10, (count, 2, 2)), axis=1)
    return corners.reshape(count, 4)


def lines_by_lot(count, seed):
    return np.random.default_rng(seed).uniform(0, 10, (count, 2, 2))


def on(line, steps=20_001):
    """Points of a line at equal distances."""
    return line[0] + np.linspace(0, 1, steps)[:, None] * (line[1] - line[0])


def test_shared_area_of_overlapping_inner_and_distant_ones():
    box = np.array([[0.0, 0, 4, 4]])
    others = np.array([[2.0, 3, 6, 6], [1, 1, 2, 3], [4, 0, 5, 1], [9, 9, 10, 10]])
    assert rectangles.shared(box, others).tolist() == [[2, 2, 0, 0]]
    first, second = boxes_by_lot(5, 0), boxes_by_lot(7, 1)
    assert np.array_equal(rectangles.shared(first, second), rectangles.shared(second, first).T)


def test_distance_of_rectangles_is_that_of_their_nearest_points():
    first, second = boxes_by_lot(6, 2), boxes_by_lot(6, 3)
    near = np.array([[np.hypot(*gap(one, other)) for other in second] for one in first])
    assert np.allclose(rectangles.apart(first, second), near)
    assert ((rectangles.apart(first, second) == 0) >= (rectangles.shared(first, second) > 0)).all()


def gap(one, other):
    return [max(0, other[side] - one[side + 2], one[side] - other[side + 2]) for side in (0, 1)]


def test_length_of_a_line_inside_a_rectangle():
    lines, boxes = lines_by_lot(8, 4), boxes_by_lot(5, 5)
    found = rectangles.across(lines, boxes)
    for line, row in zip(lines, found, strict=True):
        points, length = on(line), np.linalg.norm(line[1] - line[0])
        for box, inside in zip(boxes, row, strict=True):
            share = ((points >= box[:2]) & (points <= box[2:])).all(axis=1).mean()
            assert inside == pytest.approx(share * length, abs=2e-3)


def test_upright_and_level_lines_and_points():
    box = np.array([[0.0, 0, 2, 2]])
    lines = np.array([[[1.0, -5], [1, 5]], [[-5, 1], [5, 1]], [[3, -5], [3, 5]], [[1, 1], [1, 1]]])
    assert np.allclose(rectangles.across(lines, box)[:, 0], [2, 2, 0, 0])


def test_lines_cross_where_both_ends_of_each_lie_on_both_sides_of_the_other():
    lines = np.array([[[0.0, 0], [4, 4]], [[0, 4], [4, 0]], [[0, 4], [1, 3]], [[4, 4], [8, 0]]])
    assert np.argwhere(rectangles.crossing(lines, lines)).tolist() == [[0, 1], [1, 0]]


def test_of_nothing_there_is_nothing():
    no_boxes, no_lines = np.empty((0, 4)), np.empty((0, 2, 2))
    boxes, lines = boxes_by_lot(3, 6), lines_by_lot(2, 7)
    assert rectangles.shared(boxes, no_boxes).shape == rectangles.apart(boxes, no_boxes).shape == (3, 0)
    assert rectangles.across(lines, no_boxes).shape == rectangles.crossing(lines, no_lines).shape == (2, 0)
