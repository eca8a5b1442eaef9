"""Phases whose patterns are all but those of a higher symmetry.

What tells iron and cobalt apart in FeCo is less than any detector sees: its patterns are those of
a random alloy, and have its symmetry. A phase that scatters as its average does is to be answered
by the average's class, and no one could know better from patterns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np

from napari_kikuchi.symmetry.classes import class_of
from napari_kikuchi.symmetry.packing import found_group
from napari_kikuchi.symmetry.phases import Phase
from napari_kikuchi.symmetry.sector import sector_weights, standardised

# Patterns that correlate above this are the same for a classifier; see the table of known alloys
# in the tests.
SAME_PATTERNS = 0.995
# Length in 1/Å of the reciprocal vectors at which atoms are compared: of strong low planes.
_AT = 0.4


def averages(phase: Phase) -> Iterator[tuple[int, dict[str, Any]]]:
    """Structures in which atoms that scatter nearly alike are one, or weak ones are missing.

    Parameters
    ----------
    phase
        Of at most a handful of elements.

    Yields
    ------
    group
        That spglib finds, another than that of the phase.
    settings
        As :meth:`~napari_kikuchi.crystals.crystal.Crystal.from_settings` reads the average.
    """
    elements = sorted(phase.debye_waller, key=_strength)
    atoms = [element for element, _ in phase.atoms]
    positions = np.array([position for _, position in phase.atoms])
    seen = set()
    for dropped in range(len(elements)):
        left = elements[dropped:]
        for joined in product((True, False), repeat=len(left) - 1):
            kinds = dict(zip(left, np.cumsum([0, *(not one for one in joined)]), strict=True))
            kept = np.array([atom in kinds for atom in atoms])
            numbers = np.array([kinds[atom] for atom in atoms if atom in kinds])
            group = found_group(phase.cell, numbers, positions[kept])
            if group is None or group == phase.space_group or group in seen:
                continue
            seen.add(group)
            yield group, _mixed(phase, kinds)


def shown_class(
    phase: Phase, master: np.ndarray, of_averages: Iterable[tuple[int, np.ndarray]]
) -> tuple[int, float]:
    """The class that patterns of a phase show.

    Parameters
    ----------
    phase
        Whose patterns.
    master
        Its intensities at the nodes of the square, of shape (nodes,).
    of_averages
        Classes of :func:`averages`, each with the intensities of that average.

    Returns
    -------
    class
        Of the average that is most alike if its patterns are the same; the phase's own otherwise.
    correlation
        With the average that is most alike; 0 if there is none.
    """
    own = class_of(phase.space_group)
    alike = [(correlation(master, other), name) for name, other in of_averages]
    nearest, name = max(alike, default=(0.0, own))
    return (name if nearest > SAME_PATTERNS else own), nearest


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Correlation coefficient over the sphere of intensities at the nodes of the square."""
    both = standardised(np.stack([one, other])).astype(np.float64)
    return float((both[0] * both[1]) @ sector_weights())


def _strength(element: str) -> float:
    """How strongly an atom scatters, in Å."""
    from napari_kikuchi.crystals.structure_factors import scattering_factors

    return float(scattering_factors(element, np.array([_AT**2]))[0])


def _mixed(phase: Phase, kinds: dict[str, Any]) -> dict[str, Any]:
    """The average: each atom is what all atoms of its kind are together."""
    counts: dict[str, int] = {}
    for element, _ in phase.atoms:
        counts[element] = counts.get(element, 0) + 1
    atoms = []
    for atom, position in phase.atoms:
        if atom not in kinds:
            continue
        alike = [element for element in kinds if kinds[element] == kinds[atom]]
        total = sum(counts[element] for element in alike)
        atoms += [
            [element, *position, counts[element] / total, phase.debye_waller[element]]
            for element in alike
        ]
    return {**phase.settings(), "name": f"average of {phase.name}", "atoms": atoms}
