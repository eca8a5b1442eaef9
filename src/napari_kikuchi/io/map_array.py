"""The values of a map store: one file, which any thread or process fills in, block by block.

In zarr's words the array is a single shard whose chunks are whole maps, uncompressed: latent values
are too noisy for compression to gain anything. So the file begins with a plain array in C order
(:class:`.BlockFile`); showing a map reads that map; and a store of any size is a handful of files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.array_metadata import LITTLE, PLAIN, read_metadata
from napari_kikuchi.io.block_file import BlockFile
from napari_kikuchi.scan import Block
from napari_kikuchi.untrusted import same_json, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# The only shard of a three-dimensional array.
_SHARD = Path("c", "0", "0", "0")
# At the end of a shard: at which byte each chunk begins and how long it is.
_INDEX_ENTRY = np.dtype([("offset", "<u8"), ("length", "<u8")])


def _shard(chunk_shape: tuple[int, ...], plain: Mapping[str, Any]) -> dict[str, Any]:
    """How zarr words what :meth:`MapArray.create` asks it for."""
    configuration = {
        "chunk_shape": list(chunk_shape),
        "codecs": [plain],
        "index_codecs": [LITTLE],
        "index_location": "end",
    }
    return {"name": "sharding_indexed", "configuration": configuration}


@dataclass(frozen=True)
class MapArray:
    """Writes and reads the maps of a zarr array that :meth:`create` made.

    Copies made by pickling write to the same file. Writers of different blocks need not know of
    each other.

    Attributes
    ----------
    folder
        Of the zarr array.
    shape
        Channels, rows and columns.
    dtype
        Of the values.
    """

    folder: Path
    shape: tuple[int, int, int]
    dtype: np.dtype

    @classmethod
    def create(cls, folder: Path, shape: tuple[int, int, int], dtype: np.dtype) -> MapArray:
        """Make the array; it takes up room on the disk as it is filled in."""
        import zarr
        from zarr.codecs import BytesCodec, ShardingCodec

        _, rows, cols = shape
        one_map = ShardingCodec(
            chunk_shape=(1, rows, cols), codecs=[BytesCodec()], index_codecs=[BytesCodec()]
        )
        missing: Any = np.nan if dtype.kind == "f" else 0
        zarr.create_array(
            folder,
            shape=shape,
            dtype=dtype,
            chunks=shape,
            serializer=one_map,
            compressors=None,
            filters=None,
            fill_value=missing,
            dimension_names=("c", "y", "x"),
        )
        array = cls.at(folder, shape, dtype)
        array.file.parent.mkdir(parents=True)
        index = array._index()
        with array.file.open("wb") as file:
            file.truncate(array.file_bytes - index.nbytes)
            file.seek(0, os.SEEK_END)
            file.write(index.tobytes())
        return array

    @classmethod
    def at(cls, folder: Path, shape: tuple[int, int, int], dtype: np.dtype) -> MapArray:
        """The array that was made there."""
        return cls(folder, shape, np.dtype(dtype).newbyteorder("<"))

    @classmethod
    def found_in(cls, store: Path, folder: Path) -> MapArray:
        """The array that lies in the folder of a store, as its zarr.json describes it.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is none, or none that :meth:`create` made.
        """
        array = read_metadata(store, folder)
        if len(array.shape) != 3 or array.chunk_shape != array.shape:
            raise ValueError(
                f"expected maps in one file, found an array of {array.shape} in chunks of "
                f"{array.chunk_shape}"
            )
        one_map = (1, *array.shape[1:])
        if not any(same_json(array.codecs, [_shard(one_map, plain)]) for plain in PLAIN):
            raise ValueError(f"expected plain maps in one file, found codecs {shown(array.codecs)}")
        return cls.at(folder, array.shape, array.dtype)

    @property
    def file(self) -> Path:
        """Holds the values."""
        return self.folder / _SHARD

    @property
    def values(self) -> BlockFile:
        """The part of the file that holds the maps."""
        return BlockFile(self.file, self.shape, self.dtype)

    @property
    def every_map(self) -> range:
        """All channels."""
        return range(self.shape[0])

    def write(self, block: Block, values: ArrayLike, channels: range | None = None) -> int:
        r"""Write values of shape (channels, \*block.shape), see :meth:`.BlockFile.write`."""
        return self.values.write(block, values, channels)

    def read(self, block: Block, channels: range | None = None) -> NDArray:
        r"""The values of a block in some maps or all, of shape (channels, \*block.shape)."""
        return self.values.read(block, channels)

    def write_map(self, channel: int, values: ArrayLike) -> None:
        """Write a whole map."""
        with self.file.open("r+b") as file:
            file.seek(channel * self._map_bytes)
            file.write(np.ascontiguousarray(values, self.dtype).data)

    def read_map(self, channel: int) -> NDArray:
        """A whole map, of shape (rows, columns)."""
        _, rows, cols = self.shape
        offset = channel * self._map_bytes
        return np.fromfile(self.file, self.dtype, rows * cols, offset=offset).reshape(rows, cols)

    def is_whole(self) -> bool:
        """Whether the file is there and as long as it has to be."""
        return self.file.is_file() and self.file.stat().st_size == self.file_bytes

    def has_own_index(self) -> bool:
        """Whether the index of the whole file tells zarr to read the maps where they are."""
        with self.file.open("rb") as file:
            file.seek(self.shape[0] * self._map_bytes)
            return file.read() == self._index().tobytes()

    @property
    def file_bytes(self) -> int:
        """How long the file has to be: the maps, then zarr's index."""
        return self.shape[0] * (self._map_bytes + _INDEX_ENTRY.itemsize)

    def _index(self) -> NDArray:
        index = np.zeros(self.shape[0], _INDEX_ENTRY)
        index["offset"] = self._map_bytes * np.arange(self.shape[0])
        index["length"] = self._map_bytes
        return index

    @property
    def _map_bytes(self) -> int:
        _, rows, cols = self.shape
        return rows * cols * self.dtype.itemsize
