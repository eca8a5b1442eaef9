from pathlib import Path

import h5py
import kikuchipy
import pytest

from napari_kikuchi.io import is_pattern_file

SHIPPED = Path(kikuchipy.__file__).parent / "data"


@pytest.mark.parametrize(
    "name",
    [
        "edax_binary/edax_binary.up2",
        "edax_h5ebsd/patterns.h5",
        "emsoft_ebsd/simulated_ebsd.h5",
        "kikuchipy_h5ebsd/patterns.h5",
        "nordif/Pattern.dat",
        "oxford_binary/patterns.ebsp",
    ],
)
def test_files_that_kikuchipy_ships_are_recognised(name):
    assert is_pattern_file(SHIPPED / name)


def test_files_of_other_trades_are_left_to_others(tmp_path):
    with h5py.File(tmp_path / "cells.h5", "w") as file:
        file["volume"] = [1, 2, 3]
    (tmp_path / "text.h5").write_text("no HDF5")
    (tmp_path / "table.dat").write_text("1 2 3")
    for name in ("cells.h5", "text.h5", "table.dat", "missing.h5", "image.tif"):
        assert not is_pattern_file(tmp_path / name)
    master_pattern = SHIPPED / "emsoft_ebsd_master_pattern/master_patterns.h5"
    assert not is_pattern_file(master_pattern)
