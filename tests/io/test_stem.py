"""4D-STEM files read as rosettasciio reads them, or as they were written by hand."""

import os
import pickle
import shutil
import subprocess
import sys
import tracemalloc

import h5py
import numpy as np
import pytest
import stem_files as files
from stem_files import EMPAD, GRID, PATTERNS, make

from napari_kikuchi.calibration import Calibration
from napari_kikuchi.cli.describe import describe
from napari_kikuchi.cli.scan_options import ScanOptions
from napari_kikuchi.io import PatternFileError, UnknownGridError, is_pattern_file, open_scan
from napari_kikuchi.scan import Block

STEP = (0.0025, 0.00125)
IN_NM = Calibration((0.2, 0.1), "1/nm")


def whole(scan):
    rows, cols = scan.map_shape
    return scan.read_block(Block(slice(0, rows), slice(0, cols)))


KINDS = ["blo", "hspy", "emd", "tvips", "zspy", "h5", "mrc", "mib", "dm4", "raw", "xml"]
# What rosettasciio has to be told, beside the file.
READERS = {
    "blo": ("blockfile", {}),
    "hspy": ("hspy", {}),
    "emd": ("emd", {}),
    "tvips": ("tvips", {"scan_shape": (3, 4)}),
    "zspy": ("zspy", {}),
    "h5": ("emd", {}),
    "mrc": ("mrc", {}),
    "mib": ("quantumdetector", {}),
    "dm4": ("digitalmicrograph", {}),
    "xml": ("empad", {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_a_scan_like_any_other(kind, tmp_path):
    path, patterns = make(kind, tmp_path)
    scan = open_scan(path, GRID.get(kind))
    assert scan.shape == patterns.shape
    assert scan.dtype == patterns.dtype
    assert scan.technique == "4D-STEM"
    np.testing.assert_array_equal(whole(scan), patterns)
    np.testing.assert_array_equal(scan.source.read_run(1, 1, 3), patterns[1, 1:3])
    out = np.empty((2, *scan.pattern_shape), scan.dtype)
    assert scan.source.read_run(1, 1, 3, out) is out
    np.testing.assert_array_equal(out, patterns[1, 1:3])
    np.testing.assert_array_equal(scan.patterns.compute(), patterns)
    again = pickle.loads(pickle.dumps(scan))
    np.testing.assert_array_equal(whole(again), patterns)
    assert again.patterns.name == scan.patterns.name
    reopened = open_scan(scan.path, **scan.options)
    assert reopened.fingerprint() == scan.fingerprint()
    scan.check_unchanged()


@pytest.mark.parametrize("kind", READERS)
def test_rosettasciio_reads_the_same(kind, tmp_path):
    path, patterns = make(kind, tmp_path)
    plugin, options = READERS[kind]
    found = files.read_with_rosettasciio(plugin, path, lazy=True, **options)
    np.testing.assert_array_equal(found.reshape(patterns.shape), patterns)


@pytest.mark.parametrize(
    ("kind", "step", "calibration"),
    [
        ("blo", STEP, None),
        ("hspy", STEP, IN_NM),
        ("emd", STEP, IN_NM),
        ("zspy", STEP, IN_NM),
        ("h5", STEP, IN_NM),
        ("dm4", STEP, IN_NM),
        # 20 nm in 2 rows, 10 nm in 3 columns
        ("xml", (0.01, 0.01 / 3), Calibration((0.2, 0.2), "1/nm")),
        ("mib", (1, 1), None),
        ("raw", (1, 1), None),
    ],
)
def test_step_and_calibration_of_the_file(kind, step, calibration, tmp_path):
    scan = open_scan(make(kind, tmp_path)[0])
    assert scan.step == pytest.approx(step)
    if calibration is None:
        assert scan.calibration is None
    else:
        assert scan.calibration.unit == calibration.unit
        assert scan.calibration.pixel == pytest.approx(calibration.pixel)


def test_angles_are_kept_as_angles(tmp_path):
    path = files.with_rosettasciio("hspy", tmp_path / "a.hspy", PATTERNS, ("µm", "mrad"))
    scan = open_scan(path)
    assert scan.calibration == Calibration((0.2, 0.1), "mrad")
    assert scan.step == (2.5, 1.25)
    assert describe(path, ScanOptions())["pixel (mrad)"] == [0.2, 0.1]
    assert describe(path, ScanOptions())["technique"] == "4D-STEM"


@pytest.mark.parametrize("kind", KINDS)
def test_recognised_unless_it_may_be_of_another_trade(kind, tmp_path):
    path, _ = make(kind, tmp_path)
    # A stack of frames in an .mrc file is a tilt series, mostly.
    assert is_pattern_file(path) is (kind != "mrc")


def test_files_of_other_trades_are_left_to_others(tmp_path):
    with h5py.File(tmp_path / "volume.emd", "w") as file:
        file["data/image/data"] = np.zeros((3, 4, 5))
        file["data/image"].attrs["emd_group_type"] = 1
    shutil.copy(tmp_path / "volume.emd", tmp_path / "volume.h5")
    shutil.copy(tmp_path / "volume.emd", tmp_path / "volume.hspy")
    (tmp_path / "camera.raw").write_bytes(bytes(130 * 128 * 4))
    (tmp_path / "page.xml").write_text("<html><body/></html>")
    (tmp_path / "bomb.xml").write_text('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    (tmp_path / "folder.zspy").mkdir()
    (tmp_path / "image.dm4").write_bytes(b"nothing of Gatan's")
    for name in ("volume.emd", "volume.h5", "volume.hspy", "camera.raw", "page.xml", "bomb.xml"):
        assert not is_pattern_file(tmp_path / name), name
    assert not is_pattern_file(tmp_path / "folder.zspy")
    assert not is_pattern_file(tmp_path / "image.dm4")
    assert not is_pattern_file(tmp_path)


def test_patterns_of_ebsd_in_a_file_of_hyperspy_are_no_spots(tmp_path):
    path = files.with_rosettasciio("hspy", tmp_path / "a.hspy", PATTERNS, ("µm", "µm"))
    with h5py.File(path, "r+") as file:
        file["Experiments/weld/metadata/Signal"].attrs["signal_type"] = "EBSD"
    assert open_scan(path).technique == "EBSD"


def test_of_several_arrays_one_must_be_chosen(tmp_path):
    path = files.with_rosettasciio("hspy", tmp_path / "a.hspy", PATTERNS)
    with h5py.File(path, "r+") as file:
        file.copy("Experiments/weld", "Experiments/base")
        file["Experiments/base/data"][...] = 7
    with pytest.raises(PatternFileError, match="2 scans: 'base', 'weld'"):
        open_scan(path)
    with pytest.raises(PatternFileError, match="no scan 'seam'; it holds 'base', 'weld'"):
        open_scan(path, scan="seam")
    np.testing.assert_array_equal(whole(open_scan(path, scan="weld")), PATTERNS)
    assert open_scan(path, scan="base").name == "a base"


def test_a_grid_of_the_user(tmp_path):
    path, patterns = make("hspy", tmp_path)
    scan = open_scan(path, (2, 6), step=0.5)
    np.testing.assert_array_equal(whole(scan), patterns.reshape(2, 6, 6, 8))
    assert scan.step == (0.5, 0.5)


def test_old_files_of_py4dstem_have_their_positions_first(tmp_path):
    path = tmp_path / "old.h5"
    with h5py.File(path, "w") as file:
        file.attrs["version_major"], file.attrs["version_minor"] = 0, 9
        cube = file.create_group("4DSTEM_experiment/data/datacubes/datacube_0")
        cube.attrs["emd_group_type"] = 1
        cube["data"] = PATTERNS
        for i, scale in enumerate((2.5, 1.25, 0.2, 0.1), 1):
            cube[f"dim{i}"] = np.arange(4) * scale
            cube[f"dim{i}"].attrs["units"] = b"[n_m]" if i < 3 else b"1/nm"
    scan = open_scan(path)
    np.testing.assert_array_equal(whole(scan), PATTERNS)
    assert scan.step == STEP
    assert scan.calibration.pixel == pytest.approx(IN_NM.pixel)


def test_gatan_files_whose_scan_comes_last(tmp_path):
    turned = np.ascontiguousarray(PATTERNS.transpose(2, 3, 0, 1))
    units, scales = ("1/nm", "1/nm", "nm", "nm"), (0.2, 0.1, 2.5, 1.25)
    scan = open_scan(files.dm4(tmp_path / "a.dm4", turned, units, scales))
    np.testing.assert_array_equal(whole(scan), PATTERNS)
    assert scan.step == pytest.approx(STEP)


def test_merlin_grid_of_the_hdr_file(tmp_path):
    path = files.mib(tmp_path / "a.mib", PATTERNS, pixels="U32", header_bytes=768)
    with pytest.raises(UnknownGridError, match=r"12 patterns.*shape=\(3, 4\).*\.hdr") as raised:
        open_scan(path)
    assert (3, 4) in raised.value.shapes
    files.hdr(tmp_path / "a.hdr", 12, 4)
    scan = open_scan(path)
    np.testing.assert_array_equal(whole(scan), PATTERNS)
    assert scan.dtype == np.dtype(np.uint32)


def test_merlin_times_that_do_not_repeat_are_no_grid(tmp_path):
    path = files.mib(tmp_path / "a.mib", PATTERNS, pause=5)
    with pytest.raises(UnknownGridError):
        open_scan(path)


def test_a_scan_that_was_stopped(tmp_path):
    path = files.mib(tmp_path / "a.mib", PATTERNS)
    files.hdr(tmp_path / "a.hdr", 12, 4)
    path.write_bytes(path.read_bytes()[: 10 * (384 + 96) + 5])
    with pytest.raises(PatternFileError, match=r"a\.mib: truncated.*12 patterns.*10 whole"):
        open_scan(path)
    scan = open_scan(path, allow_partial=True)
    assert scan.count == 10
    np.testing.assert_array_equal(scan.read(2, 1), PATTERNS[2, 1])
    assert not scan.read(2, 2).any()


def test_a_scan_in_several_files(tmp_path):
    first, _ = make("tvips", tmp_path)
    content, record = first.read_bytes(), 60 + 96
    begin = len(content) - 12 * record
    first.write_bytes(content[: begin + 5 * record])
    (tmp_path / "a_001.tvips").write_bytes(content[begin + 5 * record :])
    np.testing.assert_array_equal(whole(open_scan(first, (3, 4))), PATTERNS)
    with pytest.raises(PatternFileError, match=r"part 001 .*a_000\.tvips"):
        open_scan(tmp_path / "a_001.tvips", (3, 4))
    first.write_bytes(content[: begin + 5 * record - 1])
    with pytest.raises(PatternFileError, match=r"a_000\.tvips: expected whole frames"):
        open_scan(first, (3, 4))


def test_empad_through_the_file_beside_it_or_without(tmp_path):
    raw = files.empad(tmp_path / "weld_12.raw", EMPAD)
    with pytest.raises(UnknownGridError, match=r"6 patterns.*\.xml"):
        open_scan(raw)
    np.testing.assert_array_equal(whole(open_scan(raw, (2, 3))), EMPAD)
    files.empad_xml(tmp_path / "weld.xml", raw.name, 2, 3)
    np.testing.assert_array_equal(whole(open_scan(raw)), EMPAD)
    assert open_scan(raw).path == raw


@pytest.mark.parametrize("name", ["../secret.raw", "missing.raw", ""])
def test_empad_xml_names_a_file_beside_it_or_none(name, tmp_path):
    (tmp_path / "inner").mkdir()
    files.empad(tmp_path / "secret.raw", EMPAD)
    xml = files.empad_xml(tmp_path / "inner/weld.xml", name, 2, 3)
    with pytest.raises(PatternFileError, match=r"weld\.xml: .*same folder"):
        open_scan(xml)


def test_a_large_file_opens_and_reads_in_little_memory(tmp_path):
    path = tmp_path / "scan_x2048_y2048.raw"
    with path.open("wb") as file:
        file.seek(130 * 128 * 4 * (700 * 2048 + 11))
        file.write(np.arange(128 * 128, dtype="<f4").tobytes())
        file.truncate(130 * 128 * 4 * 2048**2)
    tracemalloc.start()
    try:
        scan = open_scan(path)
        pattern = scan.read(700, 11)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(pattern.ravel(), np.arange(128 * 128))
    assert not scan.read(2047, 2047).any()


def test_a_rewritten_file_gets_new_dask_names(tmp_path):
    for kind in ("mib", "hspy"):
        path, _ = make(kind, tmp_path)
        before = open_scan(path).patterns.name
        os.utime(path, (0, 0))
        assert open_scan(path).patterns.name != before


def test_rosettasciio_is_imported_where_it_is_used(tmp_path):
    path, _ = make("blo", tmp_path)
    code = (
        "import sys; from napari_kikuchi.io import open_scan; "
        f"open_scan({str(path)!r}).read(0, 0); assert 'rsciio' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
