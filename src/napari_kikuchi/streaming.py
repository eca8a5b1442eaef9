"""One way to run a function over the patterns of a scan of any size.

A block of patterns is read, the function turns it into values, the values are written: threads do
this on one machine, any executor of :mod:`concurrent.futures` does it elsewhere, such as that of a
dask cluster, ``Client(...).get_executor(pure=False)``: a block is written whenever it is asked for,
though dask may remember the same call.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import nullcontext
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_kikuchi.io.block_writer import BlockWriter
from napari_kikuchi.io.map_array import MapArray
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.not_finite import ALL_FINITE, NotFinite
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.shared_cores import core_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Takes the patterns of a block piece by piece, and gives the values of them all. The next piece
# takes the place of the one before.
PatternFunction = Callable[[Iterator["NDArray"]], "NDArray"]

# No positions.
_NOTHING = np.empty((0, 2), np.int64)

# Read at a time: few enough to be prepared while they are in the processor's own memory, many
# enough for a disk. What is read with one hand and worked on with the other costs half.
_PIECE_BYTES = 4 * 2**20

# Few enough that a job soon heeds a stop and loses little in a crash; enough that what an encoder
# knows is fetched from memory once for many patterns.
_BLOCK_PATTERNS = 256
# Someone who waits for a slow block is told so often that the work goes on, and may stop it.
_HEARTBEAT_S = 0.25


def map_scan(
    scan: Scan,
    function: PatternFunction,
    writer: MapWriter,
    *,
    executor: Executor | None = None,
    workers: int | Callable[[], int] | None = None,
    channels: range | None = None,
    blocks: Sequence[Block] | None = None,
    message: str = "Mapping patterns",
) -> Job[NDArray[np.int64]]:
    """Run a function over every pattern of a scan and write what it gives.

    Blocks that the writer has already are skipped: so an interrupted run goes on. Closing the
    generator waits for the blocks being worked on and keeps them. However large the scan is, each
    worker holds a piece of one block.

    A pattern that the file does not give becomes NaN, as a position without one, and is told at
    the end; a run that is interrupted and goes on tries it again.

    Parameters
    ----------
    scan
        Whose patterns to read.
    function
        Takes patterns as recorded, in pieces of shape (n, height, width), and gives the values of
        all of them, of shape (patterns, channels). A piece is gone when the next one is asked for.
        It is called from several threads at once.
    writer
        Takes the values; positions without a pattern become NaN.
    executor
        What runs the blocks; None: threads of this process. Function and scan travel with each
        block if its workers are other processes: they must pickle, should be small, and the files
        of scan and maps must be within reach.
    workers
        Blocks worked on at a time; None: as many as this machine has cores. Of an executor that is
        elsewhere, say how many workers it has, or what tells how many it has at present.
    channels
        Maps that the function gives; None: all. The others are for whoever derives them of these.
    blocks
        That cover the scan, in the order in which they are begun; None: :func:`work_blocks`.
    message
        What is being done, for the progress.

    Yields
    ------
    Progress
        Patterns done so far, those of an earlier run included.

    Returns
    -------
    numpy.ndarray
        Rows and columns of the patterns that could not be read, of shape (n, 2).

    Raises
    ------
    ScanLostError
        If the file of the scan is out of reach, or has changed since it was opened.
    Exception
        What the function raised, with a note of the place in the scan.
    """
    channels = writer.maps.every_map if channels is None else channels
    written = yield from run_blocks(
        work_blocks(scan) if blocks is None else blocks,
        partial(write_block, scan, function, writer.maps, channels),
        writer,
        channels,
        executor=executor,
        workers=workers,
        count=partial(_count, scan),
        message=message,
    )
    return np.concatenate([_NOTHING, *(block.unreadable for block in written)])


def run_blocks(
    blocks: Sequence[Block],
    task: Callable[[Block], Written],
    writer: BlockWriter,
    layers: range,
    *,
    executor: Executor | None = None,
    workers: int | Callable[[], int] | None = None,
    count: Callable[[Block], int] = lambda block: block.shape[0] * block.shape[1],
    message: str,
) -> Job[list[Written]]:
    """Run a task over every block that the writer does not have yet, several at a time.

    Parameters
    ----------
    blocks
        In the order in which they are begun.
    task
        Writes some layers of a block, such as maps, in any thread or process.
    writer, layers
        Of these layers.
    executor, workers, message
        See :func:`map_scan`.
    count
        How many positions of a block count for the progress.

    Yields
    ------
    Progress
        Positions done so far, those of an earlier run included.

    Returns
    -------
    list of Written
        What became of the blocks that were worked on.
    """
    total = sum(map(count, blocks))
    waiting = yield from _not_done(blocks, writer, layers)
    done = total - sum(map(count, waiting))
    finished: list[Written] = []

    def confirm(block: Block, written: Written) -> None:
        whole = not len(written.unreadable)
        writer.confirm(
            block,
            written.checksum,
            layers,
            for_good=whole,
            elsewhere=executor is not None,
            not_finite=written.not_finite,
        )
        finished.append(written)

    there = workers if callable(workers) else partial(int, workers or os.cpu_count() or 1)
    at_a_time = there()
    yield Progress(done, total, message)
    own = core_threads("map_scan", at_a_time) if executor is None else nullcontext(executor)
    with own as pool:
        upcoming = iter(waiting)
        running: dict[Future[Written], Block] = {}
        try:
            while True:
                at_a_time = there()
                # More than are worked on, so that nobody waits for work; they hold no patterns.
                # Some where nobody is there at present: who comes finds them.
                wanted = 2 * max(1, at_a_time) - len(running)
                for block in islice(upcoming, max(0, wanted)):
                    running[pool.submit(task, block)] = block
                if not running:
                    break
                for future in wait(running, _HEARTBEAT_S, FIRST_COMPLETED).done:
                    block = running.pop(future)
                    confirm(block, future.result())
                    done += count(block)
                yield Progress(done, total, message)
        finally:
            if executor is None:
                for future in running:
                    future.cancel()
            # Elsewhere a cancelled block may be running all the same; there are few to wait for, if
            # anybody is there to finish them.
            for future in wait(running, timeout=None if at_a_time else 0).done:
                if not future.cancelled() and future.exception() is None:
                    confirm(running[future], future.result())
    return finished


def _not_done(blocks: Sequence[Block], writer: BlockWriter, layers: range) -> Job[list[Block]]:
    """The blocks that are left; of an earlier run each is checked, which may take minutes."""
    waiting, told = [], time.monotonic()
    for number, block in enumerate(blocks):
        if not writer.is_done(block, layers):
            waiting.append(block)
        if time.monotonic() - told > _HEARTBEAT_S:
            told = time.monotonic()
            yield Progress(number, len(blocks), "Checking what was done before")
    return waiting


def work_blocks(scan: Scan, effort: int = 1) -> list[Block]:
    """The blocks in which :func:`map_scan` goes through a scan, unless it is told others.

    Parameters
    ----------
    scan
        To go through.
    effort
        How many times longer a pattern takes than with a quick function: blocks are smaller by as
        much.
    """
    return list(scan.blocks(max(1, _BLOCK_PATTERNS // effort) * scan.pattern_bytes))


class Written(NamedTuple):
    """What became of a block.

    Attributes
    ----------
    checksum
        Of what was written.
    unreadable
        Rows and columns of the patterns that could not be read, of shape (n, 2).
    not_finite
        Pixels of the other patterns that are not finite.
    """

    checksum: int
    unreadable: NDArray[np.int64] = _NOTHING
    not_finite: NotFinite = ALL_FINITE


def write_block(
    scan: Scan, function: PatternFunction, maps: MapArray, channels: range, block: Block
) -> Written:
    """Read a block, run the function over its patterns and write the values into some maps."""
    values, unreadable, not_finite = block_values(scan, function, (len(channels),), block)
    checksum = maps.write(block, np.moveaxis(values, -1, 0), channels)
    return Written(checksum, unreadable, not_finite)


def block_values(
    scan: Scan, function: PatternFunction, value_shape: tuple[int, ...], block: Block
) -> tuple[NDArray[np.float32], NDArray[np.int64], NotFinite]:
    r"""Read a block and run a function over its patterns.

    Parameters
    ----------
    scan, function
        See :func:`map_scan`; the function gives values of shape (patterns, \*value_shape).
    value_shape
        Of what it gives for a pattern.
    block
        Positions.

    Returns
    -------
    values, unreadable, not_finite
        Of shape (\*block.shape, \*value_shape), NaN where there is no pattern or it could not be
        read; rows and columns of the latter, of shape (n, 2); and what pixels of the others are not
        finite.

    Raises
    ------
    ScanLostError
        If the file of the scan is out of reach, or has changed since it was opened.
    Exception
        What the function raised, with a note of the place in the scan.
    """
    try:
        values = np.full((*block.shape, *value_shape), np.nan, np.float32)
        pieces = _Pieces(scan, block)
        following = iter(pieces)
        for first in following:  # if there is one
            found = function(chain([first], following))
            values[*pieces.readable.T - [[block.rows.start], [block.cols.start]]] = found
        # What was written to since the job began, even while it was read, is no longer one scan.
        scan.check_unchanged()
        return values, pieces.unreadable, pieces.not_finite
    except Exception as error:
        error.add_note(
            f"This happened in {scan.name}, rows {block.rows.start} to {block.rows.stop - 1}, "
            f"columns {block.cols.start} to {block.cols.stop - 1}."
        )
        raise


class _Pieces:
    """The patterns of a block, a few at a time, less those that cannot be read."""

    def __init__(self, scan: Scan, block: Block) -> None:
        self._scan = scan
        origin = np.array([block.rows.start, block.cols.start])
        self.positions = np.argwhere(scan.present_in(block)) + origin
        self._can_be_read = np.ones(len(self.positions), bool)
        self.not_finite = ALL_FINITE

    def __iter__(self) -> Iterator[NDArray]:
        few = min(len(self.positions), max(1, _PIECE_BYTES // self._scan.pattern_bytes))
        # New memory for each piece would take as long as to read it.
        memory = np.empty((few, *self._scan.pattern_shape), self._scan.dtype)
        for start in range(0, len(self.positions), max(1, few)):
            part = slice(start, start + few)
            positions = self.positions[part]
            patterns, readable = self._scan.read_readable(positions, memory[: len(positions)])
            self._can_be_read[part] = readable
            if readable.any():
                given = patterns if readable.all() else patterns[readable]
                self.not_finite += NotFinite.of(given)
                yield given

    @property
    def readable(self) -> NDArray[np.int64]:
        """Positions (n, 2) whose patterns were given."""
        return self.positions[self._can_be_read]

    @property
    def unreadable(self) -> NDArray[np.int64]:
        """Positions (n, 2) whose patterns were not."""
        return self.positions[~self._can_be_read]


def piecewise(function: Callable[[NDArray], NDArray]) -> PatternFunction:
    """For :func:`map_scan`, a function that takes each piece by itself.

    Parameters
    ----------
    function
        Gives values (n, channels) of patterns (n, height, width).
    """
    return partial(_each_piece, function)


def _each_piece(function: Callable[[NDArray], NDArray], pieces: Iterator[NDArray]) -> NDArray:
    return np.concatenate([function(piece) for piece in pieces])


def _count(scan: Scan, block: Block) -> int:
    return int(np.count_nonzero(scan.present_in(block)))
