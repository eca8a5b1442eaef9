"""What it takes to explore the latent space of a large scan.

    python benchmarks/latent_space.py [--scratch FOLDER] [--features N] [--rows N] [--columns N]

Writes the latent maps of a scan of 900 x 1000 positions and 128 features: 2,000 grains, each with
a vector of its own, and noise. Each task runs in a process of its own, as the window runs it in a
thread. Told is how long it takes, the longest time between two moments at which it can be
cancelled, and the most memory that the process held, Python and all libraries among it, and with
it that of UMAP's own process.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil

from napari_kikuchi.explore.clusters import find_clusters
from napari_kikuchi.explore.domains import domain_spread, find_domains
from napari_kikuchi.explore.embedding import has_umap, principal_components, umap
from napari_kikuchi.explore.features import latent_vectors
from napari_kikuchi.explore.nearest import nearest_positions
from napari_kikuchi.explore.neighbour_distances import neighbour_distances, suggested_threshold
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.jobs import Job, finish
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.scan import Block

GRAINS = 2_000
NOISE = 0.4
ROWS_AT_ONCE = 50
CLUSTERS = 8
# Updates between two looks at the memory of child processes.
LOOKED_AT_EVERY = 5


def domains(stack: MapStack) -> Job:
    apart = yield from neighbour_distances(stack)
    found = yield from find_domains(apart, suggested_threshold(apart))
    return (yield from domain_spread(stack, found))


def clusters(stack: MapStack) -> Job:
    vectors = yield from latent_vectors(stack)
    return (yield from find_clusters(vectors, CLUSTERS))


def components(stack: MapStack) -> Job:
    vectors = yield from latent_vectors(stack)
    return (yield from principal_components(vectors))


def layout(stack: MapStack) -> Job:
    vectors = yield from latent_vectors(stack)
    return (yield from umap(vectors))


def nearest(stack: MapStack) -> Job:
    rows, cols = stack.map_shape
    return (yield from nearest_positions(stack, (rows // 2, cols // 2)))


TASKS = {
    "domains and their spread": domains,
    f"{CLUSTERS} clusters": clusters,
    "principal components": components,
    "nearest positions": nearest,
    "UMAP": layout,
}


def main() -> None:
    """Read the command line, measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scratch", type=Path, help="folder for the store")
    parser.add_argument("--features", type=int, default=128)
    parser.add_argument("--rows", type=int, default=900)
    parser.add_argument("--columns", type=int, default=1000)
    parser.add_argument("--task", choices=TASKS, help=argparse.SUPPRESS)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        measure(given.task, read_maps(given.store))
        return
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors")
    print(f"{given.rows} x {given.columns} positions, {given.features} features\n")
    print(f"{'':<26}{'time':>10}{'longest step':>15}{'most memory':>14}", flush=True)
    with tempfile.TemporaryDirectory(dir=given.scratch, ignore_cleanup_errors=True) as folder:
        store = Path(folder) / "maps.zarr"
        write(store, (given.features, given.rows, given.columns))
        for task in TASKS:
            if task != "UMAP" or has_umap():
                run = [sys.executable, __file__, "--task", task, "--store", str(store)]
                subprocess.run(run, check=True)


def write(path: Path, shape: tuple[int, int, int]) -> None:
    """Write the maps of grains, each with a latent vector of its own, and noise."""
    from scipy.spatial import KDTree

    features, rows, cols = shape
    rng = np.random.default_rng(0)
    grains = KDTree(rng.uniform(0, (rows, cols), (GRAINS, 2)))
    vectors = rng.normal(size=(features, GRAINS)).astype(np.float32)
    writer = MapWriter.open(path, shape, {})
    for row in range(0, rows, ROWS_AT_ONCE):
        block = Block(slice(row, min(row + ROWS_AT_ONCE, rows)), slice(0, cols))
        places = np.moveaxis(np.indices(block.shape), 0, -1) + np.array([row, 0])
        values = vectors[:, grains.query(places)[1]]
        values += NOISE * rng.standard_normal(values.shape, np.float32)
        writer.confirm(block, writer.maps.write(block, values))
    channels = [Channel(f"feature {i + 1}") for i in range(features)]
    finish(writer.finish(channels, provenance={"model": {"latent": features}}))


def measure(task: str, stack: MapStack) -> None:
    """Run a task to its end and print its line."""
    begin = before = time.perf_counter()
    steps, of_children, process = [], [0], psutil.Process()

    def note(_: object) -> None:
        nonlocal before
        steps.append(time.perf_counter() - before)
        if len(steps) % LOOKED_AT_EVERY == 0:
            of_children.append(memory_of(process.children()))
        before = time.perf_counter()

    finish(TASKS[task](stack), note)
    end = time.perf_counter()
    longest = max(*steps, end - before)
    memory = (most_memory() + max(of_children)) / 1e9
    print(f"{task:<26}{end - begin:>8.1f} s{longest:>13.2f} s{memory:>11.2f} GB", flush=True)


def memory_of(processes: list[psutil.Process]) -> int:
    """The memory that processes hold, in bytes; none of one that has ended meanwhile."""
    held = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            held += process.memory_info().rss
    return held


def most_memory() -> int:
    """The most memory that this process has held, in bytes."""
    if psutil.WINDOWS:
        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if psutil.MACOS else 1024 * peak


if __name__ == "__main__":
    main()
