import shutil
from dataclasses import replace

import pytest

from napari_kikuchi.io import open_scan
from napari_kikuchi.physics.geometry import assumed_geometry, known_geometry
from napari_kikuchi.physics.indexing import HoughIndexing
from napari_kikuchi.samples import sample_folder

HEADER = """# TEM_PIXperUM          1.000000
# x-star                0.413900
# y-star                0.729100
# z-star                {z}
# GRID: SqrGrid
# XSTEP: 1.500000
  4.09517   0.78446   4.68226      0.00000      0.00000 1160.5  0.843  0      1   0.994
# x-star                0.100000
"""


@pytest.fixture
def nickel(tmp_path):
    path = shutil.copy(sample_folder() / "nickel_3x3.up2", tmp_path)
    return open_scan(path)


@pytest.mark.parametrize("name", ["additive", "wrought"])
def test_the_truth_of_a_simulated_scan_tells_its_geometry(name, tmp_path):
    path = sample_folder() / f"{name}.up1"
    scan = open_scan(path)
    found = known_geometry(scan)
    assert found == (HoughIndexing((0.42, 0.22, 0.5)), path.with_name(f"{name}.truth.zarr"))
    # Cut or turned, or a scan of another name, it is not what the truth tells of.
    assert known_geometry(replace(scan, options={"flip": True})) is None
    assert known_geometry(replace(scan, path=path.with_suffix(".up2"))) is None
    assert known_geometry(replace(scan, path=None)) is None


def test_an_ang_file_beside_a_scan_tells_its_projection_centre(nickel):
    assert known_geometry(nickel) is None
    ang = nickel.path.with_suffix(".ang")
    ang.write_text(HEADER.format(z="0.612400"))
    assert known_geometry(nickel) == (HoughIndexing((0.4139, 0.7291, 0.6124), "edax"), ang)
    for no_centre in ("0.000000", "unknown", ""):
        ang.write_text(HEADER.format(z=no_centre))
        assert known_geometry(nickel) is None


def test_what_is_assumed_is_what_scans_are_simulated_with():
    assert assumed_geometry() == known_geometry(open_scan(sample_folder() / "wrought.up1")).indexing
