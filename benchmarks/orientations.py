"""How well and how fast orientations of copper are found from lists of diffraction spots.

    python benchmarks/orientations.py [--model RUN/model.safetensors] [--peers PYTHON]

Prints for each kind of patterns and each method the median error in degrees, the share of patterns
within 2 and 5 degrees, the share with any of the hypotheses within 5, and patterns per second of
one processor thread. Where all spots are of one zone, two orientations have the same pattern, up
to what a thickness does: "told" is the share within 5 degrees of who names the right zone and
tosses a coin. "At 90 %" is the share within 2 degrees of those patterns whose confidence is from
85 to 95 %. With --model methods marked (T) use a spot transformer.
With --peers py4DSTEM and pyxem find orientations from the same spots, in an environment of their
own: orientation_peers.py tells how to make it, and what is counted.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from orientation_peers import PEERS
from scipy.spatial.transform import Rotation

from napari_kikuchi.crystals.beam import Beam
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.degrade import Degradation, degrade
from napari_kikuchi.orientation.dynamical import DynamicalSpots
from napari_kikuchi.orientation.indexing import Indexer
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.matching import Hypotheses, Matcher
from napari_kikuchi.orientation.placing import Proposer
from napari_kikuchi.orientation.refinement import Refiner
from napari_kikuchi.orientation.spot_model import SpotModel
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.symmetry import disorientation_angles, proper_operators
from napari_kikuchi.orientation.template_library import Library
from napari_kikuchi.orientation.templates import dynamical_library, kinematical_library

K_MAX, MOST_SPOTS = 2.1, 128
THINNEST, THICKEST = 100.0, 800.0
COPPER = Crystal.built_in("cu")
# Kinematical patterns as py4DSTEM simulates them if nothing else is asked for: intensities fall
# with the excitation error as a Gaussian of 0.02 1/Å, that of this thickness.
KINEMATICAL = {
    "shape": "gaussian",
    "thickness": math.sqrt(1.5) / (math.pi * 0.02),
    "max_excitation_error": 0.06,
}
# What a calibrated measurement suffers.
NOISY = Degradation(
    k_max=K_MAX, weakest=0.005, missed=0.02, spurious=0.5, jitter=0.003, scale=0.003,
    centre=0.003, ellipticity=0.003, intensity_noise=0.2, saturation=0.2,
)  # fmt: skip
# And a worse one.
NOISIER = Degradation(k_max=K_MAX)


class Found(NamedTuple):
    """Orientations of shape (patterns, hypotheses, 3, 3), best first, and how sure the best is."""

    rotations: torch.Tensor
    confidence: torch.Tensor | None = None


Method = Callable[[Spots], Found]
METHODS: dict[str, Callable[[Library], Method]] = {
    "matched": lambda library: matched(library),
    "matched and refined": lambda library: refined(Matcher(library), library),
    "and verified": lambda library: verified(library),
}
# With a spot transformer: alone, its likeliest proposal.
OF_MODEL: dict[str, Callable[[Library, SpotModel], Method]] = {
    "transformer": lambda _, model: proposed(model, 1),
    "in 4 frames": lambda _, model: proposed(model, 4),
    "and refined": lambda library, model: refined(Proposer(library, model), library),
    "and verified": lambda library, model: verified(library, [Proposer(library, model)]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patterns", type=int, default=2500)
    parser.add_argument("--fine-step", type=float, default=0.3, help="of templates, in degrees")
    parser.add_argument("--libraries", type=Path, help="folder where libraries are kept")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--model", type=Path, help="spot transformer, of napari-kikuchi train-spots"
    )
    parser.add_argument("--peers", metavar="PYTHON", help="of the environment of the peers")
    options = parser.parse_args()
    torch.set_num_threads(1)
    random = np.random.default_rng(options.seed)
    rotations = torch.as_tensor(Rotation.random(options.patterns, rng=random).as_matrix())
    patterns = simulated(rotations, random)
    told = {name: share_told(spots, rotations) for name, spots in patterns.items()}
    print(f"{'templates':<13}{'method':<21}{'patterns':<19}{'median':>7}{'in 2°':>7}{'in 5°':>7}"
          f"{'any':>6}{'told':>6}{'per cpu-s':>11}{'at 90 %':>9}")  # fmt: skip
    for kind in ("kinematical", "dynamical"):
        library = library_of(kind, options.fine_step, options.libraries)
        methods = {name: prepare(library) for name, prepare in METHODS.items()}
        if options.model and kind == "dynamical":
            model = SpotModel.load(options.model, device="cpu")
            methods |= {
                f"{name} (T)": prepare(library, model) for name, prepare in OF_MODEL.items()
            }
        for name, method in methods.items():
            method(next(iter(patterns.values()))[:64])
            for what, spots in patterns.items():
                start = time.process_time()
                found = method(spots)
                took = time.process_time() - start
                show(kind, name, what, found, took, rotations, told[what])
    for name in PEERS if options.peers else ():
        for what, found, took in found_by_peer(options.peers, name, patterns):
            show("its own", name, what, Found(found), took, rotations, told[what])


def simulated(rotations: torch.Tensor, random: np.random.Generator) -> dict[str, Spots]:
    """Patterns of each kind."""
    generator = torch.Generator().manual_seed(int(random.integers(2**31)))
    kinematical = KinematicalSpots(COPPER, k_max=K_MAX, most_spots=MOST_SPOTS, **KINEMATICAL)(
        rotations
    )
    simulate = DynamicalSpots(COPPER, k_max=K_MAX)
    thicknesses = random.uniform(THINNEST, THICKEST, len(rotations))
    lists = [
        simulate(rotation, thickness).lists()[0]
        for rotation, thickness in zip(rotations, thicknesses, strict=True)
    ]
    # With padding, which takes the false spots.
    dynamical = torch.zeros(len(rotations), MOST_SPOTS, 3)
    dynamical[:, : max(map(len, lists))] = torch.from_numpy(Spots.from_lists(lists).values)
    return {
        name: Spots(values.numpy()).packed()
        for name, values in {
            "kinematical": kinematical,
            "kinematical, noisy": degrade(kinematical, NOISY, generator),
            "dynamical": dynamical,
            "dynamical, noisy": degrade(dynamical, NOISY, generator),
            "dynamical, noisier": degrade(dynamical, NOISIER, generator),
        }.items()
    }


def share_told(spots: Spots, rotations: torch.Tensor) -> float:
    """The share within 5 degrees if half of those are wrong that have a double."""
    reflections, beam = COPPER.reflections(K_MAX), Beam()
    total = 0.0
    for values, rotation in zip(spots.lists(), rotations.numpy(), strict=True):
        in_sample = reflections.vectors @ rotation
        near = np.abs(beam.excitation_errors(in_sample)) < 0.1
        apart = np.linalg.norm(values[:, None, :2] - in_sample[near, :2], axis=2)
        nearest = apart.argmin(axis=1)[apart.min(axis=1) < 0.06] if len(values) else []
        total += _chance(reflections.hkl[near][nearest])
    return total / len(spots)


def _chance(hkl: np.ndarray) -> float:
    rank = np.linalg.matrix_rank(hkl) if len(hkl) else 0
    if rank != 2:
        return float(rank == 3)
    axis = np.sort(np.abs(np.linalg.svd(hkl)[2][2]))
    # A half turn about these is a symmetry of the crystal.
    twofold = np.array([[0, 0, 1], [0, 0.5**0.5, 0.5**0.5]])
    return 1.0 if np.abs(twofold - axis).max(axis=1).min() < 1e-6 else 0.5


def library_of(
    kind: str, fine_step: float, folder: Path | None, crystal: Crystal = COPPER
) -> Library:
    path = folder and folder / f"{crystal.name}_{kind}_{fine_step:g}_{K_MAX:g}.safetensors"
    if path and path.exists():
        return Library.load(path)
    start = time.process_time()
    build = kinematical_library if kind == "kinematical" else dynamical_library
    library = finish(build(crystal, k_max=K_MAX, fine_step=fine_step))
    cells, tilts, thicknesses, _ = library.amplitudes.shape
    print(f"{kind} templates of {crystal.name}: {cells} cells of {tilts} tilts and {thicknesses} "
          f"thicknesses in {time.process_time() - start:.1f} cpu-s")  # fmt: skip
    if path:
        library.save(path)
    return library


def matched(library: Library) -> Method:
    matcher = Matcher(library)
    return lambda spots: Found(matcher(spots).rotations)


def refined(propose: Callable[[Spots], Hypotheses], library: Library) -> Method:
    refiner = Refiner(library)
    return lambda spots: Found(refiner(spots, propose(spots)).rotations)


def verified(
    library: Library, proposers: Sequence[Callable[[Spots], Hypotheses]] | None = None
) -> Method:
    index = Indexer([library], proposers=proposers)

    def method(spots: Spots) -> Found:
        solutions = index(spots)
        return Found(solutions.rotations, solutions.probabilities[:, 0])

    return method


def proposed(model: SpotModel, frames: int) -> Method:
    def method(spots: Spots) -> Found:
        rotations, scores = model.propose(torch.from_numpy(spots.values), frames)
        best = scores.argsort(dim=1, descending=True)
        return Found(rotations[torch.arange(len(best))[:, None], best].double())

    return method


def found_by_peer(
    python: str, name: str, patterns: dict[str, Spots]
) -> list[tuple[str, torch.Tensor, float]]:
    """Kinds of patterns, what a peer found, and in how many seconds of one processor thread."""
    script = Path(__file__).with_name("orientation_peers.py")
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMBA")
    one_thread = {f"{library}_NUM_THREADS": "1" for library in libraries}
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "spots.npz"), Path(folder, "found.npz")
        np.savez(given, **{what: spots.values for what, spots in patterns.items()})
        command = [python, script, name, given, found]
        # What peers tell of their progress is not part of the table.
        subprocess.run(command, check=True, env=os.environ | one_thread, stdout=subprocess.DEVNULL)
        with np.load(found) as file:
            rotations, seconds = torch.from_numpy(file["rotations"]), file["seconds"]
    return list(zip(patterns, rotations[:, :, None], map(float, seconds), strict=True))


def show(
    kind: str,
    name: str,
    what: str,
    found: Found,
    took: float,
    rotations: torch.Tensor,
    told: float,
) -> None:
    truth = rotations[:, None].expand_as(found.rotations)
    apart = disorientation_angles(found.rotations, truth, proper_operators(COPPER.laue_group))
    # Patterns without an orientation are as far off as can be.
    apart = torch.rad2deg(apart).nan_to_num(180)
    best, any_of_them = apart[:, 0], apart.amin(1)
    print(f"{kind:<13}{name:<21}{what:<19}{best.median():>7.2f}{within(best, 2):>7.3f}"
          f"{within(best, 5):>7.3f}{within(any_of_them, 5):>6.2f}{told:>6.2f}"
          f"{len(best) / took:>11,.0f}{at_ninety(found.confidence, best):>9}",
          flush=True)  # fmt: skip


def at_ninety(confidence: torch.Tensor | None, apart: torch.Tensor) -> str:
    """Of patterns whose confidence is from 85 to 95 %, the share within 2 degrees."""
    if confidence is None:
        return ""
    return f"{within(apart[(confidence > 0.85) & (confidence < 0.95)], 2):.2f}"


def within(apart: torch.Tensor, limit: float) -> float:
    return float((apart < limit).double().mean())


if __name__ == "__main__":
    main()
