"""Virtual detectors from the command line, against sums of numpy."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.io import Up2Writer
from napari_kikuchi.io.map_store import read_maps

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
    with Up2Writer(tmp_path / "a.up2", (5, 6), SHAPE, step=(0.5, 0.5)) as writer:
        writer.append(patterns)
    return tmp_path / "a.up2"


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
