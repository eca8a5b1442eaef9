"""Positions inside outlines, against an independent implementation and against formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path

from napari_kikuchi.explore.outlines import Outline

ROWS, COLS = 20, 30
row, col = np.indices((ROWS, COLS)).astype(float)
place = st.tuples(st.floats(-5, ROWS + 5), st.floats(-5, COLS + 5))


def filled(outline):
    found = np.zeros((ROWS, COLS), bool)
    positions = outline.positions((ROWS, COLS))
    found[tuple(positions.T)] = True
    assert found.sum() == len(positions)
    return found


def edge_distance(corners):
    """Distance of each position from the sides of a polygon."""
    points = np.stack([row, col], axis=-1)[..., None, :]
    start = np.asarray(corners)
    along = np.roll(start, -1, axis=0) - start
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(((points - start) * along).sum(axis=-1) / length, 0, 1)
    return np.linalg.norm(points - start - share[..., None] * along, axis=-1).min(axis=-1)


@given(corners=st.lists(place, min_size=3, max_size=3))
def test_triangles_are_filled_as_by_another_program(corners):
    expected = Path(corners).contains_points(np.stack([row, col], axis=-1).reshape(-1, 2))
    clear = edge_distance(corners) > 1e-6  # what lies on a side may go either way
    found = filled(Outline("polygon", np.array(corners)))
    np.testing.assert_array_equal(found[clear], expected.reshape(ROWS, COLS)[clear])


@given(
    corners=st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=3, max_size=7),
)
def test_positions_beyond_the_map_are_counted_as_those_of_a_larger_one(corners):
    outline = Outline("polygon", np.array(corners))
    assert outline.count_everywhere() == len(outline.positions((51, 51)))


def test_positions_before_the_map_are_counted_too():
    box = np.array([[-3.5, -2.5], [-3.5, 4.5], [1.5, 4.5], [1.5, -2.5]])
    assert Outline("rectangle", box).count_everywhere() == 5 * 7
    assert len(Outline("rectangle", box).positions((ROWS, COLS))) == 2 * 5


def test_a_polygon_may_be_hollow():
    corners = np.array([[2.5, 2.5], [2.5, 20.5], [15.5, 20.5], [15.5, 2.5], [12.5, 2.5]])
    corners = np.concatenate([corners, [[12.5, 15.5], [5.5, 15.5], [5.5, 2.5]]])
    expected = (row > 2) & (row < 16) & (col > 2) & (col < 21)
    expected &= ~((row > 5) & (row < 13) & (col < 16))
    np.testing.assert_array_equal(filled(Outline("polygon", corners)), expected)


def test_a_rectangle_of_one_position_holds_it():
    box = np.array([[4.8, 6.8], [4.8, 7.2], [5.2, 7.2], [5.2, 6.8]])
    assert Outline("rectangle", box).positions((ROWS, COLS)).tolist() == [[5, 7]]
    assert Outline("rectangle", box + 0.4).positions((ROWS, COLS)).tolist() == []
    assert Outline("rectangle", box + 100).positions((ROWS, COLS)).shape == (0, 2)


@pytest.mark.parametrize("angle", [0, 30])
def test_an_ellipse_is_round_however_it_is_turned(angle):
    turn = np.deg2rad(angle)
    frame = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corners = np.array([[-4, -8], [-4, 8], [4, 8], [4, -8]]) @ frame.T + (9.3, 14.6)
    y, x = frame.T @ np.stack([row.ravel() - 9.3, col.ravel() - 14.6])
    distance = ((y / 4) ** 2 + (x / 8) ** 2).reshape(ROWS, COLS)
    found = filled(Outline("ellipse", corners))
    clear = np.abs(distance - 1) > 0.01
    np.testing.assert_array_equal(found[clear], distance[clear] < 1)


def test_positions_along_a_path_are_found_once_and_only_on_the_map():
    path = Outline("path", np.array([[3.2, 25.0], [3.4, 40.0], [3.0, 27.0]]))
    assert not path.encloses
    found = path.positions((ROWS, COLS))
    np.testing.assert_array_equal(found, [[3, c] for c in range(25, 30)])
