"""A classifier that has learned nothing but how crystals stand."""

import numpy as np
import pytest
import torch

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.modes import Modes
from napari_kikuchi.symmetry.network import SymmetryArchitecture, SymmetryNetwork
from napari_kikuchi.symmetry.sector import sector_directions


@pytest.fixture(scope="session")
def untrained():
    """Of copper and iron with cells of several lengths, by their bands alone."""
    masters = []
    for name in ("cu", "fe"):
        for cell in np.geomspace(0.85, 1.6, 8):
            settings = Crystal.built_in(name).settings()
            settings["lattice"] = [cell * side for side in settings["lattice"][:3]] + [90] * 3
            crystal = Crystal.from_settings(settings)
            masters.append(kinematical_intensities(crystal, sector_directions(), voltage=20))
    coarse, fine = (torch.from_numpy(one) for one in Modes.of(np.array(masters)).nodes)
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
