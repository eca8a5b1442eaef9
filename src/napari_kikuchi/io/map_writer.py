"""Maps written block by block, in any order and from any thread or process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.block_writer import BlockWriter
from napari_kikuchi.io.map_array import MapArray
from napari_kikuchi.io.map_store import (
    check_target,
    complete_store,
    create_store,
    publish,
    read_maps,
    restore,
    stored_array,
)
from napari_kikuchi.io.unfinished import Unfinished
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import Channel, MapStack, Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DTYPE = np.dtype(np.float32)


class MapWriter(BlockWriter):
    """Collects the maps of a scan, block by block, and makes a map store of them.

    The store grows in ``<path>.partial``, see :class:`.Unfinished`; its layers are the maps. Make
    a writer with :meth:`open`.

    Attributes
    ----------
    maps
        Takes the values.
    """

    def __init__(self, unfinished: Unfinished, maps: MapArray) -> None:
        super().__init__(unfinished, maps.values)
        self.maps = maps

    @classmethod
    def open(
        cls,
        path: str | Path,
        shape: tuple[int, int, int],
        identity: Mapping[str, Any],
        *,
        resume: bool = True,
    ) -> MapWriter:
        """Begin maps, or go on with those that were begun.

        Parameters
        ----------
        path
            Where the finished store goes; a store there is replaced by :meth:`finish` only.
        shape
            Channels, rows and columns.
        identity
            What the values depend on, fit for JSON: only maps of the same identity are gone on
            with.
        resume
            False begins anew whatever was begun before.

        Raises
        ------
        FileExistsError
            If something lies at ``path`` that is no map store.
        FileExistsError, ResumeError, DiskFullError
            See :meth:`.Unfinished.open`.
        """
        path = Path(path)
        restore(path)
        check_target(path)
        channels, rows, cols = shape
        sizes = {"channels": channels, "rows": rows, "columns": cols}
        unfinished = Unfinished(path, "maps")
        maps = unfinished.open(
            {"maps": sizes, **identity},
            at=lambda store: stored_array(store, shape, _DTYPE),
            make=lambda store: create_store(store, shape, _DTYPE),
            room=channels * rows * cols * _DTYPE.itemsize,
            resume=resume,
        )
        return cls(unfinished, maps)

    def finish(
        self,
        channels: Sequence[Channel],
        *,
        step: tuple[float, float] = (1.0, 1.0),
        provenance: Mapping[str, Any] | None = None,
        arrays: Mapping[str, NDArray] | None = None,
        regions: Sequence[Region] = (),
        score: Callable[[Channel, NDArray[np.float32]], float] | None = None,
    ) -> Job[MapStack]:
        """Make the store and put it in its place.

        Parameters
        ----------
        channels
            One for each map.
        step, provenance, arrays, regions
            As of :class:`~napari_kikuchi.maps.MapStack`.
        score
            Gives each map the score it is ranked by.

        Yields
        ------
        Progress
            Maps written so far.

        Returns
        -------
        MapStack
            As :func:`~napari_kikuchi.io.map_store.read_maps` reads it.

        Raises
        ------
        ValueError
            If positions have not been written yet.
        """
        self.check_complete()
        unread = np.broadcast_to(np.float32(np.nan), self.maps.shape)
        stack = MapStack(unread, channels, step, provenance or {}, regions, arrays or {})
        store = self.maps.folder.parent
        yield from complete_store(store, self.maps, stack, score=score)
        publish(store, self.path)
        self.unfinished.remove()
        return read_maps(self.path)
