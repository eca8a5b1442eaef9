"""Templates are the spots that are simulated, and come back from files."""

import numpy as np
import pytest
import torch

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.io.weights import ModelFileError, read_tensors, write_tensors
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.dynamical import DynamicalSpots
from napari_kikuchi.orientation.in_plane import mirrored, turned
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.template_library import Library
from napari_kikuchi.orientation.templates import dynamical_library, kinematical_library
from napari_kikuchi.orientation.zone_axes import tilted

SETTINGS = {"k_max": 1.8, "step": 6.0, "fine_step": 2.0}
THICKNESSES = (100.0, 300.0)


@pytest.fixture(scope="module")
def copper():
    return Crystal.built_in("cu")


@pytest.fixture(scope="module")
def thin(copper):
    return finish(kinematical_library(copper, thicknesses=THICKNESSES, **SETTINGS))


@pytest.fixture(scope="module")
def thick(copper):
    return finish(dynamical_library(copper, thicknesses=THICKNESSES, **SETTINGS))


def assert_template(library, cell, tilt, thickness, spots):
    """A template has these spots, and no others."""
    spots = spots[spots[:, 2] > 0]
    amplitudes = library.amplitudes[cell, tilt, thickness]
    seen = amplitudes > 0
    assert seen.sum() == len(spots) > 3
    apart = torch.cdist(library.positions[cell][seen], spots[:, :2])
    # Along the beam a reflection is 0.05 1/Å away at most, and a template 4.5° from the middle.
    assert apart.amin(1).max() < 0.02
    expected = torch.nn.functional.normalize(spots[:, 2] ** library.power, dim=0)
    torch.testing.assert_close(amplitudes[seen], expected[apart.argmin(1)], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("thickness", [0, 1])
def test_kinematical_templates_are_kinematical_spots(copper, thin, thickness):
    simulate = KinematicalSpots(copper, k_max=1.8, thickness=THICKNESSES[thickness])
    for cell, tilt in ((3, 0), (11, 7), (20, 12)):
        spots = simulate(tilted(thin.rotations[cell], thin.tilts[tilt])[None])[0]
        assert_template(thin, cell, tilt, thickness, spots)


def test_dynamical_templates_are_dynamical_spots(copper, thick):
    simulate = DynamicalSpots(copper, k_max=1.8)
    for cell, tilt in ((3, 0), (11, 7), (20, 12)):
        spots = simulate(tilted(thick.rotations[cell], thick.tilts[tilt])[None], THICKNESSES)
        for thickness, values in enumerate(spots.values):
            assert_template(thick, cell, tilt, thickness, torch.from_numpy(values))


def test_a_smaller_detector_shows_the_inner_reflections(copper, thin):
    """As templates simulated up to its radius, but for what lies above the plane."""
    small = finish(
        kinematical_library(copper, thicknesses=THICKNESSES, **SETTINGS | {"k_max": 1.65})
    )
    within = thin.within(1.65)
    assert within.k_max == 1.65
    for cell, tilt in ((3, 0), (11, 7), (20, 12)):
        spots = torch.cat([small.positions[cell], small.amplitudes[cell, tilt, 0][:, None]], dim=1)
        spots[:, 2] **= 1 / small.power
        assert_template(within, cell, tilt, 0, spots)
    assert thin.within(3.0) is thin


def test_orientations_are_those_of_turned_and_mirrored_patterns(thin):
    cells = torch.tensor([2, 5, 9])
    angles = torch.tensor([0.3, -2.0, 1.0], dtype=torch.float64)
    tilt = thin.tilts[[3, 0, 8]]
    rotations = tilted(thin.rotations[cells], tilt)
    nothing = torch.zeros(3, 0, 3, dtype=torch.float64)
    _, plain = turned(nothing, rotations, angles)
    found = thin.orientations(cells, torch.tensor([False] * 3), angles, tilt)
    torch.testing.assert_close(found, plain)
    _, mirrored_then_turned = turned(nothing, mirrored(nothing, rotations)[1], angles)
    found = thin.orientations(cells, torch.tensor([True] * 3), angles, tilt)
    torch.testing.assert_close(found, mirrored_then_turned)


def test_building_tells_how_far_it_is(copper):
    updates = []
    library = finish(kinematical_library(copper, **SETTINGS), updates.append)
    assert [update.done for update in updates] == list(range(len(library.rotations)))
    assert {update.total for update in updates} == {len(library.rotations)}


def test_files_give_the_same_library(thick, tmp_path):
    thick.save(tmp_path / "cu.safetensors")
    found = Library.load(tmp_path / "cu.safetensors")
    for name, value in vars(thick).items():
        if isinstance(value, torch.Tensor):
            assert getattr(found, name).dtype == value.dtype
            torch.testing.assert_close(getattr(found, name), value, atol=1e-3, rtol=0)
        else:
            assert getattr(found, name) == value


def test_a_file_must_be_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no library of diffraction spots"):
        Library.load(tmp_path / "none.safetensors")


def without(name):
    return lambda tensors, header: tensors.pop(name)


def with_values(name, change):
    def damage(tensors, header):
        tensors[name] = change(tensors[name])

    return damage


def with_header(name, value):
    return lambda tensors, header: header.update({name: value})


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (without("tilts"), r"expected tilts as numbers of shape \(tilts, 2\), found none"),
        (with_values("rotations", lambda x: x[:-1]), "expected positions of shape"),
        (with_values("rotations", lambda x: 2 * x), "expected rotations that are rotations"),
        (with_values("operators", lambda x: -x), "expected operators that are rotations"),
        (with_values("tilts", lambda x: x.astype(int)), "expected tilts as numbers"),
        (with_values("positions", lambda x: np.full_like(x, np.nan)), "positions that are finite"),
        (with_values("amplitudes", lambda x: -x), "expected amplitudes from 0 to 1"),
        (with_values("thicknesses", lambda x: x[:0]), "expected thicknesses of shape"),
        (with_header("voltage", "much"), "expected the voltage"),
        (with_header("power", 0), "expected the power"),
        (with_header("k_max", 1e12), "expected k_max as a finite number from 0.01 to 100"),
        (with_header("crystal", None), "expected the name of the crystal"),
        (with_header("content", "model"), "expected a library of diffraction spots, found a model"),
    ],
)
def test_damaged_files_are_told(damage, told, thin, tmp_path):
    path = tmp_path / "cu.safetensors"
    thin.save(path)
    tensors, header = read_tensors(path, "library of diffraction spots")
    header = dict(header)
    damage(tensors, header)
    write_tensors(path, tensors, header)
    with pytest.raises(ModelFileError, match=told) as error:
        Library.load(path)
    assert str(path) in str(error.value)
