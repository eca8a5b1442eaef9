"""Static backgrounds in files of kikuchipy, Bruker and Oxford."""

import importlib.util
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_kikuchi.io import open_scan
from napari_kikuchi.io.known_background import known_background
from napari_kikuchi.samples import sample_folder

KIKUCHIPY = Path(importlib.util.find_spec("kikuchipy").origin).parent / "data"


@pytest.fixture
def nickel(tmp_path):
    path = Path(shutil.copy(KIKUCHIPY / "kikuchipy_h5ebsd/patterns.h5", tmp_path))
    with h5py.File(path, "r+") as file:
        del file["Scan 2"]
    return path


def test_the_background_is_the_one_that_kikuchipy_reads(nickel):
    import kikuchipy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = kikuchipy.load(nickel).static_background
    scan = open_scan(nickel)
    np.testing.assert_array_equal(known_background(scan), expected)
    # That of patterns that were cut or turned is another.
    assert known_background(replace(scan, options={"flip": True})) is None
    assert known_background(replace(scan, path=None)) is None


def test_each_scan_of_a_file_has_its_own(tmp_path):
    path = Path(shutil.copy(KIKUCHIPY / "kikuchipy_h5ebsd/patterns.h5", tmp_path))
    with h5py.File(path, "r+") as file:
        file["Scan 2/EBSD/Header/static_background"][...] = 7
    one, other = (known_background(open_scan(path, scan=f"Scan {i}")) for i in (1, 2))
    assert (other == 7).all()
    assert one.std() > 0


@pytest.mark.parametrize("spoil", ["dark", "size", "none"])
def test_what_is_no_background_of_the_patterns_is_not_taken(spoil, nickel):
    with h5py.File(nickel, "r+") as file:
        header = file["Scan 1/EBSD/Header"]
        del header["static_background"]
        if spoil == "dark":
            header["static_background"] = np.zeros((60, 60), np.uint8)
        if spoil == "size":
            header["static_background"] = np.ones((30, 60), np.uint8)
    assert known_background(open_scan(nickel)) is None


@pytest.mark.parametrize(
    ("maker", "version", "group", "patterns", "name"),
    [
        ("Bruker Nano", "Esprit 2.X", "Scan", "RawPatterns", "StaticBackground"),
        ("Oxford Instruments", "5.0", "1", "Processed Patterns", "Processed Static Background"),
    ],
)
def test_makers_name_it_in_their_own_way(maker, version, group, patterns, name, tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["Manufacturer"], file["Version"] = maker.encode(), version.encode()
        file["Format Version"] = version.encode()
        header, data = (file.create_group(f"{group}/EBSD/{part}") for part in ("Header", "Data"))
        grid = {"NROWS": 2, "NCOLS": 3, "XSTEP": 0.5, "YSTEP": 0.5, "Grid Type": b"isometric"}
        oxford = {"X Cells": 3, "Y Cells": 2, "X Step": 0.5, "Y Step": 0.5}
        for key, value in {**grid, **oxford, "PatternHeight": 4, "PatternWidth": 6}.items():
            header[key] = value if isinstance(value, bytes) else np.array([value])
        data[patterns] = np.zeros((6, 4, 6), np.uint8)
        header[name] = np.arange(24, dtype=np.uint16).reshape(4, 6)
    found = known_background(open_scan(path))
    np.testing.assert_array_equal(found, np.arange(24).reshape(4, 6))


def test_other_files_have_none():
    assert known_background(open_scan(sample_folder() / "nickel_3x3.up2")) is None
    assert known_background(open_scan(KIKUCHIPY / "edax_h5ebsd/patterns.h5")) is None
