"""Profiles along paths, against formulas and a direct computation on the arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.explore.paths import (
    Path,
    feature_profiles,
    interpolate,
    profile,
    shared_by_neighbours,
)
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack

ROWS, COLS = 30, 40
row, col = np.indices((ROWS, COLS)).astype(float)
inside = st.tuples(st.floats(0, ROWS - 1), st.floats(0, COLS - 1))


@given(vertices=st.lists(inside, min_size=2, max_size=5), step=st.tuples(*2 * [st.floats(0.1, 5)]))
def test_points_lie_one_step_apart_on_the_path(vertices, step):
    vertices = np.array(vertices)
    total = np.linalg.norm(np.diff(vertices, axis=0) * step, axis=1).sum()
    if total < 1e-3:
        return
    path = Path.through(vertices, step)
    np.testing.assert_allclose(path.points[0], vertices[0])
    np.testing.assert_allclose(np.diff(path.distances), min(step))
    assert total - min(step) < path.distances[-1] + 1e-4 <= total + 2e-4
    apart = np.linalg.norm(np.diff(path.points, axis=0) * step, axis=1)
    assert (apart <= min(step) * (1 + 1e-6)).all()  # shorter only where the path bends
    # Linear interpolation is exact on a plane.
    plane = 3 * row - 2 * col + 1
    expected = 3 * path.points[:, 0] - 2 * path.points[:, 1] + 1
    np.testing.assert_allclose(interpolate(plane, path), expected, atol=1e-4)


def test_a_line_along_a_row_is_that_row():
    values = np.random.default_rng(0).normal(size=(ROWS, COLS))
    path = Path.through([[7, 0], [7, COLS - 1]], (0.5, 0.2))
    np.testing.assert_allclose(interpolate(values, path), values[7])
    np.testing.assert_allclose(path.distances, 0.2 * np.arange(COLS))
    np.testing.assert_array_equal(path.positions, [[7, i] for i in range(COLS)])
    back = Path.through([[7, COLS - 1], [7, 0]], (0.5, 0.2))
    np.testing.assert_allclose(interpolate(values, back), values[7, ::-1])


def test_a_path_knows_how_much_of_it_lies_beyond_the_map():
    # Three points before the first row, as many after the last.
    path = Path.through([[-3, 5], [ROWS + 2, 5]], (0.5, 0.5))
    assert path.length_beyond((ROWS, COLS)) == pytest.approx(3)
    # As far as positions reach, which is half a step beyond their middles, it lies on the map.
    path = Path.through([[7, -0.5], [7, COLS - 0.6]], (0.5, 0.2))
    assert path.length_beyond((ROWS, COLS)) == 0
    found = interpolate(col, path)
    np.testing.assert_allclose(found, np.clip(path.points[:, 1], 0, COLS - 1))


def test_what_is_not_there_is_not_made_up():
    values = row.copy()
    values[10, 5] = np.nan
    path = Path.through([[-3, 5], [ROWS + 2, 5]], (1, 1))
    found = interpolate(values, path)
    np.testing.assert_allclose(found[3:13], np.arange(10))
    assert np.isnan(found[:3]).all()
    assert np.isnan(found[13])
    assert np.isnan(found[-3:]).all()
    assert np.isfinite(found[14:-3]).all()


def test_each_position_is_named_once():
    path = Path.through([[2, 2], [2.4, 3.6]], (1, 1))
    np.testing.assert_array_equal(path.positions, [[2, 2], [2, 3]])
    twice = Path.through([[2, 2], [2, 2], [2, 6]], (1, 1))
    np.testing.assert_array_equal(twice.positions, [[2, i] for i in range(2, 7)])


@pytest.mark.parametrize("vertices", [[], [[3, 4]], [[3, 4], [3, 4]]])
def test_a_path_without_length_is_refused(vertices):
    with pytest.raises(ValueError, match="two points that lie apart"):
        Path.through(vertices, (1, 1))


def test_lines_across_walls_are_laid_over_each_other():
    # Walls along columns 10 and 30, of depth 1 and 3; the lines cross them in their middles.
    values = np.exp(-(((col - 10) / 2) ** 2)) + 3 * np.exp(-(((col - 30) / 2) ** 2))
    step = (1, 0.5)
    lines = [
        Path.through([[5, 2], [5, 18]], step),
        Path.through([[9, 38], [9, 22]], step),
        Path.through([[12, 6], [12, 14]], step),
    ]
    found = profile(values, lines)
    np.testing.assert_allclose(found.distances, np.arange(-8, 9) / 2)
    expected = np.exp(-(found.distances**2))  # with a column every half µm
    outer = np.abs(found.distances) > 2
    np.testing.assert_allclose(found.values, np.where(outer, 2, 5 / 3) * expected, atol=1e-6)
    assert found.count.tolist() == [2] * 4 + [3] * 9 + [2] * 4
    assert found.deviation[8] == pytest.approx(np.std([1, 3, 1]))
    assert profile(values, lines[:1]).distances[0] == 0
    with pytest.raises(ValueError, match="no path"):
        profile(values, [])


def test_lines_of_odd_length_meet_in_their_middles():
    values = np.exp(-((col - 20.25) ** 2))
    lines = [
        Path.through([[5, 16.0], [5, 24.5]], (1, 1)),
        Path.through([[9, 17], [9, 23.5]], (1, 1)),
    ]
    found = profile(values, lines)
    assert found.distances[np.nanargmax(found.values)] == 0


def test_where_no_line_has_a_value_there_is_no_mean():
    values = np.zeros((ROWS, COLS))
    values[:, 7] = np.nan
    lines = [Path.through([[r, 5], [r, 9]], (1, 1)) for r in (3, 4)]
    found = profile(values, lines)
    assert found.count.tolist() == [2, 2, 0, 2, 2]
    assert np.isnan(found.values[2])
    assert np.isnan(found.deviation[2])


def test_features_that_change_along_the_line_are_told_from_noise():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4, ROWS, COLS))
    values[2] += 4 * np.exp(-(((col - 20) / 3) ** 2))
    values[3] = 7
    values[0, 3, 4] = np.nan
    stack = MapStack(values, [Channel(str(i)) for i in range(4)])
    path = Path.through([[8, 5], [8, 35]], (1, 1))
    found = finish(feature_profiles(stack, [path]))
    expected = (values[1, 8, 5:36] - values[1].mean()) / values[1].std()
    np.testing.assert_allclose(found[1], expected)
    assert (found[3] == 0).all()
    assert np.argmax(shared_by_neighbours(found)) == 2
    assert shared_by_neighbours(np.full((1, 5), np.nan)).tolist() == [0]


def test_a_map_whose_columns_repeat_themselves_is_seen_whole():
    # Every tenth column is 1: ten times as many values as are looked at, all others are 0.
    values = np.zeros((1, 1000, 1000), np.float32)
    values[:, :, ::10] = 1
    found = finish(
        feature_profiles(MapStack(values, [Channel("a")]), [Path.through([[5, 0], [5, 9]], (1, 1))])
    )
    assert found[0, :2] == pytest.approx([(1 - 0.1) / 0.3, -0.1 / 0.3], rel=0.02)
