"""The simulated alloy shows what its truth says, and its particles are found by their symmetry."""

import numpy as np
import pytest

from napari_kikuchi.io import open_scan
from napari_kikuchi.io.known_geometry import known_geometry
from napari_kikuchi.io.known_voltage import voltage_of
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate.scan import simulated_detector, truth_path
from napari_kikuchi.symmetry import simulated_alloy
from napari_kikuchi.symmetry.best_match import BestMatches
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.map_readings import SymmetryReadings
from napari_kikuchi.symmetry.maps import symmetry_maps
from napari_kikuchi.symmetry.references import References
from napari_kikuchi.symmetry.simulated_alloy import (
    AlloySettings,
    kept_alloy,
    make_alloy,
    simulate_alloy,
)

SMALL = AlloySettings(shape=(14, 16), seed=1, grain_size=5.0)
NICKEL, LAVES = 225, 227


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    return open_scan(finish(simulate_alloy(tmp_path_factory.mktemp("alloy") / "alloy.up2", SMALL)))


@pytest.fixture(scope="module")
def particle(scan):
    truth = read_maps(truth_path(scan.path))
    return truth.map(truth.names.index("particle"))


def test_what_a_map_of_symmetry_needs_is_known(scan):
    assert scan.shape == (14, 16, 60, 60)
    assert scan.step == (0.5, 0.5)
    told = known_geometry(scan)
    assert told.told_by == truth_path(scan.path)
    assert told.geometry.detector(scan.pattern_shape) == simulated_detector(scan.path)
    # Both master patterns are of this voltage.
    assert voltage_of(scan) == 20


def test_particles_lie_apart_in_grains_with_twins():
    alloy = make_alloy()
    assert alloy.map_shape == (40, 48)
    assert alloy.grain.max() >= 6
    assert alloy.twin.any()
    inside = alloy.particle > 0
    assert inside.mean() == pytest.approx(AlloySettings().particle_fraction, abs=0.02)
    assert not alloy.twin[inside].any()
    sizes = np.bincount(alloy.particle[inside])[1:]
    assert len(sizes) >= 8
    assert sizes.min() >= 3**2
    for numbers in (alloy.particle, alloy.particle.T):
        one, other = numbers[1:], numbers[:-1]
        assert not ((one != other) & (one > 0) & (other > 0)).any()


def test_each_particle_is_one_crystal_that_stands_as_no_other():
    alloy = make_alloy(SMALL)
    inside = alloy.particle > 0
    crystals = np.column_stack([alloy.particle[inside], alloy.orientations[inside]])
    stand = np.unique(crystals, axis=0)
    assert len(stand) == len(np.unique(stand[:, 1:], axis=0)) == alloy.particle.max()


def test_particles_come_out_as_the_group_and_the_phase_that_they_are(scan, particle, tmp_path):
    geometry = known_geometry(scan).geometry
    job = symmetry_maps(scan, SymmetryClassifier.shipped(), geometry, tmp_path / "maps.zarr")
    stack = finish(job)
    found = stack.map(stack.names.index("symmetry"))
    told, there = found == LAVES, particle > 0
    assert 2 * (told & there).sum() / (told.sum() + there.sum()) >= 0.9
    assert (found[~there] == NICKEL).mean() > 0.95
    matches = BestMatches(scan, stack, SymmetryReadings.of(stack), References.shipped())
    row, col = np.argwhere(particle == np.bincount(particle[there].astype(int)).argmax())[0]
    assert matches.at(row, col).match.name == SMALL.particles


def test_particles_of_an_unknown_phase_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"known phase, such as NbCr2 .*'Unobtainium'"):
        next(simulate_alloy(tmp_path / "a.up2", AlloySettings(particles="Unobtainium")))


def test_the_scan_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_kikuchi.io.places.user_folder", lambda: tmp_path)
    monkeypatch.setattr(simulated_alloy, "AlloySettings", lambda: SMALL)
    path = finish(kept_alloy())
    assert path.is_relative_to(tmp_path)
    assert open_scan(path).map_shape == SMALL.shape
    assert list(kept_alloy()) == []
