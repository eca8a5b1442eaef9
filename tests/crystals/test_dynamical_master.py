"""Dynamical master patterns against kikuchipy's of nickel, and against plain integration."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.ndimage import map_coordinates

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.dynamical_master import DynamicalMaster
from napari_kikuchi.simulate.master import nickel


def directions(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def in_lambert(square, vectors):
    """Values of a square Lambert projection of a hemisphere."""
    from kikuchipy.signals.util._master_pattern import _vector2lambert

    places = (_vector2lambert(vectors) / np.sqrt(np.pi / 2) + 1) / 2 * (len(square) - 1)
    return map_coordinates(square, places.T[::-1], order=1, mode="nearest")


def test_nickel_is_that_of_kikuchipy():
    vectors = directions(300)
    vectors[:, 2] = np.abs(vectors[:, 2])
    expected = in_lambert(nickel().hemispheres[0], vectors)
    found = DynamicalMaster(Crystal.built_in("ni"), voltage=20)(vectors)
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    # The lookup itself: turned by 45° about [001], the crystal is another.
    turn = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, np.sqrt(2)]]) / np.sqrt(2)
    turned = in_lambert(nickel().hemispheres[0], vectors @ turn)
    assert np.corrcoef(found, turned)[0, 1] < 0.5


@pytest.mark.parametrize("name", ["ti", "zinc_blende"])
def test_intensities_are_those_of_waves_integrated_over_the_depth(name, request):
    """With U from the structure factors, and nothing else of the code under test."""
    crystal = Crystal.built_in(name) if name == "ti" else request.getfixturevalue(name)
    depth, beams = 40.0, 12
    simulation = DynamicalMaster(crystal, voltage=20, beams=beams, absorption=0, depth=depth)
    vectors = directions(4, seed=3)
    chosen, _ = simulation._choose(__import__("torch").tensor(vectors.astype(np.float32)))
    hkl = simulation._hkl.numpy()[chosen.numpy()]
    wavelength = simulation.beam.wavelength
    for direction, indices, found in zip(vectors, hkl, simulation(vectors), strict=True):
        differences = (indices[:, None] - indices).reshape(-1, 3)
        potential = simulation.beam.coupling(
            crystal.structure_factors(differences), crystal.volume
        ).reshape(beams, beams)
        sources = crystal.source_factors(differences).reshape(beams, beams)
        inside = direction * np.sqrt(1 / wavelength**2 + 2 * potential[0, 0].real / wavelength)
        waves = inside + indices @ crystal.reciprocal_base
        radius = np.linalg.norm(inside)
        matrix = potential.copy()
        np.fill_diagonal(matrix, (radius**2 - (waves**2).sum(axis=1)) / (2 * radius))
        depths = np.linspace(0, 12 * depth, 6001)
        step = expm(2j * np.pi * matrix * depths[1])
        amplitudes = np.zeros(beams, complex)
        amplitudes[0] = 1
        density = np.empty(len(depths))
        for number in range(len(depths)):
            density[number] = (amplitudes.conj() @ sources @ amplitudes).real
            amplitudes = step @ amplitudes
        density /= sources[0, 0].real
        expected = np.trapezoid(density * np.exp(-depths / depth) / depth, depths)
        assert found == pytest.approx(expected, rel=2e-3)


def test_directions_that_symmetry_makes_equal_are_equally_bright():
    titanium = Crystal.built_in("ti")
    vectors = directions(3)
    alike = np.concatenate([vectors @ turn.T for turn in titanium.laue_group.to_matrix()])
    found = DynamicalMaster(titanium, beams=60)(alike).reshape(-1, len(vectors))
    assert len(found) == 24
    np.testing.assert_allclose(found, found[:1].repeat(24, axis=0), rtol=2e-3)


def test_the_choice_of_origin_is_of_no_matter():
    silicon = Crystal.from_settings(
        {
            "name": "Si",
            "space_group": 227,
            "lattice": [5.43, 5.43, 5.43, 90, 90, 90],
            "atoms": [
                ["Si", *(np.array(at) + shift).tolist(), 1.0, 0.5]
                for shift in ((0, 0, 0), (0.25, 0.25, 0.25))
                for at in ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
            ],
        }
    )
    vectors = directions(20)
    moved = replace(silicon, positions=silicon.positions + np.array([0.11, 0.23, 0.37]))
    one, other = (DynamicalMaster(which, beams=40) for which in (silicon, moved))
    assert not one._potential.is_complex()
    assert other._potential.is_complex()
    np.testing.assert_allclose(one(vectors), other(vectors), rtol=2e-3)


def test_absorption_takes_most_of_what_is_at_the_atoms():
    nickel_atoms = Crystal.built_in("ni")
    vectors = directions(50)
    clear = DynamicalMaster(nickel_atoms, beams=40, absorption=0)(vectors)
    dim = DynamicalMaster(nickel_atoms, beams=40, absorption=0.01)(vectors)
    loss = 1 - dim / clear
    assert (loss > 0).all()
    assert np.corrcoef(loss, clear)[0, 1] > 0.5


@pytest.mark.parametrize("count", [0, 1])
def test_few_directions(count):
    found = DynamicalMaster(Crystal.built_in("fe"), beams=20)(directions(count))
    assert found.shape == (count,)
    assert found.dtype == np.float32


def test_both_sides_are_the_mean_of_opposite_directions(zinc_blende):
    vectors = directions(6)
    one_sided = DynamicalMaster(zinc_blende, beams=50)
    up, down = one_sided(vectors), one_sided(-vectors)
    assert np.abs(up / down - 1).max() > 0.01
    both = DynamicalMaster(zinc_blende, beams=50, both_sides=True)(vectors)
    np.testing.assert_allclose(both, (up + down) / 2, rtol=1e-4)
