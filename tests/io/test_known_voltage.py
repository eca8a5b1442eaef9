import shutil
import warnings

import h5py
import numpy as np
import pytest
from h5ebsd_files import KIKUCHIPY, bruker, edax, kikuchipys, oxford

from napari_kikuchi.io import open_scan
from napari_kikuchi.io.known_voltage import voltage_of
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.scan import Scan


@pytest.mark.parametrize(
    ("write", "suffix", "expected"),
    [(oxford, ".h5oina", 15), (bruker, ".h5", 30), (kikuchipys, ".h5", 10)],
)
def test_an_hdf5_file_tells_the_voltage_as_kikuchipy_reads_it(write, suffix, expected, tmp_path):
    import kikuchipy

    path = tmp_path / f"scan{suffix}"
    write(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metadata = kikuchipy.load(path, lazy=True).metadata
    read = np.ravel(metadata.Acquisition_instrument.SEM.beam_energy)[0]
    assert voltage_of(open_scan(path)) == read == expected


def test_each_scan_of_a_file_tells_its_own_voltage(tmp_path):
    path = tmp_path / "two.h5"
    shutil.copy(KIKUCHIPY / "kikuchipy_h5ebsd/patterns.h5", path)
    with h5py.File(path, "r+") as file:
        file["Scan 2/SEM/Header/beam_energy"][...] = 12
    assert [voltage_of(open_scan(path, scan=f"Scan {i}")) for i in (1, 2)] == [20, 12]


def test_a_simulation_of_emsoft_tells_the_energy_of_its_beam(tmp_path):
    path = tmp_path / "simulated.h5"
    shutil.copy(KIKUCHIPY / "emsoft_ebsd/EBSD_TEST_Ni.h5", path)
    with h5py.File(path, "r+") as file:
        file["NMLparameters/EBSDNameList/energymax"][...] = 25
    assert voltage_of(open_scan(path)) == 25


def test_the_settings_beside_patterns_of_nordif_tell_the_voltage(tmp_path):
    for name in ("Pattern.dat", "Setting.txt"):
        shutil.copy(KIKUCHIPY / "nordif" / name, tmp_path)
    scan = open_scan(tmp_path / "Pattern.dat")
    setting = tmp_path / "Setting.txt"
    text = setting.read_text(encoding="latin-1")
    assert text.count("voltage\t20\tkV") == 1
    setting.write_text(text.replace("voltage\t20\tkV", "voltage\t12.5\tkV"), encoding="latin-1")
    assert voltage_of(scan) == 12.5
    setting.write_text("Accelerating voltage\tunknown\tkV")
    assert voltage_of(scan) == 20
    setting.unlink()
    assert voltage_of(scan) == 20


def test_where_nothing_tells_the_voltage_the_usual_one_is_taken(tmp_path):
    assert voltage_of(Scan(ArraySource(np.zeros((1, 1, 4, 4), np.uint8)))) == 20
    assert voltage_of(open_scan(sample_folder() / "wrought.up1")) == 20
    path = tmp_path / "scan.h5"
    edax(path)
    assert voltage_of(open_scan(path)) == 20


@pytest.mark.parametrize("told", [0, -20, 20_000, np.nan, b"20 kV", np.zeros(0)])
def test_what_cannot_be_a_voltage_is_none(told, tmp_path):
    path = tmp_path / "scan.h5"
    bruker(path)
    with h5py.File(path, "r+") as file:
        del file["Scan/EBSD/Header/KV"]
        file["Scan/EBSD/Header/KV"] = told
    assert voltage_of(open_scan(path)) == 20
