"""Which maps are latent features, and the vectors that they make up."""

import numpy as np
import pytest
from latent_stacks import encoded

from napari_kikuchi.explore import features
from napari_kikuchi.explore.features import feature_number, latent_channels, latent_vectors
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack

SHAPE = (7, 9)


def values(channels=40, seed=0):
    return np.random.default_rng(seed).normal(size=(channels, *SHAPE)).astype(np.float32)


def test_what_is_measured_behind_the_features_is_none():
    assert latent_channels(encoded(values(5), latent=3)) == [0, 1, 2]


def test_without_a_model_every_map_counts():
    maps = MapStack(values(3), [Channel(name) for name in ("contrast", "sharpness", "fit")])
    assert latent_channels(maps) == [0, 1, 2]


def test_of_some_features_that_were_saved_with_other_maps_the_features_count():
    names = ("feature 1, contrast", "feature 7", "pattern contrast")
    maps = MapStack(values(3), [Channel(name) for name in names], (1, 1), {"model": {"latent": 32}})
    assert latent_channels(maps) == [0, 1]


def test_features_are_known_by_their_names():
    names = ("feature 1, contrast", "feature 12", "feature", "pattern contrast", "a feature 3")
    assert [feature_number(name) for name in names] == [1, 12, None, None, None]


def test_vectors_are_those_of_the_positions_that_have_every_feature(monkeypatch):
    monkeypatch.setattr(features, "_BLOCK", 4)  # vectors moved at once
    maps = values()
    maps[:, 2, 3] = np.nan
    maps[0, 0, 0] = np.inf
    maps[20, 5, 1:8] = np.nan
    known = np.isfinite(maps).all(axis=0)
    updates = []
    found = finish(latent_vectors(encoded(maps, latent=38)), updates.append)
    known[5, 1:8] = False
    np.testing.assert_array_equal(found.positions, np.argwhere(known))
    np.testing.assert_array_equal(found.values, maps[:38, known].T)
    told = dict.fromkeys((update.done, update.total) for update in updates)
    assert list(told) == [(i, 38) for i in range(1, 39)]


def test_figures_of_vectors_lie_where_their_positions_are():
    maps = values(4)
    maps[1, 3] = np.nan
    found = finish(latent_vectors(encoded(maps)))
    laid = found.on_map(found.values[:, 2])
    np.testing.assert_array_equal(np.isnan(laid), np.isnan(maps[1]))
    np.testing.assert_array_equal(laid[:3], maps[2, :3])
    numbers = found.on_map(np.ones(len(found), np.int32))
    assert numbers.dtype == np.int32
    np.testing.assert_array_equal(numbers, np.isfinite(maps[1]))


def test_a_sample_is_part_of_the_vectors_and_always_the_same():
    found = finish(latent_vectors(encoded(values(2))))
    drawn = found.sample(20, seed=3)
    assert len(set(drawn)) == 20
    assert (np.diff(drawn) > 0).all()
    assert drawn.max() < len(found)
    np.testing.assert_array_equal(drawn, found.sample(20, seed=3))
    np.testing.assert_array_equal(found.sample(1000), np.arange(len(found)))


def test_maps_without_a_whole_vector_are_refused():
    maps = np.full((2, *SHAPE), np.nan)
    maps[0, :3] = maps[1, 3:] = 1
    with pytest.raises(ValueError, match="no position has a value in all"):
        finish(latent_vectors(encoded(maps)))
