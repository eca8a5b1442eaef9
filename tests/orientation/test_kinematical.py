"""Kinematical spots against diffsims."""

import numpy as np
import pytest
import torch
from diffsims.generators.simulation_generator import SimulationGenerator
from orix.quaternion import Rotation

from napari_kikuchi.crystals.beam import Beam
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.spots import Spots

K_MAX = 2.0
# 1/Å; diffsims takes one over it for the thickness of its Lorentzian.
MAX_ERROR = 0.02


def spots_of_diffsims(crystal, rotations, min_intensity):
    generator = SimulationGenerator(
        300, shape_factor_model="lorentzian", minimum_intensity=min_intensity
    )
    simulation = generator.calculate_diffraction2d(
        crystal.phase,
        Rotation.from_matrix(rotations),
        reciprocal_radius=K_MAX,
        with_direct_beam=False,
        max_excitation_error=MAX_ERROR,
        debye_waller_factors={crystal.elements[0]: crystal.debye_waller[0]},
    )
    for vectors in simulation.coordinates:
        # They keep extinct reflections where there is no other.
        seen = vectors.intensity > 1e-9
        yield np.column_stack([vectors.data[seen, :2], vectors.intensity[seen]])


@pytest.mark.parametrize("name", ["cu", "fe", "ti"])
def test_spots_are_those_of_diffsims(name, random_rotations):
    crystal = Crystal.built_in(name)
    rotations = random_rotations(40, 5)
    simulate = KinematicalSpots(
        crystal,
        k_max=K_MAX,
        thickness=1 / MAX_ERROR,
        max_excitation_error=MAX_ERROR,
        min_intensity=1e-4,
    )
    found = Spots(simulate(rotations).numpy()).lists()
    expected = list(spots_of_diffsims(crystal, rotations, 1e-4))
    assert sum(map(len, expected)) > 100
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours) == len(theirs)
        if not len(ours):
            continue
        apart = np.linalg.norm(ours[:, None, :2] - theirs[:, :2], axis=2)
        nearest = apart.argmin(axis=1)
        assert len(set(nearest)) == len(ours)
        assert apart.min(axis=1).max() < 1e-4
        # Theirs are in other units.
        ratio = ours[:, 2] / theirs[nearest, 2]
        np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-3)


@pytest.mark.parametrize(
    ("shape", "fall"),
    [
        ("foil", lambda st: np.sinc(st) ** 2),
        ("gaussian", lambda st: np.exp(-((np.pi * st) ** 2) / 3)),
    ],
)
def test_a_foil_fades_as_its_shape_transform(shape, fall):
    """Cu 220 at Bragg's condition and off it, by turning about the y axis."""
    copper = Crystal.built_in("cu")
    beam = Beam(200)
    g = np.sqrt(8) / 3.615
    turns = np.arcsin(beam.wavelength * g / 2) + np.array([0, 0.002, 0.004, 0.006])
    # x of the sample along [110] of the crystal, up to the turn.
    to_crystal = np.array([[1, 0, 1], [1, 0, -1], [0, np.sqrt(2), 0]]) / np.sqrt(2)
    to_crystal = to_crystal * np.sign(np.linalg.det(to_crystal))
    rotations = to_crystal @ Rotation.from_axes_angles([0, 1, 0], turns).to_matrix()
    simulate = KinematicalSpots(
        copper, voltage=200, thickness=80, shape=shape, k_max=g + 0.01, min_intensity=0,
        dtype=torch.float64,
    )  # fmt: skip
    spots = simulate(rotations)
    at = torch.as_tensor(np.outer(np.cos(turns), [g, 0]))[:, None]
    away = (spots[..., :2] - at).norm(dim=-1)
    assert away.amin(1).max() < 1e-9
    intensity = spots[..., 2].gather(1, away.argmin(1)[:, None])[:, 0]
    # The reflection moves on a circle: its distance from the sphere is near g times the angle.
    expected = fall(80 * g * (turns - turns[0]))
    np.testing.assert_allclose(intensity / intensity[0], expected, rtol=0.03)


def test_weak_spots_are_left_out_and_lists_have_one_width():
    simulate = KinematicalSpots(Crystal.built_in("cu"), k_max=K_MAX, most_spots=6)
    spots = simulate(np.stack([np.eye(3)] * 3))
    assert spots.shape == (3, 6, 3)
    assert simulate(np.zeros((0, 3, 3))).shape == (0, 6, 3)
    wide = KinematicalSpots(Crystal.built_in("cu"), k_max=K_MAX, min_intensity=0.1)(np.eye(3)[None])
    seen = wide[0, :, 2][wide[0, :, 2] > 0]
    assert 0 < len(seen) < wide.shape[1]
    assert seen.min() >= 0.1 * seen.max()
    assert (seen.diff() <= 0).all()
    assert (wide[0, len(seen) :] == 0).all()


def test_positions_have_gradients():
    """By which orientations can be refined."""
    simulate = KinematicalSpots(Crystal.built_in("cu"), k_max=1.0, dtype=torch.float64)
    angle = torch.tensor(0.01, dtype=torch.float64, requires_grad=True)
    generator = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]], dtype=torch.float64)
    start = torch.as_tensor(Rotation.from_euler([0.3, 0.2, 0.1]).to_matrix()[0])
    spots = simulate((start @ torch.linalg.matrix_exp(angle * generator))[None])
    (gradient,) = torch.autograd.grad(spots[..., 0].sum(), angle)
    # x' = y where the frame turns by a small angle.
    torch.testing.assert_close(gradient, spots[..., 1].sum().detach())
