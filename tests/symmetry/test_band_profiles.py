"""Profiles of a sphere with one family of bands."""

import numpy as np
import pytest
from orix.quaternion.symmetry import Oh, Th

from napari_kikuchi.symmetry.bands import (
    FAMILIES,
    STEPS,
    TWINS,
    band_angles,
    band_profiles,
    twin_profiles,
)
from napari_kikuchi.symmetry.sector import NODES, mirrored, sector_directions


def with_bands(family, half_width, symmetry=Oh):
    """How many bands of a family lie on each node."""
    normals = np.unique((symmetry.to_matrix() @ family).round(6), axis=0)
    normals = normals / np.linalg.norm(family)
    off = np.abs(sector_directions() @ normals.T)
    return (off < np.sin(half_width)).sum(axis=1) / 2


def test_weights_are_those_of_a_mean():
    for weights, families in ((band_profiles(), FAMILIES), (twin_profiles(), TWINS)):
        assert weights.shape == (len(families) * STEPS, NODES)
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
        assert weights.min() >= 0


def test_bands_of_m3_are_in_one_setting_or_the_other():
    half_width = np.deg2rad(4.0)
    values = with_bands((2, 1, 0), half_width, Th)
    assert not np.array_equal(values, mirrored(values))
    inside = band_angles() < half_width * 0.8
    outside = (band_angles() > half_width * 1.2) & (band_angles() < 2.5 * half_width)
    rises = []
    for square in (values, mirrored(values)):
        profile = (twin_profiles() @ square).reshape(-1, STEPS)[TWINS.index((2, 1, 0))]
        rises.append(profile[inside].mean() - profile[outside].mean())
    assert rises[0] > 0.8
    assert abs(rises[1]) < 0.2


def test_twins_are_the_families_of_which_m3_has_two():
    for family in FAMILIES:
        of_m3, of_m3m = (
            {tuple(np.rint(sign * one)) for one in group.to_matrix() @ family for sign in (1, -1)}
            for group in (Th, Oh)
        )
        assert (family in TWINS) == (of_m3 != of_m3m)


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
