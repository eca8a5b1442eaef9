import numpy as np
import pytest
from orix.quaternion.symmetry import Oh
from scipy.spatial.transform import Rotation

from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.microstructure.counting import count_filled, count_grains
from napari_kikuchi.microstructure.maps import cubic_phases, grain_maps


@pytest.fixture
def stack():
    """Four grains of 4 x 6 points each; the last, and a corner of the first, were filled in."""
    turns = Rotation.from_euler("ZXZ", [[0, 0, 0], [20, 30, 0], [0, 15, 40], [30, 0, 10]], True)
    rows, cols = np.indices((8, 12))
    grains = 2 * (rows >= 4) + (cols >= 6)
    orientations = OrientationMap(
        turns.as_quat(scalar_first=True)[grains], [Oh, Oh], 1 + (grains == 1)
    )
    filled = grains == 3
    filled[:2, :2] = True
    return grain_maps(orientations, cubic_phases(), {}, step=(0.5, 0.2), filled_in=filled)


def test_grains_and_phases_are_counted(stack):
    grains, diameter, second = count_grains(stack)
    assert grains == 4
    assert diameter == pytest.approx(np.sqrt(4 / np.pi * 24 * 0.5 * 0.2))
    assert second == 0.25


def test_what_was_filled_in_belongs_to_known_grains_and_new_ones(stack):
    assert count_filled(stack) == (28, 96, 2, 1)
