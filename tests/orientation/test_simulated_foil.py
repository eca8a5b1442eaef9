"""The simulated foil shows what its truth says, and its orientations can be found."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation import simulated_foil
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.find_calibration import find_calibration
from napari_kikuchi.orientation.find_spots import find_spots
from napari_kikuchi.orientation.kept_libraries import LibrarySettings
from napari_kikuchi.orientation.maps import orientation_maps
from napari_kikuchi.orientation.simulated_foil import FoilSettings, kept_foil, make_foil
from napari_kikuchi.orientation.spot_radius import guess_radius
from napari_kikuchi.simulate.scan import truth_path

SMALL = FoilSettings(shape=(16, 20), seed=1)
CRYSTALS = [Crystal.built_in("cu"), Crystal.built_in("fe")]
# Of those that are usual, few enough to be soon simulated.
TEMPLATES = LibrarySettings(
    thicknesses=(80.0, 120.0, 170.0, 230.0, 300.0), k_max=1.7, step=2.4, fine_step=0.4
)


@pytest.fixture(scope="module")
def foil():
    return make_foil(SMALL)


@pytest.fixture(scope="module")
def scan_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("foil") / "foil.hspy"
    return finish(simulated_foil.simulate_foil(path, SMALL))


def test_the_file_tells_steps_and_a_nominal_camera_length(scan_file, foil):
    scan = open_scan(scan_file)
    assert scan.technique == "4D-STEM"
    assert scan.shape == (16, 20, 96, 96)
    assert scan.step == pytest.approx((0.005, 0.005))
    nominal = 10 * foil.calibration.scale * SMALL.told_scale
    assert scan.calibration == Calibration(pytest.approx((nominal, nominal)), "1/nm")
    np.testing.assert_array_equal(scan.source.read_run(3, 0, 20), foil.patterns(3))


def test_the_foil_is_a_buckled_wedge_with_twins_of_copper_alone(foil):
    hole = foil.phases < 0
    assert 0 < hole.mean() < 0.1
    assert np.all((foil.thickness == 0) == hole)
    assert foil.thickness[~hole].min() >= SMALL.thinnest
    assert foil.thickness.max() == pytest.approx(SMALL.thickest)
    assert set(np.unique(foil.phases)) == {-1, 0, 1}
    whole = make_foil()
    assert whole.twin.any()
    assert (whole.phases[whole.twin > 0] == 0).all()
    # Within a grain the axis along the beam bends, by no more than the foil does.
    grain = np.bincount(foil.grain[~hole]).argmax()
    axes = foil.rotations[(foil.grain == grain) & (foil.twin == 0) & ~hole][..., 2]
    bent = np.rad2deg(np.arccos(np.clip(axes @ axes[0], -1, 1))).max()
    assert 0.2 < bent < 4 * SMALL.buckle


def test_through_the_hole_the_beam_goes_on_and_thick_copper_takes_much_of_it(foil):
    for row, col in np.argwhere(foil.phases < 0)[:2]:
        pattern = foil.patterns(row)[col]
        assert pattern.sum() == pytest.approx(SMALL.dose, rel=0.02)
        centre = foil.calibration.centres(np.array([[row, col]]))[0]
        assert np.hypot(*(np.argwhere(pattern) - centre).T).max() < SMALL.radius + 1
    thickest = np.unravel_index(foil.thickness.argmax(), foil.thickness.shape)
    assert foil.patterns(thickest[0])[thickest[1]].sum() < 0.95 * SMALL.dose


def test_orientations_that_are_found_are_those_of_the_truth(scan_file, foil, tmp_path):
    scan = open_scan(scan_file)
    radius = guess_radius(scan)
    assert radius == pytest.approx(SMALL.radius, abs=0.4)
    spots = finish(find_spots(scan, tmp_path / "foil.spots", Detection(radius)))
    calibration = find_calibration(spots, CRYSTALS, told=scan.calibration).calibration
    assert calibration.scale == pytest.approx(foil.calibration.scale, rel=0.005)
    np.testing.assert_allclose(calibration.centre, foil.calibration.centre, atol=0.3)
    job = orientation_maps(
        spots, calibration, CRYSTALS, tmp_path / "foil.zarr", library=TEMPLATES, libraries=tmp_path
    )
    found, truth = finish(job), read_maps(truth_path(scan_file))
    phase, true_phase = found.map(0), truth.map(0)
    there = true_phase > 0
    assert (phase[~there] == 0).all()
    assert (phase == true_phase)[there].mean() > 0.97
    apart, turned = (np.full(phase.shape, 180.0) for _ in range(2))
    for number, crystal in enumerate(CRYSTALS, 1):
        own = (phase == number) & (true_phase == number)
        is_there, expected = (_quaternions(stack)[own] for stack in (found, truth))
        apart[own] = misorientation_angles(is_there, expected, crystal.laue_group)
        a, b, c, d = expected.T
        half_turned = np.stack([-d, c, -b, a], axis=-1)
        turned[own] = misorientation_angles(is_there, half_turned, crystal.laue_group)
    # Along ⟨111⟩ patterns hardly tell a crystal from its twin, which is half a turn away.
    axes = np.sort(np.abs(foil.rotations[..., 2]))
    along_111 = axes[..., 0] > 0.5
    assert (apart[there & ~along_111] < 2).mean() > 0.9
    assert (np.minimum(apart, turned)[there] < 2).mean() > 0.9


def test_the_scan_is_kept_until_it_would_be_another(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_kikuchi.io.places.user_folder", lambda: tmp_path)
    small = replace(SMALL, shape=(4, 5))
    monkeypatch.setattr(simulated_foil, "FoilSettings", lambda: small)
    path = finish(kept_foil())
    assert path.is_relative_to(tmp_path)
    made = path.stat().st_mtime_ns
    assert list(kept_foil()) == []
    assert path.stat().st_mtime_ns == made
    small = replace(small, seed=2)
    finish(kept_foil())
    assert path.stat().st_mtime_ns > made
    shutil.rmtree(truth_path(path))
    finish(kept_foil())
    assert read_maps(truth_path(path)).map_shape == (4, 5)


def _quaternions(stack):
    return np.stack([stack.map(stack.names.index(f"quaternion {part}")) for part in "abcd"], -1)
