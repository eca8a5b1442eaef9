import numpy as np
import pytest
from orix.plot import IPFColorKeyTSL
from orix.quaternion import Orientation
from orix.quaternion.symmetry import Oh
from orix.vector import Vector3d

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.descriptors import grain_diameters
from napari_kikuchi.microstructure.pictures import pictures, random_pictures
from napari_kikuchi.microstructure.polycrystal import Polycrystal, PolycrystalSettings, Volume


def test_pictures_show_colours_of_orix_and_the_phase():
    planes = [Volume(PolycrystalSettings(diameter=9), 32, 0).slice(axis, 0.5) for axis in (0, 1)]
    for plane, found in zip(planes, pictures(planes, "x"), strict=True):
        key = IPFColorKeyTSL(Oh, Vector3d.xvector())
        orientations = Orientation(plane.quaternions[plane.grains].reshape(-1, 4), symmetry=Oh)
        expected = key.orientation2color(orientations).T.reshape(3, 32, 32)
        np.testing.assert_allclose(found[:3] / 255, expected, atol=0.5 / 255 + 1e-9)
        np.testing.assert_array_equal(found[3] == 255, (plane.phases == 2)[plane.grains])


def test_a_grain_along_the_cube_axis_is_red():
    grain = Polycrystal(np.zeros((2, 3), np.int32), np.array([1]), np.array([[1.0, 0, 0, 0]]))
    (found,) = pictures([grain])
    np.testing.assert_array_equal(found[:, 1, 2], [255, 0, 0, 0])


def test_random_pictures_go_on_with_the_same_volumes():
    few, more = (finish(random_pictures(count, 3, 32, seed=7)) for count in (2, 4))
    np.testing.assert_array_equal(few.values, more.values[:6])
    assert few.values.dtype == np.uint8
    assert few.values.shape == (6, 4, 32, 32)
    np.testing.assert_array_equal(more.volumes, np.repeat(np.arange(4), 3))
    other = finish(random_pictures(2, 3, 32, seed=8))
    assert not np.array_equal(other.values, few.values)


@pytest.mark.parametrize("size", [32, 64])
def test_grains_of_random_pictures_grow_with_them(size):
    made = finish(random_pictures(16, 3, size, seed=1)).values.astype(int)
    borders = np.abs(np.diff(made, axis=-1)).max(axis=1) > 0
    # Grains that a line crosses from side to side.
    assert 7 < borders.sum(axis=-1).mean() < 15


def test_diameters_are_those_of_the_grains():
    made = finish(random_pictures(6, 3, 64, seed=2))
    # Whoever has colour and phase of a neighbour is not told apart from it here.
    seen = [
        grain_diameters(np.unique(one.reshape(4, -1), axis=1, return_inverse=True)[1]).mean()
        for one in made.values
    ]
    differences = np.abs(made.diameters / seen - 1)
    assert np.median(differences) < 1e-6
    assert differences.max() < 0.1
