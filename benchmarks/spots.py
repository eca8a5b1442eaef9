"""How well and how fast spots and the calibration of simulated 4D-STEM scans are found.

    python benchmarks/spots.py

Scans of copper and titanium, 128 x 128 pixels a pattern, from which nothing is told but the
crystals: neither the radius of spots nor the scale. Prints for each radius and dose: the radius
that was guessed; the share found of the spots that stand out of the noise five times and have a
hundredth of the direct beam, and how many found are none, of a pattern; the median distance from
the truth in pixels; patterns per second of one thread; and how far the scale is off, in per mille.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.distance import cdist

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detection import Detection, SpotDetector
from napari_kikuchi.orientation.find_calibration import find_calibration
from napari_kikuchi.orientation.find_spots import find_spots
from napari_kikuchi.orientation.simulated_scan import Exposure, SpotTruth, simulate_spot_scan
from napari_kikuchi.orientation.spot_radius import guess_radius
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan

CRYSTALS = [Crystal.built_in("cu"), Crystal.built_in("ti")]
SIDE = 128
# Of the direct beam: spots are looked for above half of it.
_LEAST = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=24, help="and columns of a scan")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{'form':<10}{'radius':>7}{'dose':>8}{'guessed':>9}{'found':>7}{'false':>7}"
        f"{'pixels':>8}{'per s':>7}{'scale ‰':>9}"
    )
    for form, radius in (("disc", 1.5), ("disc", 3.0), ("disc", 6.0), ("gaussian", 3.0)):
        for dose in (2_000.0, 10_000.0, 50_000.0):
            exposure = Exposure(dose, radius, form)
            scan, truth = simulate_spot_scan(
                (options.rows,) * 2, CRYSTALS, exposure=exposure, seed=options.seed
            )
            print(f"{form:<10}{radius:>7}{dose:>8,.0f}{row(scan, truth, exposure)}", flush=True)


def row(scan: Scan, truth: SpotTruth, exposure: Exposure) -> str:
    guessed = guess_radius(scan)
    everywhere = np.argwhere(np.ones(scan.map_shape, bool))
    patterns = scan.read_positions(everywhere)
    detect = SpotDetector(scan.pattern_shape, Detection(guessed))
    detect(patterns[:64])
    began = time.perf_counter()
    found = detect(patterns).numpy().reshape(*scan.map_shape, -1, 3)
    speed = len(patterns) / (time.perf_counter() - began)
    share, false, apart = held_against_truth(found, truth, exposure)
    with tempfile.TemporaryDirectory() as folder:
        in_memory = Scan(ArraySource(patterns.reshape(scan.shape)))
        spots = finish(find_spots(in_memory, Path(folder) / "a.spots", Detection(guessed)))
        scale = find_calibration(spots, CRYSTALS).calibration.scale / truth.calibration.scale - 1
    return f"{guessed:>9.2f}{share:>7.3f}{false:>7.2f}{apart:>8.3f}{speed:>7.0f}{1e3 * scale:>9.2f}"


def held_against_truth(
    found: np.ndarray, truth: SpotTruth, exposure: Exposure
) -> tuple[float, float, float]:
    """Share found of those that stand out, number of false ones, and the median distance."""
    positions = np.argwhere(truth.phases >= 0)
    spots = truth.spots(positions)
    columns, rows = truth.calibration.to_pixels(spots[..., 0], spots[..., 1], positions)
    centres = np.broadcast_to(truth.calibration.centres(positions), (len(positions), 2))
    total = spots[..., 2].sum(1) + exposure.direct_beam * spots[..., 2].max(1)
    counts = spots[..., 2] / total[:, None] * exposure.dose * (1 - exposure.background)
    # The background is four times its mean at most.
    under = 4 * exposure.background * exposure.dose / SIDE**2 * np.pi * exposure.radius**2
    edge = exposure.radius + 1
    inside = (np.minimum(columns, rows) > edge) & (np.maximum(columns, rows) < SIDE - 1 - edge)
    strongest = exposure.direct_beam * counts.max(axis=1, keepdims=True)
    clear = inside & (counts > 5 * np.sqrt(counts + under)) & (counts > _LEAST * strongest)
    distances, false = [], 0
    for position, column, line, seen, there, centre in zip(
        positions, columns, rows, clear, spots[..., 2] > 0, centres, strict=True
    ):
        own = found[tuple(position)]
        own = own[own[:, 2] > 0, :2]
        places = np.column_stack([column, line])
        distances.extend(cdist(places[seen], own).min(axis=1, initial=np.inf))
        real = np.vstack([places[there], centre[::-1]])
        false += np.count_nonzero(cdist(own, real).min(axis=1) > max(2, exposure.radius / 2))
    near = np.array(distances)
    hit = near < max(1, exposure.radius / 3)
    return float(hit.mean()), false / len(positions), float(np.median(near[hit]))


if __name__ == "__main__":
    main()
