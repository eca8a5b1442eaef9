"""Structure factors: what all atoms of a unit cell scatter together."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from napari_kikuchi.crystals.crystal import Crystal

# Waves that are held at a time: 16 MiB.
_AT_A_TIME = 2**20
# Of Debye-Waller factors: symmetry leaves rounding errors in those that it makes of others.
_DECIMALS = 9


def structure_factors(crystal: Crystal, hkl: ArrayLike) -> NDArray[np.complex128]:
    """Sum over the atoms of f exp(-2πi hkl·xyz) exp(-B g² / 4).

    Parameters
    ----------
    crystal
        Whose atoms.
    hkl
        Miller indices of shape (n, 3), of vectors of length g in 1/Å.

    Returns
    -------
    numpy.ndarray
        In Å, of shape (n,), with f of :func:`scattering_factors`.
    """
    return _summed(crystal, hkl, scattering_factors)


def source_factors(crystal: Crystal, hkl: ArrayLike) -> NDArray[np.complex128]:
    """As :func:`structure_factors`, of the atoms as sources of backscattered electrons.

    The number of electrons that a nucleus scatters back grows as the square of its charge, as
    Rutherford found: Z² stands for f.
    """
    from diffsims.structure_factor.atomic_scattering_parameters import get_element_id_from_string

    def factors(element: str, squared: NDArray[np.float64]) -> float:
        return float(get_element_id_from_string(element)) ** 2

    return _summed(crystal, hkl, factors)


def scattering_factors(element: str, squared: NDArray[np.float64]) -> NDArray[np.float64]:
    """How strongly an atom at rest scatters electrons at rest.

    Parameters
    ----------
    element
        Its symbol.
    squared
        Squared lengths g² of the vectors by which it scatters, of shape (n,), in 1/Å².

    Returns
    -------
    numpy.ndarray
        In Å, of shape (n,), as of Lobato and Van Dyck (2014), 10.1107/S205327331401643X.

    Raises
    ------
    KeyError
        If there are no scattering factors of the element.
    """
    from diffsims.utils.sim_utils import get_atomic_scattering_factors, get_scattering_params_dict

    coefficients = np.asarray(get_scattering_params_dict("lobato")[element])[None]
    return get_atomic_scattering_factors(squared, coefficients, "lobato")[:, 0]


def _summed(
    crystal: Crystal,
    hkl: ArrayLike,
    factors: Callable[[str, NDArray[np.float64]], float | NDArray[np.float64]],
) -> NDArray[np.complex128]:
    """The sum with factors of an element at squared lengths g² in 1/Å², of shape (n,)."""
    hkl = np.asarray(hkl, np.float64)
    squared = ((hkl @ crystal.reciprocal_base) ** 2).sum(axis=1)
    waves = _Waves(hkl)
    # Atoms of one element that move alike scatter alike: of these only the waves differ.
    alike: defaultdict[str, defaultdict[float, list[int]]] = defaultdict(lambda: defaultdict(list))
    atoms_of = zip(crystal.elements, crystal.debye_waller.tolist(), strict=True)
    for atom, (element, b) in enumerate(atoms_of):
        alike[element][round(b, _DECIMALS)].append(atom)
    total = np.zeros(len(squared), np.complex128)
    for element, by_movement in alike.items():
        of_element = factors(element, squared)
        for b, atoms in by_movement.items():
            summed = waves.summed(crystal.positions[atoms], crystal.occupancies[atoms])
            total += of_element * np.exp(-b * squared / 4) * summed
    return total


class _Waves:
    """The waves exp(-2πi hkl·xyz) of atoms.

    Many indices share the first two, and all share few third ones: the sum over the atoms is a
    product of two small matrices then, which takes a hundredth of the time of its exponentials.
    """

    def __init__(self, hkl: NDArray[np.float64]) -> None:
        count = _thirds_in_a_row(hkl)
        if count:
            self._pairs, self._thirds = hkl[::count, :2], hkl[:count, 2]
            self._places = None
            return
        self._pairs, pair = np.unique(hkl[:, :2], axis=0, return_inverse=True)
        self._thirds, third = np.unique(hkl[:, 2], return_inverse=True)
        self._places = pair.ravel(), third.ravel()

    def summed(
        self, positions: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> NDArray[np.complex128]:
        """Weighted sum of the waves of some atoms for each hkl, of shape (n,)."""
        last = weights * np.exp(-2j * np.pi * np.outer(self._thirds, positions[:, 2]))
        sums = np.empty((len(self._pairs), len(self._thirds)), np.complex128)
        few = max(1, _AT_A_TIME // len(positions))
        for start in range(0, len(sums), few):
            part = slice(start, start + few)
            first = np.exp(-2j * np.pi * (self._pairs[part] @ positions[:, :2].T))
            sums[part] = first @ last.T
        return sums.ravel() if self._places is None else sums[self._places]


def _thirds_in_a_row(hkl: NDArray[np.float64]) -> int:
    """How many third indices follow each other for each pair of the others; 0 if it differs.

    Of all indices up to a limit in their order, which need not be sorted then: that takes longer
    than all else.
    """
    changes = np.flatnonzero((hkl[1:, :2] != hkl[:-1, :2]).any(axis=1))
    count = int(changes[0]) + 1 if len(changes) else len(hkl)
    if count < 2 or len(hkl) % count:
        return 0
    boxed = hkl.reshape(-1, count, 3)
    alike = (boxed[..., :2] == boxed[:, :1, :2]).all() and (boxed[..., 2] == boxed[0, :, 2]).all()
    return count if alike else 0
