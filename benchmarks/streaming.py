"""Whether a scan is encoded as fast as it is read or encoded, and in how much memory.

    python benchmarks/streaming.py [--models principal-32 published-32] [--gigabytes 2]
    python benchmarks/streaming.py --growth 2 20 100 [--real]
    python benchmarks/streaming.py --workers 1 2

The first makes a scan of 480 x 480 pixels of the additive sample, each pattern enlarged,
and measures in turns, with as many threads as there are cores: reading every block; preparing and
encoding blocks that are in memory; all of it, written to a map store. The file is in the page cache
unless --cold asks the system to drop it before each time, which says what a disk gives.

The second encodes sparse files of these sizes, which take no room on the disk, or with --real files
of patterns, each in a process of its own: time, and the largest memory.

The third encodes the scan of the first with so many threads of one process, and with so many
processes of a dask cluster on this machine, in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from opening import make_sparse_scan, peak_memory

from napari_kikuchi import open_scan
from napari_kikuchi.io import Up2Writer
from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.encoder import Encoder, load_encoder
from napari_kikuchi.latent.giver import given_to
from napari_kikuchi.latent.maps import encode_scan
from napari_kikuchi.latent.presets import preset
from napari_kikuchi.latent.tasks import PatternMeasures
from napari_kikuchi.preprocess import Preprocessor, prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.samples import sample_folder, shipped_encoder
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.streaming import map_scan, work_blocks

PATTERN_BYTES = 480 * 480 * 2
CORES = os.cpu_count() or 1


def make_scan(path: Path, gigabytes: float) -> Path:
    """The sample's patterns, enlarged, over and over."""
    sample = open_scan(sample_folder() / "additive.up1")
    _, cols = sample.map_shape
    rows = max(1, round(gigabytes * 1e9 / PATTERN_BYTES / cols))
    with Up2Writer(path, (rows, cols), (480, 480), step=sample.step) as writer:
        for row in range(rows):
            here = row % sample.map_shape[0]
            block = Block(slice(here, here + 1), slice(0, cols))
            writer.append(np.kron(sample.read_block(block), np.ones((8, 8), np.uint16)))
    return path


def make_encoder(name: str) -> Encoder:
    """The shipped one, or the network of a preset as it is before training: it takes as long."""
    if name == "principal-32":
        return load_encoder(shipped_encoder(), device="auto")
    from napari_kikuchi.devices import pick_device
    from napari_kikuchi.latent.vae import Vae, VaeEncoder

    architecture = preset(name)
    mask = np.ones(architecture.size, bool)
    vae = Vae(architecture, mask).to(pick_device()).eval()
    return VaeEncoder(vae, Recipe(size=architecture.size, mask=mask))


def fit(scan: Scan, encoder: Encoder) -> Preprocessor:
    """The encoder's recipe, with its own mask or none."""
    return finish(prepare(scan, encoder.recipe, check_mask=False))


def in_threads(function: Callable[[Block], object], blocks: list[Block]) -> None:
    """As a scan is gone through."""
    with ThreadPoolExecutor(CORES) as pool:
        for _ in pool.map(function, blocks):
            pass


def drop_cache(path: Path) -> None:
    """Let the system forget what it holds of a file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def seconds(action: Callable[[], object], before: Callable[[], object]) -> float:
    before()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(path: Path, name: str, folder: Path, repeats: int, cold: bool) -> dict[str, float]:
    """Shortest times, in seconds, of reading, of encoding, and of both together."""
    from threadpoolctl import threadpool_limits

    scan, encoder = open_scan(path), make_encoder(name)
    preprocessor = fit(scan, encoder)
    function = PatternMeasures(preprocessor, given_to(None, encoder, folder))
    blocks = work_blocks(scan, encoder.effort)
    held = scan.read_present(blocks[0])

    def whole(number: int) -> None:
        shape = (encoder.latent + 2, *scan.map_shape)
        writer = MapWriter.open(folder / f"{name}-{number}.zarr", shape, {})
        finish(map_scan(scan, function, writer, blocks=blocks))

    def alone() -> None:
        import torch

        # As many threads, with as many cores each, as in a real run.
        before = torch.get_num_threads()
        with threadpool_limits(1):
            torch.set_num_threads(1)
            in_threads(lambda block: function(iter([held[: np.prod(block.shape)]])), blocks)
        torch.set_num_threads(before)

    best = dict.fromkeys(("read", "encode", "whole"), np.inf)
    forget = partial(drop_cache, path) if cold else partial(in_threads, scan.read_present, blocks)
    for number in range(repeats):
        for what, action in {
            "read": lambda: in_threads(scan.read_present, blocks),
            "encode": alone,
            "whole": lambda number=number: whole(number),
        }.items():
            best[what] = min(best[what], seconds(action, forget))
    return best


def scaled(path: Path, counts: list[int], repeats: int) -> dict[tuple[str, int], float]:
    """Shortest times, in seconds, of encoding with so many threads or processes."""
    from napari_kikuchi.cluster import LOCAL, open_cluster

    scan, encoder = open_scan(path), make_encoder("principal-32")
    preprocessor = fit(scan, encoder)
    target = path.with_suffix(".zarr")

    def encode(**where: Any) -> float:
        job = encode_scan(scan, encoder, target, preprocessor=preprocessor, resume=False, **where)
        return seconds(lambda: finish(job), partial(in_threads, scan.read_present, blocks))

    blocks = work_blocks(scan)
    best: dict[tuple[str, int], float] = {}
    for count in counts:
        best["threads", count] = min(encode(workers=count) for _ in range(repeats))
        with open_cluster(LOCAL, count) as cluster:
            where = {"executor": cluster.executor, "workers": cluster.workers}
            # The first time each process reads the encoder, and compiles.
            best["processes", count] = min(encode(**where) for _ in range(repeats + 1))
    return best


def grown(path: Path) -> dict[str, float]:
    """Time and memory of a whole encoding, in this process."""
    scan, encoder = open_scan(path), make_encoder("principal-32")
    preprocessor = fit(scan, encoder)
    start = time.perf_counter()
    finish(encode_scan(scan, encoder, path.with_suffix(".zarr"), preprocessor=preprocessor))
    return {"seconds": time.perf_counter() - start, "mb": peak_memory() / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=["principal-32", "published-32"])
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="read from the disk (Linux)")
    parser.add_argument("--growth", nargs="+", type=float, metavar="GB")
    parser.add_argument("--real", action="store_true", help="files that grow are full of patterns")
    parser.add_argument("--workers", nargs="+", type=int, metavar="N")
    parser.add_argument("--scratch", type=Path, help="folder for the files")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(grown(given.measure)))
        return
    print(
        f"{platform.platform()}, {CORES} processors, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch"))
    )
    with tempfile.TemporaryDirectory(dir=given.scratch) as folder:
        if given.growth:
            print_growth(Path(folder), given.growth, real=given.real)
            return
        path = make_scan(Path(folder) / "scan.up2", given.gigabytes)
        if given.workers:
            print_scaling(path, given.workers, given.repeats)
            return
        count = open_scan(path).count
        where = "from the disk" if given.cold else "in the page cache"
        print(f"{count} patterns of 480 x 480, {where}, best of {given.repeats}\n")
        print("| model | reading alone | encoding alone | both | over the slower |")
        print("|---|---|---|---|---|")
        for name in given.models:
            took = compare(path, name, Path(folder), given.repeats, given.cold)
            rates = " | ".join(f"{count / took[what]:,.0f}/s" for what in took)
            over = took["whole"] / max(took["read"], took["encode"])
            print(f"| {name} | {rates} | {over:.2f} |", flush=True)


def print_scaling(path: Path, counts: list[int], repeats: int) -> None:
    count = open_scan(path).count
    took = scaled(path, counts, repeats)
    print("| | workers | patterns/s | over one |")
    print("|---|---|---|---|")
    for (what, workers), time_taken in took.items():
        gained = took[what, counts[0]] / time_taken
        print(f"| {what} | {workers} | {count / time_taken:,.0f} | {gained:.2f} |")


def print_growth(folder: Path, sizes: list[float], *, real: bool) -> None:
    print("| scan | patterns | time | patterns/s | memory |")
    print("|---|---|---|---|---|")
    for size in sizes:
        rows = max(1, round(size * 1e9 / PATTERN_BYTES / 1000))
        path = folder / f"{size:g}.up2"
        if real:
            make_scan(path, size)
        else:
            make_sparse_scan(path, (rows, 1000))
        command = [sys.executable, __file__, "--measure", str(path)]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(run.stdout.splitlines()[-1])
        count = open_scan(path).count
        print(
            f"| {size:g} GB | {count:,} | {found['seconds']:.1f} s | "
            f"{count / found['seconds']:,.0f} | {found['mb']:,.0f} MB |",
            flush=True,
        )
        path.unlink()


if __name__ == "__main__":
    main()
