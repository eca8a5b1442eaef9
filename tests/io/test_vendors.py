"""Files of other makers read as kikuchipy reads them, without its chunks."""

import importlib.util
import os
import pickle
import shutil
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_kikuchi.io import PatternFileError, open_scan
from napari_kikuchi.io.sources import HDF5Source, RawSource
from napari_kikuchi.io.vendors import KikuchipySource
from napari_kikuchi.scan import Block

DATA = Path(importlib.util.find_spec("kikuchipy").origin).parent / "data"
SHIPPED = [
    ("edax_binary/edax_binary.up1", {"shape": (3, 3)}, RawSource),
    ("edax_binary/edax_binary.up2", {}, RawSource),
    ("edax_h5ebsd/patterns.h5", {}, HDF5Source),
    ("emsoft_ebsd/EBSD_TEST_Ni.h5", {}, HDF5Source),
    ("emsoft_ebsd/simulated_ebsd.h5", {}, HDF5Source),
    ("kikuchipy_h5ebsd/patterns.h5", {"scan": "Scan 1"}, HDF5Source),
    ("kikuchipy_h5ebsd/patterns.h5", {"scan": "Scan 2"}, HDF5Source),
    ("kikuchipy_h5ebsd/patterns_nochunks.h5", {}, HDF5Source),
    ("nordif/Pattern.dat", {}, RawSource),
    ("oxford_binary/patterns.ebsp", {}, KikuchipySource),
]


def whole(scan):
    rows, cols = scan.map_shape
    return scan.read_block(Block(slice(0, rows), slice(0, cols)))


def with_kikuchipy(path, **options):
    import kikuchipy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kikuchipy.load(path, **options)


@pytest.mark.parametrize(("name", "options", "source"), SHIPPED)
def test_every_shipped_file_reads_as_in_kikuchipy(name, options, source):
    scan = open_scan(DATA / name, **options)
    chosen = {"scan_group_names": options["scan"]} if "scan" in options else {}
    data = np.asarray(with_kikuchipy(DATA / name, **chosen).data)
    data = data.reshape(-1, *data.shape[-2:])
    patterns = whole(scan)
    # The UP2 file ends with an announced extra pattern, which is not part of its scan.
    np.testing.assert_array_equal(patterns.reshape(-1, *data.shape[-2:]), data[: scan.count])
    assert patterns.dtype == data.dtype
    assert type(scan.source) is source
    np.testing.assert_array_equal(scan.patterns.compute(), patterns)
    again = pickle.loads(pickle.dumps(scan))
    np.testing.assert_array_equal(whole(again), patterns)
    assert again.patterns.name == scan.patterns.name


@pytest.mark.parametrize(
    "name", ["edax_h5ebsd/patterns.h5", "nordif/Pattern.dat", "oxford_binary/patterns.ebsp"]
)
def test_grid_and_step_of_the_file(name):
    scan = open_scan(DATA / name)
    assert scan.map_shape == (3, 3)
    assert scan.step == (1.5, 1.5)
    assert scan.present is None


def test_grid_and_step_of_the_user(tmp_path):
    scan = open_scan(DATA / "emsoft_ebsd/simulated_ebsd.h5", shape=(5, 2), step=(0.5, 0.25))
    assert scan.map_shape == (5, 2)
    assert scan.step == (0.5, 0.25)


def test_oh5_is_read_as_edax_h5(tmp_path):
    path = tmp_path / "scan.oh5"
    shutil.copy(DATA / "edax_h5ebsd/patterns.h5", path)
    scan = open_scan(path)
    assert scan.step == (1.5, 1.5)
    np.testing.assert_array_equal(whole(scan), whole(open_scan(DATA / "edax_h5ebsd/patterns.h5")))


def test_of_several_scans_one_must_be_chosen():
    path = DATA / "kikuchipy_h5ebsd/patterns.h5"
    with pytest.raises(PatternFileError, match="2 scans: 'Scan 1', 'Scan 2'"):
        open_scan(path)
    with pytest.raises(PatternFileError, match="no scan 'Scan 3'; it holds 'Scan 1', 'Scan 2'"):
        open_scan(path, scan="Scan 3")
    assert open_scan(path, scan="Scan 2").name == "patterns Scan 2"


def h5oina(path, patterns, rows, cols, kind="Processed Patterns"):
    """Oxford's HDF5 file, as far as a reader needs it."""
    with h5py.File(path, "w") as file:
        file["Format Version"] = b"5.0"
        file["Manufacturer"] = b"Oxford Instruments"
        header = {
            "X Cells": cols,
            "Y Cells": rows,
            "X Step": 0.25,
            "Y Step": 0.5,
            "Pattern Height": patterns.shape[1],
            "Pattern Width": patterns.shape[2],
        }
        for key, value in header.items():
            file[f"1/EBSD/Header/{key}"] = np.array([value])
        file.create_dataset(f"1/EBSD/Data/{kind}", data=patterns, chunks=(1, *patterns.shape[1:]))
    return path


def edax(path, patterns, rows, cols, grid):
    """EDAX's HDF5 file, as far as a reader needs it."""
    with h5py.File(path, "w") as file:
        file[" Manufacturer"] = np.array([b"EDAX"])
        file[" Version"] = np.array([b"OIM Analysis 8"])
        header = {
            "nRows": rows,
            "nColumns": cols,
            "Step Y": 0.5,
            "Step X": 0.25,
            "Grid Type": grid,
            "Pattern Height": patterns.shape[1],
            "Pattern Width": patterns.shape[2],
        }
        for key, value in header.items():
            file[f"Scan 1/EBSD/Header/{key}"] = np.array([value])
        file["Scan 1/EBSD/Data/Pattern"] = patterns
    return path


def bruker(path, patterns, order=None):
    """Bruker's HDF5 file of a map, or of a region of it in the order of acquisition."""
    rows, cols = patterns.shape[:2]
    with h5py.File(path, "w") as file:
        file["Manufacturer"] = b"Bruker Nano"
        file["Version"] = b"Esprit 2.X"
        header = {
            "PatternHeight": patterns.shape[2],
            "PatternWidth": patterns.shape[3],
            "XSTEP": 0.25,
            "YSTEP": 0.5,
            "NROWS": rows if order is None else 10,
            "NCOLS": cols if order is None else 10,
        }
        for key, value in header.items():
            file[f"Scan/EBSD/Header/{key}"] = value
        file["Scan/EBSD/Header/Grid Type"] = b"isometric"
        flat = patterns.reshape(-1, *patterns.shape[2:])
        file["Scan/EBSD/Data/RawPatterns"] = flat if order is None else flat[order]
        if order is not None:
            y, x = np.unravel_index(order, (rows, cols))
            file["Scan/EBSD/SEM/IY"] = y + 4
            file["Scan/EBSD/SEM/IX"] = x + 2
    return path


@pytest.fixture
def patterns():
    return np.random.default_rng(0).integers(1, 255, (3, 4, 5, 6), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(1, 12), (12, 1)])
def test_line_scans_keep_their_direction(tmp_path, patterns, shape):
    scan = open_scan(h5oina(tmp_path / "scan.h5oina", patterns.reshape(12, 5, 6), *shape))
    assert scan.map_shape == shape
    np.testing.assert_array_equal(whole(scan).reshape(patterns.shape), patterns)


def test_made_files_are_what_kikuchipy_takes_them_for(tmp_path, patterns):
    flat = patterns.reshape(12, 5, 6)
    for path in (
        h5oina(tmp_path / "a.h5oina", flat, 3, 4),
        edax(tmp_path / "b.h5", flat, 3, 4, b"SqrGrid"),
        bruker(tmp_path / "c.h5", patterns),
        bruker(tmp_path / "d.h5", patterns, np.random.default_rng(1).permutation(12)),
    ):
        np.testing.assert_array_equal(with_kikuchipy(path).data, patterns)
        np.testing.assert_array_equal(whole(open_scan(path)), patterns)
        assert open_scan(path).step == (0.5, 0.25)


@pytest.mark.parametrize("name", ["edax_h5ebsd/patterns.h5", "oxford_binary/patterns.ebsp"])
def test_a_rewritten_file_gets_new_dask_names(tmp_path, name):
    path = Path(shutil.copy(DATA / name, tmp_path))
    before = open_scan(path).patterns.name
    assert open_scan(path).patterns.name == before
    os.utime(path, (0, 0))
    assert open_scan(path).patterns.name != before


def test_oxford_file_with_unprocessed_patterns_only(tmp_path, patterns):
    flat = patterns.reshape(12, 5, 6)
    path = h5oina(tmp_path / "a.h5oina", flat, 3, 4, kind="Unprocessed Patterns")
    np.testing.assert_array_equal(whole(open_scan(path)), patterns)


@pytest.mark.parametrize(("count", "absent"), [(12, []), (11, [[1, 3]])])
def test_hexagonal_grid_of_edax(tmp_path, patterns, count, absent):
    flat = patterns.reshape(12, 5, 6)[:count]
    scan = open_scan(edax(tmp_path / "scan.oh5", flat, 3, 4, b"HexGrid"))
    assert scan.grid == "hexagonal"
    missing = [] if scan.present is None else np.argwhere(~scan.present).tolist()
    assert missing == absent
    np.testing.assert_array_equal(scan.read(2, 0), flat[8 - len(absent)])


def test_bruker_region_of_interest_is_put_in_scan_order(tmp_path, patterns):
    order = np.random.default_rng(1).permutation(12)
    scan = open_scan(bruker(tmp_path / "scan.h5", patterns, order))
    np.testing.assert_array_equal(whole(scan), patterns)
    assert type(scan.source) is KikuchipySource


def test_too_few_patterns_are_an_error_and_not_zeros(tmp_path, patterns):
    path = h5oina(tmp_path / "scan.h5oina", patterns.reshape(12, 5, 6)[:10], 3, 4)
    with pytest.raises(PatternFileError, match=r"truncated.*12 patterns.*found 300 bytes \(10"):
        open_scan(path)
    scan = open_scan(path, allow_partial=True)
    assert scan.present.sum() == 10
    np.testing.assert_array_equal(scan.read(2, 1), patterns[2, 1])
    assert not scan.read(2, 2).any()


def nordif(folder, kept_bytes):
    for name in ("Pattern.dat", "Setting.txt"):
        shutil.copy(DATA / "nordif" / name, folder)
    path = folder / "Pattern.dat"
    path.write_bytes(path.read_bytes()[:kept_bytes])
    return path


def test_nordif_cut_short(tmp_path):
    path = nordif(tmp_path, 7 * 3600 + 5)
    with pytest.raises(PatternFileError, match=r"expected 32400 bytes.*found 25205 bytes"):
        open_scan(path)
    assert open_scan(path, allow_partial=True).present.sum() == 7


def test_nordif_without_its_settings(tmp_path):
    path = nordif(tmp_path, None)
    (tmp_path / "Setting.txt").unlink()
    with pytest.raises(PatternFileError, match=r"Pattern\.dat: .*Setting\.txt"):
        open_scan(path)


@pytest.mark.parametrize("suffix", [".h5", ".h5oina", ".oh5", ".ebsp"])
@pytest.mark.parametrize("content", [b"", b"not patterns at all"])
def test_not_what_the_extension_says(tmp_path, suffix, content):
    path = tmp_path / f"scan{suffix}"
    path.write_bytes(content)
    with pytest.raises(PatternFileError, match=f"scan{suffix}: .*{len(content)} bytes"):
        open_scan(path)


def test_hdf5_file_of_another_maker(tmp_path, patterns):
    path = edax(tmp_path / "scan.h5", patterns.reshape(12, 5, 6), 3, 4, b"SqrGrid")
    with h5py.File(path, "r+") as file:
        file[" Manufacturer"][0] = b"ACME"
    with pytest.raises(PatternFileError, match=r"scan\.h5: kikuchipy cannot read it"):
        open_scan(path)


def test_hdf5_file_of_something_else(tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["numbers"] = [1, 2]
    with pytest.raises(PatternFileError, match="kikuchipy cannot read it"):
        open_scan(path)


def test_master_pattern_is_no_scan():
    with pytest.raises(PatternFileError, match=r"found a .*MasterPattern"):
        open_scan(DATA / "emsoft_ebsd_master_pattern/master_patterns.h5")
