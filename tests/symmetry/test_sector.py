"""The triangle against orix's cubic symmetry and against counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from orix.quaternion.symmetry import Oh

from napari_kikuchi.symmetry.sector import (
    SIDE,
    fold,
    sector_directions,
    sector_rows,
    sector_weights,
    standardised,
)


def random_directions(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_nodes_are_where_their_coordinates_say():
    rows, columns = sector_rows()
    coordinates = np.stack([rows, columns], axis=1) / (SIDE - 1)
    np.testing.assert_allclose(fold(sector_directions()), coordinates, atol=1e-12)
    corners = sector_directions()[[0, -SIDE, -1]]
    expected = np.array([(1, 0, 0), (1, 1, 0), (1, 1, 1)]) / np.sqrt([[1], [2], [3]])
    np.testing.assert_allclose(corners, expected, atol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_directions_that_symmetry_makes_equal_have_one_place(seed):
    direction = random_directions(1, seed)[0]
    places = fold(Oh.to_matrix() @ direction)
    assert len(places) == 48
    np.testing.assert_allclose(places, places[:1].repeat(48, axis=0), atol=1e-9)
    assert 0 <= places[0, 1] <= places[0, 0] <= 1


def test_no_two_directions_of_the_triangle_are_equal():
    found = fold(sector_directions(21))
    assert len(np.unique(found.round(9), axis=0)) == len(found)


@pytest.mark.parametrize("side", [11, SIDE])
def test_weights_are_shares_of_the_sphere(side):
    count = 400_000
    places = np.rint(fold(random_directions(count)) * (side - 1)).astype(int)
    seen = np.zeros((side, side))
    np.add.at(seen, tuple(places.T), 1)
    expected = sector_weights(side) * count
    found = seen[sector_rows(side)]
    # As far from each other as counts are by chance; the cells at the edges are not all straight.
    assert np.mean((found - expected) ** 2 / expected) < (1.3 if side == SIDE else 12)
    assert expected.sum() == pytest.approx(count)


def test_standardised_over_the_sphere():
    values = np.random.default_rng(0).gamma(2, size=(3, 861)) * 7 + 5
    found = standardised(values)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found @ sector_weights(), 0, atol=1e-6)
    np.testing.assert_allclose(found**2 @ sector_weights(), 1, rtol=1e-5)
    assert (standardised(np.full((1, 861), 3.0)) == 0).all()
