"""The square against orix's cubic symmetries and against counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from orix.quaternion.symmetry import Oh, Th

from napari_kikuchi.symmetry.sector import (
    NODES,
    SIDE,
    as_square,
    at_nodes,
    fold,
    from_triangle,
    mirrored,
    sector_directions,
    sector_weights,
    standardised,
    triangle,
)


def random_directions(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_nodes_are_where_their_coordinates_say():
    coordinates = np.stack(np.divmod(np.arange(NODES), SIDE), axis=1) / (SIDE - 1)
    # Those of two edges are a little within: on them two places are one direction.
    directions = sector_directions() + np.array([1e-9, 0, 0])
    np.testing.assert_allclose(fold(directions), coordinates, atol=1e-8)
    corners = sector_directions()[[0, SIDE - 1, -SIDE, -1]]
    expected = np.array([(1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)])
    expected = expected / np.sqrt(expected.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(corners, expected, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(sector_directions(), axis=1), 1)


@given(st.integers(0, 2**32 - 1))
def test_directions_that_symmetry_makes_equal_have_one_place(seed):
    direction = random_directions(1, seed)[0]
    places = fold(Th.to_matrix() @ direction)
    assert len(places) == 24
    np.testing.assert_allclose(places, places[:1].repeat(24, axis=0), atol=1e-9)
    assert ((places >= 0) & (places <= 1)).all()
    # Half of what m-3m has besides lies across the diagonal.
    of_all = fold(Oh.to_matrix() @ direction)
    across = np.abs(of_all - places[0]).max(axis=1) > 1e-9
    assert across.sum() == 24
    np.testing.assert_allclose(of_all[across], places[:1, ::-1].repeat(24, axis=0), atol=1e-9)


def test_the_other_setting_is_across_the_diagonal():
    values = np.random.default_rng(0).normal(size=(2, NODES))
    squares = as_square(values)
    np.testing.assert_array_equal(as_square(mirrored(values)), squares.swapaxes(1, 2))
    np.testing.assert_array_equal(at_nodes(squares), values.astype(np.float32))
    whole = from_triangle(values[:, triangle()])
    np.testing.assert_array_equal(whole, mirrored(whole))
    np.testing.assert_array_equal(whole[:, triangle()], values[:, triangle()])


@pytest.mark.parametrize("side", [11, SIDE])
def test_weights_are_shares_of_the_sphere(side):
    count = 400_000
    places = np.rint(fold(random_directions(count)) * (side - 1)).astype(int)
    seen = np.zeros((side, side))
    np.add.at(seen, tuple(places.T), 1)
    expected = sector_weights(side) * count
    # Where two edges are one direction the first was counted for both.
    of_both = seen[-1] + seen[:, -1]
    seen[-1], seen[:, -1] = of_both / 2, of_both / 2
    seen[-1, -1] = of_both[-1] / 2
    found = seen.ravel()
    # As far from each other as counts are by chance; the cells at the edges are not all straight.
    assert np.mean((found - expected) ** 2 / expected) < (1.3 if side == SIDE else 12)
    assert expected.sum() == pytest.approx(count)


def test_standardised_over_the_sphere():
    values = np.random.default_rng(0).gamma(2, size=(3, NODES)) * 7 + 5
    found = standardised(values)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found @ sector_weights(), 0, atol=1e-6)
    np.testing.assert_allclose(found**2 @ sector_weights(), 1, rtol=1e-5)
    assert (standardised(np.full((1, NODES), 3.0)) == 0).all()
