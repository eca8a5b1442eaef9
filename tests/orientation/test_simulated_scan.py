"""A simulated 4D-STEM scan shows what its truth says."""

import tracemalloc

import numpy as np
import pytest
import torch

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.orientation.simulated_scan import Exposure, simulate_spot_scan
from napari_kikuchi.orientation.spot_calibration import SpotCalibration
from napari_kikuchi.orientation.symmetry import disorientation_angles, proper_operators

SHAPE = (16, 18)
BOTH = (Crystal.built_in("cu"), Crystal.built_in("ti"))


@pytest.fixture(scope="module")
def simulated():
    return simulate_spot_scan(SHAPE, BOTH, seed=1)


def test_a_pattern_is_the_same_in_any_order_of_reading(simulated):
    scan, _ = simulated
    whole = scan.read_positions(np.argwhere(np.ones(SHAPE))).reshape(scan.shape)
    np.testing.assert_array_equal(scan.read(7, 9), whole[7, 9])
    np.testing.assert_array_equal(scan.source.read_run(3, 5, 18), whole[3, 5:])
    assert (simulate_spot_scan(SHAPE, BOTH, seed=2)[0].read(7, 9) != whole[7, 9]).any()


def test_there_are_grains_of_both_crystals_twins_and_a_hole(simulated):
    scan, truth = simulated
    assert scan.technique == "4D-STEM"
    assert set(np.unique(truth.phases)) == {-1, 0, 1}
    np.testing.assert_array_equal(np.isnan(truth.rotations).any((2, 3)), truth.phases < 0)
    rotations = torch.from_numpy(truth.rotations).double()
    copper = proper_operators(BOTH[0].laue_group)
    grain, twin = truth.structure.grain, truth.structure.twin
    pairs = [
        (a, b)
        for number in np.unique(grain)
        for a in np.argwhere((grain == number) & (twin == 0) & (truth.phases == 0))[:1]
        for b in np.argwhere((grain == number) & (twin > 0) & (truth.phases == 0))[:1]
    ]
    assert pairs
    for a, b in pairs:
        angle = disorientation_angles(rotations[tuple(a)], rotations[tuple(b)], copper)
        assert np.rad2deg(float(angle)) == pytest.approx(60, abs=0.5)


@pytest.mark.parametrize("form", ["disc", "gaussian"])
def test_spots_are_where_the_truth_has_them(form):
    calibration = SpotCalibration((60.0, 70.0), 0.025, rotation=30.0, flipped=True, ratio=1.1)
    exposure = Exposure(radius=2.0, form=form, dose=1e6, background=0.2)
    scan, truth = simulate_spot_scan(
        (6, 6), BOTH[:1], calibration=calibration, exposure=exposure, seed=3
    )
    position = np.argwhere(truth.phases >= 0)[:1]
    pattern = scan.read_positions(position)[0].astype(float)
    assert pattern.sum() == pytest.approx(1e6, rel=0.1)  # Some are beyond the detector.
    kx, ky, intensity = truth.spots(position)[0].T
    column, row = calibration.to_pixels(kx, ky)
    inside = (intensity > 0.1 * intensity.max()) & (np.hypot(column - 70, row - 60) < 55)
    assert inside.sum() > 2
    y, x = np.mgrid[:128, :128]
    counts = []
    for at_column, at_row in zip(column[inside], row[inside], strict=True):
        near = np.hypot(x - at_column, y - at_row) < 5
        around = np.median(pattern[(np.hypot(x - at_column, y - at_row) < 8) & ~near])
        above = (pattern - around) * near
        assert (above * x).sum() / above.sum() == pytest.approx(at_column, abs=0.15)
        assert (above * y).sum() / above.sum() == pytest.approx(at_row, abs=0.15)
        counts.append(above.sum())
    assert np.corrcoef(counts, intensity[inside])[0, 1] > 0.99


def test_the_direct_beam_wanders_is_as_strong_as_asked_for_or_blocked(simulated):
    _, truth = simulated
    hole = np.argwhere(truth.phases < 0)
    y, x = np.mgrid[:128, :128]
    for direct_beam in (5.0, 0.0):
        scan, _ = simulate_spot_scan(
            SHAPE, BOTH, exposure=Exposure(direct_beam=direct_beam, background=0.2), seed=1
        )
        for position in (hole[0], hole[-1]):
            pattern = scan.read(*position)
            row, column = truth.calibration.centres(position[None])[0]
            share = pattern[np.hypot(x - column, y - row) < 4].sum() / pattern.sum()
            assert (share > 0.7) == (direct_beam > 0)
    first, last = truth.calibration.centres([hole[0], hole[-1]])
    assert np.hypot(*(first - last)) > 0.2


def test_however_large_a_scan_is_it_takes_the_memory_of_its_orientations():
    tracemalloc.start()
    scan, truth = simulate_spot_scan((256, 256), BOTH[:1], seed=0)
    patterns = scan.read_positions(scan.draw(3))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert patterns.shape == (3, 128, 128)
    # The scan would have 2 GB.
    assert most < 20 * truth.rotations.nbytes < 60e6
