"""From a 4D-STEM scan to orientation maps, files and figures, as a user does it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import orix.io
import pytest
from typer.testing import CliRunner

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.cli.commands import app
from napari_kikuchi.cli.orient_inputs import thicknesses_in
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.explore.orientations import orientations_in
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation import find_spots, kept_libraries
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.kept_calibration import forget_calibration, keep_calibration
from napari_kikuchi.orientation.map_solutions import quaternions_of
from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.orientation.simulated_scan import simulate_spot_scan
from napari_kikuchi.orientation.templates import kinematical_library
from napari_kikuchi.samples import sample_folder
from spot_file import write_spot_file

QUICK = ["--kinematical", "--device", "cpu", "--workers", 2]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """Libraries go to no user's cache, and are coarse."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_libraries, "_user_folder", lambda: folder)
        patch.setattr(kept_libraries, "kinematical_library", _coarse_library)
        yield folder


def _coarse_library(crystal, **options):
    coarse = {"k_max": 1.5, "step": 4.0, "fine_step": 0.8}
    return kinematical_library(crystal, **options | coarse)


@pytest.fixture(scope="module")
def sample():
    return simulate_spot_scan((10, 12), [Crystal.built_in("cu"), Crystal.built_in("ti")], seed=1)


@pytest.fixture(scope="module")
def scan_file(sample, tmp_path_factory):
    """A file of the scan."""
    return write_spot_file(tmp_path_factory.mktemp("scan") / "weld.hspy", sample[0])


def invoke(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def given(sample):
    """The calibration of the sample, as a user gives it."""
    truth = sample[1].calibration
    centre = ",".join(f"{each:.3f}" for each in truth.centre)
    return ["--scale", truth.scale, "--centre", centre, "--rotation", truth.rotation]


@pytest.fixture(scope="module")
def oriented(scan_file, given):
    """What the command tells of the whole scan."""
    command = ["orient", scan_file, "--phase", "cu", "--phase", "ti", *given, *QUICK]
    return json.loads(invoke(*command, "--json").stdout)


def test_a_scan_becomes_maps_of_its_phases_and_orientations(oriented, scan_file, sample):
    assert Path(oriented["result"]) == scan_file.with_name("weld.orientations.zarr")
    stack = read_maps(oriented["result"])
    assert stack.step == pytest.approx((0.002, 0.002))
    truth = sample[1]
    found = orientations_in(stack)
    crystal = truth.phases >= 0
    assert np.mean(found.numbers[crystal] == truth.phases[crystal] + 1) > 0.75
    true = quaternions_of(truth.rotations)
    for number, (symmetry, inside) in enumerate(found.each_phase()):
        right = inside & (truth.phases == number)
        errors = misorientation_angles(found.quaternions[right], true[right], symmetry)
        assert np.median(errors) < 1.5
    assert oriented["patterns"] == 120
    assert oriented["indexed"] == np.mean(found.numbers > 0)
    assert oriented["phases"].keys() == {"Cu", "Ti"}
    assert stack.provenance["indexing"]["library"]["thicknesses"] == [100]


def test_what_is_not_given_of_the_calibration_is_found(scan_file, sample, given, tmp_path):
    truth, rotation = sample[1].calibration, given[4:]
    command = ["orient", scan_file, "--phase", "cu", "--phase", "ti", *rotation, *QUICK, "--json"]

    def found(*options):
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.zarr"
        told = json.loads(invoke(*command, *options, "--out", out).stdout)
        assert read_maps(out).provenance["indexing"]["calibration"] == told["calibration"]
        return told["calibration"]

    alone = found()
    assert alone["scale"] == pytest.approx(truth.scale, rel=0.01)
    assert alone["centre"] == pytest.approx(truth.centre, abs=0.3)
    assert alone["rotation"] == truth.rotation
    scaled = found("--scale", 0.03)
    assert scaled["scale"] == pytest.approx(0.03)
    assert scaled["centre"] == pytest.approx(truth.centre, abs=0.3)
    both = found("--centre", "60.5,66", "--scale", 0.03)
    assert (both["centre"], both["scale"], both["descan"]) == ([60.5, 66], 0.03, None)
    centred = found("--centre", "60.5,66", "--flipped")
    assert (centred["centre"], centred["descan"], centred["flipped"]) == ([60.5, 66], None, True)


def test_the_whole_calibration_is_taken_from_a_file(oriented, scan_file, sample, tmp_path):
    file, out = tmp_path / "detector.json", tmp_path / "maps.zarr"
    command = ["orient", scan_file, "--phase", "cu", *QUICK, "--out", out, "--calibration", file]
    assert "detector.json" in invoke(*command, code=1).stderr
    file.write_text('{"centre": [1, 2]}')
    told = invoke(*command, code=1).stderr
    assert "detector.json: expected the calibration of a detector" in told
    assert "the scale" in told
    file.write_text(json.dumps(sample[1].calibration.settings()))
    told = invoke(*command, "--scale", 0.02, code=1).stderr
    assert "leave out --scale" in told
    told = json.loads(invoke(*command, "--json").stdout)["calibration"]
    assert told == json.loads(file.read_text())
    assert read_maps(out).provenance["indexing"]["calibration"] == told


def test_a_calibration_is_taken_from_what_an_earlier_run_told(oriented, scan_file, tmp_path):
    file, out = tmp_path / "run.json", tmp_path / "maps.zarr"
    file.write_text(json.dumps(oriented))
    command = ["orient", scan_file, "--phase", "cu", *QUICK, "--out", out, "--calibration", file]
    assert json.loads(invoke(*command, "--json").stdout)["calibration"] == oriented["calibration"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--scale", 0], "--scale in 1/Å"),
        (["--scale=-0.02"], "--scale in 1/Å"),
        (["--voltage", 3500], "expected a voltage from 1 to 3000 kV"),
        (["--phase", "cu"], "different names"),
        (["--phase", "none.cif"], "none.cif: expected a CIF file, found none"),
    ],
)
def test_what_is_asked_for_wrongly_is_told_before_spots_are_found(
    scan_file, tmp_path, monkeypatch, wrong, said
):
    monkeypatch.setattr(find_spots, "find_spots", None)
    kept = ["--spots", tmp_path / "not_yet.spots", "--out", tmp_path / "maps.zarr"]
    told = invoke("orient", scan_file, "--phase", "cu", *wrong, *QUICK, *kept, code=1).stderr
    assert said in " ".join(told.split())
    assert not list(tmp_path.iterdir())


def test_a_step_that_is_given_counts_where_spots_are_there(oriented, scan_file, given, tmp_path):
    out = tmp_path / "maps.zarr"
    command = ["orient", scan_file, "--phase", "cu", *given, *QUICK, "--out", out]
    invoke(*command, "--step", "7,8", "--spots", scan_file.with_suffix(".spots"))
    assert read_maps(out).step == (7, 8)


def test_spots_tell_the_scale_that_their_scan_told(sample, given, tmp_path):
    """And of a crystal that is not there the scale is doubtful."""
    scan = sample[0]
    told = Calibration((10 * sample[1].calibration.scale,) * 2, "1/nm")
    spots = finish(
        find_spots.find_spots(replace(scan, calibration=told), tmp_path / "a.spots", Detection(3.0))
    )
    assert ScanSpots.open(spots.path).calibration == told
    out = tmp_path / "maps.zarr"
    result = invoke("orient", spots.path, "--phase", "al", *QUICK, "--out", out)
    assert "is doubtful" in " ".join(result.stderr.split())


def test_a_calibration_set_by_hand_is_taken_and_told(oriented, scan_file, sample, tmp_path):
    scan, out = open_scan(scan_file), tmp_path / "maps.zarr"
    by_hand = replace(sample[1].calibration, rotation=12.5)
    kept = keep_calibration(scan, by_hand)
    command = ["orient", scan_file, "--phase", "cu", *QUICK, "--out", out, "--json"]
    try:
        told = invoke(*command)
        assert "Calibration as it was set by hand, kept in" in told.stderr
        assert kept.name in told.stderr
        expected = json.loads(json.dumps(by_hand.settings()))
        assert json.loads(told.stdout)["calibration"] == expected
        for other in (["--find-calibration"], ["--rotation", 4.0]):
            told = invoke(*command, *other)
            assert "set by hand" not in told.stderr
            assert json.loads(told.stdout)["calibration"]["rotation"] == (other[1:] or [0.0])[0]
    finally:
        forget_calibration(scan)


def test_spots_are_kept_and_found_again(oriented, scan_file, given, tmp_path):
    kept = scan_file.with_name("weld.spots")
    before = kept.stat().st_mtime_ns
    told = json.loads(invoke("info", kept, "--json").stdout)
    assert told["step (µm)"] == pytest.approx([0.002, 0.002])
    out = tmp_path / "again.zarr"
    invoke("orient", scan_file, "--phase", "cu", "--phase", "ti", *given, *QUICK, "--out", out)
    assert kept.stat().st_mtime_ns == before
    first, second = read_maps(oriented["result"]), read_maps(out)
    np.testing.assert_array_equal(first.values[:], second.values[:])
    # Of the spots alone, without the scan.
    alone = tmp_path / "alone.zarr"
    invoke("orient", kept, "--phase", "cu", "--phase", "ti", *given, *QUICK, "--out", alone)
    third = read_maps(alone)
    np.testing.assert_array_equal(first.values[:], third.values[:])
    assert third.step == first.step
    assert third.provenance["scan"] == first.provenance["scan"]


def test_spots_of_another_scan_or_radius_are_not_taken(oriented, scan_file, given, tmp_path):
    kept = tmp_path / "mine.spots"
    command = ["orient", scan_file, "--phase", "cu", *given, *QUICK, "--out", tmp_path / "a.zarr"]
    invoke(*command, "--spots", kept, "--radius", 2.5)
    assert ScanSpots.open(kept).detection.radius == 2.5
    invoke(*command, "--spots", kept, "--radius", 3.5)
    assert ScanSpots.open(kept).detection.radius == 3.5
    other, _ = simulate_spot_scan((3, 3), [Crystal.built_in("cu")], seed=2)
    from napari_kikuchi.jobs import finish
    from napari_kikuchi.orientation.detection_settings import Detection
    from napari_kikuchi.orientation.find_spots import find_spots

    foreign = tmp_path / "foreign.spots"
    finish(find_spots(other, foreign, Detection(3.0), device="cpu"))
    told = invoke(*command, "--spots", foreign, code=1).stderr
    assert "spots of another scan" in told
    told = invoke("orient", kept, "--phase", "cu", *given, "--radius", 3, code=1).stderr
    assert "leave out --radius" in told


def test_maps_go_to_other_programs_and_into_a_correlation(oriented, tmp_path):
    maps = oriented["result"]
    known = orientations_in(read_maps(maps)).numbers > 0
    for name in ("scan.ang", "scan.ctf", "scan.orix.h5"):
        invoke("export", maps, tmp_path / name)
        read = orix.io.load(tmp_path / name)
        np.testing.assert_array_equal(read.is_indexed, known.ravel())
    table = tmp_path / "correlation.csv"
    told = json.loads(invoke("correlate", maps, "--out", table, "--json").stdout)
    assert 0.001 < told["half_distance_um"] < 0.02
    header, first, *_ = table.read_text("utf-8-sig").splitlines()
    assert header == "distance (µm),mean cosine,correlation,pairs"
    distance, cosine, correlation, pairs = map(float, first.split(","))
    assert (distance, pairs) == (0, known.sum())
    assert (cosine, correlation) == (pytest.approx(1), pytest.approx(1))
    again = tmp_path / "against.csv"
    invoke("correlate", maps, "--against", maps, "--out", again)
    assert again.read_bytes() == table.read_bytes()
    assert "not overwritten" in invoke("correlate", maps, "--out", table, code=1).stderr


def test_what_is_wrong_is_told_without_a_traceback(scan_file, given, tmp_path):
    missing = invoke("orient", scan_file, "--phase", "unobtainium", *given, code=1).stderr
    assert "a CIF file, found 'unobtainium'" in missing
    odd = invoke("orient", scan_file, "--phase", "cu", *given, "--thickness", "800-100", code=1)
    assert "from thin to thick" in odd.stderr
    twice = invoke("orient", scan_file, "--phase", "cu", "--phase", "cu", *given, *QUICK, code=1)
    assert "different names, found Cu, Cu" in twice.stderr
    invoke("orient", scan_file, code=2)
    kikuchi = invoke("orient", sample_folder() / "nickel_3x3.up2", "--phase", "ni", code=1).stderr
    assert "found Kikuchi patterns" in kikuchi
    assert "--maps indexing" in kikuchi


def test_thicknesses_are_a_range_or_a_list():
    assert thicknesses_in("100-800") == tuple(range(100, 801, 50))
    assert thicknesses_in("100-190") == (100, 145, 190)
    assert thicknesses_in("250") == (250,)
    assert thicknesses_in("100,300,800") == (100, 300, 800)
