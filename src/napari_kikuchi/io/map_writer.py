"""Maps written block by block, in any order and from any thread or process."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.map_store import (
    PARTIAL_SUFFIX,
    build_store,
    check_target,
    publish,
    read_maps,
)
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import Channel, MapStack, Region
from napari_kikuchi.scan import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Maps put together at a time: as many as fit into this.
_ASSEMBLE_BYTES = 128 * 2**20
_MANIFEST = "manifest.json"
_BLOCK_NAME = re.compile(r"rows-(\d+)-(\d+)_columns-(\d+)-(\d+)\.npy")


class ResumeError(ValueError):
    """Unfinished maps that belong to something else than what is to be written."""


@dataclass(frozen=True)
class MapWriter:
    """Collects the maps of a scan, block by block, and makes a map store of them.

    Each block is a file of its own in ``<path>.partial``, so no two writers touch one file, a
    crash loses only the blocks that were being written, and what is done can be seen. Putting the
    blocks together is left to :meth:`finish`, because a store that shows a map quickly holds it in
    one piece. Make one with :meth:`open`; copies made by pickling write to the same place.

    Attributes
    ----------
    path
        Where the finished store goes.
    shape
        Channels, rows and columns.
    """

    path: Path
    shape: tuple[int, int, int]

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
        """
        path = Path(path)
        check_target(path)
        writer = cls(path, shape)
        channels, rows, cols = shape
        wanted = {"maps": {"channels": channels, "rows": rows, "columns": cols}, **identity}
        wanted = json.loads(json.dumps(wanted))
        begun = writer._read_manifest()
        if begun is not None and not resume:
            shutil.rmtree(writer.partial)
        elif begun is not None and begun != wanted:
            raise ResumeError(
                f"{writer.partial}: these unfinished maps belong to something else: "
                f"{'; '.join(_differences(begun, wanted))}. Begin anew (resume=False, --restart), "
                "or write to another name."
            )
        with replacing(writer._manifest) as partial:
            partial.write_text(json.dumps(wanted, indent=2), encoding="utf-8")
        writer._blocks.mkdir(exist_ok=True)
        return writer

    @property
    def partial(self) -> Path:
        """Folder of the unfinished maps."""
        return self.path.with_name(self.path.name + PARTIAL_SUFFIX)

    def is_done(self, block: Block) -> bool:
        """Whether a block has been written."""
        return self._block_file(block).is_file()

    def write(self, block: Block, values: NDArray[np.float32]) -> None:
        """Write a block, of shape (channels, *block.shape).

        Raises
        ------
        ValueError
            If the values have another shape.
        """
        expected = (self.shape[0], *block.shape)
        if values.shape != expected:
            raise ValueError(
                f"{self.path}: {_place(block)} needs values of shape {expected}, not {values.shape}"
            )
        with replacing(self._block_file(block)) as partial, partial.open("wb") as file:
            np.save(file, values.astype(np.float32, copy=False))
            # A block that is named as done must be done after a power cut, too.
            file.flush()
            os.fsync(file.fileno())

    def finish(
        self,
        channels: Sequence[Channel],
        *,
        step: tuple[float, float] = (1.0, 1.0),
        provenance: Mapping[str, Any] | None = None,
        arrays: Mapping[str, NDArray] | None = None,
        regions: Sequence[Region] = (),
        score: Callable[[NDArray[np.float32]], float] | None = None,
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
        unread = np.broadcast_to(np.float32(np.nan), self.shape)
        stack = MapStack(unread, channels, step, provenance or {}, regions, arrays or {})
        folder = self.partial / "store"
        if folder.exists():  # Left by an earlier attempt that was stopped.
            shutil.rmtree(folder)
        yield from build_store(
            folder, stack, self._assembled(), dtype=np.dtype(np.float32), score=score
        )
        publish(folder, self.path)
        shutil.rmtree(self.partial, ignore_errors=True)
        return read_maps(self.path)

    @property
    def _blocks(self) -> Path:
        return self.partial / "blocks"

    @property
    def _manifest(self) -> Path:
        return self.partial / _MANIFEST

    def _block_file(self, block: Block) -> Path:
        rows, cols = block.rows, block.cols
        name = f"rows-{rows.start}-{rows.stop}_columns-{cols.start}-{cols.stop}.npy"
        return self._blocks / name

    def _written(self) -> Iterator[tuple[Path, slice, slice]]:
        """File, rows and columns of each block that has been written."""
        for path in self._blocks.iterdir():
            if match := _BLOCK_NAME.fullmatch(path.name):
                top, bottom, left, right = map(int, match.groups())
                yield path, slice(top, bottom), slice(left, right)

    def _assembled(self) -> Iterator[NDArray[np.float32]]:
        """Whole maps, in the order of the channels, each valid until the next is asked for."""
        channels, rows, cols = self.shape
        at_once = max(1, min(channels, _ASSEMBLE_BYTES // (4 * rows * cols)))
        maps = np.empty((at_once, rows, cols), np.float32)
        blocks = list(self._written())
        for start in range(0, channels, at_once):
            part = maps[: channels - start]
            for path, block_rows, block_cols in blocks:
                values = np.load(path, mmap_mode="r")
                part[:, block_rows, block_cols] = values[start : start + len(part)]
            yield from part

    def _check_complete(self) -> None:
        missing = np.ones(self.shape[1:], bool)
        for _, rows, cols in self._written():
            missing[rows, cols] = False
        if missing.any():
            row, col = np.argwhere(missing)[0]
            raise ValueError(
                f"{self.path}: {np.count_nonzero(missing)} of {missing.size} positions have not "
                f"been written yet, the first at row {row}, column {col}. Write every block "
                "before finishing."
            )

    def _read_manifest(self) -> dict[str, Any] | None:
        """What the maps were that were begun; None if none were."""
        try:
            return json.loads(self._manifest.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            if self.partial.exists() and (not self.partial.is_dir() or any(self.partial.iterdir())):
                raise FileExistsError(
                    f"{self.partial}: unfinished maps go here, but something else lies here. Move "
                    "it away, or write to another name."
                ) from None
            return None


def _place(block: Block) -> str:
    rows, cols = block.rows, block.cols
    return f"the block of rows {rows.start} to {rows.stop}, columns {cols.start} to {cols.stop},"


def _differences(begun: Any, wanted: Any, name: str = "") -> list[str]:
    """What differs between two JSON documents, for a person to read."""
    if not (isinstance(begun, dict) and isinstance(wanted, dict)):
        return [] if begun == wanted else [f"{name} was {begun}, now {wanted}"]
    return [
        difference
        for key in {**begun, **wanted}
        for difference in _differences(
            begun.get(key), wanted.get(key), f"{name} {key}".strip().replace("_", " ")
        )
    ]
