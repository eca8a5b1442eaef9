import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5ebsd_files import KIKUCHIPY, bruker, edax, kikuchipys, oxford

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.known_geometry import assumed_geometry, known_geometry
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
    assert found == (Geometry((0.42, 0.22, 0.5)), path.with_name(f"{name}.truth.zarr"))
    # Cut or turned, or a scan of another name, it is not what the truth tells of.
    assert known_geometry(replace(scan, options={"flip": True})) is None
    assert known_geometry(replace(scan, path=path.with_suffix(".up2"))) is None
    assert known_geometry(replace(scan, path=None)) is None


def test_an_ang_file_beside_a_scan_tells_its_projection_centre(nickel):
    assert known_geometry(nickel) is None
    ang = nickel.path.with_suffix(".ang")
    ang.write_text(HEADER.format(z="0.612400"))
    assert known_geometry(nickel) == (Geometry((0.4139, 0.7291, 0.6124), "edax"), ang)
    for no_centre in ("0.000000", "unknown", ""):
        ang.write_text(HEADER.format(z=no_centre))
        assert known_geometry(nickel) is None


def test_what_is_assumed_is_what_scans_are_simulated_with():
    assert assumed_geometry() == known_geometry(open_scan(sample_folder() / "wrought.up1")).geometry


@pytest.mark.parametrize(
    ("write", "suffix"),
    [(edax, ".h5"), (oxford, ".h5oina"), (bruker, ".h5"), (kikuchipys, ".h5")],
)
def test_an_hdf5_file_tells_the_geometry_as_kikuchipy_reads_it(write, suffix, tmp_path):
    import kikuchipy

    path = tmp_path / f"scan{suffix}"
    write(path)
    found, told_by = known_geometry(open_scan(path))
    assert told_by == path
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = kikuchipy.load(path).detector
    ours = kikuchipy.detectors.EBSDDetector(
        shape=expected.shape, pc=found.pc, convention=found.convention
    )
    np.testing.assert_allclose(ours.pc_average, expected.pc_average, atol=1e-3)
    assert found.sample_tilt == pytest.approx(float(np.squeeze(expected.sample_tilt)))
    assert found.detector_tilt == pytest.approx(float(np.squeeze(expected.tilt)))


def test_an_hdf5_file_may_tell_no_centre():
    """As EDAX's that ships with kikuchipy: zeros."""
    assert known_geometry(open_scan(KIKUCHIPY / "edax_h5ebsd/patterns.h5")) is None
    assert known_geometry(open_scan(KIKUCHIPY / "emsoft_ebsd/EBSD_TEST_Ni.h5")) is None


def test_an_ang_file_tells_what_the_hdf5_file_beside_it_does_not(tmp_path):
    path = shutil.copy(KIKUCHIPY / "edax_h5ebsd/patterns.h5", tmp_path)
    ang = Path(path).with_suffix(".ang")
    ang.write_text(HEADER.format(z="0.612400"))
    assert known_geometry(open_scan(path)) == (Geometry((0.4139, 0.7291, 0.6124), "edax"), ang)


def test_each_scan_of_an_hdf5_file_tells_its_own(tmp_path):
    path = tmp_path / "two.h5"
    shutil.copy(KIKUCHIPY / "kikuchipy_h5ebsd/patterns.h5", path)
    with h5py.File(path, "r+") as file:
        pcx = file["Scan 2/EBSD/Header/pcx"]
        pcx[...] = 0.123
    one, other = (known_geometry(open_scan(path, scan=f"Scan {i}")).geometry.pc for i in (1, 2))
    assert other[0] == pytest.approx(0.123)
    assert one[0] != other[0]
