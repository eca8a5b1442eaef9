"""Maps of a stack, read before they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_kikuchi.maps import MapStack

# A few neighbours of a large map, a few dozen of a usual one.
_KEPT_BYTES = 64 * 2**20


@dataclass(frozen=True, eq=False)
class LoadedMap:
    """One map in memory and the limits between which it is shown."""

    values: NDArray
    limits: tuple[float, float]


class MapCache(QObject):
    """Reads maps of a stack in a thread and keeps those used last.

    Parameters
    ----------
    stack
        May be on disk.
    """

    loaded = Signal(int)
    """Index of a map that :meth:`get` now gives."""
    failed = Signal(int, str)
    """Index of a map that could not be read, and why."""

    _arrived = Signal(int, object)

    def __init__(self, stack: MapStack) -> None:
        super().__init__()
        self.stack = stack
        self._kept: OrderedDict[int, LoadedMap] = OrderedDict()
        self._pending: list[Future[LoadedMap]] = []
        self._reader = ThreadPoolExecutor(1, "maps")
        self._arrived.connect(self._keep)

    def get(self, index: int) -> LoadedMap | None:
        """The map, if it is in memory."""
        found = self._kept.get(index)
        if found is not None:
            self._kept.move_to_end(index)
        return found

    def request(self, indices: Iterable[int]) -> None:
        """Read these maps, the most urgent first; earlier requests not begun are dropped."""
        for future in self._pending:
            future.cancel()
        self._pending = []
        for index in indices:
            if index not in self._kept:
                future = self._reader.submit(self._read, index)
                future.add_done_callback(partial(self._announce, index))
                self._pending.append(future)

    def close(self) -> None:
        """Stop reading; waits for the map being read."""
        self._reader.shutdown(wait=True, cancel_futures=True)

    def _read(self, index: int) -> LoadedMap:
        values = self.stack.map(index)
        return LoadedMap(values, self.stack.channels[index].contrast(values))

    def _announce(self, index: int, done: Future[LoadedMap]) -> None:
        # Runs in the reader's thread; the signal carries the map to the window's.
        if not done.cancelled():
            self._arrived.emit(index, done.exception() or done.result())

    def _keep(self, index: int, outcome: LoadedMap | Exception) -> None:
        if isinstance(outcome, Exception):
            self.failed.emit(index, f"{self.stack.names[index]} could not be read: {outcome}")
            return
        self._kept[index] = outcome
        while len(self._kept) > 1 and self._bytes() > _KEPT_BYTES:
            self._kept.popitem(last=False)
        self.loaded.emit(index)

    def _bytes(self) -> int:
        return sum(kept.values.nbytes for kept in self._kept.values())
