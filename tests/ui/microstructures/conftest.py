"""A dock over maps of grains, and a generator that has learned nothing."""

import numpy as np
import pytest
import torch
from making import COLS, HOLE, ROWS, STEP, add_maps, open_dock

from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.io import open_scan
from napari_kikuchi.microstructure.control import MicrostructureControl, base_checksum
from napari_kikuchi.microstructure.control_network import ControlArchitecture, ControlNetwork
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.maps import cubic_phases, grain_maps, polycrystal_orientations
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.polycrystal import PolycrystalSettings, Volume
from napari_kikuchi.ui.link import ScanLink


@pytest.fixture(scope="session")
def generator_file(tmp_path_factory):
    torch.manual_seed(0)
    network = GeneratorNetwork(GeneratorArchitecture((8, 8), 1, 2)).eval()
    path = tmp_path_factory.mktemp("generator") / "tiny.safetensors"
    MicrostructureGenerator(network).save(path)
    return path


@pytest.fixture(scope="session")
def control_file(generator_file, tmp_path_factory):
    """Of that generator; it has not learned anything either, but no longer says nothing."""
    base = MicrostructureGenerator.load(generator_file, "cpu")
    torch.manual_seed(1)
    architecture = ControlArchitecture(base.network.architecture, ("phase", "fraction", "diameter"))
    network = ControlNetwork(architecture, base.network).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    path = tmp_path_factory.mktemp("control") / "tiny.safetensors"
    MicrostructureControl(network, base_checksum(base.network)).save(path)
    return path


@pytest.fixture(scope="session")
def polycrystal():
    return polycrystal_orientations(Volume(PolycrystalSettings(diameter=8), 32, 3).slice(2, 0.5))


@pytest.fixture
def scan(tmp_path, write_scan):
    patterns = np.random.default_rng(2).integers(0, 1000, (ROWS, COLS, 8, 8)).astype(np.uint16)
    return open_scan(write_scan(tmp_path / "weld.up2", patterns))


@pytest.fixture
def stack(polycrystal, scan):
    """Maps of the scan in which twenty points were not indexed."""
    quaternions = polycrystal.quaternions[:ROWS, :COLS].copy()
    quaternions[HOLE] = np.nan
    phases = polycrystal.phases[:ROWS, :COLS]
    orientations = OrientationMap(quaternions, polycrystal.symmetries, phases)
    record = {"path": str(scan.path), "name": scan.name, "options": dict(scan.options)}
    told = {"method": "physics", "scan": record}
    return grain_maps(orientations, cubic_phases(), told, step=STEP)


@pytest.fixture
def viewer(windowless, stack, scan):
    add_maps(windowless, stack, ScanLink(scan))
    return windowless


@pytest.fixture
def dock(viewer, generator_file, qtbot):
    return open_dock(viewer, generator_file, qtbot)
