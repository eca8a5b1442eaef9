"""Lists of diffraction spots: one type for what is measured and what is simulated."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.untrusted import shortened, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Where the array is in a file.
_MEMBER = "spots.npy"


class SpotFileError(ValueError):
    """A file of spots that is damaged or none at all."""


@dataclass(frozen=True, eq=False)
class Spots:
    """The spots of many patterns.

    Attributes
    ----------
    values
        kx and ky in 1/Å from the direct beam, along x and y of the sample's frame, and the
        intensity, float32 of shape (patterns, spots, 3). Patterns with fewer spots are padded:
        a row of intensity 0 is no spot, wherever it stands.

    Raises
    ------
    ValueError
        If the values have another shape or dtype, are not finite, or an intensity is negative.
    """

    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        values = self.values
        if values.ndim != 3 or values.shape[2] != 3 or values.dtype != np.float32:
            raise ValueError(
                "expected spots as float32 of shape (patterns, spots, 3), found "
                f"{values.dtype} of shape {values.shape}"
            )
        if not np.isfinite(values).all():
            raise ValueError("expected finite positions and intensities of spots, found others")
        if (self.intensity < 0).any():
            raise ValueError(
                f"expected intensities of spots from 0, found {self.intensity.min():g}"
            )

    @classmethod
    def from_lists(cls, lists: Sequence[ArrayLike]) -> Spots:
        """Gather the lists of single patterns.

        Parameters
        ----------
        lists
            For each pattern kx, ky and intensity of its spots, of shape (spots, 3).

        Raises
        ------
        ValueError
            If a list has another shape, or as :class:`Spots`.
        """
        arrays = [np.asarray(one, np.float32) for one in lists]
        arrays = [one if one.size else np.zeros((0, 3), np.float32) for one in arrays]
        for index, one in enumerate(arrays):
            if one.ndim != 2 or one.shape[1] != 3:
                raise ValueError(
                    f"expected the spots of pattern {index} of shape (spots, 3), found {one.shape}"
                )
        values = np.zeros((len(arrays), max(map(len, arrays), default=0), 3), np.float32)
        for padded, one in zip(values, arrays, strict=True):
            padded[: len(one)] = one
        return cls(values)

    @property
    def kx(self) -> NDArray[np.float32]:
        """In 1/Å, of shape (patterns, spots)."""
        return self.values[..., 0]

    @property
    def ky(self) -> NDArray[np.float32]:
        """In 1/Å, of shape (patterns, spots)."""
        return self.values[..., 1]

    @property
    def intensity(self) -> NDArray[np.float32]:
        """Of shape (patterns, spots); 0 where there is no spot."""
        return self.values[..., 2]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of spots of each pattern, of shape (patterns,)."""
        return (self.intensity > 0).sum(axis=1)

    def __len__(self) -> int:
        """Number of patterns."""
        return len(self.values)

    def __getitem__(self, patterns: slice | ArrayLike) -> Spots:
        """Some of the patterns: by a slice, their numbers or a mask."""
        index = patterns if isinstance(patterns, slice) else np.atleast_1d(np.asarray(patterns))
        return Spots(self.values[index])

    def lists(self) -> list[NDArray[np.float32]]:
        """The spots of each pattern without the padding, each of shape (spots, 3)."""
        return [one[one[:, 2] > 0] for one in self.values]

    def within(self, k_max: float) -> Spots:
        """The spots up to a distance from the direct beam, in 1/Å, each in its place."""
        inside = np.hypot(self.kx, self.ky) <= k_max
        return Spots(np.where(inside[..., None], self.values, np.float32(0)))

    def packed(self, most: int | None = None) -> Spots:
        """The same spots, strongest first, with as little padding as there can be.

        Parameters
        ----------
        most
            Keep no more than so many of each pattern.
        """
        width = int(self.counts.max(initial=0))
        width = width if most is None else min(width, most)
        order = np.argsort(-self.intensity, axis=1, kind="stable")[:, :width, None]
        values = np.take_along_axis(self.values, order, axis=1)
        return Spots(np.where(values[..., 2:] > 0, values, np.float32(0)))

    def save(self, path: str | Path) -> None:
        """Write an .npz file, which numpy reads.

        Parameters
        ----------
        path
            A file of that name is replaced, once the new one is complete.
        """
        with replacing(Path(path)) as partial, partial.open("wb") as file:
            np.savez(file, spots=self.values)

    @classmethod
    def load(cls, path: str | Path) -> Spots:
        """Read what :meth:`save` wrote.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        SpotFileError
            If it is damaged, or holds something else.
        """
        with Path(path).open("rb") as file:
            try:
                with zipfile.ZipFile(file) as archive:
                    return cls(_read_array(archive, archive.getinfo(_MEMBER)))
            # Of a damaged archive, zipfile raises what its steps happen to raise.
            except (
                ValueError,
                LookupError,
                OSError,
                EOFError,
                RuntimeError,
                zipfile.BadZipFile,
            ) as error:
                raise SpotFileError(
                    f"{path}: expected a file of spots as Spots.save writes it (.npz). "
                    f"What is wrong: {shortened(error)}"
                ) from error


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[np.float32]:
    """Read an array whose header tells no more than the file holds."""
    if info.compress_type != zipfile.ZIP_STORED:
        # What is not compressed takes no more memory than the file has bytes.
        raise ValueError("expected an array that is not compressed, found a compressed one")
    with archive.open(info) as member:
        if np.lib.format.read_magic(member) != (1, 0):
            raise ValueError("expected an array in version 1.0 of numpy's format, found another")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(member)
        data = member.read()
    if dtype != np.float32 or by_columns or len(data) != 4 * math.prod(shape):
        raise ValueError(
            f"expected float32 in the order of rows, found {dtype} of shape {shown(shape)} in "
            f"{len(data)} bytes"
        )
    return np.frombuffer(data, "<f4").reshape(shape).astype(np.float32)
