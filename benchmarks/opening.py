"""How long it takes, and how much memory, to open a UP2 file and to read patterns from it.

    python benchmarks/opening.py [--scratch FOLDER]

Makes two sparse files, which take no place on disks that know such files (ext4, xfs, btrfs, APFS;
not exFAT): the largest map of the reference paper, 1000 x 900 patterns of 480 x 480 pixels or
415 GB, and one of 4.6 GB that kikuchipy can be asked to open as well. Each line is measured in a
process of its own; memory is the growth of its peak over what it needed after its imports.
Sparse files are read without touching a disk: the times are those of the software alone.
kikuchipy's line needs about 10 GB of free memory; --no-kikuchipy leaves it out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

PATTERN = (480, 480)
MAPS = {"415 GB": (1000, 900), "4.6 GB": (100, 100)}
REPEATS = 50


def make_sparse_scan(path: Path, map_shape: tuple[int, int]) -> Path:
    """Write a header and let the file system pretend the rest."""
    from napari_kikuchi.io.up2 import LONG_HEADER

    height, width = PATTERN
    rows, cols = map_shape
    with path.open("wb") as file:
        file.write(LONG_HEADER.pack(3, width, height, LONG_HEADER.size, 0, cols, rows, 0, 1.0, 1.0))
        file.truncate(LONG_HEADER.size + rows * cols * height * width * 2)
    return path


def peak_memory() -> int:
    """Largest resident size of this process so far, in bytes."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds that an action takes, and its result."""
    start = time.perf_counter()
    result = action()
    return (time.perf_counter() - start) * 1e3, result


def measure_ours(path: Path) -> dict[str, float]:
    import dask.array  # noqa: F401  # The imports of the stack are not what is measured.

    from napari_kikuchi import open_scan

    before = peak_memory()
    opening, scan = timed(lambda: open_scan(path))
    opened = peak_memory()
    places = random_places(scan.map_shape)
    singles = [timed(lambda place=place: scan.read(*place))[0] for place in places]
    stack, patterns = timed(lambda: scan.patterns)
    return {
        "open": opening,
        "open_mb": (opened - before) / 1e6,
        "first": singles[0],
        "any": statistics.median(singles[1:]),
        "worst": max(singles[1:]),
        "stack": stack,
        "compute": statistics.median(
            timed(lambda place=place: patterns[place].compute())[0] for place in places
        ),
        "all_mb": (peak_memory() - before) / 1e6,
    }


def measure_kikuchipy(path: Path) -> dict[str, float]:
    import kikuchipy

    kikuchipy.data.nickel_ebsd_small(lazy=True)  # Its own lazy imports.
    before = peak_memory()
    opening, signal = timed(lambda: kikuchipy.load(path, lazy=True))
    opened = peak_memory()
    places = random_places(signal.data.shape[:2])[:4]
    singles = [timed(lambda place=place: signal.data[place].compute())[0] for place in places]
    return {
        "open": opening,
        "open_mb": (opened - before) / 1e6,
        "first": singles[0],
        "any": statistics.median(singles[1:]),
        "worst": max(singles[1:]),
        "compute": statistics.median(singles[1:]),
        "all_mb": (peak_memory() - before) / 1e6,
    }


def random_places(map_shape: tuple[int, int]) -> list[tuple[int, int]]:
    rng = np.random.default_rng(0)
    return [
        (int(rng.integers(map_shape[0])), int(rng.integers(map_shape[1]))) for _ in range(REPEATS)
    ]


READERS = {"napari-kikuchi": measure_ours, "kikuchipy, lazy": measure_kikuchipy}
COLUMNS = {
    "open": "open (ms)",
    "open_mb": "memory to open (MB)",
    "first": "first pattern (ms)",
    "any": "any other, median (ms)",
    "worst": "worst (ms)",
    "stack": "make dask stack (ms)",
    "compute": "stack[i, j].compute() (ms)",
    "all_mb": "memory in all (MB)",
}


def measure_in_child(reader: str, path: Path) -> dict[str, float]:
    """Measure in a fresh process, so that nothing is warm and memory is its own."""
    run = subprocess.run(
        [sys.executable, __file__, "--measure", reader, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scratch", type=Path, help="folder for the sparse files")
    parser.add_argument("--no-kikuchipy", action="store_true", help="leave kikuchipy out")
    parser.add_argument("--measure", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        reader, path = given.measure
        print(json.dumps(READERS[reader](Path(path))))
        return
    print(
        f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("numpy", "dask", "kikuchipy"))
    )
    print(f"{REPEATS} patterns of {PATTERN[0]} x {PATTERN[1]} uint16 at random places\n")
    print("| reader | file |", " | ".join(COLUMNS.values()), "|")
    print("|" + "---|" * (2 + len(COLUMNS)))
    with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
        paths = {
            size: make_sparse_scan(Path(folder) / f"{size.split()[0]}.up2", map_shape)
            for size, map_shape in MAPS.items()
        }
        lines = [("napari-kikuchi", "415 GB"), ("napari-kikuchi", "4.6 GB")]
        if not given.no_kikuchipy:
            lines.append(("kikuchipy, lazy", "4.6 GB"))
        for reader, size in lines:
            found = measure_in_child(reader, paths[size])
            cells = (f"{found[key]:.1f}" if key in found else "" for key in COLUMNS)
            print(f"| {reader} | {size} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
