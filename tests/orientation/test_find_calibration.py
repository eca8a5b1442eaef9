"""From a simulated scan to its spots and its calibration, without knowing either."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.crystals.beam import Beam
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.beam_place import NoBeamError
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.find_calibration import find_calibration
from napari_kikuchi.orientation.find_spots import find_spots
from napari_kikuchi.orientation.simulated_scan import Exposure, simulate_spot_scan
from napari_kikuchi.orientation.spot_calibration import Descan, SpotCalibration
from napari_kikuchi.orientation.spot_radius import guess_radius
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan

SHAPE = (16, 18)
BOTH = (Crystal.built_in("cu"), Crystal.built_in("ti"))
TRUTH = SpotCalibration(
    centre=(61.2, 66.9),
    scale=0.0253,
    rotation=-17.0,
    flipped=True,
    ratio=1.025,
    ratio_angle=30.0,
    descan=Descan((7.5, 8.5), ((0.1, 0.02), (-0.04, 0.12))),
)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Spots found with the guessed radius, and the truth."""
    scan, truth = simulate_spot_scan(SHAPE, BOTH, calibration=TRUTH, exposure=Exposure(), seed=4)
    path = tmp_path_factory.mktemp("spots") / "a.spots"
    return finish(find_spots(scan, path, Detection(guess_radius(scan)))), truth


def test_from_a_scan_to_calibrated_spots_that_are_those_of_the_truth(simulated):
    spots, truth = simulated
    found = find_calibration(spots, BOTH, rotation=TRUTH.rotation, flipped=True)
    calibration = found.calibration
    np.testing.assert_allclose(calibration.centre, TRUTH.centre, atol=0.05)
    np.testing.assert_allclose(calibration.descan.gradient, TRUTH.descan.gradient, atol=0.01)
    assert calibration.scale == pytest.approx(TRUTH.scale, rel=0.003)
    assert calibration.ratio == pytest.approx(TRUTH.ratio, abs=0.003)
    assert calibration.ratio_angle == pytest.approx(TRUTH.ratio_angle, abs=5)
    assert found.rings.sure
    assert found.beam.share > 0.95

    positions = np.argwhere(truth.phases >= 0)
    measured = calibration.to_spots(spots.read(positions), positions)
    apart = []
    for own, true in zip(measured.lists(), truth.spots(positions), strict=True):
        # Of those on the detector, such as stand out of the noise.
        strong = true[:, 2] > 0.03 * true[:, 2].max()
        inside = np.hypot(true[:, 0], true[:, 1]) < 1.35
        wanted = true[strong & inside, :2]
        if len(wanted):
            apart.extend(cdist(wanted, own[:, :2]).min(axis=1, initial=9) / TRUTH.scale)
    apart = np.array(apart)
    assert len(apart) > 800
    assert np.median(apart) < 0.2
    assert np.mean(apart < 1) > 0.95


def test_what_the_file_tells_is_the_scale_without_a_crystal(simulated):
    spots, _ = simulated
    found = find_calibration(spots, told=Calibration((0.253, 0.253), "1/nm"))
    assert found.calibration.scale == pytest.approx(0.0253)
    assert found.rings is None
    angle = Calibration((0.5, 0.4), "mrad")
    found = find_calibration(spots, told=angle, voltage=200.0).calibration
    # Bragg's law for small angles; along columns the image is longer.
    wavelength = Beam(200.0).wavelength
    assert found.scale == pytest.approx(np.sqrt(0.5e-3 * 0.4e-3) / wavelength, rel=1e-4)
    assert (found.ratio, found.ratio_angle) == (pytest.approx(1.25, rel=1e-4), 90)
    down, right = np.array([[(66.9, 161.2, 1.0)], [(166.9, 61.2, 1.0)]], np.float32)
    centred = replace(found, centre=(61.2, 66.9), descan=None)
    at_down, at_right = (centred.to_spots(one[None]).values[0, 0] for one in (down, right))
    assert at_down[0] == pytest.approx(100 * 0.5e-3 / wavelength, rel=1e-3)
    assert at_right[1] == pytest.approx(100 * 0.4e-3 / wavelength, rel=1e-3)


def test_what_the_file_tells_is_made_exact_by_a_crystal(simulated):
    spots, _ = simulated
    found = find_calibration(spots, BOTH, told=Calibration((0.28, 0.28), "1/nm"))
    assert found.calibration.scale == pytest.approx(TRUTH.scale, rel=0.003)


@pytest.mark.parametrize("names", [("al",), ("fe",)])
def test_crystals_that_are_not_there_make_the_scale_doubtful(simulated, names):
    """Of aluminium the rings would fit well, at a wrong scale."""
    spots, _ = simulated
    crystals = [Crystal.built_in(name) for name in names]
    told = Calibration((10 * TRUTH.scale,) * 2, "1/nm")
    found = find_calibration(spots, crystals, told=told)
    assert "is doubtful" in found.doubt
    assert f"{found.calibration.scale:.5g} 1/Å per pixel" in found.doubt
    assert find_calibration(spots, BOTH, told=told).doubt == ""


def test_a_crystal_that_is_not_there_does_not_move_a_scale_that_is_told(tmp_path):
    """Its rings alone would fit as well, at a scale a tenth off."""
    copper, aluminium = Crystal.built_in("cu"), Crystal.built_in("al")
    scan, truth = simulate_spot_scan((10, 12), [copper], seed=3)
    spots = finish(find_spots(scan, tmp_path / "a.spots", Detection(guess_radius(scan))))
    scale = truth.calibration.scale
    told = Calibration((10 * scale,) * 2, "1/nm")
    found = find_calibration(spots, [copper, aluminium], told=told)
    assert found.calibration.scale == pytest.approx(scale, rel=0.005)
    alone = find_calibration(spots, [aluminium], told=told)
    assert alone.calibration.scale < 0.92 * scale
    assert "below the" in alone.doubt


def test_nothing_that_tells_the_scale_is_told(simulated):
    spots, _ = simulated
    with pytest.raises(ValueError, match=r"a\.spots: .*Give a crystal"):
        find_calibration(spots)


def test_a_blocked_beam_is_found_by_pairs(tmp_path):
    still = replace(TRUTH, descan=None)
    scan, _ = simulate_spot_scan(
        SHAPE, BOTH, calibration=still, exposure=Exposure(direct_beam=0.0), seed=4
    )
    spots = finish(find_spots(scan, tmp_path / "a.spots", Detection(guess_radius(scan))))
    found = find_calibration(spots, BOTH)
    assert found.beam.share == 0
    np.testing.assert_allclose(found.calibration.centre, TRUTH.centre, atol=0.3)
    assert found.calibration.scale == pytest.approx(TRUTH.scale, rel=0.005)


def test_a_centre_that_is_given_is_taken(simulated):
    spots, _ = simulated
    found = find_calibration(spots, BOTH, centre=(61.0, 67.0))
    assert found.calibration.centre == (61, 67)
    assert found.calibration.descan is None
    assert found.calibration.scale == pytest.approx(TRUTH.scale, rel=0.01)


def test_errors_name_the_file(tmp_path):
    noise = np.random.default_rng(0).poisson(3.0, (6, 6, 64, 64)).astype(np.uint16)
    noise[..., 30, 30] = 500
    scan = Scan(ArraySource(noise))
    spots = finish(find_spots(scan, tmp_path / "a.spots", Detection(1.0, least=0.5)))
    with pytest.raises(ValueError, match=r"a\.spots: expected 10 spots at least"):
        find_calibration(spots, BOTH)
    noise[..., 30, 30] = 0
    spots = finish(find_spots(scan, tmp_path / "b.spots", Detection(2.0)))
    with pytest.raises(NoBeamError, match=r"b\.spots: expected .*direct beam"):
        find_calibration(spots, BOTH)
