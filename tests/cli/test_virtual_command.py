"""Virtual detectors from the command line, against sums of numpy."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.scan import Scan
from spot_file import write_spot_file

SHAPE = (40, 44)
CENTRE = (18, 23)


@pytest.fixture
def patterns():
    y, x = np.indices(SHAPE)
    beam = 5000 * (np.hypot(y - CENTRE[0], x - CENTRE[1]) <= 3)
    rng = np.random.default_rng(0)
    return (beam + rng.integers(0, 300, (5, 6, *SHAPE))).astype(np.uint16)


@pytest.fixture
def scan(tmp_path, patterns):
    return write_spot_file(tmp_path / "a.hspy", Scan(ArraySource(patterns)))


def run(*arguments, code=0):
    result = CliRunner().invoke(app, ["virtual", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def sums(patterns, inner, outer, centre=CENTRE):
    y, x = np.indices(SHAPE)
    distance = np.hypot(y - centre[0], x - centre[1])
    return (patterns * ((distance >= inner) & (distance <= outer))).sum(axis=(2, 3))


def test_bright_field_and_dark_field_need_no_options(scan, patterns):
    run(scan)
    stack = read_maps(scan.with_name("a.virtual.zarr"))
    assert stack.names == ["bright field", "annular dark field"]
    # The beam's radius is found to within a part of a pixel: what lies between is dark.
    bright, dark = stack.map(0), stack.map(1)
    assert (bright >= sums(patterns, 0, 3)).all()
    assert (bright <= sums(patterns, 0, 5.5)).all()
    assert (dark <= sums(patterns, 5.5, 18)).all()
    assert (dark >= sums(patterns, 7.5, 17)).all()


def test_detectors_are_where_they_were_placed(scan, patterns, tmp_path):
    target = tmp_path / "mine.zarr"
    asked = ["--detector", "disc=0,4,7,30", "--detector", "my = ring=5,9.5"]
    told = json.loads(run(scan, *asked, "--out", target, "--json").stdout)
    assert told["result"] == str(target)
    stack = read_maps(target)
    assert stack.names == ["disc", "my = ring"]
    np.testing.assert_allclose(stack.map(0), sums(patterns, 0, 4, (7, 30)))
    centre = np.asarray(CENTRE)
    found = stack.map(1)
    # The centre that was found lies within a tenth of a pixel: few pixels change sides.
    assert np.abs(found / sums(patterns, 5, 9.5, centre) - 1).max() < 0.05


@pytest.mark.parametrize(
    ("detector", "told"),
    [
        ("ring=3", "expected a virtual detector as NAME=inner,outer"),
        ("ring=0,2,90,90", "expected a virtual detector on patterns of 40 x 44 pixels"),
    ],
)
def test_what_is_amiss_is_told(scan, detector, told):
    output = run(scan, "--detector", detector, code=1).output
    assert told in " ".join(output.split())
    assert not scan.with_name("a.virtual.zarr").exists()


def test_kikuchi_patterns_are_refused(tmp_path):
    nickel = sample_folder() / "nickel_3x3.up2"
    told = " ".join(run(nickel, "--out", tmp_path / "a.zarr", code=1).stderr.split())
    assert "expected a 4D-STEM scan, found Kikuchi patterns" in told
    assert not list(tmp_path.iterdir())


def test_a_wide_beam_has_no_dark_field_and_that_is_told(tmp_path):
    y, x = np.indices(SHAPE)
    wide = 5000 * (np.hypot(y - 20, x - 22) <= 19)
    patterns = np.broadcast_to(wide.astype(np.uint16), (3, 4, *SHAPE))
    path = write_spot_file(tmp_path / "wide.hspy", Scan(ArraySource(patterns)))
    told = " ".join(run(path).stderr.split())
    assert "There is no annular dark field: a direct beam of " in told
    assert read_maps(tmp_path / "wide.virtual.zarr").names == ["bright field"]


def test_dead_pixels_are_told_and_leave_the_maps_whole(tmp_path, patterns):
    broken = patterns.astype(np.float32)
    broken[:, :, 1, 2] = np.nan
    path = write_spot_file(tmp_path / "dead.hspy", Scan(ArraySource(broken)))
    told = " ".join(run(path).stderr.split())
    assert "30 pixels of 30 patterns: they are left out of the sums" in told
    stack = read_maps(tmp_path / "dead.virtual.zarr")
    assert np.isfinite(stack.values).all()
    assert (stack.map(0) >= sums(patterns, 0, 3)).all()
