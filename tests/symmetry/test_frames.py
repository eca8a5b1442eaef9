"""Orientations of crystals that were never seen, of which the truth is known."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.symmetry.frames import FrameFinder, cubic_rotations
from napari_kikuchi.symmetry.levelled import Levelling
from napari_kikuchi.symmetry.modes import Modes
from napari_kikuchi.symmetry.recorded import Conditions, record
from napari_kikuchi.symmetry.sector import sector_directions, standardised

DETECTOR = Detector((0.5, 0.35, 0.6))
CONDITIONS = Conditions(
    centre_x=(0.5, 0.5), centre_y=(0.35, 0.35), distance=(0.6, 0.6), noise=(0.017, 0.017)
)


def master(name, cell=1.0, voltage=20.0):
    settings = Crystal.built_in(name).settings()
    settings["lattice"] = [cell * side for side in settings["lattice"][:3]] + [90] * 3
    crystal = Crystal.from_settings(settings)
    return kinematical_intensities(crystal, sector_directions(), voltage=voltage)


@pytest.fixture(scope="module")
def modes():
    """Of copper and iron with cells of several lengths; not of aluminium."""
    cells = np.geomspace(0.85, 1.6, 8)
    return Modes.of(np.array([master(name, cell) for name in ("cu", "fe") for cell in cells]))


@pytest.fixture(scope="module")
def finder(modes):
    return FrameFinder(modes, DETECTOR.directions, np.ones((64, 64), bool))


def disorientation(one, other):
    operators = cubic_rotations(20.0)[1]
    traces = np.einsum("kij,njl,nil->nk", operators, one, other)
    return np.rad2deg(np.arccos(np.clip((traces.max(axis=1) - 1) / 2, -1, 1)))


def test_modes_are_what_masters_are_sums_of(modes):
    assert modes.coarse.shape == (41, 41, 8)
    assert modes.fine.shape == (41, 41, 16)  # As many as there were masters.
    np.testing.assert_allclose(modes.fine, modes.fine.swapaxes(0, 1), atol=1e-4)
    flat = modes.fine.reshape(-1, 16)
    values = np.asarray(master("cu"))
    from napari_kikuchi.symmetry.sector import as_square

    square = as_square(standardised(values)).ravel()
    left = square - flat @ np.linalg.lstsq(flat, square, rcond=None)[0]
    assert (left**2).mean() < 0.35 * (square**2).mean()


def test_a_crystal_that_was_never_seen_is_found_as_it_stands(finder):
    recorded = record(standardised(master("al")), 12, CONDITIONS, np.random.default_rng(5))
    levelled = Levelling(np.ones((64, 64), bool))(recorded.patterns)
    found = finder(levelled)
    off = disorientation(found.rotations, recorded.rotations)
    assert np.median(off) < 0.3
    assert (off < 1).mean() >= 0.9
    np.testing.assert_allclose(
        found.rotations @ found.rotations.swapaxes(1, 2), np.eye(3)[None].repeat(12, 0), atol=1e-5
    )
    # Alone or with others, a pattern is of one orientation.
    alone = finder(levelled[4:5])
    np.testing.assert_allclose(alone.rotations[0], found.rotations[4], atol=1e-3)


def test_noise_is_explained_by_no_orientation(finder):
    rng = np.random.default_rng(0)
    recorded = record(standardised(master("al")), 6, CONDITIONS, rng)
    levelling = Levelling(np.ones((64, 64), bool))
    crystals = finder(levelling(recorded.patterns))
    noise = finder(levelling(1 + 0.02 * rng.standard_normal((6, 64, 64))))
    assert noise.explained.max() < 0.6 * crystals.explained.min()
    assert noise.margin.max() < np.median(crystals.margin)
    empty = finder(levelling(np.zeros((1, 64, 64))))
    assert empty.explained[0] == pytest.approx(0, abs=1e-6)


def test_pixels_outside_the_mask_do_not_count(modes):
    y, x = np.mgrid[:64, :64] - 31.5
    mask = x**2 + y**2 < 31**2
    finder = FrameFinder(modes, DETECTOR.directions, mask)
    recorded = record(standardised(master("al")), 4, CONDITIONS, np.random.default_rng(6))
    patterns = np.where(mask, recorded.patterns, 0)
    levelled = Levelling(mask)(patterns)
    found = finder(levelled)
    spoilt = finder(np.where(mask, levelled, 100).astype(np.float32))
    np.testing.assert_array_equal(found.rotations, spoilt.rotations)
    assert np.median(disorientation(found.rotations, recorded.rotations)) < 0.4


def test_where_modes_look_flat_nothing_fails(modes):
    pattern = np.random.default_rng(0).normal(size=(1, 32, 32)).astype(np.float32)
    for distance, mask in ((40.0, np.ones((32, 32), bool)), (0.6, np.zeros((32, 32), bool))):
        found = FrameFinder(modes, Detector((0.5, 0.35, distance)).directions, mask)(pattern)
        assert np.isfinite(found.rotations).all()
        assert 0 <= found.explained[0] <= 1


def test_rotations_are_nowhere_far_apart():
    rotations, operators = cubic_rotations(5.0)
    assert len(operators) == 24
    some = Rotation.random(200, rng=np.random.default_rng(0)).as_matrix()
    nearest = [
        disorientation(rotations, one[None].repeat(len(rotations), 0)).min() for one in some[:40]
    ]
    assert max(nearest) < 6
