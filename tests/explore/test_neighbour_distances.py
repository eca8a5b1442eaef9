"""Distances and angles between the latent vectors of neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from latent_stacks import COLS, ROWS, encoded, grains, grainy

from napari_kikuchi.explore.neighbour_distances import (
    NeighbourDistances,
    kernel_spread,
    neighbour_distances,
    suggested_threshold,
)
from napari_kikuchi.jobs import finish


def found(values, metric="distance"):
    return finish(neighbour_distances(encoded(values), metric))


def test_distances_are_those_of_numpy():
    values = grainy()
    values[:, 4, 5] = values[2, 10, 11] = np.nan
    apart = found(values)
    np.testing.assert_allclose(
        apart.down, np.linalg.norm(np.diff(values, axis=1), axis=0), rtol=1e-4
    )
    np.testing.assert_allclose(
        apart.right, np.linalg.norm(np.diff(values, axis=2), axis=0), rtol=1e-4
    )
    assert np.isnan(apart.right[10, 10:12]).all()
    assert apart.map_shape == (ROWS, COLS)


def test_angles_are_about_the_mean_vector():
    values = grainy() + 50
    values[:, 4, 5] = np.nan
    apart = found(values, "angle")
    centred = values - np.nanmean(values, axis=(1, 2), keepdims=True)
    unit = centred / np.linalg.norm(centred, axis=0)
    for pair, expected in (
        (apart.down, (unit[:, 1:] * unit[:, :-1]).sum(axis=0)),
        (apart.right, (unit[:, :, 1:] * unit[:, :, :-1]).sum(axis=0)),
    ):
        np.testing.assert_allclose(np.cos(np.deg2rad(pair)), expected, atol=1e-4)


@given(strength=st.floats(0.01, 100))
def test_angles_forget_how_strong_features_are(strength):
    values = grainy()
    plain, scaled = found(values, "angle"), found(strength * values, "angle")
    np.testing.assert_allclose(scaled.down, plain.down, atol=0.2)


def test_what_every_map_adds_is_an_update_and_what_is_no_feature_adds_nothing():
    values = grainy()
    more = np.concatenate([values, 100 * values[:1]])
    updates = []
    stack = encoded(more, latent=len(values))
    apart = finish(neighbour_distances(stack, "distance"), updates.append)
    np.testing.assert_array_equal(apart.down, found(values).down)
    assert [update.done for update in updates] == list(range(1, len(values) + 1))


@pytest.mark.parametrize("metric", ["distance", "angle"])
@pytest.mark.parametrize("noise", [0.02, 0.2, 0.5])
def test_the_threshold_parts_grains_from_noise(metric, noise):
    apart = found(grainy(noise), metric)
    threshold = suggested_threshold(apart)
    for pair, number in ((apart.down, grains()), (apart.right.T, grains().T)):
        same = number[1:] == number[:-1]
        assert (pair[~same] > threshold).mean() > 0.97
        assert (pair[same] < threshold).mean() > 0.9


def test_noise_alone_is_not_cut_up():
    noise = np.random.default_rng(0).normal(size=(16, 90, 90))
    apart = found(noise)
    every = np.concatenate([apart.down.ravel(), apart.right.ravel()])
    assert (every < suggested_threshold(apart)).mean() > 0.95


def test_without_neighbours_there_is_no_threshold():
    values = np.full((2, 3, 3), np.nan)
    values[:, 1, 1] = 0
    with pytest.raises(ValueError, match="no two neighbours"):
        suggested_threshold(found(values))


def test_the_kernel_spread_is_the_mean_distance_to_neighbours_of_the_domain():
    # 0 1 9      to the right: 1, 8; below: nothing, 2, missing
    # . 3 .
    down = np.array([[np.nan, 2, np.nan]], np.float32)
    right = np.array([[1, 8], [np.nan, np.nan]], np.float32)
    spread = kernel_spread(NeighbourDistances(down, right, "distance"), limit=5)
    np.testing.assert_allclose(spread, [[1, 1.5, np.nan], [np.nan, 2, np.nan]])
