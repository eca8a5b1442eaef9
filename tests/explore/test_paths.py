"""Profiles along paths, against formulas and a direct computation on the arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.explore.paths import Path, mean_profile, profile

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
    np.testing.assert_allclose(profile(plane, path), expected, atol=1e-4)


def test_a_line_along_a_row_is_that_row():
    values = np.random.default_rng(0).normal(size=(ROWS, COLS))
    path = Path.through([[7, 0], [7, COLS - 1]], (0.5, 0.2))
    np.testing.assert_allclose(profile(values, path), values[7])
    np.testing.assert_allclose(path.distances, 0.2 * np.arange(COLS))
    np.testing.assert_array_equal(path.positions, [[7, i] for i in range(COLS)])
    back = Path.through([[7, COLS - 1], [7, 0]], (0.5, 0.2))
    np.testing.assert_allclose(profile(values, back), values[7, ::-1])


def test_what_is_not_there_is_not_made_up():
    values = row.copy()
    values[10, 5] = np.nan
    path = Path.through([[-3, 5], [ROWS + 2, 5]], (1, 1))
    found = profile(values, path)
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
    def wall(at, length, height):
        distances = np.arange(0, length + 1e-9, 0.5)
        return distances, height * np.exp(-((distances - at) ** 2))

    lines = [wall(4, 8, 1.0), wall(4, 8, 3.0), wall(2, 4, 2.0)]
    found = mean_profile(lines)
    np.testing.assert_allclose(found.distances, np.arange(-8, 9) / 2)
    np.testing.assert_allclose(found.mean, 2 * np.exp(-(found.distances**2)))
    assert found.count.tolist() == [2] * 4 + [3] * 9 + [2] * 4
    middle = len(found.mean) // 2
    assert found.deviation[middle] == pytest.approx(np.std([1, 3, 2]))
    assert found.deviation[0] == pytest.approx(np.exp(-16))
    with pytest.raises(ValueError, match="no profile"):
        mean_profile([])


def test_where_no_line_has_a_value_there_is_no_mean():
    distances = np.arange(5.0)
    values = np.array([1, 2, np.nan, 2, 1.0])
    found = mean_profile([(distances, values), (distances, values)])
    assert found.count.tolist() == [2, 2, 0, 2, 2]
    assert np.isnan(found.mean[2])
    assert np.isnan(found.deviation[2])
