"""Crystals: where their atoms are, and how strongly their lattice planes scatter electrons.

Vectors are cartesian, in the crystal axes of orix: e1 along a, e3 along c*.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.crystals.metals import HCP, METALS
from napari_kikuchi.untrusted import mapping, number, sequence, shortened

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Of an atom of which nothing else is known, in Å²: usual for a metal at room temperature.
USUAL_DEBYE_WALLER = 0.5

# The largest CIF file that is read: some hold the measured reflections, too.
_MOST_CIF_BYTES = 8 * 2**20
# Cells of crystals, in Å. What lies outside is no cell or given in other units.
_CELL_LENGTHS = (2.0, 200.0)
# A larger number of reflections is not a question of spots any more, but of memory.
_MOST_REFLECTIONS = 500_000
# Structure factors below this share of the strongest are zero but for rounding.
_EXTINCT = 1e-6
# Equivalent reflections may differ by this much, in index and as a share of the strongest: cells
# are given with few digits.
_SAME_INDEX = 0.01
_SAME_STRENGTH = 0.02


class CrystalFileError(ValueError):
    """A CIF file that is damaged, incomplete or of a crystal that cannot be simulated."""


@dataclass(frozen=True, eq=False)
class Reflections:
    """Lattice planes that scatter, those with the shortest vectors first.

    Attributes
    ----------
    hkl
        Miller indices of shape (n, 3).
    vectors
        Reciprocal lattice vectors of shape (n, 3), in 1/Å, in the crystal's axes.
    structure_factors
        Complex, of shape (n,), in Å; see :meth:`Crystal.structure_factors`.
    """

    hkl: NDArray[np.int64]
    vectors: NDArray[np.float64]
    structure_factors: NDArray[np.complex128]

    def __len__(self) -> int:
        return len(self.hkl)


@dataclass(frozen=True, eq=False)
class Crystal:
    """A crystal structure.

    Attributes
    ----------
    name
        Of the phase.
    phase
        orix's ``Phase``, with the lattice and the symmetry. Where its atoms are is told here:
        orix turns the lattice into its own axes and leaves their fractional coordinates behind.
    elements
        Symbol of each atom of the unit cell.
    positions
        Fractional coordinates of shape (atoms, 3).
    occupancies
        Share of the cells in which there is this atom, of shape (atoms,).
    debye_waller
        Isotropic B of each atom, in Å², of shape (atoms,).
    source
        Who told of the atoms: the name of a CIF file, or ``"built in"``.

    Raises
    ------
    ValueError
        If there are no scattering factors of an element, or the atoms or the lattice lack the
        symmetry of the phase.
    """

    name: str
    phase: Any
    elements: tuple[str, ...]
    positions: NDArray[np.float64]
    occupancies: NDArray[np.float64]
    debye_waller: NDArray[np.float64]
    source: str = ""

    def __post_init__(self) -> None:
        from diffsims.utils.sim_utils import get_scattering_params_dict

        unknown = sorted(set(self.elements) - set(get_scattering_params_dict("lobato")))
        if unknown or not self.elements:
            found = ", ".join(unknown) or "no atoms"
            raise ValueError(f"expected atoms by the symbols of their elements, found {found}")
        # Found at once, so that a crystal that has been made can be used.
        _ = self.laue_group

    @classmethod
    def built_in(cls, name: str) -> Crystal:
        """One of the crystals that are known by name: cu, ni, al, fe or ti.

        Raises
        ------
        ValueError
            If there is none of that name.
        """
        from diffpy.structure import Atom, Lattice, Structure

        if name.lower() not in METALS:
            raise ValueError(
                f"expected a crystal named {', '.join(METALS)} or a CIF file, found {name!r}"
            )
        element, space_group, a, c, positions, debye_waller = METALS[name.lower()]
        gamma = 120 if positions is HCP else 90
        structure = Structure(
            [Atom(element, xyz) for xyz in positions], Lattice(a, a, c, 90, 90, gamma)
        )
        structure.Bisoequiv = debye_waller
        return cls._of_structure(element, space_group, structure, "built in")

    @classmethod
    def from_cif(cls, path: str | Path) -> Crystal:
        """Read a crystal from a CIF file.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        CrystalFileError
            If the file is damaged, lacks the cell, the atoms or the space group, or has its cell
            in a setting in which the symmetry is not that of orix.
        """
        from napari_kikuchi.crystals.cif import parse_cif

        path = Path(path)
        size = path.stat().st_size
        if size > _MOST_CIF_BYTES:
            raise CrystalFileError(
                f"{path}: expected a CIF file of at most {_MOST_CIF_BYTES} bytes, found {size}"
            )
        # As text: by its name, the parser would take C:\ for the start of an address.
        text = path.read_text("utf-8", "replace")
        try:
            structure, space_group = parse_cif(text)
            _check_cell(structure.lattice)
            return cls._of_structure(path.stem, space_group, structure, path.name)
        # The parser raises whatever its steps happen to raise.
        except Exception as error:
            raise CrystalFileError(
                f"{path}: expected a CIF file with the cell, the space group in its standard "
                f"setting and the atoms of a crystal. What is wrong: {shortened(error)}"
            ) from error

    @classmethod
    def from_settings(cls, settings: Any) -> Crystal:
        """Read what :meth:`settings` gave, which others may have written.

        Raises
        ------
        ValueError
            If something is missing or of another type, or as :class:`Crystal`.
        """
        from diffpy.structure import Lattice, Structure
        from orix.crystal_map import Phase

        found = mapping(settings, "the crystal")
        cell = sequence(found.get("lattice"), "the lattice", 6)
        lattice = Lattice(*(number(one, "the lattice") for one in cell))
        _check_cell(lattice)
        listed = sequence(found.get("atoms"), "the atoms")
        atoms = [sequence(one, "an atom", 6) for one in listed]
        values = [[number(one, "an atom") for one in atom[1:]] for atom in atoms]
        table = np.array(values, np.float64).reshape(-1, 5)
        space_group = int(number(found.get("space_group"), "the space group", 1, 230))
        name = str(found.get("name", ""))
        return cls(
            name,
            Phase(name, space_group, structure=Structure(lattice=lattice)),
            tuple(str(atom[0]) for atom in atoms),
            table[:, :3],
            table[:, 3],
            table[:, 4],
            str(found.get("source", "")),
        )

    @classmethod
    def _of_structure(cls, name: str, space_group: int, structure: Any, source: str) -> Crystal:
        from orix.crystal_map import Phase

        # diffpy counts settings other than the standard one in thousands.
        space_group %= 1000
        # An ion scatters at these angles as the atom does.
        elements = [re.sub(r"[^A-Za-z].*", "", atom.element).capitalize() for atom in structure]
        return cls(
            name,
            Phase(name, space_group, structure=structure),
            tuple(elements),
            np.array([atom.xyz for atom in structure], np.float64).reshape(-1, 3),
            np.array([atom.occupancy for atom in structure], np.float64),
            np.array([atom.Bisoequiv or USUAL_DEBYE_WALLER for atom in structure], np.float64),
            source,
        )

    @cached_property
    def laue_group(self) -> Any:
        """orix's ``Symmetry`` of the patterns, about the axes that the cell really has.

        orix takes a space group's point group in one setting: monoclinic with the axis along c,
        trigonal with the second axis along a. Usual cells have the monoclinic axis along b, and
        some trigonal groups the second axis across a.
        """
        from orix.quaternion import Symmetry
        from orix.quaternion.symmetry import S6, C2y, Ci

        laue = self.phase.point_group.laue
        about_y = {"2/m": (C2y, Ci), "-3m": (S6, C2y)}.get(laue.name)
        candidates = [laue] + ([Symmetry.from_generators(*about_y)] if about_y else [])
        for candidate in candidates:
            if self._has(candidate):
                return candidate
        raise ValueError(
            f"expected {self.name} to have the symmetry {laue.name} of its space group about the "
            "axes of the standard setting, found that it has not. Convert the cell to the "
            "standard setting (hexagonal axes for rhombohedral crystals)"
        )

    @cached_property
    def reciprocal_base(self) -> NDArray[np.float64]:
        """a*, b* and c* as rows, in 1/Å, of shape (3, 3)."""
        return np.asarray(self.phase.structure.lattice.recbase.T, np.float64)

    @property
    def volume(self) -> float:
        """Of the unit cell, in Å³."""
        return float(self.phase.structure.lattice.volume)

    def settings(self) -> dict[str, Any]:
        """What tells the phase to whoever reads maps of it, fit for JSON."""
        # orix turns the lattice into its own axes, which leaves rounding errors.
        lattice = [round(float(one), 6) for one in self.phase.structure.lattice.abcABG()]
        return {
            "name": self.name,
            "space_group": self.phase.space_group.number,
            "lattice": lattice,
            "source": self.source,
            "atoms": [
                [element, *map(float, xyz), float(occupancy), float(debye_waller)]
                for element, xyz, occupancy, debye_waller in zip(
                    self.elements,
                    self.positions,
                    self.occupancies,
                    self.debye_waller,
                    strict=True,
                )
            ],
        }

    def structure_factors(self, hkl: ArrayLike) -> NDArray[np.complex128]:
        """Fourier coefficients of the potential, as scattering amplitudes of the unit cell.

        See :func:`~napari_kikuchi.crystals.structure_factors.structure_factors`.

        Parameters
        ----------
        hkl
            Of shape (n, 3).

        Returns
        -------
        numpy.ndarray
            In Å, of shape (n,).
        """
        from napari_kikuchi.crystals.structure_factors import structure_factors

        return structure_factors(self, hkl)

    def source_factors(self, hkl: ArrayLike) -> NDArray[np.complex128]:
        """Fourier coefficients of the density of sources of backscattered electrons.

        See :func:`~napari_kikuchi.crystals.structure_factors.source_factors`.

        Parameters
        ----------
        hkl
            Of shape (n, 3).

        Returns
        -------
        numpy.ndarray
            In squared elementary charges, of shape (n,).
        """
        from napari_kikuchi.crystals.structure_factors import source_factors

        return source_factors(self, hkl)

    def reflections(self, k_max: float) -> Reflections:
        """All reflections up to a length, without the direct beam and those that are extinct.

        Parameters
        ----------
        k_max
            In 1/Å.

        Raises
        ------
        ValueError
            If k_max is not positive, or there are more reflections than memory is for.
        """
        expected = 4 / 3 * np.pi * k_max**3 * self.volume
        if not 0 < expected < _MOST_REFLECTIONS:
            raise ValueError(
                f"expected k_max so that {self.name} has 1 to {_MOST_REFLECTIONS} reflections, "
                f"found {k_max} 1/Å, with about {expected:.0f}"
            )
        # |h| = |g·a| is at most |g| |a|.
        limits = np.floor(k_max * np.array(self.phase.structure.lattice.abcABG()[:3])).astype(int)
        ranges = [np.arange(-limit, limit + 1) for limit in limits]
        hkl = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
        lengths = np.linalg.norm(hkl @ self.reciprocal_base, axis=1)
        order = np.argsort(lengths, kind="stable")
        hkl = hkl[order[(lengths[order] > 0) & (lengths[order] <= k_max)]]
        factors = self.structure_factors(hkl)
        strength = np.abs(factors)
        kept = strength > _EXTINCT * strength.max(initial=0)
        return Reflections(hkl[kept], hkl[kept] @ self.reciprocal_base, factors[kept])

    def _has(self, symmetry: Any) -> bool:
        """Whether the lattice and the strengths of low reflections have a symmetry."""
        ranges = (np.arange(-3, 4),) * 3
        hkl = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, 3)
        to_hkl = np.linalg.inv(self.reciprocal_base)
        operators = np.swapaxes(symmetry.to_matrix(), 1, 2)
        turned = (hkl @ self.reciprocal_base @ operators @ to_hkl).reshape(-1, 3)
        indices = np.rint(turned)
        if np.abs(turned - indices).max() > _SAME_INDEX:
            return False
        # Most operators lead to the same few reflections.
        different, which = np.unique(indices, axis=0, return_inverse=True)
        found = np.abs(self.structure_factors(different))[which.ravel()].reshape(-1, len(hkl))
        strength = np.abs(self.structure_factors(hkl))
        return bool(np.abs(found - strength).max() <= _SAME_STRENGTH * strength.max())


def open_crystal(name: str | Path) -> Crystal:
    """A crystal by its name or its CIF file.

    Raises
    ------
    ValueError
        As :meth:`Crystal.built_in`.
    FileNotFoundError, CrystalFileError
        As :meth:`Crystal.from_cif`.
    """
    if not isinstance(name, Path) and Path(name).suffix.lower() != ".cif":
        return Crystal.built_in(name)
    if not Path(name).is_file():
        raise FileNotFoundError(
            f"{name}: expected a CIF file, found none. Known without a file are {', '.join(METALS)}"
        )
    return Crystal.from_cif(name)


def built_in_crystals() -> Sequence[str]:
    """Names of the crystals that are known without a file."""
    return tuple(METALS)


def _check_cell(lattice: Any) -> None:
    """Check the cell: the parser takes lengths that a file lacks for 1 Å."""
    least, most = _CELL_LENGTHS
    lengths = lattice.abcABG()[:3]
    if not all(least <= length <= most for length in lengths):
        raise ValueError(
            f"expected a cell with lengths from {least:g} to {most:g} Å, found {lengths}"
        )
