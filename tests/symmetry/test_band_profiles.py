"""Profiles of a sphere with one family of bands."""

import numpy as np
import pytest
from orix.quaternion.symmetry import Oh

from napari_kikuchi.symmetry.bands import FAMILIES, STEPS, band_angles, band_profiles
from napari_kikuchi.symmetry.sector import sector_directions


def with_bands(family, half_width):
    """How many bands of a family lie on each node."""
    normals = np.unique((Oh.to_matrix() @ family).round(6), axis=0)
    normals = normals / np.linalg.norm(family)
    off = np.abs(sector_directions() @ normals.T)
    return (off < np.sin(half_width)).sum(axis=1) / 2


def test_weights_are_those_of_a_mean():
    weights = band_profiles()
    assert weights.shape == (len(FAMILIES) * STEPS, 861)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    assert weights.min() >= 0


@pytest.mark.parametrize("family", [(1, 0, 0), (1, 1, 1), (2, 1, 1)])
def test_the_profile_of_a_band_ends_at_its_edge(family):
    half_width = np.deg2rad(5.0)
    values = band_profiles() @ with_bands(family, half_width)
    profile = values.reshape(len(FAMILIES), STEPS)[FAMILIES.index(family)]
    inside = band_angles() < half_width * 0.85
    outside = (band_angles() > half_width * 1.15) & (band_angles() < 3 * half_width)
    # Beside the band itself others of the family are crossed.
    assert profile[inside].min() > profile[outside].max() + 0.6


def test_a_longer_cell_moves_all_profiles_alike():
    """Angles that are three steps smaller."""
    factor = band_angles()[3] / band_angles()[0]
    narrow, wide = (
        with_bands((1, 1, 1), width) + with_bands((1, 0, 0), 1.1547 * width)
        for width in np.deg2rad((4.0, 4.0 * factor))
    )
    for family in ((1, 1, 1), (1, 0, 0)):
        of_narrow, of_wide = (
            (band_profiles() @ values).reshape(-1, STEPS)[FAMILIES.index(family)]
            for values in (narrow, wide)
        )
        edges = [np.argmin(np.diff(one)) for one in (of_narrow, of_wide)]
        assert abs(edges[1] - edges[0] - 3) <= 1
