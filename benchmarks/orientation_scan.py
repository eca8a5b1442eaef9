"""How long it takes from a 4D-STEM scan to its orientation maps, and in how much memory.

    python benchmarks/orientation_scan.py [--size 512]

A scan of copper and titanium, 128 x 128 pixels a pattern, whose patterns are rendered when they are
read: its spots are found and kept, then mapped twice, with templates that are simulated and with
those that are there. Prints seconds and patterns per second of each step, the peak of memory, and
how many positions with a crystal have its phase and an orientation within 2 and 5 degrees. Each
size is a process of its own, so that peaks are comparable.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from opening import peak_memory

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.jobs import Job, finish
from napari_kikuchi.maps import MapStack
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.find_calibration import find_calibration
from napari_kikuchi.orientation.find_spots import find_spots
from napari_kikuchi.orientation.map_solutions import quaternions_of
from napari_kikuchi.orientation.maps import orientation_maps
from napari_kikuchi.orientation.simulated_scan import SpotTruth, simulate_spot_scan

CRYSTALS = [Crystal.built_in("cu"), Crystal.built_in("ti")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs="+", default=[256, 512], help="rows and columns")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.size[0])))
        return
    print(f"{'size':<6}{'step':<22}{'seconds':>9}{'per s':>9}{'peak MB':>9}")
    for size in options.size:
        command = [sys.executable, __file__, "--child", "--size", str(size)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        measured = json.loads(output.splitlines()[-1])
        for name, seconds, memory in measured["steps"]:
            print(f"{size:<6}{name:<22}{seconds:>9.1f}{size**2 / seconds:>9,.0f}{memory:>9.0f}")
        print(f"{size:<6}{measured['found']}", flush=True)


def measure(size: int) -> dict:
    scan, truth = simulate_spot_scan((size, size), CRYSTALS, seed=size)
    steps: list[tuple[str, float, float]] = []

    def timed(name: str, step: Callable[[], object]) -> object:
        began = time.perf_counter()
        done = step()
        steps.append((name, time.perf_counter() - began, peak_memory() / 1e6))
        return done

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        job: Job = find_spots(scan, place / "a.spots", Detection(3.0))
        spots = timed("find spots", lambda: finish(job))
        # Spots do not tell how the detector is turned.
        known = {name: getattr(truth.calibration, name) for name in ("rotation", "flipped")}
        found = timed("calibrate", lambda: find_calibration(spots, CRYSTALS, **known))

        def mapped() -> MapStack:
            return finish(
                orientation_maps(
                    spots, found.calibration, CRYSTALS, place / "a.zarr", libraries=place
                )
            )

        timed("simulate and map", mapped)
        stack = timed("map", mapped)
        return {"steps": steps, "found": held_against(stack, truth)}


def held_against(stack: MapStack, truth: SpotTruth) -> str:
    phase = stack.map(stack.names.index("phase"))
    parts = [stack.names.index(f"quaternion {part}") for part in "abcd"]
    found = np.stack([stack.map(part) for part in parts], axis=-1)
    expected = quaternions_of(truth.rotations)
    apart = np.full(phase.shape, 180.0)
    for number, crystal in enumerate(CRYSTALS):
        own = (truth.phases == number) & (phase == number + 1)
        apart[own] = misorientation_angles(found[own], expected[own], crystal.laue_group)
    there = truth.phases >= 0
    right = (phase == truth.phases + 1)[there].mean()
    shares = [(apart[there] < limit).mean() for limit in (2, 5)]
    empty = (phase == 0)[~there].mean() if (~there).any() else np.nan
    return (
        f"right phase {right:.3f}, within 2° {shares[0]:.3f}, within 5° {shares[1]:.3f}, "
        f"median {np.median(apart[there]):.2f}°; of positions without a crystal {empty:.3f} are "
        "not indexed"
    )


if __name__ == "__main__":
    main()
