"""Dynamical spots by Bloch waves: the beams of a crystal feed each other.

The theory of Hirsch et al., Electron Microscopy of Thin Crystals, without what is scattered back:
with the amplitudes of the beams as a vector ψ, dψ/dt = 2πi A ψ in the thickness t, where A has the
excitation errors on its diagonal and U / 2K elsewhere. The eigenvectors of A are the Bloch waves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.crystals.beam import Beam
from napari_kikuchi.orientation.propagation import intensities_behind
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.shared_cores import one_thread

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.crystals.crystal import Crystal

# Imaginary parts below this share of the strongest coupling are rounding errors: the crystal has
# a centre of inversion at its origin, and real matrices are solved several times faster.
_REAL = 1e-9
# Beams up to this multiple of the longest vector asked for: those further out change the spots at
# the rim little, those at the rim the ones inside a lot.
_COUPLED = 1.5
# Orientations computed at once: as many as a cell of templates has, and memory for.
_TOGETHER = 128


@dataclass(frozen=True, eq=False)
class Beams:
    """The beams behind a crystal, at several thicknesses.

    Attributes
    ----------
    hkl
        Miller indices of shape (beams, 3); the direct beam is the first.
    vectors
        Reciprocal lattice vectors in the sample's frame, in 1/Å, of shape (beams, 3).
    intensities
        Shares of the incident beam, of shape (thicknesses, beams).
    """

    hkl: NDArray[np.int64]
    vectors: NDArray[np.float64]
    intensities: NDArray[np.float64]


class DynamicalSpots:
    """Simulates the spots of an even foil across the beam.

    Parameters
    ----------
    crystal
        Whose spots.
    voltage
        Accelerating voltage in kV.
    k_max
        Length of the longest reciprocal lattice vector of a spot, in 1/Å. Beams further out are
        computed along with them.
    max_excitation_error
        Reflections further from the Ewald sphere are no beams, in 1/Å. Larger is not always
        better: along axes of low indices, those above the zero-order Laue zone all but cancel
        those below, and a limit that takes in one without the other does harm.
    absorption
        Imaginary part of the potential as a share of the real one; 0 for none. About 0.1 is
        usual. Absorption is taken as small: it damps each Bloch wave and leaves its form.
    """

    def __init__(
        self,
        crystal: Crystal,
        *,
        voltage: float = 300.0,
        k_max: float = 2.0,
        max_excitation_error: float = 0.1,
        absorption: float = 0.0,
    ) -> None:
        self.beam = Beam(voltage)
        self.max_excitation_error = max_excitation_error
        self.absorption = absorption
        self.k_max = k_max
        self.reflections = crystal.reflections(k_max)
        reflections = crystal.reflections(_COUPLED * k_max)
        self._hkl = np.concatenate([np.zeros((1, 3), np.int64), reflections.hkl])
        self._vectors = np.concatenate([np.zeros((1, 3)), reflections.vectors])
        self._couplings, self._centre = self._all_couplings(crystal)

    def __call__(
        self,
        rotations: ArrayLike,
        thicknesses: ArrayLike,
        *,
        min_intensity: float = 1e-3,
        most_spots: int = 128,
    ) -> Spots:
        """Simulate spots, without the direct beam.

        Parameters
        ----------
        rotations
            Of shape (n, 3, 3), from the sample's frame into the crystal's, as
            ``Orientation.to_matrix`` of orix gives them. The beam travels along -z of the
            sample's frame.
        thicknesses
            In Å, of shape (m,).
        min_intensity
            Spots below this share of the strongest diffracted one are left out.
        most_spots
            Of a pattern; the weakest above that number are left out.

        Returns
        -------
        Spots
            Of n · m patterns, those of the first orientation first, strongest spots first.
            Intensities are shares of the incident beam.
        """
        thicknesses = np.atleast_1d(np.asarray(thicknesses, np.float64))
        rotations = np.asarray(rotations, np.float64).reshape(-1, 3, 3)
        values = np.zeros((len(rotations), len(thicknesses), most_spots, 3), np.float32)
        with one_thread():
            for rotation, rows in zip(rotations, values, strict=True):
                self._fill(rows, self.beams(rotation, thicknesses), min_intensity)
        return Spots(values.reshape(-1, most_spots, 3)).packed()

    def beams(self, rotation: ArrayLike, thicknesses: ArrayLike) -> Beams:
        """All beams of one orientation, with the direct one and those beyond k_max.

        Parameters
        ----------
        rotation
            Of shape (3, 3).
        thicknesses
            In Å, of shape (m,).
        """
        chosen, in_sample, intensities = self._solve(rotation, thicknesses)
        return Beams(self._hkl[chosen], in_sample[chosen], intensities)

    def intensities(self, rotations: ArrayLike, thicknesses: ArrayLike) -> NDArray[np.float32]:
        """Simulate the intensities of all reflections; those that are no beams have none.

        Without absorption they are computed in single precision, of all orientations at once:
        quickly where these are near each other, such as those of a cell of templates.

        Parameters
        ----------
        rotations
            As for a call, of shape (n, 3, 3).
        thicknesses
            In Å, of shape (m,).

        Returns
        -------
        numpy.ndarray
            Shares of the incident beam, of shape (n, m, reflections), in the order of
            ``reflections``.
        """
        rotations = np.asarray(rotations, np.float64).reshape(-1, 3, 3)
        thicknesses = np.atleast_1d(np.asarray(thicknesses, np.float64))
        found = np.zeros((len(rotations), len(thicknesses), len(self.reflections)), np.float32)
        with one_thread():
            if not self.absorption:
                self._fill_together(found, rotations, thicknesses)
                return found
            for rotation, values in zip(rotations, found, strict=True):
                chosen, _, intensities = self._solve(rotation, thicknesses)
                inside = self._listed(chosen)
                values[:, chosen[inside] - 1] = intensities[:, inside]
        return found

    def _fill_together(
        self,
        found: NDArray[np.float32],
        rotations: NDArray[np.float64],
        thicknesses: NDArray[np.float64],
    ) -> None:
        """Write what :meth:`intensities` gives, of a crystal that does not absorb."""
        for start in range(0, len(rotations), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            errors = self.beam.excitation_errors(self._vectors @ rotations[part])
            beams = np.abs(errors) < self.max_excitation_error
            chosen = np.flatnonzero(beams.any(axis=0))
            intensities = intensities_behind(
                self._couplings_of(chosen), errors[:, chosen], beams[:, chosen], thicknesses
            )
            inside = self._listed(chosen)
            found[part, :, chosen[inside] - 1] = intensities[..., inside]

    def _listed(self, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Which of the chosen ones are among ``reflections``."""
        # The direct beam is the first, and the shortest vectors follow.
        return (chosen > 0) & (chosen <= len(self.reflections))

    def _couplings_of(self, chosen: NDArray[np.intp]) -> NDArray[np.float64 | np.complex128]:
        """U / 2K of each of the chosen reflections with each other."""
        hkl = self._hkl[chosen]
        difference = hkl[:, None] - hkl + self._centre
        return self._couplings[tuple(np.moveaxis(difference, -1, 0))]

    def _solve(
        self, rotation: ArrayLike, thicknesses: ArrayLike
    ) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        """Which reflections are beams, vectors of all in the sample's frame, and intensities."""
        in_sample = self._vectors @ np.asarray(rotation, np.float64)
        errors = self.beam.excitation_errors(in_sample)
        chosen = np.flatnonzero(np.abs(errors) < self.max_excitation_error)
        errors, matrix = errors[chosen], self._couplings_of(chosen)
        # The mean potential shifts all waves alike and is left out.
        np.fill_diagonal(matrix, errors)
        amplitudes = self._propagate(matrix, errors, np.asarray(thicknesses, np.float64))
        return chosen, in_sample, (np.abs(amplitudes) ** 2).T

    def _propagate(
        self,
        matrix: NDArray[np.float64 | np.complex128],
        errors: NDArray[np.float64],
        thicknesses: NDArray[np.float64],
    ) -> NDArray[np.complex128]:
        """Amplitudes of shape (beams, thicknesses)."""
        values, waves = np.linalg.eigh(matrix)
        excited = waves * waves[0].conj()
        phases = 2j * np.pi * np.outer(values, thicknesses)
        if self.absorption:
            mean = self._couplings[tuple(self._centre)].real
            # The mean of the potential in each wave: that of the matrix less its diagonal.
            potential = values - errors @ np.abs(waves) ** 2 + mean
            phases -= 2 * np.pi * self.absorption * np.outer(potential, thicknesses)
        return excited @ np.exp(phases)

    def _all_couplings(
        self, crystal: Crystal
    ) -> tuple[NDArray[np.float64 | np.complex128], NDArray[np.int64]]:
        """U / 2K of all differences of two reflections, and where that of 000 stands."""
        centre = 2 * np.abs(self._hkl).max(axis=0)
        shape = 2 * centre + 1
        hkl = np.stack(np.unravel_index(np.arange(shape.prod()), shape), axis=1) - centre
        factors = crystal.structure_factors(hkl)
        couplings = self.beam.coupling(factors, crystal.volume).reshape(shape)
        if np.abs(couplings.imag).max() < _REAL * np.abs(couplings).max():
            couplings = couplings.real.copy()
        return couplings, centre

    def _fill(self, rows: NDArray[np.float32], beams: Beams, min_intensity: float) -> None:
        """Write the diffracted beams into rows of shape (thicknesses, spots, 3)."""
        inside = np.linalg.norm(beams.vectors, axis=1) <= self.k_max
        inside[0] = False  # The direct beam.
        positions, intensities = beams.vectors[inside, :2], beams.intensities[:, inside]
        order = np.argsort(-intensities, axis=1)[:, : rows.shape[1]]
        strongest = intensities.max(axis=1, keepdims=True, initial=0)
        chosen = np.take_along_axis(intensities, order, axis=1)
        seen = (chosen > 0) & (chosen >= min_intensity * strongest)
        rows[:, : order.shape[1], :2] = np.where(seen[..., None], positions[order], 0)
        rows[:, : order.shape[1], 2] = np.where(seen, chosen, 0)
