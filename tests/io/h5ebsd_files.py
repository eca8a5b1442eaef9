"""HDF5 files of EBSD scans, as their makers' programs write them."""

import importlib.util
import shutil
from pathlib import Path

import h5py
import numpy as np

KIKUCHIPY = Path(importlib.util.find_spec("kikuchipy").origin).parent / "data"


def edax(path):
    shutil.copy(KIKUCHIPY / "edax_h5ebsd/patterns.h5", path)
    with h5py.File(path, "r+") as file:
        header = file["Scan 1/EBSD/Header"]
        for axis, value in zip("xyz", (0.41, 0.73, 0.61), strict=True):
            header[f"Pattern Center Calibration/{axis}-star"][0] = value
        header["Camera Elevation Angle"][0] = 4.5


def oxford(path):
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file["Manufacturer"], file["Format Version"] = b"Oxford Instruments", b"5.0"
        header, data = file.create_group("1/EBSD/Header"), file.create_group("1/EBSD/Data")
        sizes = {"X Cells": 3, "Y Cells": 2, "Pattern Height": 4, "Pattern Width": 6}
        for name, value in {**sizes, "X Step": 0.5, "Y Step": 0.5}.items():
            header[name] = np.array([value])
        header["Tilt Angle"] = np.array([np.deg2rad(69.5)])
        header["Beam Voltage"] = np.array([15.0], np.float32)
        header["Detector Orientation Euler"] = np.deg2rad([0, 93.0, 0])
        data["Processed Patterns"] = np.zeros((6, 4, 6), np.uint8)
        for name, value in (("X", 0.5), ("Y", 0.7)):
            data[f"Pattern Center {name}"] = value + rng.uniform(-0.01, 0.01, 6)
        data["Detector Distance"] = 0.6 + rng.uniform(-0.01, 0.01, 6)
        data["Phase"], data["Euler"] = np.zeros(6, np.uint8), np.zeros((6, 3))


def bruker(path):
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file["Manufacturer"], file["Version"] = b"Bruker Nano", b"Esprit 2.X"
        header, data = (file.create_group(f"Scan/EBSD/{part}") for part in ("Header", "Data"))
        grid = {"NROWS": 2, "NCOLS": 3, "XSTEP": 0.5, "YSTEP": 0.5, "Grid Type": b"isometric"}
        for name, value in {**grid, "CameraTilt": 5.5, "Sample Tilt": 68.0, "KV": 30.0}.items():
            header[name] = value
        header["PatternHeight"], header["PatternWidth"] = 4, 6
        data["RawPatterns"] = np.zeros((6, 4, 6), np.uint8)
        for name, value in (("PCX", 0.5), ("PCY", 0.3), ("DD", 0.6)):
            data[name] = value + rng.uniform(-0.01, 0.01, 6)


def kikuchipys(path):
    shutil.copy(KIKUCHIPY / "kikuchipy_h5ebsd/patterns.h5", path)
    with h5py.File(path, "r+") as file:
        del file["Scan 2"]
        file["Scan 1/SEM/Header/beam_energy"][...] = 10
