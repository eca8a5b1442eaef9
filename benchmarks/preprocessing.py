"""How fast patterns are prepared, beside kikuchipy, plain numpy and the memory of the machine.

    python benchmarks/preprocessing.py [--patterns 512] [--repeats 5] [--no-kikuchipy]

Patterns of 480 x 480 pixels, uint16, in memory, are averaged down to 120 x 120, the static
background is subtracted, and what lies inside a round mask is rescaled to [-1, 1]. Each line is the
best of some repeats, taken in turns:

- ours, by one thread and by as many as there are cores;
- kikuchipy as it is written down: background, binning, rescaling of whole frames, in float32, by
  dask on all cores; and with binning first, sixteen times less work;
- plain numpy: the same in three lines on whole frames, as everyone writes them first;
- the mean over the same bytes by numpy, which does nothing but read them: what the memory allows.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import numpy as np

from napari_kikuchi.images import bin_to
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.recipe import Recipe

PATTERN, SIZE = (480, 480), (120, 120)
FACTOR = PATTERN[0] // SIZE[0]
# Patterns that a thread takes at a time, as in an encoding.
BLOCK = 64


def make_patterns(count: int) -> np.ndarray:
    """Noise on a bright background."""
    rng = np.random.default_rng(0)
    y, x = (np.indices(PATTERN).T - np.divide(PATTERN, 2)).T / PATTERN[0]
    background = 8000 * np.exp(-2 * (y**2 + x**2))
    return np.stack([rng.poisson(background) for _ in range(count)]).astype(np.uint16)


def ours(patterns: np.ndarray) -> Preprocessor:
    """A recipe fitted to the patterns."""
    y, x = np.indices(SIZE)
    middle = (SIZE[0] - 1) / 2
    mask = np.hypot(y - middle, x - middle) < 0.49 * SIZE[0]
    background = bin_to(patterns[:BLOCK], SIZE).mean(axis=0)
    recipe = Recipe(size=SIZE, mask=mask)
    return Preprocessor(recipe, background).with_full_scale(patterns[:BLOCK])


def in_threads(prepare: Preprocessor, patterns: np.ndarray, threads: int) -> None:
    """Prepare all patterns, a block at a time."""
    blocks = [patterns[start : start + BLOCK] for start in range(0, len(patterns), BLOCK)]
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(prepare, blocks):
            pass


def plain_numpy(patterns: np.ndarray, background: np.ndarray) -> None:
    """Subtract, average, rescale, a block at a time."""
    for start in range(0, len(patterns), BLOCK):
        whole = patterns[start : start + BLOCK].astype(np.float32) - background
        binned = whole.reshape(-1, SIZE[0], FACTOR, SIZE[1], FACTOR).mean(axis=(2, 4))
        low, high = (edge(axis=(1, 2), keepdims=True) for edge in (binned.min, binned.max))
        _ = 2 * (binned - low) / (high - low) - 1


def by_kikuchipy(patterns: np.ndarray, background: np.ndarray, *, binning_first: bool) -> None:
    """The same steps as kikuchipy has them."""
    import kikuchipy

    side = int(np.sqrt(len(patterns)))
    signal = kikuchipy.signals.EBSD(patterns[: side**2].reshape(side, side, *PATTERN))
    quietly = {"show_progressbar": False}
    if binning_first:
        signal.downsample(FACTOR, dtype_out="float32", **quietly)
        background = bin_to(background[None], SIZE)[0]
    else:
        signal.change_dtype("float32")
    signal.remove_static_background("subtract", static_bg=background, **quietly)
    if not binning_first:
        signal.downsample(FACTOR, **quietly)
    signal.rescale_intensity(out_range=(-1, 1), **quietly)


def best_of(lines: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Shortest time of each in seconds; one after another, so that all meet the same machine."""
    best = dict.fromkeys(lines, np.inf)
    for _ in range(repeats):
        for name, run in lines.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patterns", type=int, default=22**2, help="a square number")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-kikuchipy", action="store_true", help="leave kikuchipy out")
    given = parser.parse_args()
    cores = os.cpu_count() or 1
    patterns = make_patterns(given.patterns)
    background = patterns.mean(axis=0, dtype=np.float32)
    prepare = ours(patterns)
    names = {
        "one": "napari-kikuchi, one thread",
        "all": f"napari-kikuchi, {cores} threads",
        "natural": "kikuchipy",
        "first": "kikuchipy, binning first",
        "numpy": "plain numpy",
        "mean": "numpy's mean of the bytes",
    }
    lines: dict[str, Callable[[], object]] = {
        "one": lambda: in_threads(prepare, patterns, 1),
        "all": lambda: in_threads(prepare, patterns, cores),
        "numpy": lambda: plain_numpy(patterns, background),
        "mean": lambda: patterns.mean(axis=(1, 2)),
    }
    packages = ["numpy"]
    if not given.no_kikuchipy:
        packages.append("kikuchipy")
        lines["natural"] = lambda: by_kikuchipy(patterns, background, binning_first=False)
        lines["first"] = lambda: by_kikuchipy(patterns, background, binning_first=True)
    print(
        f"{platform.platform()}, {cores} processors, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in packages)
    )
    print(f"{given.patterns} patterns of 480 x 480 uint16, best of {given.repeats}\n")
    seconds = best_of(lines, given.repeats)
    print("| | patterns/s | one thread of ours is faster by | all threads |")
    print("|---|---|---|---|")
    for line, name in names.items():
        if line in seconds:
            took = seconds[line]
            ratios = (took / seconds[own] for own in ("one", "all"))
            print(f"| {name} | {given.patterns / took:,.0f} |", end="")
            print("|".join(f" {ratio:.2f} x " for ratio in ratios) + "|")


if __name__ == "__main__":
    main()
