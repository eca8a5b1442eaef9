"""``napari-kikuchi spots``, from a file to what is told of it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.find_spots import find_spots
from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.orientation.simulated_scan import Exposure, simulate_spot_scan
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.scan import Scan
from spot_file import write_spot_file

SHAPE = (9, 11)


@pytest.fixture
def run():
    def invoke(*arguments, code=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A scan as an EMPAD records it, and its truth."""
    scan, truth = simulate_spot_scan(
        SHAPE, [Crystal.built_in("cu")], exposure=Exposure(radius=4), seed=2
    )
    frames = np.zeros((*SHAPE, 130, 128), "<f4")
    for row in range(SHAPE[0]):
        frames[row, :, :128] = scan.source.read_run(row, 0, SHAPE[1])
    path = tmp_path_factory.mktemp("empad") / "scan_x11_y9.raw"
    path.write_bytes(frames.tobytes())
    return path, truth


def test_spots_are_written_beside_the_scan_and_told(run, written):
    path, truth = written
    told = " ".join(run("spots", path).stderr.split())
    spots = ScanSpots.open(path.with_name("scan_x11_y9.spots"))
    assert spots.detection.radius == pytest.approx(4, abs=0.3)
    assert f"spots of 99 patterns, {np.median(spots.counts):g} in the median" in told
    row, column = truth.calibration.centre
    assert f"at row {row:.1f}, column {column:.1f}" in told
    assert "shifts by 1." in told


def test_a_program_reads_what_was_found(run, written, tmp_path):
    path, truth = written
    out = tmp_path / "mine.spots"
    told = json.loads(
        run("spots", path, "--radius", 3.5, "--most", 5, "--out", out, "--json").stdout
    )
    assert told["result"] == str(out)
    assert told["patterns"] == 99
    assert told["radius"] == 3.5
    np.testing.assert_allclose(told["beam"]["centre"], truth.calibration.centre, atol=0.1)
    assert told["beam"]["seen"]
    assert ScanSpots.open(out).most == 5
    described = json.loads(run("info", out, "--json").stdout)
    assert (described["rows"], described["columns"]) == SHAPE
    assert described["median spots"] == told["median spots"]
    assert described["detection"]["radius"] == 3.5


def test_a_scan_without_a_beam_is_told_so(run, tmp_path):
    noise = np.random.default_rng(0).poisson(3, (4, 5, 130, 128)).astype("<f4")
    (tmp_path / "scan_x5_y4.raw").write_bytes(noise.tobytes())
    told = run("spots", tmp_path / "scan_x5_y4.raw", "--radius", 2, "--least-noise", 2).stderr
    assert "The direct beam was not found" in " ".join(told.split())


def test_what_lies_at_the_place_of_the_output_stays(run, written, tmp_path):
    path, _ = written
    out = tmp_path / "notes.txt"
    out.write_text("what a person wrote")
    result = run("spots", path, "--out", out, code=1)
    assert "something else lies here" in " ".join(result.stderr.split())
    assert out.read_text() == "what a person wrote"
    assert "radius" in run("spots", path, "--radius", 0, code=2).stderr


def test_kikuchi_patterns_are_refused(run, tmp_path):
    nickel = sample_folder() / "nickel_3x3.up2"
    told = " ".join(run("spots", nickel, "--out", tmp_path / "a.spots", code=1).stderr.split())
    assert "expected a 4D-STEM scan, found Kikuchi patterns" in told
    assert not list(tmp_path.iterdir())


def test_spots_know_of_which_technique_they_are(run, written, tmp_path):
    """The .spots files of earlier versions of Kikuchi patterns, too, do not get further."""
    scan = open_scan(sample_folder() / "nickel_3x3.up2")
    spots = finish(find_spots(scan, tmp_path / "a.spots", Detection(20.0), device="cpu"))
    assert spots.technique == "EBSD"
    told = run("orient", tmp_path / "a.spots", "--phase", "ni", code=1).stderr
    assert "expected a 4D-STEM scan, found Kikuchi patterns" in " ".join(told.split())
    path, _ = written
    known = finish(find_spots(open_scan(path), tmp_path / "b.spots", Detection(4.0), device="cpu"))
    assert known.technique == "4D-STEM"


def test_dead_pixels_are_told(run, tmp_path):
    scan, _ = simulate_spot_scan((4, 5), [Crystal.built_in("cu")], seed=2)
    patterns = np.asarray(scan.patterns).astype(np.float32)
    patterns[:, :, 3, 20] = np.nan
    path = write_spot_file(tmp_path / "dead.hspy", Scan(ArraySource(patterns)))
    told = " ".join(run("spots", path).stderr.split())
    assert "spots of 20 patterns" in told
    assert "No finite number is in 20 pixels of 20 patterns: spots were looked for" in told
