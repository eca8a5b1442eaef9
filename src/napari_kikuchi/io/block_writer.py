"""Outputs that are written block by block, in any order and from any thread or process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_kikuchi.io.block_file import BlockFile
from napari_kikuchi.io.journal import note, notes
from napari_kikuchi.io.unfinished import Unfinished
from napari_kikuchi.not_finite import ALL_FINITE, NotFinite
from napari_kikuchi.scan import Block
from napari_kikuchi.untrusted import integer, sequence

_SYNC_BYTES = 64 * 2**20


class BlockWriter:
    """Knows which blocks of an unfinished output are done.

    Whoever has computed a block, in this process or another, writes it to the file; the one that
    holds this writer then confirms it, with the checksum of what was written. What is confirmed is
    checked against the file before it is gone on with, so neither a crash nor a power cut leaves a
    hole. Layers that are made of other layers, such as maps of maps, are confirmed by themselves:
    writing them leaves those alone.

    Attributes
    ----------
    unfinished
        The folder that holds the file and the journal.
    """

    def __init__(self, unfinished: Unfinished, values: BlockFile) -> None:
        self.unfinished = unfinished
        self._values = values
        self._not_finite: dict[_Key, NotFinite] = {}
        self._confirmed = dict(self._read_journal())
        # Those of which this process knows that the file holds them.
        self._seen: set[_Key] = set()
        # Written, but not for good.
        self._provisional: set[_Key] = set()
        self._unsynced = 0

    @property
    def path(self) -> Path:
        """Where the finished output goes."""
        return self.unfinished.output

    @property
    def not_finite(self) -> NotFinite:
        """Pixels that were not finite in the patterns of all blocks, those of earlier runs too."""
        return sum(self._not_finite.values(), ALL_FINITE)

    def is_done(self, block: Block, layers: range | None = None) -> bool:
        """Whether a block of some layers, or of all, is confirmed and the file holds it."""
        return self._holds(self._key(block, layers))

    def confirm(
        self,
        block: Block,
        checksum: int,
        layers: range | None = None,
        *,
        for_good: bool = True,
        elsewhere: bool = False,
        not_finite: NotFinite = ALL_FINITE,
    ) -> None:
        """Note that a block is written.

        Parameters
        ----------
        block
            Positions.
        checksum
            As :meth:`~napari_kikuchi.io.block_file.BlockFile.write` has returned it.
        layers
            That were written; None: all.
        for_good
            False for a block that lacks something: it will do for this output, but a run that is
            interrupted and goes on writes it anew.
        elsewhere
            Whether another process wrote it: then it is checked, in the end, that the file holds it
            here as well.
        not_finite
            Pixels of its patterns.
        """
        key = self._key(block, layers)
        self._not_finite[key] = not_finite
        # What is derived from layers that lack something lacks it, too.
        if not for_good or (key.first and self._provisional):
            self._provisional.add(key)
            return
        note(self.unfinished.journal, [*key, checksum, *not_finite.numbers()])
        self._confirmed[key] = checksum
        if not elsewhere:
            self._seen.add(key)
        self._sync_now_and_then(key)

    def check_complete(self) -> None:
        """Check that every block is written.

        Raises
        ------
        ValueError
            If positions have not been written yet.
        """
        held = [*self._provisional, *filter(self._holds, self._confirmed)]
        # Layers that were written together lack the same positions.
        for first in sorted({0, *(key.last for key in held)} - {self._values.layers.stop}):
            missing = np.ones(self._values.shape[1:], bool)
            for key in held:
                if first in key.layers:
                    missing[key.top : key.bottom, key.left : key.right] = False
            if missing.any():
                row, col = np.argwhere(missing)[0]
                raise ValueError(
                    f"{self.path}: {np.count_nonzero(missing)} of {missing.size} positions have "
                    f"not been written yet, the first at row {row}, column {col}. Write every "
                    "block before finishing; a job that did goes on with these when it is started "
                    "again."
                )

    def _key(self, block: Block, layers: range | None) -> _Key:
        layers = self._values.layers if layers is None else layers
        rows, cols = block.rows, block.cols
        return _Key(layers.start, layers.stop, rows.start, rows.stop, cols.start, cols.stop)

    def _sync_now_and_then(self, key: _Key) -> None:
        """Let the disk keep up, so that the end need not wait for it."""
        height, width = key.block.shape
        self._unsynced += len(key.layers) * height * width * self._values.value_bytes
        if self._unsynced >= _SYNC_BYTES:
            self._values.sync()
            self._unsynced = 0

    def _holds(self, key: _Key) -> bool:
        if key in self._seen:
            return True
        if key not in self._confirmed:
            return False
        if self._confirmed[key] != self._values.checksum(key.block, key.layers):
            return False
        self._seen.add(key)
        return True

    def _read_journal(self) -> Iterator[tuple[_Key, int]]:
        """Blocks that were confirmed, with their checksums."""
        for line in notes(self.unfinished.journal):
            try:
                noted = sequence(line, "a line of the journal")
                key = self._key_inside(sequence(noted[:6], "the edges of a block", 6))
                checksum, *counts = (integer(one, "a number of a block") for one in noted[6:])
                pixels = sequence(counts, "counts of pixels", 2 if counts else 0)
                self._not_finite[key] = NotFinite(*pixels)
                yield key, checksum
            except ValueError:
                continue  # Cut short by a crash: the block is computed again.

    def _key_inside(self, found: Sequence[Any]) -> _Key:
        key = _Key(*(integer(edge, "an edge of a block") for edge in found))
        for first, last, size in zip(key[::2], key[1::2], self._values.shape, strict=True):
            if not first < last <= size:
                raise ValueError(f"expected a block within {self._values.shape}, found {found}")
        return key


class _Key(NamedTuple):
    """A block of some layers as a line of the journal names it."""

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
    def layers(self) -> range:
        """The layers."""
        return range(self.first, self.last)
