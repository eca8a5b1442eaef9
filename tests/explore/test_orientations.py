import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from orix.quaternion import Orientation
from orix.quaternion.symmetry import C2h, D3d, D6h, Oh, Td
from scipy.spatial.transform import Rotation

from napari_kikuchi.explore.inverse_pole_figures import ipf_colours
from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.explore.orientations import (
    OrientationMap,
    find_grains,
    grain_mean_orientations,
    grain_reference_orientation_deviation,
    kernel_average_misorientation,
    misorientation_to,
    neighbours,
)

SYMMETRIES = [Oh, D6h, D3d, C2h, Td]


def quaternions(rotations, *shape):
    return rotations.as_quat(scalar_first=True).reshape(*shape, 4)


def cubic(orientations):
    return OrientationMap(orientations, [Oh])


def about(axis, degrees):
    """Rotations about one axis."""
    axis = np.asarray(axis) / np.linalg.norm(axis)
    return Rotation.from_rotvec(np.multiply.outer(np.deg2rad(degrees), axis))


def rotations_of(symmetry):
    return Rotation.from_quat(symmetry.laue_proper_subgroup.data, scalar_first=True)


def shuffled(turns, symmetry, rng):
    """Each orientation as one of its equivalents, drawn at random."""
    group = rotations_of(symmetry)
    return group[rng.integers(0, len(group), len(turns))] * turns


def deformed(rows, cols, seed):
    """Two grains of any orientation, each position turned by some degrees, one without any."""
    rng = np.random.default_rng(seed)
    base = Rotation.random(2, random_state=rng)[(np.arange(rows * cols) % cols < cols // 2) * 1]
    turns = Rotation.from_rotvec(rng.normal(scale=np.deg2rad(1.5), size=(rows * cols, 3))) * base
    out = quaternions(shuffled(turns, Oh, rng), rows, cols)
    out[rng.integers(rows), rng.integers(cols)] = np.nan
    return out


def orix_angle(first, second, symmetry):
    pair = [Orientation(q, symmetry=symmetry) for q in (first, second)]
    return pair[0].angle_with(pair[1], degrees=True)


def direct_neighbours(rows, cols, grid):
    """For each position those that lie one step away."""
    r, c = np.divmod(np.arange(rows * cols), cols)
    x, y = c.astype(float), r.astype(float)
    if grid == "hexagonal":
        x, y = x + 0.5 * (r % 2), y * np.sqrt(3) / 2
    distance = np.hypot(x[:, None] - x, y[:, None] - y)
    return [np.flatnonzero((row > 0.5) & (row < 1.01)) for row in distance]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), symmetry=st.sampled_from(SYMMETRIES))
def test_angles_are_those_of_orix(seed, symmetry):
    first, second = (quaternions(Rotation.random(8, random_state=seed + i), 8) for i in (0, 1))
    expected = orix_angle(first, second, symmetry.laue)
    np.testing.assert_allclose(misorientation_angles(first, second, symmetry), expected, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    symmetry=st.sampled_from(SYMMETRIES),
    angle=st.floats(1e-5, 10),
)
def test_an_angle_does_not_depend_on_which_equivalents_are_given(seed, symmetry, angle):
    rng = np.random.default_rng(seed)
    turn = about(rng.normal(size=3), [angle] * 4)
    base = Rotation.random(4, random_state=rng)
    first = quaternions(shuffled(base, symmetry, rng), 4)
    second = quaternions(shuffled(turn * base, symmetry, rng), 4)
    for one, other in ((first, second), (second, -first)):
        found = misorientation_angles(one, other, symmetry)
        np.testing.assert_allclose(found, angle, rtol=1e-4)


def test_an_angle_to_nowhere_is_unknown():
    known = quaternions(Rotation.random(2, random_state=0), 2)
    missing = np.where([[True], [False]], known, np.nan)
    assert np.isnan(misorientation_angles(known, missing, Oh)).tolist() == [False, True]


@pytest.mark.parametrize("grid", ["square", "hexagonal"])
@pytest.mark.parametrize("shape", [(5, 4), (4, 5), (1, 3), (2, 1), (1, 1)])
def test_neighbours_lie_one_step_away(shape, grid):
    expected = {
        (min(i, j), max(i, j))
        for i, near in enumerate(direct_neighbours(*shape, grid))
        for j in map(int, near)
    }
    found = [tuple(map(int, sorted(pair))) for pair in neighbours(shape, grid)]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("grid", ["square", "hexagonal"])
def test_kam_is_the_mean_over_the_neighbours_of_the_same_grain(grid):
    rows, cols = 4, 6
    orientations = deformed(rows, cols, seed=3)
    flat = orientations.reshape(-1, 4)
    expected = np.full(rows * cols, np.nan)
    for i, near in enumerate(direct_neighbours(rows, cols, grid)):
        angles = [
            orix_angle(flat[i], flat[j], Oh)[0]
            for j in near
            if np.isfinite(flat[i]).all() and np.isfinite(flat[j]).all()
        ]
        counted = [angle for angle in angles if angle <= 5]
        if counted:
            expected[i] = np.mean(counted)
    found = kernel_average_misorientation(OrientationMap(orientations, [Oh], grid=grid))
    np.testing.assert_allclose(found.ravel(), expected, atol=1e-5)
    assert np.isnan(found).sum() < rows * cols / 2


def test_a_constant_gradient_has_one_kam_and_a_grod_from_its_middle():
    angles = np.tile(0.5 * np.arange(9), (4, 1))
    turns = about([1, 2, 3], angles.ravel()) * Rotation.random(random_state=1)
    orientations = quaternions(shuffled(turns, Oh, np.random.default_rng(0)), 4, 9)
    # Half of the neighbours lie in the same column; at the ends two of three do.
    kam = kernel_average_misorientation(cubic(orientations))
    np.testing.assert_allclose(kam[1:-1, 1:-1], 0.25, rtol=1e-6)
    np.testing.assert_allclose(kam[1, 0], 0.5 / 3, rtol=1e-6)
    grain = find_grains(cubic(orientations))
    assert (grain == 1).all()
    grod = grain_reference_orientation_deviation(cubic(orientations), grain)
    np.testing.assert_allclose(grod, np.abs(angles - 2), atol=1e-6)


def test_a_twin_is_a_grain_of_its_own_without_misorientation_inside():
    parent = Rotation.random(random_state=2)
    turns = Rotation.concatenate([about([1, 1, 1], 60.0) * parent, parent])
    twin = np.zeros((5, 6), int)
    twin[:, 3:] = 1
    orientations = quaternions(turns[twin.ravel()], 5, 6)
    boundary = misorientation_angles(orientations[:, 2], orientations[:, 3], Oh)
    np.testing.assert_allclose(boundary, 60, atol=1e-6)
    grain = find_grains(cubic(orientations))
    np.testing.assert_array_equal(grain, twin + 1)
    np.testing.assert_allclose(kernel_average_misorientation(cubic(orientations)), 0, atol=1e-6)
    grod = grain_reference_orientation_deviation(cubic(orientations), grain)
    np.testing.assert_allclose(grod, 0, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), threshold=st.floats(0.5, 8))
def test_grains_are_what_small_angles_connect(seed, threshold):
    rows, cols = 4, 5
    orientations = deformed(rows, cols, seed)
    flat = orientations.reshape(-1, 4)
    near = direct_neighbours(rows, cols, "square")
    expected, count = np.zeros(rows * cols, int), 0
    for start in range(rows * cols):
        if expected[start] or np.isnan(flat[start]).any():
            continue
        count += 1
        expected[start] = count
        reached = [start]
        while reached:
            i = reached.pop()
            for j in near[i]:
                if not expected[j] and misorientation_angles(flat[[i]], flat[[j]], Oh) <= threshold:
                    expected[j] = count
                    reached.append(j)
    found = find_grains(cubic(orientations), threshold=threshold)
    np.testing.assert_array_equal(found.ravel(), expected)


@pytest.mark.parametrize("symmetry", SYMMETRIES)
def test_the_mean_of_a_grain_is_in_the_middle_of_its_orientations(symmetry):
    rng = np.random.default_rng(4)
    scatter = rng.normal(scale=np.deg2rad(3), size=(2, 20, 3))
    around = np.concatenate([scatter, -scatter], axis=1)  # Turns that average to none.
    base = Rotation.random(2, random_state=5)
    turns = [Rotation.from_rotvec(around[i]) * base[i] for i in (0, 1)]
    orientations = np.stack([quaternions(shuffled(t, symmetry, rng), 40) for t in turns])
    grain = np.repeat([[1], [2]], 40, axis=1)
    grain[0, 5] = 0
    orientations[0, 5] = np.nan
    grain[0, 25] = 0  # Its opposite.
    means = grain_mean_orientations(OrientationMap(orientations, [symmetry]), grain)
    np.testing.assert_allclose(
        misorientation_angles(means, quaternions(base, 2), symmetry), 0, atol=1e-4
    )
    grod = grain_reference_orientation_deviation(OrientationMap(orientations, [symmetry]), grain)
    expected = np.rad2deg(np.linalg.norm(around, axis=-1))
    np.testing.assert_allclose(grod[grain > 0], expected[grain > 0], atol=1e-4)
    assert np.isnan(grod[grain == 0]).all()


def test_a_map_without_orientations_has_no_grains():
    nowhere = cubic(np.full((2, 3, 4), np.nan))
    grain = find_grains(nowhere)
    assert (grain == 0).all()
    assert np.isnan(kernel_average_misorientation(nowhere)).all()
    assert np.isnan(grain_reference_orientation_deviation(nowhere, grain)).all()
    assert np.isnan(ipf_colours(nowhere)).all()


def test_corners_of_the_inverse_pole_figure_are_red_green_and_blue():
    # Orientations that turn the normal into <001>, <101> and <111> of the crystal.
    corners = [[0, 0, 1], [1, 0, 1], [1, 1, 1]]
    turns = [Rotation.align_vectors([corner], [[0, 0, 1]])[0] for corner in corners]
    rng = np.random.default_rng(6)
    orientations = quaternions(shuffled(Rotation.concatenate(turns), Oh, rng), 1, 3)
    colours = ipf_colours(cubic(orientations))
    assert colours.shape == (3, 1, 3)
    # orix reads its key from a table, which is so coarse.
    np.testing.assert_allclose(colours[:, 0], np.eye(3), atol=0.02)


@pytest.mark.parametrize("along", ["x", "y", "z"])
def test_the_inverse_pole_figure_is_that_of_an_axis_of_the_sample(along):
    # One crystal, whose <111> lies along that axis: blue there, and not along the others.
    axis = np.eye(3)["xyz".index(along)]
    turn = Rotation.align_vectors([[1, 1, 1]], [axis])[0]
    orientations = cubic(quaternions(turn, 1, 1))
    blue = {one: ipf_colours(orientations, one)[:, 0, 0] for one in "xyz"}
    np.testing.assert_allclose(blue[along], [0, 0, 1], atol=0.02)
    assert all(colour[2] < 0.98 for one, colour in blue.items() if one != along)


@pytest.fixture
def two_phases():
    """A cubic crystal on the left and a hexagonal one on the right, of one orientation, with a gap.

    Both turn by a degree from row to row; one position of each has no phase or no orientation.
    """
    turns = about([1, 2, 3], np.repeat(np.arange(4.0), 6)) * Rotation.random(random_state=7)
    orientations = quaternions(turns, 4, 6)
    phases = np.where(np.arange(6) < 3, 1.0, 2.0) * np.ones((4, 1))
    phases[0, 1] = 0
    phases[3, 0] = np.nan
    orientations[2, 4] = np.nan
    return OrientationMap(orientations, [Oh, D6h], phases)


def test_grains_do_not_go_from_phase_to_phase(two_phases):
    expected = np.where(np.arange(6) < 3, 1, 2) * np.ones((4, 1), int)
    expected[[0, 3, 2], [1, 0, 4]] = 0
    np.testing.assert_array_equal(find_grains(two_phases), expected)


def test_neighbours_of_another_phase_do_not_count_in_the_kam(two_phases):
    kam = kernel_average_misorientation(two_phases)
    # Above and below 1°, beside 0° but for the neighbour of the other phase.
    np.testing.assert_allclose(kam[1, 2], 2 / 3, atol=1e-6)
    np.testing.assert_allclose(kam[1, 3], 2 / 3, atol=1e-6)
    assert np.isnan(kam[[0, 3, 2], [1, 0, 4]]).all()


def test_each_phase_is_itself_under_its_own_symmetry_alone(two_phases):
    phases, symmetries = two_phases.numbers, two_phases.symmetries
    grain = find_grains(two_phases)
    rng = np.random.default_rng(8)
    moved = two_phases.quaternions.copy()
    for number, symmetry in enumerate(symmetries, 1):
        of_phase = phases == number
        turns = Rotation.from_quat(moved[of_phase], scalar_first=True)
        moved[of_phase] = quaternions(shuffled(turns, symmetry, rng), -1)
    moved = OrientationMap(moved, symmetries, phases)
    for measure in (
        kernel_average_misorientation,
        lambda one: grain_reference_orientation_deviation(one, grain),
        lambda one: misorientation_to(one, 1, 5),
        ipf_colours,
    ):
        np.testing.assert_allclose(measure(moved), measure(two_phases), atol=1e-5)
    for number, symmetry in enumerate(symmetries, 1):
        alone = OrientationMap(two_phases.quaternions, [symmetry], phases == number)
        inside = phases == number
        for along in "xyz":
            found = ipf_colours(two_phases, along)[:, inside]
            np.testing.assert_array_equal(found, ipf_colours(alone, along)[:, inside])


def test_misorientation_to_a_position_is_of_its_phase_alone(two_phases):
    found = misorientation_to(two_phases, 1, 0)
    expected = np.abs(np.arange(4.0) - 1)[:, None] * np.ones(6)
    expected[two_phases.numbers != 1] = np.nan
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.isnan(misorientation_to(two_phases, 2, 4)).all()
    with pytest.raises(ValueError, match="invalid entry"):
        misorientation_to(two_phases, 4, 0)
