"""What the tests of orientations share."""

import numpy as np
import pytest
from cif_files import ACROSS_A, TRICLINIC, ZINC_BLENDE, ZIRCONIA, write_cif
from scipy.spatial.transform import Rotation

from napari_kikuchi.orientation.crystal import Crystal


@pytest.fixture(scope="session")
def zinc_blende(tmp_path_factory):
    return Crystal.from_cif(write_cif(tmp_path_factory.mktemp("cif") / "ZnS.cif", **ZINC_BLENDE))


@pytest.fixture(scope="session")
def triclinic(tmp_path_factory):
    return Crystal.from_cif(write_cif(tmp_path_factory.mktemp("cif") / "a.cif", **TRICLINIC))


@pytest.fixture(scope="session")
def crystals(tmp_path_factory, triclinic):
    folder = tmp_path_factory.mktemp("cif")
    return {
        "cu": Crystal.built_in("cu"),
        "ti": Crystal.built_in("ti"),
        "trigonal": Crystal.from_cif(write_cif(folder / "across_a.cif", **ACROSS_A)),
        "monoclinic": Crystal.from_cif(write_cif(folder / "zirconia.cif", **ZIRCONIA)),
        "triclinic": triclinic,
    }


@pytest.fixture(scope="session")
def random_rotations():
    return lambda n, seed=0: Rotation.random(n, rng=np.random.default_rng(seed)).as_matrix()
