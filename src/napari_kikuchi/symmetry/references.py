"""Patterns of known phases, to be seen beside measured ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.weights import damage_told, read_tensors, require_tensors, write_tensors
from napari_kikuchi.symmetry.classes import is_m3
from napari_kikuchi.symmetry.folding import look_up
from napari_kikuchi.symmetry.sector import NODES, as_square, mirrored, sector_weights, standardised
from napari_kikuchi.untrusted import integer, number, sequence, text

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_CONTENT = "reference patterns of cubic phases"
_SHIPPED = "references.safetensors"
# Intensities are kept in this part of a standard deviation, as whole numbers of one byte.
_STEP = 0.05
# A node that so many pixels have seen counts half.
_HALF = 0.5


@dataclass(frozen=True)
class Match:
    """How much a pattern is like that of a known phase.

    Attributes
    ----------
    index
        Of the phase among the references.
    name, group
        Its formula, and the number of its space group.
    correlation
        Over the directions that were seen.
    mirrored
        Whether the crystal stands as the pattern is described only with its axes x and y exchanged,
        which is another setting of a crystal without fourfold axes.
    """

    index: int
    name: str
    group: int
    correlation: float
    mirrored: bool = False


@dataclass(frozen=True, eq=False)
class References:
    """Master patterns of known phases by Bloch waves.

    Attributes
    ----------
    names
        Formulas.
    groups, shown
        Number of the space group, and the class that patterns show, of shape (phases,).
    voltages
        In kV, in ascending order.
    masters
        At the nodes of the square, standardised, of shape (voltages, phases, nodes).
    """

    names: Sequence[str]
    groups: NDArray[np.int64]
    shown: NDArray[np.int64]
    voltages: Sequence[float]
    masters: NDArray[np.float32]

    def match(
        self,
        totals: ArrayLike,
        counts: ArrayLike,
        *,
        groups: Collection[int] | None = None,
        voltage: float = 20.0,
    ) -> list[Match]:
        """All phases, the most alike first.

        Parameters
        ----------
        totals, counts
            Of one pattern, or of all that are of one crystal, as
            :func:`~napari_kikuchi.symmetry.folding.unfold` sums them, of shape (nodes,).
        groups
            Only phases that show one of these; None: all.
        voltage
            At which the patterns were recorded, in kV.
        """
        given = np.stack([np.asarray(one, np.float64) for one in (totals, counts)])
        masters = self.masters[self._at(voltage)].astype(np.float64)
        found = np.stack([_correlations(masters, *one) for one in (given, mirrored(given))])
        best = found.max(axis=0)
        # Of a crystal with fourfold axes both are the same, but for what noise there is.
        other = np.array([is_m3(group) for group in self.groups.tolist()]) & (found[1] > found[0])
        return [
            Match(int(i), self.names[i], int(self.groups[i]), float(best[i]), bool(other[i]))
            for i in np.argsort(-best)
            if groups is None or self.shown[i] in groups
        ]

    def pattern(
        self,
        index: int,
        rotation: NDArray[np.floating],
        directions: NDArray[np.floating],
        *,
        voltage: float = 20.0,
    ) -> NDArray[np.float32]:
        """What a detector would see of a phase.

        Parameters
        ----------
        index
            Of the phase.
        rotation
            From the directions' frame to the crystal's, of shape (3, 3).
        directions
            Of the pixels, of shape (pixels, 3).
        voltage
            In kV.

        Returns
        -------
        numpy.ndarray
            Of shape (pixels,), in standard deviations of the master pattern.
        """
        seen = np.empty(len(directions), np.float32)
        look_up(
            as_square(self.masters[self._at(voltage), index]),
            np.asarray(rotation, np.float32),
            np.ascontiguousarray(np.asarray(directions).T, np.float32),
            seen,
        )
        return seen

    def _at(self, voltage: float) -> int:
        """Of the voltages that are there the nearest, by wavelength."""
        return int(np.abs(np.log(np.array(self.voltages) / voltage)).argmin())

    def save(self, path: Path | str) -> None:
        """Write them to a file that :meth:`load` reads."""
        whole = np.clip(np.rint(standardised(self.masters) / _STEP), -127, 127).astype(np.int8)
        header = {
            "content": _CONTENT,
            "names": list(self.names),
            "groups": self.groups.tolist(),
            "shown": self.shown.tolist(),
            "voltages": list(self.voltages),
        }
        write_tensors(path, {"masters": whole}, header)

    @classmethod
    def load(cls, path: Path | str) -> References:
        """Read references.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ModelFileError
            If it holds no references, was written by a newer version, or is damaged.
        """
        tensors, header = read_tensors(path, _CONTENT)
        with damage_told(path):
            names, groups, shown, voltages = (
                sequence(header.get(key), f"the {key}")
                for key in ("names", "groups", "shown", "voltages")
            )
            names = [text(one, "a name") for one in names]
            groups, shown = (
                [integer(one, "a space group", 1, 230) for one in each] for each in (groups, shown)
            )
            voltages = [number(one, "a voltage", 1, 3000) for one in voltages]
            if {len(groups), len(shown)} != {len(names)} or not voltages:
                raise ValueError(
                    f"{len(names)} names, {len(groups)} groups, {len(shown)} groups shown, "
                    f"{voltages} kV"
                )
        shape = (len(voltages), len(names), NODES)
        require_tensors(path, "references", tensors, {"masters": shape}, whole=True)
        masters = tensors["masters"].astype(np.float32) * np.float32(_STEP)
        return cls(names, np.array(groups), np.array(shown), voltages, masters)

    @staticmethod
    @lru_cache(maxsize=1)
    def shipped() -> References:
        """Those that come with the package."""
        with as_file(files(__package__) / _SHIPPED) as path:
            return References.load(path)


def _correlations(
    masters: NDArray[np.float64], totals: NDArray[np.float64], counts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of each master, of shape (phases, nodes), with what was seen, over what was seen."""
    weights = sector_weights() * counts / (counts + _HALF)
    weights /= max(weights.sum(), 1e-12)
    seen = totals / np.maximum(counts, 1e-9)
    seen = (seen - seen @ weights) * weights
    deviations = masters - (masters @ weights)[:, None]
    power = np.sqrt((deviations**2 @ weights) * (seen**2 / np.maximum(weights, 1e-12)).sum())
    return deviations @ seen / np.maximum(power, 1e-12)
