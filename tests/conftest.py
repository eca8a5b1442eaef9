"""What all tests share."""

import os
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from cif_files import ACROSS_A, TRICLINIC, ZINC_BLENDE, ZIRCONIA, write_cif
from napari_kikuchi.compiled import own_compilation_cache
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.io import open_scan
from napari_kikuchi.samples import sample_folder

# How long an example takes says more about the machine than about the code.
# Continuous integration tries the same examples each time: what it finds is of the change it tests.
# Everywhere else new ones are drawn.
settings.register_profile("any machine", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("any machine")


def pytest_configure(config):
    own_compilation_cache(Path(config.cache.mkdir("compiled")))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    _seed_all(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call():
    # Not what its fixtures have drawn once more, nor what hangs on which of them had to be made.
    _seed_all(1)


def _seed_all(seed):
    """What is drawn without a generator of its own is the same each time, in whatever order.

    Hypothesis has its own: where it draws new examples, it goes on to do so.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - orix draws from it.
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)


@pytest.fixture(scope="session")
def silicon():
    """Three real patterns of silicon at three camera lengths."""
    return open_scan(sample_folder() / "silicon_moving_screen.up1")


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
def untrained():
    """A classifier of symmetry that has learned nothing but how cubic crystals stand.

    Its modes are those of copper and iron with cells of several lengths, by their bands alone.
    """
    import torch

    from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
    from napari_kikuchi.symmetry.classifier import SymmetryClassifier
    from napari_kikuchi.symmetry.modes import Modes
    from napari_kikuchi.symmetry.network import SymmetryArchitecture, SymmetryNetwork
    from napari_kikuchi.symmetry.sector import sector_directions

    masters = []
    for name in ("cu", "fe"):
        for cell in np.geomspace(0.85, 1.6, 8):
            settings = Crystal.built_in(name).settings()
            settings["lattice"] = [cell * side for side in settings["lattice"][:3]] + [90] * 3
            crystal = Crystal.from_settings(settings)
            masters.append(kinematical_intensities(crystal, sector_directions(), voltage=20))
    coarse, fine = (torch.from_numpy(one) for one in Modes.of(np.array(masters)).in_triangle)
    torch.manual_seed(0)
    architecture = SymmetryArchitecture(
        (221, 223, 225, 227, 229, 230), width=4, modes=(coarse.shape[1], fine.shape[1])
    )
    network = SymmetryNetwork(architecture)
    network.coarse_modes.copy_(coarse)
    network.fine_modes.copy_(fine)
    network.shown_as.copy_(torch.eye(6) * 9)
    network.shown_as[2, 0] = 1  # Of ten phases that show 225 one is of 221.
    return SymmetryClassifier(network.eval())
