"""Positions whose latent vectors are nearest to that of one."""

import numpy as np
import pytest
from latent_stacks import COLS, ROWS, encoded, grains, grainy

from napari_kikuchi.explore.nearest import nearest_positions
from napari_kikuchi.jobs import finish


def test_distances_are_those_of_numpy_and_only_features_count():
    values = grainy()
    values[:, 3, 3] = values[1, 9, 9] = np.nan
    more = np.concatenate([values, 1e3 * values[:1]])
    updates = []
    found = finish(nearest_positions(encoded(more, latent=len(values)), (4, 5)), updates.append)
    expected = np.linalg.norm(values - values[:, 4, 5][:, None, None], axis=0)
    np.testing.assert_allclose(found.distances, expected, rtol=1e-4, atol=1e-5)
    assert len(updates) == len(values)


def test_the_nearest_are_of_the_same_grain_in_order_and_apart():
    found = finish(nearest_positions(encoded(grainy()), (4, 5), count=6, apart=4))
    positions = found.positions
    assert positions.shape == (6, 2)
    assert (grains()[tuple(positions.T)] == grains()[4, 5]).all()
    assert (np.diff(found.distances[tuple(positions.T)]) >= 0).all()
    every = np.concatenate([[[4, 5]], positions])
    steps = np.abs(every[:, None] - every[None]).max(axis=2)
    assert (steps[~np.eye(7, dtype=bool)] >= 4).all()


def test_neighbours_are_the_nearest_if_they_may_be():
    rows, cols = np.indices((ROWS, COLS))
    found = finish(nearest_positions(encoded([rows, cols]), (10, 10), count=4, apart=1))
    assert {tuple(p) for p in found.positions} == {(9, 10), (11, 10), (10, 9), (10, 11)}


def test_there_may_be_fewer():
    values = np.full((1, 4, 4), np.nan)
    values[0, 0, 0], values[0, 3, 3] = 0, 1
    found = finish(nearest_positions(encoded(values), (0, 0), apart=2))
    assert found.positions.tolist() == [[3, 3]]


@pytest.mark.parametrize(
    ("position", "told"), [((0, COLS), "30 x 40"), ((-1, 0), "outside"), ((3, 3), "feature 1")]
)
def test_positions_without_a_vector_are_refused(position, told):
    values = grainy()
    values[:, 3, 3] = np.nan
    with pytest.raises(ValueError, match=told):
        finish(nearest_positions(encoded(values), position))
