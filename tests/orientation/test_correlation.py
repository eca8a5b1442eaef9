"""The correlation of zone axes against all pairs, one by one."""

import numpy as np
import pytest
from orix.quaternion import Orientation
from orix.quaternion.symmetry import C2h, Ci, D2h, D4h, D6h, Oh
from orix.vector import Vector3d
from scipy.spatial.transform import Rotation

from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.orientation.correlation import axis_correlation, half_distance, zone_axis_of


def random_map(rows, cols, symmetries=(Oh, D6h), seed=0):
    """Small crystals of some phases, with some positions without an orientation."""
    rng = np.random.default_rng(seed)
    quaternions = Rotation.random(rows * cols, rng=rng).as_quat(scalar_first=True)
    quaternions = quaternions.reshape(rows, cols, 4)
    phases = rng.integers(0, len(symmetries) + 1, (rows, cols)).astype(float)
    phases[0, 0] = np.nan
    quaternions[rows // 2, cols // 2] = np.nan
    return OrientationMap(quaternions, symmetries, phases)


def axes_in(orientations):
    axes = np.full((*orientations.map_shape, 3), np.nan)
    for symmetry, inside in orientations.each_phase():
        axes[inside] = zone_axis_of(orientations.quaternions[inside], symmetry)
    return axes


def over_all_pairs(first, second):
    rows, cols = first.map_shape
    total = np.zeros((2 * rows - 1, 2 * cols - 1))
    pairs = np.zeros_like(total)
    one, other = axes_in(first), axes_in(second)
    for r in range(rows):
        for c in range(cols):
            for s in range(rows):
                for d in range(cols):
                    phase = first.numbers[r, c]
                    if phase and phase == second.numbers[s, d]:
                        at = s - r + rows - 1, d - c + cols - 1
                        total[at] += one[r, c] @ other[s, d]
                        pairs[at] += 1
    with np.errstate(invalid="ignore"):
        return total / pairs, pairs


@pytest.mark.parametrize("shape", [(5, 6), (4, 3), (1, 7), (6, 1)])
def test_the_correlation_is_that_of_all_pairs(shape):
    orientations = random_map(*shape)
    found = axis_correlation(orientations)
    values, pairs = over_all_pairs(orientations, orientations)
    np.testing.assert_array_equal(found.pairs, pairs)
    np.testing.assert_allclose(found.values, values, atol=1e-12)
    np.testing.assert_allclose(found.values[shape[0] - 1, shape[1] - 1], 1, atol=1e-12)
    np.testing.assert_allclose(found.values, found.values[::-1, ::-1], atol=1e-12)


def test_two_maps_are_correlated_with_each_other():
    first, second = random_map(5, 6, seed=1), random_map(5, 6, seed=2)
    found = axis_correlation(first, second)
    values, pairs = over_all_pairs(first, second)
    np.testing.assert_array_equal(found.pairs, pairs)
    np.testing.assert_allclose(found.values, values, atol=1e-12)


def test_over_distance_it_is_the_mean_of_all_pairs_as_far_apart():
    orientations, step = random_map(5, 6), (0.5, 0.2)
    table = axis_correlation(orientations).over_distance(step)
    values, pairs = over_all_pairs(orientations, orientations)
    distance = np.hypot(0.5 * (np.arange(9)[:, None] - 4), 0.2 * (np.arange(11) - 5))
    rings = np.rint(distance / 0.2)
    expected = [
        (
            np.average(distance[rings == ring], weights=pairs[rings == ring]),
            np.nansum((values * pairs)[rings == ring]) / pairs[rings == ring].sum(),
            pairs[rings == ring].sum(),
        )
        for ring in np.unique(rings)
        if pairs[rings == ring].sum()
    ]
    distances, cosines, counts = zip(*expected, strict=True)
    np.testing.assert_allclose(table["distance (µm)"], distances, atol=1e-12)
    np.testing.assert_allclose(table["mean cosine"], cosines, atol=1e-12)
    np.testing.assert_array_equal(table["pairs"], counts)
    assert (table["distance (µm)"][0], table["correlation"][0]) == pytest.approx((0, 1))


def test_grains_are_alike_within_their_size_and_unrelated_beyond():
    rng = np.random.default_rng(3)
    grain = np.kron(np.arange(64).reshape(8, 8), np.ones((6, 6), int))
    turns = Rotation.random(64, rng=rng)[grain.ravel()]
    orientations = OrientationMap(turns.as_quat(scalar_first=True).reshape(48, 48, 4), [Oh])
    table = axis_correlation(orientations).over_distance((1.0, 1.0))
    correlation = table["correlation"]
    # Of squares of 6, neighbours along an axis are in one square 5 times of 6.
    assert correlation[1] == pytest.approx(5 / 6, abs=0.08)
    assert (np.diff(correlation[:6]) < 0).all()
    assert np.abs(correlation[8:20]).max() < 0.15
    # Of two positions x apart along an axis, 1 - x / 6 are in one square.
    assert 2 < half_distance(table) < 3


def test_half_of_the_correlation_is_found_between_two_distances():
    table = {"distance (µm)": np.array([0, 1, 2.0]), "correlation": np.array([1, 0.8, 0.4])}
    assert half_distance(table) == pytest.approx(1.75)
    assert np.isnan(half_distance(table | {"correlation": np.array([1, 0.8, 0.6])}))
    assert np.isnan(half_distance(table | {"correlation": np.full(3, np.nan)}))


def test_one_crystal_is_alike_at_every_distance():
    orientations = OrientationMap(np.tile([0.5, 0.5, -0.5, 0.5], (3, 4, 1)), [Oh])
    found = axis_correlation(orientations)
    np.testing.assert_allclose(found.values, 1)
    np.testing.assert_allclose(found.over_distance((1.0, 1.0))["mean cosine"], 1)


@pytest.mark.parametrize("symmetry", [Oh, D6h, D4h, D2h, C2h, Ci])
def test_equivalent_orientations_have_one_zone_axis_that_is_along_the_beam(symmetry):
    quaternions = Rotation.random(40, rng=np.random.default_rng(4)).as_quat(scalar_first=True)
    axes = zone_axis_of(quaternions, symmetry)
    along = (Orientation(quaternions) * Vector3d.zvector()).data
    for operator in symmetry.laue_proper_subgroup.data:
        turned = (Orientation(operator) * Orientation(quaternions)).data
        np.testing.assert_allclose(zone_axis_of(turned, symmetry), axes, atol=1e-9)
    operators = symmetry.laue.to_matrix() * np.where(symmetry.laue.improper, -1, 1)[:, None, None]
    equivalent = np.einsum("sij,nj->nsi", operators, along)
    assert np.abs(equivalent - axes[:, None]).max(axis=2).min(axis=1).max() < 1e-9


@pytest.mark.parametrize("symmetry", [Oh, D6h, D4h, D2h])
def test_the_angle_between_two_axes_is_that_between_their_families(symmetry):
    rng = np.random.default_rng(5)
    one, other = (Rotation.random(60, rng=rng).as_quat(scalar_first=True) for _ in range(2))
    first, second = (zone_axis_of(each, symmetry) for each in (one, other))
    operators = symmetry.laue.to_matrix() * np.where(symmetry.laue.improper, -1, 1)[:, None, None]
    closest = np.einsum("ni,sij,nj->ns", first, operators, second).max(axis=1)
    np.testing.assert_allclose((first * second).sum(axis=1), closest, atol=1e-9)


def test_what_has_no_correlation_is_told():
    with pytest.raises(ValueError, match="hexagonal"):
        axis_correlation(OrientationMap(np.ones((2, 2, 4)), [Oh], grid="hexagonal"))
    with pytest.raises(ValueError, match="one scan"):
        axis_correlation(random_map(3, 4), random_map(4, 4))
    with pytest.raises(ValueError, match="no orientation"):
        axis_correlation(OrientationMap(np.full((2, 2, 4), np.nan), [Oh]))
