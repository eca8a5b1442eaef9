"""How well the symmetry of crystals is told that no classifier has learned from.

    python benchmarks/symmetry.py TEST.zarr [--learned LIBRARY.zarr ...] [--among common]

TEST.zarr is a library of another seed than the one that was learned from (``napari-kikuchi phases
TEST.zarr --seed 1``); phases of the elements and group of one that was learned from are left out.
All is done as for a scan: patterns are recorded with noise, crystals are found in them, and their
patterns vote. Then what is unlike cubic crystals is read: noise, an empty detector, and hexagonal
and tetragonal crystals by Bloch waves.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.dynamical_master import DynamicalMaster
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.symmetry.classes import classes_of
from napari_kikuchi.symmetry.classifier import SymmetryClassifier
from napari_kikuchi.symmetry.known_phases import known_phases
from napari_kikuchi.symmetry.phase_library import PhaseLibrary, open_library
from napari_kikuchi.symmetry.reader import PatternReader, Readings
from napari_kikuchi.symmetry.recorded import Conditions, record
from napari_kikuchi.symmetry.sector import standardised
from napari_kikuchi.symmetry.votes import Votes, vote

DETECTOR = Detector((0.5, 0.3, 0.6))
SIZE = (60, 60)
NOISES = (0.008, 0.017, 0.035)
# Element, space group, a and c in Å, atoms.
HCP = ((1 / 3, 2 / 3, 0.25), (2 / 3, 1 / 3, 0.75))
OTHERS = {
    "Ti": (194, 2.951, 4.684, [("Ti", one) for one in HCP]),
    "Mg": (194, 3.209, 5.211, [("Mg", one) for one in HCP]),
    "Zn": (194, 2.665, 4.947, [("Zn", one) for one in HCP]),
    "Co": (194, 2.507, 4.069, [("Co", one) for one in HCP]),
    "WC": (187, 2.906, 2.837, [("W", (0, 0, 0)), ("C", (1 / 3, 2 / 3, 0.5))]),
    "TiO2": (
        136, 4.594, 2.959,
        [("Ti", (0, 0, 0)), ("Ti", (0.5, 0.5, 0.5)), ("O", (0.305, 0.305, 0)),
         ("O", (0.695, 0.695, 0)), ("O", (0.195, 0.805, 0.5)), ("O", (0.805, 0.195, 0.5))],
    ),
}  # fmt: skip


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("test", type=Path)
    parser.add_argument("--learned", type=Path, nargs="*", default=[])
    parser.add_argument("--among", help="as napari-kikuchi symmetry takes it")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--patterns", type=int, default=20)
    parser.add_argument("--crystals", type=int, default=40, help="of each that is not cubic")
    given = parser.parse_args()
    if given.model is None:
        classifier = SymmetryClassifier.shipped()
    else:
        classifier = SymmetryClassifier.load(given.model, "cpu")
    if given.among is not None:
        classifier = classifier.among(classes_of(given.among))
    reader = PatternReader(classifier.modes, DETECTOR.directions, np.ones(SIZE, bool))
    library = open_library(given.test)
    known = {_key(phase.space_group, phase.debye_waller) for phase in known_phases()}
    for path in given.learned:
        known |= set(open_library(path).keys)
    fresh = np.array([key not in known for key in library.keys])
    fresh &= np.isin(library.shown, classifier.groups)
    cubic(classifier, reader, library, np.flatnonzero(fresh), given.patterns)
    unlike(classifier, reader, given.patterns, given.crystals)


def cubic(
    classifier: SymmetryClassifier,
    reader: PatternReader,
    library: PhaseLibrary,
    chosen: np.ndarray,
    patterns: int,
) -> None:
    """Groups of phases, by one pattern and by votes."""
    print(f"{len(chosen)} phases, {patterns} patterns each, {SIZE[0]} x {SIZE[1]} pixels")
    print("noise    one: shown    raw   vote: shown    raw   in set   groups in set   not unlike")
    shown, raw = library.shown[chosen], library.classes[chosen]
    groups = np.array(classifier.groups)
    rng = np.random.default_rng(0)
    confidence, right, answers = [], [], []
    for noise in NOISES:
        logarithms, repeated, signal = [], [], []
        for number in chosen:
            master = standardised(library.dynamical[number])
            found = reader(record(master, patterns, conditions(noise), rng).patterns)
            logarithms.append(classifier.log_probabilities(found.totals, found.counts))
            repeated.append(found.repeated)
            signal.append(found.signal)
        single = groups[np.array(logarithms).argmax(axis=2)]
        votes = vote(
            np.repeat(np.arange(len(chosen)), patterns),
            np.concatenate(logarithms),
            np.concatenate(repeated),
            np.concatenate(signal),
            classifier,
        )
        together = groups[votes.probabilities.argmax(axis=1)]
        covered = votes.compatible[np.arange(len(chosen)), np.searchsorted(groups, shown)]
        print(
            f"{noise:5.3f} {(single == shown[:, None]).mean():13.3f} "
            f"{(single == raw[:, None]).mean():6.3f} {(together == shown).mean():13.3f} "
            f"{(together == raw).mean():6.3f} {covered.mean():8.3f} "
            f"{votes.compatible.sum(axis=1).mean():15.2f} {votes.cubic.mean():12.3f}",
            flush=True,
        )
        confidence.append(votes.probabilities.max(axis=1))
        right.append(together == shown)
        answers.append(together)
    told, true = np.concatenate(confidence), np.concatenate(right)
    print("confidence of votes   phases   told   right")
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.85), (0.85, 0.95), (0.95, 1.001)):
        inside = (told >= low) & (told < high)
        if inside.any():
            print(
                f"{low:.2f} to {min(high, 1):.2f} {inside.sum():14} {told[inside].mean():8.3f} "
                f"{true[inside].mean():7.3f}"
            )
    print("class   phases   right   most often taken for")
    for group in np.unique(shown):
        of_class = np.concatenate([one[shown == group] for one in answers])
        others, counts = np.unique(of_class[of_class != group], return_counts=True)
        taken = ", ".join(
            f"{others[i]} ({counts[i] / len(of_class):.2f})" for i in np.argsort(-counts)[:3]
        )
        phases, share = (shown == group).sum(), (of_class == group).mean()
        print(f"{group:5} {phases:8} {share:7.3f}   {taken}")


def unlike(
    classifier: SymmetryClassifier, reader: PatternReader, patterns: int, crystals: int
) -> None:
    """Share of what is not cubic that is told so, of single patterns and of crystals."""
    print("\nunlike cubic crystals        noise   one pattern   all patterns of a crystal")
    rng = np.random.default_rng(1)
    for noise in NOISES:
        pixels = rng.standard_normal((crystals * 5, *SIZE))
        told("noise", noise, classifier, reader(1 + noise * pixels), 1)
    told("empty detector", 0, classifier, reader(np.full((crystals, *SIZE), 9.0)), 1)
    for name in OTHERS:
        master = lambert(name)
        for noise in NOISES:
            count = max(crystals * 5 // patterns, 1)
            # One orientation for each crystal, as in a grain.
            turns = np.repeat(Rotation.random(count, rng=rng).as_matrix(), patterns, axis=0)
            seen = np.stack([looked_up(master, one) for one in turns])
            recorded = 1 + 0.03 * seen + noise * rng.standard_normal(seen.shape)
            told(name, noise, classifier, reader(recorded), patterns)


def told(
    name: str, noise: float, classifier: SymmetryClassifier, found: Readings, patterns: int
) -> None:
    """Print a line."""
    logarithms = classifier.log_probabilities(found.totals, found.counts)

    def share(crystals: np.ndarray) -> float:
        votes: Votes = vote(crystals, logarithms, found.repeated, found.signal, classifier)
        return float((~votes.cubic).mean())

    n = len(logarithms)
    together = f"{share(np.arange(n) // patterns):20.3f}" if patterns > 1 else ""
    print(f"{name:25s} {noise:8.3f} {share(np.arange(n)):13.3f} {together}", flush=True)


def conditions(noise: float) -> Conditions:
    """As patterns are recorded by one detector with one noise."""
    x, y, z = DETECTOR.pc
    return Conditions(SIZE, centre_x=(x, x), centre_y=(y, y), distance=(z, z), noise=(noise, noise))


def lambert(name: str, half: int = 50) -> np.ndarray:
    """Master pattern of the upper hemisphere on an equal-area grid, standardised."""
    group, a, c, atoms = OTHERS[name]
    angles = [90, 90, 120 if group > 142 else 90]
    settings = {
        "name": name, "space_group": group, "lattice": [a, a, c, *angles], "source": "handbook",
        "atoms": [[element, *place, 1.0, 0.5] for element, place in atoms],
    }  # fmt: skip
    # Equal areas on a disc: from its middle, the pole, to the equator.
    axis = np.linspace(-1, 1, 2 * half + 1)
    x, y = np.meshgrid(axis, axis)
    radius = np.hypot(x, y)
    height = np.maximum(1 - radius**2, 0)
    scale = np.sqrt(np.maximum(2 - radius**2, 0))
    directions = np.stack([x * scale, y * scale, height], axis=-1)
    directions[radius > 1] = 0, 0, 1
    crystal = Crystal.from_settings(settings)
    values = DynamicalMaster(crystal, voltage=20, beams=80)(directions.reshape(-1, 3))
    values = values.reshape(radius.shape)
    inside = radius <= 1
    return (values - values[inside].mean()) / values[inside].std()


def looked_up(master: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """A pattern of a centrosymmetric master pattern of :func:`lambert`."""
    towards = DETECTOR.directions(SIZE) @ rotation.T
    towards *= np.where(towards[:, 2:] < 0, -1, 1)
    scale = 1 / np.sqrt(1 + towards[:, 2])
    half = (len(master) - 1) / 2
    places = (towards[:, 1] * scale + 1) * half, (towards[:, 0] * scale + 1) * half
    return map_coordinates(master, places, order=1, mode="nearest").reshape(SIZE)


def _key(group: int, elements: Iterable[str]) -> tuple:
    return group, *sorted(elements)


if __name__ == "__main__":
    main()
