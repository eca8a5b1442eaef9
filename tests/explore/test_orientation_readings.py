"""What maps tell of one position, against orientations whose angles and axes are known."""

import math

import numpy as np
import pytest
from orix.quaternion import Orientation

from napari_kikuchi.explore.orientation_readings import OrientationReadings, nearest_axis
from napari_kikuchi.io.indexed import NoOrientationsError
from napari_kikuchi.maps import Channel, MapStack

COPPER = {"name": "Cu", "space_group": 225, "lattice": [3.615, 3.615, 3.615, 90, 90, 90]}
TITANIUM = {"name": "Ti", "space_group": 194, "lattice": [2.951, 2.951, 4.684, 90, 90, 120]}
# Of each position: the phase, Bunge's angles, the zone axis at which a textbook arrives, and how
# far it is from the beam.
KNOWN = [
    (1, (0, 0, 0), (0, 0, 1), 0),
    (1, (30, 2, 0), (0, 0, 1), 2),
    (1, (10, math.degrees(math.acos(1 / math.sqrt(3))), 45), (1, 1, 1), 0),
    (1, (200, 45, 0), (0, 1, 1), 0),
    (2, (0, 90, 0), (1, 2, 0), 0),
    (2, (0, 90, 30), (1, 1, 0), 0),
]


def stack_of(phases, eulers, **provenance):
    quaternions = Orientation.from_euler(np.array(eulers, float), degrees=True).data
    quaternions[np.array(phases) == 0] = np.nan
    rows = np.concatenate([[phases], quaternions.T, [np.linspace(0, 1, len(phases))]])
    names = ["phase", *(f"quaternion {part}" for part in "abcd"), "confidence"]
    told = {"indexing": {"phases": [COPPER, TITANIUM]}, **provenance}
    return MapStack(rows[:, None], [Channel(name) for name in names], provenance=told)


def test_angles_axes_and_confidence_are_those_of_the_position():
    phases, eulers, *_ = zip(*KNOWN, strict=True)
    readings = OrientationReadings.of(stack_of(phases, eulers))
    for col, (number, euler, axis, away) in enumerate(KNOWN):
        found = readings.at(0, col)
        assert found.phase == ("Cu", "Ti")[number - 1]
        again = Orientation.from_euler(found.euler, degrees=True)
        same = Orientation.from_euler(euler, degrees=True)
        assert np.degrees(again.angle_with(same)) == pytest.approx(0, abs=1e-4)
        assert found.zone_axis == axis
        assert found.away == pytest.approx(away, abs=1e-4)
        assert found.confidence == pytest.approx(col / (len(KNOWN) - 1))


def test_where_nothing_was_indexed_there_is_nothing_to_tell():
    readings = OrientationReadings.of(stack_of([0, 1], [(0, 0, 0), (0, 0, 0)]))
    assert readings.at(0, 0) is None
    assert readings.at(0, 1) is not None
    with pytest.raises(NoOrientationsError):
        OrientationReadings.of(MapStack(np.zeros((1, 2, 2)), [Channel("a")]))


def test_axes_of_low_indices_are_told_as_they_are():
    base = np.diag([2.0, 3.0, 4.0])
    assert nearest_axis(np.array([2.0, -3, 0]), base) == ((1, -1, 0), pytest.approx(0, abs=1e-5))
    axis, away = nearest_axis(np.array([0, 0.1, 4.0]), base)
    assert axis == (0, 0, 1)
    assert away == pytest.approx(math.degrees(math.atan(0.1 / 4)))
