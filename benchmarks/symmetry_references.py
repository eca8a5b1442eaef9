"""Simulates the reference patterns that come with the package.

    python benchmarks/symmetry_references.py --out NEW.safetensors [--known OLD.safetensors]

Master patterns of known cubic phases by Bloch waves, at three voltages, and the groups that they
show. Phases that an older file of these has are taken from there. The file became
src/napari_kikuchi/symmetry/references.safetensors.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.dynamical_master import DynamicalMaster
from napari_kikuchi.symmetry.known_phases import known_phases
from napari_kikuchi.symmetry.references import References
from napari_kikuchi.symmetry.sector import NODES, standardised
from napari_kikuchi.symmetry.simulated_phase import on_square, simulate_phase

VOLTAGES = (15.0, 20.0, 30.0)
BEAMS, CLOSEST = 100, 1 / 22


def main() -> None:
    """Simulate them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--known", type=Path, help="an older file")
    options = parser.parse_args()
    phases = known_phases()
    masters = np.empty((len(VOLTAGES), len(phases), NODES), np.float32)
    shown = np.empty(len(phases), np.int64)
    older = None if options.known is None else References.load(options.known)
    for number, phase in enumerate(phases):
        if older is not None and phase.name in older.names:
            there = older.names.index(phase.name)
            masters[:, number], shown[number] = older.masters[:, there], older.shown[there]
            continue
        crystal = Crystal.from_settings(phase.settings())
        for row, voltage in enumerate(VOLTAGES):
            simulation = DynamicalMaster(
                crystal,
                voltage=voltage,
                beams=BEAMS,
                d_min=max(0.5, CLOSEST * phase.cell),
                both_sides=True,
            )
            masters[row, number] = standardised(on_square(simulation, phase.space_group))
        shown[number] = simulate_phase(phase, number).shown
        print(f"{phase.name:14s} {phase.space_group} shows {shown[number]}", flush=True)
    names = [phase.name for phase in phases]
    groups = np.array([phase.space_group for phase in phases])
    References(names, groups, shown, VOLTAGES, masters).save(options.out)


if __name__ == "__main__":
    main()
