"""The key of inverse pole figures, against the colours of the maps themselves."""

import numpy as np
import pytest
from orix.quaternion import Orientation

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.explore.colour_keys import colour_key
from napari_kikuchi.explore.inverse_pole_figures import ipf_colours
from napari_kikuchi.explore.orientations import OrientationMap

CORNERS = {
    "cu": {(0, 0, 1), (1, 0, 1), (1, 1, 1)},
    "ti": {(0, 0, 1), (1, 0, 0), (2, 1, 0)},
}


@pytest.mark.parametrize("name", ["cu", "ti"])
def test_a_direction_has_the_colour_that_it_has_in_maps(name):
    crystal = Crystal.built_in(name)
    symmetry = crystal.laue_group
    key = colour_key(symmetry, crystal.phase)
    inside = key.colours[..., 3] == 1
    assert 0.3 < inside.mean() < 0.9
    rows, cols = np.argwhere(inside)[:: inside.sum() // 50].T
    left, right, bottom, top = key.extent
    height, width = inside.shape
    x = left + cols * (right - left) / (width - 1)
    y = bottom + rows * (top - bottom) / (height - 1)
    squared = x**2 + y**2
    directions = np.stack([2 * x, 2 * y, 1 - squared]) / (1 + squared)
    # Orientations that turn z of the sample into these directions of the crystal.
    azimuth, polar = np.arctan2(directions[0], directions[1]), np.arccos(directions[2])
    angles = np.stack([np.linspace(0, 3, len(x)), polar, azimuth], axis=1)
    quaternions = Orientation.from_euler(angles).data[None]
    expected = ipf_colours(OrientationMap(quaternions, [symmetry]))[:, 0].T
    np.testing.assert_allclose(key.colours[rows, cols, :3], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["cu", "ti"])
def test_its_corners_are_named_and_lie_at_its_edge(name):
    crystal = Crystal.built_in(name)
    key = colour_key(crystal.laue_group, crystal.phase)
    assert {axis for _, axis in key.corners} == CORNERS[name]
    left, right, bottom, top = key.extent
    places = np.array([place for place, _ in key.corners])
    np.testing.assert_allclose(places.min(axis=0), (left, bottom), atol=0.01)
    assert (places.max(axis=0) <= (right + 0.01, top + 0.01)).all()
    # Its outline goes once around all of it, without a leap, and through the corners.
    around = key.outline
    steps = np.linalg.norm(np.diff(around, axis=0, append=around[:1]), axis=1)
    assert steps.max() < 0.02
    for place in places:
        assert np.linalg.norm(around - place, axis=1).min() < 0.01
    x, y = around.T
    area = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    pixel = (right - left) * (top - bottom) / key.colours[..., 3].size
    assert area == pytest.approx((key.colours[..., 3] > 0).sum() * pixel, rel=0.03)
