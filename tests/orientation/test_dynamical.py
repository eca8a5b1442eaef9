"""Bloch waves against what is known of them, and against other ways to solve the same equations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from napari_kikuchi.crystals.beam import Beam
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.orientation.dynamical import DynamicalSpots
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.spots import Spots

THICKNESSES = np.array([20.0, 150, 400, 1000])


@pytest.fixture(scope="module")
def still_aluminium():
    """Without the vibrations of its atoms, as in the tables of extinction lengths."""
    aluminium = Crystal.built_in("al")
    return replace(aluminium, debye_waller=np.zeros(4))


def along(crystal, hkl, beam, turn=0.0):
    """x of the sample along a reflection in Bragg's condition, and turned from there about y.

    The beam lies in no other plane of low indices.
    """
    g = np.asarray(hkl) @ crystal.reciprocal_base
    x = g / np.linalg.norm(g)
    z = np.cross(x, [0.3, 0.05, 1.0])
    z /= np.linalg.norm(z)
    bragg = np.arcsin(beam.wavelength * np.linalg.norm(g) / 2)
    frame = np.column_stack([x, np.cross(z, x), z])
    return frame @ Rotation.from_rotvec([0, bragg + turn, 0]).as_matrix()


def intensity_of(beams, hkl):
    (index,) = np.flatnonzero((beams.hkl == hkl).all(axis=1))
    return beams.intensities[:, index]


@pytest.fixture(scope="module")
def two_beams():
    """Simulates 200 of aluminium with no other beam near enough to the Ewald sphere to count."""

    def simulate(crystal, turn, thicknesses, absorption=0.0):
        solver = DynamicalSpots(
            crystal, voltage=100, k_max=0.4, max_excitation_error=0.003, absorption=absorption
        )
        rotation = along(crystal, [2, 0, 0], solver.beam, turn)
        beams = solver.beams(rotation, thicknesses)
        np.testing.assert_array_equal(beams.hkl, [[0, 0, 0], [2, 0, 0]])
        return beams, solver.beam.excitation_errors(beams.vectors)[1]

    return simulate


@pytest.mark.parametrize(("hkl", "length"), [([1, 1, 1], 556), ([2, 0, 0], 673), ([2, 2, 0], 1057)])
def test_extinction_lengths_are_those_of_the_textbook(still_aluminium, hkl, length):
    """Hirsch et al., aluminium at 100 kV, in Å."""
    factor = still_aluminium.structure_factors([hkl])
    coupling = Beam(100).coupling(factor, still_aluminium.volume)
    np.testing.assert_allclose(0.5 / abs(coupling), length, rtol=0.01)


def test_two_beams_swap_within_an_extinction_length(still_aluminium, two_beams):
    thicknesses = np.linspace(0, 1346, 41)
    beams, error = two_beams(still_aluminium, 0, thicknesses)
    assert abs(error) < 1e-7
    expected = np.sin(np.pi * thicknesses / 673) ** 2
    np.testing.assert_allclose(intensity_of(beams, [2, 0, 0]), expected, atol=0.06)


def test_two_beams_follow_the_rocking_curve(still_aluminium, two_beams):
    """I = sin²(πt sqrt(s² + 1/ξ²)) / (1 + (sξ)²)."""
    factor = abs(still_aluminium.structure_factors([[2, 0, 0]])[0])
    # ξ = π V / (λ γ F), with the wavelength and the mass at 100 kV.
    xi = np.pi * 4.05**3 / (0.0370144 * 1.195695 * factor)
    for turn in np.linspace(-5e-3, 5e-3, 21):
        beams, s = two_beams(still_aluminium, turn, [500.0, 900.0])
        inner = np.sqrt(s**2 + xi**-2)
        expected = np.sin(np.pi * np.array([500, 900]) * inner) ** 2 / (1 + (s * xi) ** 2)
        np.testing.assert_allclose(intensity_of(beams, [2, 0, 0]), expected, atol=1e-4)
        assert s == pytest.approx(turn * 2 / 4.05, rel=0.01, abs=1e-6)


def test_two_beams_fade_as_absorption_says(still_aluminium, two_beams):
    """At Bragg's condition: exp(-4πrct) (cosh(4πrut) - cos(4πut)) / 2, with U0/2K = c, U/2K = u."""
    share = 0.1
    thicknesses = np.linspace(0, 1500, 31)
    beams, _ = two_beams(still_aluminium, 0, thicknesses, share)
    factors = still_aluminium.structure_factors([[0, 0, 0], [2, 0, 0]])
    c, u = abs(Beam(100).coupling(factors, still_aluminium.volume))
    expected = np.exp(-4 * np.pi * share * c * thicknesses) / 2
    phase = 4 * np.pi * u * thicknesses
    expected *= np.cosh(share * phase) - np.cos(phase)
    np.testing.assert_allclose(intensity_of(beams, [2, 0, 0]), expected, atol=1e-4)


@pytest.mark.parametrize("name", ["cu", "ti", "zinc_blende"])
def test_no_electron_is_lost_without_absorption(name, request, random_rotations):
    crystal = request.getfixturevalue(name) if name == "zinc_blende" else Crystal.built_in(name)
    solver = DynamicalSpots(crystal, k_max=1.2)
    absorbing = DynamicalSpots(crystal, k_max=1.2, absorption=0.1)
    for rotation in [*random_rotations(5, 6), np.eye(3)]:
        beams = solver.beams(rotation, THICKNESSES)
        np.testing.assert_allclose(beams.intensities.sum(axis=1), 1, atol=1e-6)
        left = absorbing.beams(rotation, THICKNESSES).intensities.sum(axis=1)
        assert (np.diff(left) < 0).all()
        assert left[0] < 1


@pytest.mark.parametrize("name", ["cu", "ti", "zinc_blende"])
def test_thin_crystals_scatter_kinematically(name, request, random_rotations):
    crystal = request.getfixturevalue(name) if name == "zinc_blende" else Crystal.built_in(name)
    thickness, k_max, max_error = 0.5, 1.2, 0.1
    rotations = random_rotations(5, 7)
    thin = DynamicalSpots(crystal, k_max=k_max, max_excitation_error=max_error)
    found = thin(rotations, thickness, min_intensity=0.01)
    kinematical = KinematicalSpots(
        crystal,
        k_max=k_max,
        thickness=thickness,
        shape="foil",
        max_excitation_error=max_error,
        min_intensity=0,
    )(rotations)
    for ours, theirs in zip(found.lists(), Spots(kinematical.numpy()).lists(), strict=True):
        apart = np.linalg.norm(ours[:, None, :2] - theirs[:, :2], axis=2)
        assert apart.min(axis=1).max() < 1e-6
        expected = theirs[apart.argmin(axis=1), 2]
        np.testing.assert_allclose(ours[:, 2], expected, atol=0.02 * expected.max())


@pytest.mark.parametrize(
    ("name", "axis"), [("cu", [0, 0, 1]), ("cu", [1, 1, 1]), ("fe", [0, 1, 1]), ("ti", [0, 0, 1])]
)
def test_patterns_have_the_symmetry_about_the_beam(name, axis):
    crystal = Crystal.built_in(name)
    beam_along = np.array(axis) / np.linalg.norm(axis)
    rotation = Rotation.align_vectors([beam_along], [[0, 0, 1]])[0].as_matrix()
    beams = DynamicalSpots(crystal, k_max=1.2).beams(rotation, THICKNESSES)
    intensities = {tuple(hkl): i for hkl, i in zip(beams.hkl, beams.intensities.T, strict=True)}
    kept = [
        operator
        for operator in crystal.laue_group.to_matrix()
        if np.allclose(operator @ beam_along, beam_along)
    ]
    assert len(kept) > 3
    for operator in kept:
        to_hkl = operator.T @ np.linalg.inv(crystal.reciprocal_base)
        turned = np.rint(beams.hkl @ crystal.reciprocal_base @ to_hkl).astype(int)
        equivalent = [intensities[tuple(hkl)] for hkl in turned]
        np.testing.assert_allclose(equivalent, beams.intensities.T, atol=1e-9)


def test_beams_solve_the_equations_of_a_crystal_without_centre(zinc_blende, random_rotations):
    """The exponential of the matrix, whose elements are summed from the atoms one by one."""
    rotation = random_rotations(1, 8)[0]
    solver = DynamicalSpots(zinc_blende, k_max=0.8, max_excitation_error=0.05)
    beams = solver.beams(rotation, [300.0])
    n = len(beams.hkl)
    matrix = np.diag(solver.beam.excitation_errors(beams.vectors)).astype(complex)
    for i, g in enumerate(beams.hkl):
        for j, h in enumerate(beams.hkl):
            if i != j:
                factor = zinc_blende.structure_factors([g - h])[0]
                matrix[i, j] = solver.beam.coupling(factor, zinc_blende.volume)
    assert n > 10
    assert abs(matrix.imag).max() > 1e-4
    amplitudes = expm(2j * np.pi * 300 * matrix)[:, 0]
    np.testing.assert_allclose(beams.intensities[0], abs(amplitudes) ** 2, atol=1e-9)


def test_zone_axis_is_that_of_a_multislice_calculation():
    """Copper near [001] and 200 Å thick: thin phase gratings, with free space between them."""
    copper, beam, n, dz = Crystal.built_in("cu"), Beam(300), 24, 0.25
    tilt = Rotation.from_rotvec([0.004, -0.007, 0]).as_matrix()
    # Only even h and k are there, and of l only 0 within the limits below.
    even = 2 * np.rint(np.fft.fftfreq(n) * n).astype(int)
    hkl = np.stack(np.meshgrid(even, even, [0], indexing="ij"), axis=-1).reshape(-1, 3)
    couplings = beam.coupling(copper.structure_factors(hkl), copper.volume)
    grating = np.exp(2j * np.pi * dz * n**2 * np.fft.ifft2(couplings.reshape(n, n)))
    vectors = hkl @ copper.reciprocal_base @ tilt
    lengths = np.linalg.norm(vectors, axis=1)
    # |K + g|² - K², with K = (0, 0, -1 / wavelength), is what a beam lags behind the direct one.
    lag = lengths**2 - 2 * vectors[:, 2] / beam.wavelength
    free_space = np.exp(-1j * np.pi * beam.wavelength * dz * lag) * (lengths <= 3)
    wave = np.ones((n, n), complex)
    for _ in range(round(200 / dz)):
        wave = np.fft.ifft2(np.fft.fft2(wave * grating) * free_space.reshape(n, n))
    expected = abs(np.fft.fft2(wave).ravel() / n**2) ** 2

    beams = DynamicalSpots(copper, k_max=2, max_excitation_error=0.12).beams(tilt, [200.0])
    found = {tuple(hkl): i for hkl, i in zip(beams.hkl, beams.intensities[0], strict=True)}
    assert set(found) == {tuple(one) for one in hkl[lengths <= 3]}
    ours = [found[tuple(one)] for one in hkl[lengths <= 3]]
    np.testing.assert_allclose(ours, expected[lengths <= 3], atol=1e-3)
    assert max(ours[1:]) > 0.1


def test_lists_are_those_of_the_beams(random_rotations):
    solver = DynamicalSpots(Crystal.built_in("cu"), k_max=1.2)
    rotations = random_rotations(3, 9)
    spots = solver(rotations, THICKNESSES, min_intensity=0.01, most_spots=15)
    assert len(spots) == 12
    beams = solver.beams(rotations[1], THICKNESSES)
    inside = (np.linalg.norm(beams.vectors, axis=1) <= 1.2) & (beams.hkl != 0).any(axis=1)
    for thickness, listed in enumerate(spots.lists()[4:8]):
        intensity = beams.intensities[thickness] * inside
        order = np.argsort(-intensity)[:15]
        order = order[intensity[order] >= 0.01 * intensity.max()]
        expected = np.column_stack([beams.vectors[order, :2], intensity[order]])
        np.testing.assert_allclose(listed, expected, atol=1e-6)
    assert spots.counts.max() <= 15


@pytest.mark.parametrize("absorption", [0.0, 0.1])
@pytest.mark.parametrize("name", ["copper", "zinc_blende"])
def test_intensities_of_many_are_those_of_the_beams(name, absorption, request, random_rotations):
    crystal = Crystal.built_in("cu") if name == "copper" else request.getfixturevalue(name)
    solver = DynamicalSpots(crystal, k_max=0.9, max_excitation_error=0.05, absorption=absorption)
    tilts = Rotation.from_euler("xy", [[0, 0], [0.7, -0.4], [-1, 1]], degrees=True).as_matrix()
    rotations = random_rotations(1, 10)[0] @ tilts
    found = solver.intensities(rotations, THICKNESSES)
    for rotation, of_one in zip(rotations, found, strict=True):
        beams = solver.beams(rotation, THICKNESSES)
        expected = {tuple(hkl): i for hkl, i in zip(beams.hkl, beams.intensities.T, strict=True)}
        none = np.zeros(len(THICKNESSES))
        listed = [expected.get(tuple(hkl), none) for hkl in solver.reflections.hkl]
        np.testing.assert_allclose(of_one, np.transpose(listed), atol=1e-5)


def test_no_orientations_give_no_patterns():
    assert len(DynamicalSpots(Crystal.built_in("cu"), k_max=1.2)(np.zeros((0, 3, 3)), [100])) == 0


def test_voltage_is_that_of_a_microscope():
    with pytest.raises(ValueError, match="from 1 to 3000 kV, found 300000"):
        DynamicalSpots(Crystal.built_in("cu"), voltage=300_000)
