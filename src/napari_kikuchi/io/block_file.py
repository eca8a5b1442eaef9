"""Values on a grid in one file, which any thread or process fills in, block by block."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.scan import Block

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class BlockFile:
    """Writes and reads a plain array in C order, at a place of a file.

    A block of positions is written where it belongs, and nothing has to be put together
    afterwards. Copies made by pickling write to the same file. Writers of different blocks need not
    know of each other.

    Attributes
    ----------
    file
        Holds the array.
    shape
        Layers, such as maps, rows and columns.
    dtype
        Of the numbers.
    value_shape
        Of what stands at a position: one number, or a pattern of height and width.
    begin
        At which byte the array begins.
    """

    file: Path
    shape: tuple[int, int, int]
    dtype: np.dtype
    value_shape: tuple[int, ...] = ()
    begin: int = 0

    @property
    def layers(self) -> range:
        """All layers."""
        return range(self.shape[0])

    @property
    def value_bytes(self) -> int:
        """Size of what stands at a position of one layer."""
        return int(np.prod(self.value_shape)) * self.dtype.itemsize

    @property
    def end(self) -> int:
        """At which byte the array ends."""
        layers, rows, cols = self.shape
        return self.begin + layers * rows * cols * self.value_bytes

    def is_whole(self) -> bool:
        """Whether the file is there and ends where the array does."""
        return self.file.is_file() and self.file.stat().st_size == self.end

    def write(self, block: Block, values: ArrayLike, layers: range | None = None) -> int:
        r"""Write the values of a block.

        Parameters
        ----------
        block
            Positions.
        values
            Of shape (layers, \*block.shape, \*value_shape).
        layers
            That follow one another; None: all.

        Returns
        -------
        int
            What :meth:`checksum` gives if all of it is on the disk.

        Raises
        ------
        ValueError
            If the values have another shape.
        """
        layers = self.layers if layers is None else layers
        values = np.ascontiguousarray(values, self.dtype)
        expected = self._shape_of(block, layers)
        if values.shape != expected:
            raise ValueError(
                f"{self.file}: the block of rows {block.rows.start} to {block.rows.stop}, columns "
                f"{block.cols.start} to {block.cols.stop}, needs values of shape {expected}, not "
                f"{values.shape}"
            )
        content, done = values.reshape(-1).view(np.uint8).data, 0
        with self.file.open("r+b") as file:
            for offset, length in self._pieces(block, layers):
                file.seek(offset)
                file.write(content[done : done + length])
                done += length
        return zlib.crc32(content)

    def checksum(self, block: Block, layers: range | None = None) -> int:
        """CRC-32 of the values that the file holds for a block, in some layers or all."""
        return zlib.crc32(self.read(block, layers).reshape(-1).view(np.uint8).data)

    def read(self, block: Block, layers: range | None = None) -> NDArray:
        r"""The values of a block in some layers or all.

        Returns
        -------
        numpy.ndarray
            Of shape (layers, \*block.shape, \*value_shape); 0 where the file is too short.
        """
        layers = self.layers if layers is None else layers
        values = np.zeros(self._shape_of(block, layers), self.dtype)
        content, done = values.reshape(-1).view(np.uint8).data, 0
        with self.file.open("rb") as file:
            for offset, length in self._pieces(block, layers):
                file.seek(offset)
                file.readinto(content[done : done + length])
                done += length
        return values

    def sync(self) -> None:
        """Wait until all that was written would survive a power cut."""
        with self.file.open("r+b") as file:
            os.fsync(file.fileno())

    def _shape_of(self, block: Block, layers: range) -> tuple[int, ...]:
        return len(layers), *block.shape, *self.value_shape

    def _pieces(self, block: Block, layers: range) -> Iterator[tuple[int, int]]:
        """Offset and length in bytes of each piece of a block that is in one place."""
        _, rows, cols = self.shape
        height, width = block.shape
        if width == cols:  # Whole rows follow one another.
            height, width = 1, height * width
        for layer in layers:
            for row in range(height):
                position = (layer * rows + block.rows.start + row) * cols + block.cols.start
                yield self.begin + position * self.value_bytes, width * self.value_bytes
