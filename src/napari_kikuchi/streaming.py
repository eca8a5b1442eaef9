"""One way to run a function over the patterns of a scan of any size."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.scan import BLOCK_BYTES, Block, Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What a block holds at most: few enough patterns that a slow model, too, shows progress, stops
# and loses little in a crash.
_BLOCK_PATTERNS = 512
# More threads than this wait for the disk and for each other.
_MAX_THREADS = 8


def map_scan(
    scan: Scan,
    function: Callable[[NDArray], NDArray],
    writer: MapWriter,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    message: str = "Mapping the scan",
) -> Job[None]:
    """Run a function over all patterns and write what it gives, block by block.

    Blocks that the writer has already are not done again. Memory holds as many blocks as there
    are workers, and as many results. Closing the job waits for the blocks in flight and keeps
    them.

    Parameters
    ----------
    scan
        Whose patterns to read. Positions without a pattern become NaN.
    function
        From recorded patterns (n, height, width) to values (n, channels).
    writer
        Takes the values.
    executor
        Runs the blocks; scan, function and writer are pickled if it needs that, and its workers
        must reach the files of both. Threads of this process by default; on a cluster
        ``client.get_executor()`` of a ``dask.distributed`` client.
    workers
        Threads to run, or blocks to hand to ``executor`` at a time: at least as many as it has
        workers. By default as many as there are cores, at most 8 threads.
    message
        What is being done, for a person to read.

    Yields
    ------
    Progress
        Patterns done so far.
    """
    cores = os.cpu_count() or 1
    if executor is None:
        threads = workers or min(cores, _MAX_THREADS)
        with _thread_pool(threads, cores) as pool:
            yield from _run(scan, function, writer, pool, threads + 1, message)
    else:
        yield from _run(scan, function, writer, executor, workers or 2 * cores, message)


def _run(
    scan: Scan,
    function: Callable[[NDArray], NDArray],
    writer: MapWriter,
    executor: Executor,
    backlog: int,
    message: str,
) -> Job[None]:
    blocks = list(scan.blocks(min(BLOCK_BYTES, _BLOCK_PATTERNS * scan.pattern_bytes)))
    left = [block for block in blocks if not writer.is_done(block)]
    total = scan.count
    done = total - sum(_count(scan, block) for block in left)
    yield Progress(done, total, message)
    submitted = (
        (executor.submit(write_block, scan, function, writer, block), block) for block in left
    )
    for block in _completed(submitted, backlog):
        done += _count(scan, block)
        yield Progress(done, total, message)


def write_block(
    scan: Scan, function: Callable[[NDArray], NDArray], writer: MapWriter, block: Block
) -> None:
    """Read a block, run the function over its patterns and write the values."""
    present = _present(scan, block)
    values = np.full((writer.shape[0], *block.shape), np.nan, np.float32)
    if present.any():
        values[:, present] = function(scan.read_block(block)[present]).T
    writer.write(block, values)


def _completed(submitted: Iterable[tuple[Future, Block]], backlog: int) -> Iterator[Block]:
    """Blocks as they get done, with ``backlog`` of them in flight.

    An error of one is raised once the others in flight are done.
    """
    running: dict[Future, Block] = {}
    try:
        for future, block in submitted:
            running[future] = block
            if len(running) >= backlog:
                yield from _next_done(running)
        while running:
            yield from _next_done(running)
    finally:
        for future in running:
            future.cancel()
        wait(running)


def _next_done(running: dict[Future, Block]) -> Iterator[Block]:
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        block = running.pop(future)
        future.result()
        yield block


@contextmanager
def _thread_pool(threads: int, cores: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that share the cores: torch would give each of them all cores."""
    torch = sys.modules.get("torch")  # A function that runs torch has imported it.
    before = torch.get_num_threads() if torch else None
    each = max(1, min(before or 1, cores) // threads)
    initializer = (lambda: torch.set_num_threads(each)) if torch else None
    try:
        with ThreadPoolExecutor(threads, "map_scan", initializer) as pool:
            yield pool
    finally:
        if torch:
            torch.set_num_threads(before)


def _present(scan: Scan, block: Block) -> NDArray[np.bool_]:
    if scan.present is None:
        return np.ones(block.shape, bool)
    return scan.present[block.rows, block.cols]


def _count(scan: Scan, block: Block) -> int:
    return int(np.count_nonzero(_present(scan, block)))
