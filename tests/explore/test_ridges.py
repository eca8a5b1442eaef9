"""Ridge lines and distances to them, on maps with one straight wall whose place is known."""

import numpy as np
import pytest

from napari_kikuchi.explore.ridges import distances, find_ridges
from napari_kikuchi.jobs import finish

SHAPE = (40, 50)


def line(angle, step, width=0.8):
    """A wall through the middle of a map, and the signed distance of each position to it."""
    down, right = np.indices(SHAPE) * np.reshape(step, (2, 1, 1))
    middle = [20.3 * step[0], 25.4 * step[1]]
    normal = np.array([np.cos(angle), np.sin(angle)])
    away = (down - middle[0]) * normal[0] + (right - middle[1]) * normal[1]
    return np.exp(-4 * np.log(2) * (away / width) ** 2), away, normal, middle


@pytest.mark.parametrize("step", [(0.5, 0.5), (0.5, 0.35), (0.25, 0.5)])
@pytest.mark.parametrize("angle", np.deg2rad([0, 20, 45, 75, 90, 160]))
def test_a_wall_is_placed_within_a_fraction_of_a_position(angle, step):
    values, away, normal, middle = line(angle, step)
    ridges = finish(find_ridges(values, step, max(step)))
    # The smoothing bends walls that meet the border of the map.
    edge = np.minimum(ridges.points, (np.array(SHAPE) - 1) * step - ridges.points) / step
    ridges = ridges[(ridges.heights > 0.3) & (edge > 4).all(axis=1)]
    off = (ridges.points - middle) @ normal
    assert np.abs(off).max() < 0.05 * min(step)
    np.testing.assert_allclose(np.abs(ridges.normals @ normal), 1, atol=0.02)
    found = finish(distances(ridges, SHAPE, step, 1.0))
    inside = np.zeros(SHAPE, bool)
    inside[8:-8, 8:-8] = True
    near = (np.abs(away) < 0.9) & inside
    np.testing.assert_allclose(found[near], np.abs(away)[near], atol=0.05 * min(step))


def test_what_is_out_of_reach_is_infinitely_far_and_rows_are_told():
    values, away, _, _ = line(0.0, (0.5, 0.5))
    ridges = finish(find_ridges(values, (0.5, 0.5), 0.5))
    updates = []
    found = finish(distances(ridges[ridges.heights > 0.3], SHAPE, (0.5, 0.5), 2.0), updates.append)
    assert np.isinf(found[np.abs(away) > 2.1]).all()
    assert [(update.done, update.total) for update in updates] == [(32, 40), (40, 40)]


def test_a_flat_map_has_no_ridges():
    assert len(finish(find_ridges(np.zeros(SHAPE), (0.5, 0.5), 0.5))) == 0


def test_rows_at_a_time_find_the_ridges_of_the_whole_map(monkeypatch):
    values = np.random.default_rng(0).normal(size=(90, 40)) ** 2
    parts = finish(find_ridges(values, (0.3, 0.5), 0.7))
    monkeypatch.setattr("napari_kikuchi.explore.ridges._ROWS", 1000)
    whole = finish(find_ridges(values, (0.3, 0.5), 0.7))
    for name in ("points", "normals", "heights"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
