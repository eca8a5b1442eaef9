import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.measure import label
from skimage.metrics import adapted_rand_error

from napari_kikuchi.microstructure.pictures import pictures
from napari_kikuchi.microstructure.polycrystal import PolycrystalSettings, Volume
from napari_kikuchi.microstructure.regions import even_regions


@pytest.fixture(scope="module")
def picture():
    settings = PolycrystalSettings(diameter=10, spread=0.2)
    (found,) = pictures([Volume(settings, 64, 2).slice(2, 0.5)])
    return found / 255


def truth(picture):
    codes = np.tensordot([1, 256, 256**2, 256**3], np.rint(255 * picture).astype(np.int64), 1)
    return label(np.unique(codes, return_inverse=True)[1].reshape(codes.shape) + 1, connectivity=1)


def test_sharp_grains_are_found(picture):
    error, _, _ = adapted_rand_error(truth(picture), even_regions(picture))
    assert error < 0.05


@pytest.mark.parametrize(("blur", "noise", "most"), [(0.5, 0.02, 0.1), (0.7, 0.03, 0.1)])
def test_grains_with_soft_borders_and_noise_are_found(picture, blur, noise, most):
    rng = np.random.default_rng(0)
    soft = np.stack([gaussian_filter(one, blur) for one in picture])
    found = even_regions(soft + noise * rng.normal(size=soft.shape))
    error, _, _ = adapted_rand_error(truth(picture), found)
    assert error < most


def test_phases_are_regions_of_their_own():
    picture = np.full((4, 8, 12), 0.3)
    picture[3, :, 5:] = 1
    found = even_regions(picture)
    assert len(np.unique(found)) == 2
    assert (np.diff(found, axis=1) != 0)[:, 4].all()


def test_lone_pixels_belong_to_their_surroundings():
    picture = np.full((4, 9, 9), 0.5)
    picture[:3, 4, 4] = picture[:3, 0, 0] = 1
    assert even_regions(picture).max() == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_any_picture_is_divided_without_gaps(rows, cols, seed):
    picture = np.random.default_rng(seed).random((4, rows, cols)).round(1)
    found = even_regions(picture)
    assert found.shape == (rows, cols)
    assert {*np.unique(found)} == {*range(found.max() + 1)}
    areas = np.bincount(found.ravel())
    assert len(areas) == 1 or areas.min() >= 3


def test_regions_of_a_tile_go_on_at_the_opposite_edge():
    picture = np.full((4, 12, 12), 0.2)
    # One square across all four corners of the tile, and one within.
    picture[0] = 0.8
    picture[0, 3:9] = picture[0, :, 3:9] = 0.2
    picture[1, 5:8, 5:8] = 0.9
    assert even_regions(picture).max() + 1 == 6
    tiled = even_regions(picture, tiled=True)
    assert tiled.max() + 1 == 3
    assert len({tiled[0, 0], tiled[0, -1], tiled[-1, 0], tiled[-1, -1]}) == 1
