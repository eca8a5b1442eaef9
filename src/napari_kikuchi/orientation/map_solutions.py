"""The solutions of all patterns of a scan, in a file: what neighbours may choose among.

The layers of the file are the number of spots, then for each solution, likeliest first, its
probability, the number of its phase and its orientation as a quaternion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_kikuchi.io.block_file import BlockFile
from napari_kikuchi.orientation.settling import REACH, settle
from napari_kikuchi.scan import Block, row_bands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.orientation.indexing import Solutions

# Probability, phase, and four parts of a quaternion.
_LAYERS_EACH = 6


@dataclass(frozen=True, eq=False)
class BlockSolutions:
    """The solutions of a rectangle of positions.

    Attributes
    ----------
    spots
        Number of spots of each pattern, of shape (rows, columns); NaN where there is no pattern.
    probabilities
        As :class:`.Solutions` has them, of shape (solutions, rows, columns); 0 where there is none.
    phases
        Numbers of the phases from 1, of the same shape; 0 where there is none.
    quaternions
        Unit quaternions, scalar first, that turn the sample's frame into the crystal's, of shape
        (solutions, rows, columns, 4); NaN where there is none.
    """

    spots: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    phases: NDArray[np.int32]
    quaternions: NDArray[np.float32]

    def weighed(self, probabilities: NDArray[np.float32]) -> BlockSolutions:
        """The same solutions with other probabilities, likeliest first."""
        order = np.argsort(-probabilities, axis=0, kind="stable")
        return BlockSolutions(
            self.spots,
            np.take_along_axis(probabilities, order, axis=0),
            np.take_along_axis(self.phases, order, axis=0),
            np.take_along_axis(self.quaternions, order[..., None], axis=0),
        )

    def rows(self, rows: slice) -> BlockSolutions:
        """Those of some rows."""
        return BlockSolutions(
            self.spots[rows],
            self.probabilities[:, rows],
            self.phases[:, rows],
            self.quaternions[:, rows],
        )


@dataclass(frozen=True, eq=False)
class MapSolutions:
    """Writes and reads solutions, block by block, from any thread.

    Attributes
    ----------
    values
        Holds them.
    """

    values: BlockFile

    @classmethod
    def at(cls, file: Path, shape: tuple[int, int], most: int) -> MapSolutions:
        """Those that are in a file.

        Parameters
        ----------
        file
            That :meth:`make` made.
        shape
            Rows and columns.
        most
            Number of solutions of a pattern.
        """
        layers = 1 + _LAYERS_EACH * most
        return cls(BlockFile(file, (layers, *shape), np.dtype("<f4")))

    @classmethod
    def make(cls, file: Path, shape: tuple[int, int], most: int) -> MapSolutions:
        """Begin a file; parameters are those of :meth:`at`."""
        made = cls.at(file, shape, most)
        with file.open("wb") as opened:
            opened.truncate(made.values.end)
        return made

    @property
    def file(self) -> Path:
        """Where they are."""
        return self.values.file

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        _, rows, cols = self.values.shape
        return rows, cols

    @property
    def most(self) -> int:
        """Number of solutions of a pattern."""
        return (self.values.shape[0] - 1) // _LAYERS_EACH

    def is_whole(self) -> bool:
        """Whether the file is there and as long as it has to be."""
        return self.values.is_whole()

    def write(
        self, block: Block, spots: NDArray, indexed: NDArray[np.bool_], solutions: Solutions
    ) -> int:
        """Write the solutions of a block.

        Parameters
        ----------
        block
            Positions.
        spots
            Number of spots of each, of shape (rows, columns); NaN where there is no pattern.
        indexed
            Which of them were indexed, of the same shape.
        solutions
            Of these, row after row. Those beyond :attr:`most` are left out.

        Returns
        -------
        int
            The checksum of what was written.
        """
        values = np.zeros((self.values.shape[0], *block.shape), np.float32)
        values[0] = spots
        kept = min(self.most, solutions.probabilities.shape[1])
        probabilities = solutions.probabilities[:, :kept].numpy()
        phases = solutions.phases[:, :kept].numpy() + 1
        quaternions = quaternions_of(solutions.rotations[:, :kept].numpy())
        each = np.concatenate(
            [np.where(phases > 0, probabilities, 0)[..., None], phases[..., None], quaternions],
            axis=-1,
        )
        layers = _LAYERS_EACH * kept
        values[1 : 1 + layers, indexed] = each.reshape(-1, layers).T
        return self.values.write(block, values)

    def read(self, block: Block) -> BlockSolutions:
        """The solutions of a block."""
        values = self.values.read(block)
        each = values[1:].reshape(self.most, _LAYERS_EACH, *block.shape)
        phases = each[:, 1].astype(np.int32)
        quaternions = np.where((phases > 0)[..., None], np.moveaxis(each[:, 2:], 1, -1), np.nan)
        return BlockSolutions(values[0], each[:, 0], phases, quaternions)

    def read_settled(self, rows: Block, symmetries: Sequence[Any]) -> BlockSolutions:
        """The solutions of whole rows, as likely as neighbours leave them, likeliest first.

        Parameters
        ----------
        rows
            One of :meth:`blocks`.
        symmetries
            Of the phases, see :func:`.settle`.
        """
        first = max(0, rows.rows.start - REACH)
        last = min(self.map_shape[0], rows.rows.stop + REACH)
        around = self.read(Block(slice(first, last), rows.cols))
        probabilities, phases, quaternions = (
            torch.from_numpy(np.moveaxis(part, 0, 2))
            for part in (around.probabilities, around.phases - 1, around.quaternions)
        )
        settled = settle(probabilities, phases, quaternions, symmetries).numpy()
        own = slice(rows.rows.start - first, rows.rows.stop - first)
        return around.weighed(np.moveaxis(settled, 2, 0)).rows(own)

    def blocks(self, positions: int) -> Sequence[Block]:
        """Whole rows that cover the map, each block of about so many positions."""
        return row_bands(self.map_shape, max(1, positions // self.map_shape[1]))


def quaternions_of(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit quaternions of rotation matrices.

    Parameters
    ----------
    rotations
        From the sample's frame into the crystal's, of shape (..., 3, 3); NaN where there is none.

    Returns
    -------
    numpy.ndarray
        Scalar first, as orix has them, of shape (..., 4); NaN where there is none.
    """
    from scipy.spatial.transform import Rotation

    out = np.full((*rotations.shape[:-2], 4), np.nan)
    known = np.isfinite(rotations).all(axis=(-2, -1))
    if known.any():
        out[known] = Rotation.from_matrix(rotations[known]).as_quat(scalar_first=True)
    return out
