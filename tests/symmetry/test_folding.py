"""What a detector sees of the square, and the square that patterns make again."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.symmetry.folding import choose, look_up, look_up_all, refine, unfold
from napari_kikuchi.symmetry.frames import cubic_rotations
from napari_kikuchi.symmetry.sector import NODES, SIDE, as_square, fold, sector_directions

SHAPE = (40, 40)


def rotation(seed=0):
    return Rotation.random(rng=np.random.default_rng(seed)).as_matrix().astype(np.float32)


def pixels(shape=SHAPE):
    return np.ascontiguousarray(Detector().directions(shape).T, np.float32)


def smooth_square():
    """A function of direction with the symmetry of m-3, smooth everywhere, on the nodes."""
    return as_square(smooth(sector_directions()))


def smooth(directions):
    x, y, z = directions.T**2
    either = x**2 + y**2 + z**2 + 3 * x * y * z + 0.5 * (x**4 + y**4 + z**4)
    return either + 2 * (x - y) * (y - z) * (z - x)


def seen(square, turn, directions):
    out = np.empty(directions.shape[1], np.float32)
    look_up(square, turn, directions, out)
    return out


def test_lookup_is_that_of_scipy():
    square = as_square(np.random.default_rng(1).normal(size=NODES))
    turn, directions = rotation(1), pixels()
    places = fold((turn @ directions).T) * (SIDE - 1)
    expected = map_coordinates(square, places.T, order=1)
    np.testing.assert_allclose(seen(square, turn, directions), expected, atol=5e-3)
    several = np.empty((directions.shape[1], 2), np.float32)
    look_up_all(np.stack([square, 2 * square], axis=-1), turn, directions, several)
    np.testing.assert_allclose(several.T, [expected, 2 * expected], atol=1e-2)


def test_a_function_of_cubic_symmetry_is_looked_up_everywhere():
    turn, directions = rotation(2), pixels()
    found = seen(smooth_square(), turn, directions)
    np.testing.assert_allclose(found, smooth((turn @ directions).T), atol=2e-3)


def test_patterns_make_the_square_that_made_them():
    square = smooth_square()
    total, count = np.zeros((2, SIDE, SIDE), np.float32)
    directions = pixels()
    weights = np.ones(directions.shape[1], np.float32)
    weights[::3] = 0
    for seed in range(8):
        turn = rotation(seed)
        pattern = seen(square, turn, directions)
        pattern[::3] = 1e6  # Does not count.
        unfold(pattern, weights, turn, directions, total, count)
    assert count.sum() == pytest.approx(8 * weights.sum(), rel=1e-4)
    enough = count > 1
    assert enough.mean() > 0.9
    np.testing.assert_allclose(total[enough] / count[enough], square[enough], atol=0.02)


@pytest.mark.parametrize("off", [0.5, 2.0])
def test_a_crystal_is_turned_to_where_it_stands(off):
    rng = np.random.default_rng(3)
    square, directions = smooth_square(), pixels()
    square = (square + square.T) / 2  # As modes are.
    other = as_square(np.asarray(sector_directions()[:, 0] ** 6))
    modes = np.stack([square, other, np.ones_like(square)], axis=-1)
    true = rotation(4)
    pattern = seen(square + 0.5 * other, true, directions)
    pattern -= pattern.mean()
    axis = rng.normal(size=3)
    astray = Rotation.from_rotvec(np.deg2rad(off) * axis / np.linalg.norm(axis)).as_matrix()
    turn = (astray @ true).astype(np.float32)
    weights = np.ones(directions.shape[1], np.float32)
    explained = refine(pattern, weights, turn, directions, modes, 12)
    left = Rotation.from_matrix(turn @ true.T).magnitude()
    assert np.rad2deg(left) < 0.1
    assert explained > 0.98
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-5)


def test_of_rotations_that_are_nearly_equal_the_best_is_chosen():
    rotations, operators = cubic_rotations(10.0)
    near = Rotation.from_rotvec([0, 0, 0.03]).as_matrix() @ rotations[5]
    # The same orientation, named by another of the crystal's axes.
    alike = operators[7] @ rotations[5]
    listed = np.stack([rotations[5], near, alike, rotations[40]]).astype(np.float32)
    scores = np.array([1.0, 2.0, 1.5, 0.5], np.float32)
    assert list(choose(scores, listed, operators, 4, np.deg2rad(7))) == [1, 3]
    assert list(choose(scores, listed, operators, 1, np.deg2rad(7))) == [1]
