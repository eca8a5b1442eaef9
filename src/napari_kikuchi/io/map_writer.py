"""Maps written block by block, in any order and from any thread or process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.journal import as_noted, check_same, note, notes
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
from napari_kikuchi.io.output import check_room
from napari_kikuchi.io.store_metadata import PARTIAL_SUFFIX
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import Channel, MapStack, Region
from napari_kikuchi.scan import Block
from napari_kikuchi.untrusted import (
    integer,
    is_plain_name,
    mapping,
    own_file,
    read_json,
    sequence,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DTYPE = np.dtype(np.float32)
_SYNC_BYTES = 64 * 2**20
_MANIFEST, _JOURNAL, _STORE = "manifest.json", "done.jsonl", "store-"


class MapWriter:
    """Collects the maps of a scan, block by block, and makes a map store of them.

    The store grows in ``<path>.partial``. Whoever has computed a block, in this process or another,
    writes it to :attr:`maps`; the one that holds this writer then confirms it, with the checksum
    of what was written. What is confirmed is checked against the file before it is gone on with,
    so neither a crash nor a power cut leaves a hole. Maps that are made of other maps are confirmed
    by themselves: writing them leaves those alone. Make one with :meth:`open`.

    Attributes
    ----------
    path
        Where the finished store goes.
    maps
        Takes the values.
    """

    def __init__(self, path: Path, maps: MapArray) -> None:
        self.path = path
        self.maps = maps
        self._confirmed = dict(self._read_journal())
        # Those of which this process knows that the file holds them.
        self._seen: set[_Key] = set()
        # Written, but not for good.
        self._provisional: set[_Key] = set()
        self._unsynced = 0

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
            If something lies at ``path`` that is no map store, or at ``<path>.partial`` that is
            not unfinished maps.
        ResumeError
            If the maps that were begun have another shape or identity.
        DiskFullError
            If there is no room for them.
        """
        path = Path(path)
        restore(path)
        check_target(path)
        partial = _partial(path)
        channels, rows, cols = shape
        sizes = {"channels": channels, "rows": rows, "columns": cols}
        wanted = as_noted({"maps": sizes, **identity})
        begun = _read_manifest(partial)
        if resume and begun is not None and begun.maps.is_whole():
            check_same(partial, begun.identity, wanted, "maps")
            return cls(path, begun.maps)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True, exist_ok=True)
        check_room(path, channels * rows * cols * _DTYPE.itemsize)
        # A name of its own: whoever is still writing what was begun before writes nothing here.
        store = f"{_STORE}{uuid4().hex[:8]}"
        maps = create_store(partial / store, shape, _DTYPE)
        # Written last: it says that the store has been made.
        with replacing(partial / _MANIFEST) as file:
            file.write_text(json.dumps({"store": store, **wanted}, indent=2), encoding="utf-8")
        return cls(path, maps)

    @property
    def partial(self) -> Path:
        """Folder of the unfinished maps."""
        return _partial(self.path)

    def is_done(self, block: Block, channels: range | None = None) -> bool:
        """Whether a block of some maps, or of all, has been confirmed and the file holds it."""
        return self._holds(self._key(block, channels))

    def confirm(
        self,
        block: Block,
        checksum: int,
        channels: range | None = None,
        *,
        for_good: bool = True,
    ) -> None:
        """Note that a block is written.

        Parameters
        ----------
        block
            Positions.
        checksum
            As :meth:`~napari_kikuchi.io.map_array.MapArray.write` has returned it.
        channels
            Maps that were written; None: all.
        for_good
            False for a block that lacks something: it will do for these maps, but a run that is
            interrupted and goes on writes it anew.
        """
        key = self._key(block, channels)
        # What is derived from maps that lack something lacks it, too.
        if not for_good or (key.first and self._provisional):
            self._provisional.add(key)
            return
        note(self._journal, [*key, checksum])
        self._confirmed[key] = checksum
        self._seen.add(key)
        self._sync_now_and_then(key)

    def _key(self, block: Block, channels: range | None) -> _Key:
        channels = self.maps.every_map if channels is None else channels
        rows, cols = block.rows, block.cols
        return _Key(channels.start, channels.stop, rows.start, rows.stop, cols.start, cols.stop)

    def _sync_now_and_then(self, key: _Key) -> None:
        """Let the disk keep up, so that the end need not wait for it."""
        height, width = key.block.shape
        self._unsynced += len(key.channels) * height * width * _DTYPE.itemsize
        if self._unsynced >= _SYNC_BYTES:
            self.maps.sync()
            self._unsynced = 0

    def _holds(self, key: _Key) -> bool:
        if key in self._seen:
            return True
        if key not in self._confirmed:
            return False
        if self._confirmed[key] != self.maps.checksum(key.block, key.channels):
            return False
        self._seen.add(key)
        return True

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
        self._check_complete()
        unread = np.broadcast_to(np.float32(np.nan), self.maps.shape)
        stack = MapStack(unread, channels, step, provenance or {}, regions, arrays or {})
        store = self.maps.folder.parent
        yield from complete_store(store, self.maps, stack, score=score)
        publish(store, self.path)
        shutil.rmtree(self.partial, ignore_errors=True)
        return read_maps(self.path)

    @property
    def _journal(self) -> Path:
        return self.partial / _JOURNAL

    def _read_journal(self) -> Iterator[tuple[_Key, int]]:
        """Blocks that were confirmed, with their checksums."""
        for line in notes(self._journal):
            try:
                *key, checksum = sequence(line, "a line of the journal", 7)
                yield self._key_inside(key), integer(checksum, "a checksum")
            except ValueError:
                continue  # Cut short by a crash: the block is computed again.

    def _key_inside(self, found: Sequence[Any]) -> _Key:
        key = _Key(*(integer(edge, "an edge of a block") for edge in found))
        for first, last, size in zip(key[::2], key[1::2], self.maps.shape, strict=True):
            if not first < last <= size:
                raise ValueError(f"expected a block within {self.maps.shape}, found {found}")
        return key

    def _check_complete(self) -> None:
        held = [*self._provisional, *filter(self._holds, self._confirmed)]
        # Maps that were written together lack the same positions.
        for first in sorted({0, *(key.last for key in held)} - {self.maps.every_map.stop}):
            missing = np.ones(self.maps.shape[1:], bool)
            for key in held:
                if first in key.channels:
                    missing[key.top : key.bottom, key.left : key.right] = False
            self._check_none_missing(missing)

    def _check_none_missing(self, missing: NDArray[np.bool_]) -> None:
        if missing.any():
            row, col = np.argwhere(missing)[0]
            raise ValueError(
                f"{self.path}: {np.count_nonzero(missing)} of {missing.size} positions have not "
                f"been written yet, the first at row {row}, column {col}. Write every block "
                "before finishing."
            )


class _Key(NamedTuple):
    """A block of some maps as a line of the journal names it."""

    first: int
    last: int
    top: int
    bottom: int
    left: int
    right: int

    @property
    def block(self) -> Block:
        """The block."""
        return Block(slice(self.top, self.bottom), slice(self.left, self.right))

    @property
    def channels(self) -> range:
        """The maps."""
        return range(self.first, self.last)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + PARTIAL_SUFFIX)


@dataclass(frozen=True)
class _Begun:
    """Maps that were begun: what they depend on, and their file."""

    identity: dict[str, Any]
    maps: MapArray


def _read_manifest(partial: Path) -> _Begun | None:
    """The maps that were begun; None if none were, or only their remains are left."""
    if (partial.exists() or partial.is_symlink()) and not _is_ours(partial):
        raise FileExistsError(
            f"{partial}: unfinished maps go here, but something else lies here. Move it away, or "
            "write to another name."
        )
    try:
        identity = dict(mapping(read_json(own_file(partial, partial / _MANIFEST)), _MANIFEST))
        store = identity.pop("store", None)
        # Blocks are written into it: a name alone, which does not lead out of the folder.
        if not (is_plain_name(store) and store.startswith(_STORE)):
            return None
        sizes = mapping(identity.get("maps"), "maps")
        channels, rows, cols = (
            integer(sizes.get(name), name, 1) for name in ("channels", "rows", "columns")
        )
        maps = stored_array(partial / store, (channels, rows, cols), _DTYPE)
        own_file(partial, maps.file)
        return _Begun(identity, maps)
    except (FileNotFoundError, ValueError):
        return None


def _is_ours(partial: Path) -> bool:
    """Whether nothing lies in a folder but what a writer puts there: no link to another place."""
    return (
        partial.is_dir()
        and not partial.is_symlink()
        and all(not file.is_symlink() and _is_written(file) for file in partial.iterdir())
    )


def _is_written(file: Path) -> bool:
    if file.name.startswith(_STORE):
        return file.is_dir()
    return file.name in (_MANIFEST, f"{_MANIFEST}.partial", _JOURNAL) and file.is_file()
