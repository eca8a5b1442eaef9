from dataclasses import replace

import numpy as np
import pytest
from orix.quaternion.symmetry import Oh

from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.io.indexed import NoOrientationsError
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.microstructure.maps import cubic_phases, grain_maps
from napari_kikuchi.microstructure.measured import read_measured


@pytest.fixture
def orientations():
    quaternions = np.random.default_rng(0).normal(size=(8, 9, 4))
    quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
    quaternions[2:4, 5] = np.nan
    return OrientationMap(quaternions, [Oh, Oh], 1.0 + (np.indices((8, 9))[0] > 4))


@pytest.fixture
def stack(orientations):
    return grain_maps(orientations, cubic_phases(), {})


def test_what_was_not_indexed_is_counted(stack, orientations):
    measured = read_measured(stack)
    assert measured.missing == 2
    np.testing.assert_array_equal(measured.orientations.numbers, orientations.numbers)
    assert [phase.name for phase in measured.phases] == ["generated phase 1", "generated phase 2"]


def test_maps_that_no_generator_knows_are_told(stack):
    hexagonal = replace(stack, provenance={**stack.provenance, "scan": {"grid": "hexagonal"}})
    with pytest.raises(ValueError, match="found a hexagonal one"):
        read_measured(hexagonal)
    three = replace(stack, provenance={"indexing": {"phases": cubic_phases(3)}})
    with pytest.raises(ValueError, match="one or two phases, found 3"):
        read_measured(three)
    with pytest.raises(NoOrientationsError):
        read_measured(MapStack(np.zeros((1, 4, 4)), [Channel("map")]))
