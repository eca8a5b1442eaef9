"""Which maps of a stack are latent features, and the vectors that these make up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.sampling import sample
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.maps import MapStack

# As an encoding names its features.
_FEATURE = "feature "
# Maps that are transposed together: one by one, each would go through all the memory.
_TOGETHER = 16
# Vectors moved at once.
_BLOCK = 65_536


def latent_channels(stack: MapStack) -> list[int]:
    """Indices of the channels that are latent features.

    An encoding puts its features first and says how many there are; what follows, such as the
    contrast and the reconstruction error, is measured. Of a stack that no model made, every
    channel counts.
    """
    latent = (stack.provenance.get("model") or {}).get("latent")
    if latent is None:
        return list(range(len(stack)))
    first = stack.names[:latent]
    # Layers that were chosen and saved may be some of the features, and other maps close behind.
    named = [i for i, name in enumerate(first) if name.startswith(_FEATURE)]
    return named or list(range(len(first)))


def feature_number(name: str) -> int | None:
    """Which latent feature a map of this name is, counted from 1; None for other maps."""
    found = re.match(rf"{_FEATURE}(\d+)\b", name)
    return None if found is None else int(found[1])


@dataclass(frozen=True, eq=False)
class Vectors:
    """Latent vectors of the positions of a scan that have one.

    Attributes
    ----------
    values
        Of shape (n, features).
    positions
        Row and column of each, in scan order, of shape (n, 2).
    map_shape
        Rows and columns of the scan.
    """

    values: NDArray[np.float32]
    positions: NDArray[np.intp]
    map_shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.values)

    def on_map(self, figures: NDArray) -> NDArray:
        """Lay one figure of each vector back onto the map.

        Parameters
        ----------
        figures
            Of shape (n,).

        Returns
        -------
        numpy.ndarray
            Of shape (rows, columns) and of the type of the figures; where there is no vector, NaN
            or, among whole numbers, 0.
        """
        missing = np.nan if np.issubdtype(figures.dtype, np.floating) else 0
        laid = np.full(self.map_shape, missing, figures.dtype)
        laid[tuple(self.positions.T)] = figures
        return laid

    def sample(self, n: int, seed: int = 0) -> NDArray[np.intp]:
        """Indices of vectors drawn at random, in order, of shape (n,); all if there are fewer."""
        return sample(len(self), n, seed)


def latent_vectors(stack: MapStack) -> Job[Vectors]:
    """Gather the latent vectors of a stack.

    Parameters
    ----------
    stack
        May be on disk; maps are read a few at a time, so that the vectors are in memory but once:
        512 MB for a million of 128 features.

    Yields
    ------
    Progress
        Maps read.

    Returns
    -------
    Vectors
        Of all positions at which every feature has a value.

    Raises
    ------
    ValueError
        If there is none.
    """
    channels = latent_channels(stack)
    known = np.isfinite(stack.map(channels[0])).ravel()
    where = np.flatnonzero(known)
    values = np.empty((len(where), len(channels)), np.float32)
    whole = np.ones(len(where), bool)
    for start in range(0, len(channels), _TOGETHER):
        read = np.empty((len(channels[start : start + _TOGETHER]), len(where)), np.float32)
        for i in range(len(read)):
            read[i] = stack.map(channels[start + i]).ravel()[where]
            whole &= np.isfinite(read[i])
            yield Progress(start + i + 1, len(channels), "Reading latent features")
        read_so_far = Progress(start + len(read), len(channels), "Reading latent features")
        # The first time, the memory has to be found: seconds, where little is left.
        for first in range(0, len(where), _BLOCK):
            block = slice(first, first + _BLOCK)
            values[block, start : start + len(read)] = read[:, block].T
            yield read_so_far
    values, where = _kept(values, whole), where[whole]
    if not len(where):
        raise ValueError(
            "no position has a value in all latent features: these maps hold nothing to explore"
        )
    positions = np.stack(np.unravel_index(where, stack.map_shape), axis=1)
    return Vectors(values, positions, stack.map_shape)


def _kept(values: NDArray[np.float32], whole: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Those rows that are whole, moved up in place: there may be no room for a second array."""
    if whole.all():
        return values
    kept = np.flatnonzero(whole)
    for start in range(0, len(kept), _BLOCK):
        block = kept[start : start + _BLOCK]
        values[start : start + len(block)] = values[block]
    return values[: len(kept)]
