"""How near coercivities are to those of magnumnp, whether they hold still, and what they cost.

    python benchmarks/coercivity.py [--size 64] [--still] [--peers PYTHON --kept FOLDER]

Magnets of SmCo5 and Sm2Co17, cells of 1 nm in grains of 4 to 16 nm, are demagnetised in a batch.
With --peers magnumnp does it, too: coercivity_peers.py tells how to make its environment, and how
it walks. It takes long: what it has found is kept in --kept, and after --seconds no other magnet is
begun; the same command goes on. With --still all is done again more carefully: with a tenth of the
torque and twice the steps; with a quarter of the steps of the field; and in double precision.
Prints for each the difference of coercivities to ours in % of it, mean and largest, and seconds of
one processor thread for each magnet.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from coercivity_peers import PEERS

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.hysteresis import Hysteresis, Walk, hysteresis
from napari_kikuchi.microstructure.magnet import SM2CO17, SMCO5, Magnets
from napari_kikuchi.simulate.grains import tessellate

CELL = 1e-9
WALK = Walk()
# A longer bracket than ours, which spares magnumnp two of some ten minimisations.
PEERS_PRECISION = 0.03
CAREFUL = {
    "a tenth of the torque": {"torque": WALK.torque / 10, "most_steps": 2 * WALK.most_steps},
    "a quarter of the field's step": {"first_step": WALK.first_step / 4},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--magnets", type=int, default=20)
    parser.add_argument("--size", type=int, default=64, help="rows and columns of cells")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peers", metavar="PYTHON", help="of the environment of magnumnp")
    parser.add_argument("--kept", type=Path, help="folder for what magnumnp has found")
    parser.add_argument("--seconds", type=float, default=150, help="of magnumnp in all")
    parser.add_argument("--still", action="store_true", help="again, more carefully")
    given = parser.parse_args()
    torch.set_num_threads(1)
    phases = two_phases(given.magnets, given.size, given.seed)
    ours, seconds = demagnetised(phases, torch.float32)
    share = (phases == 0).mean(axis=(1, 2))
    print(f"SmCo5: {np.round(share, 2)}\nT:     {np.round(ours.coercivity, 2)}")
    print(f"{'':<31}{'magnets':>8}{'mean %':>8}{'largest %':>11}{'cpu-s':>8}")
    print(f"{'ours':<31}{len(phases):>8}{'':>19}{seconds:>8.2f}")
    if given.still:
        for name, settings in CAREFUL.items():
            found, seconds = demagnetised(phases, torch.float32, **settings)
            show(name, found.coercivity, ours.coercivity, seconds)
        found, seconds = demagnetised(phases, torch.float64)
        show("double precision", found.coercivity, ours.coercivity, seconds)
    if given.peers:
        with tempfile.TemporaryDirectory() as scratch:
            for name in PEERS:
                # Other magnets are kept elsewhere.
                magnets = f"{given.magnets} of {given.size} cells, seed {given.seed}"
                kept = (given.kept or Path(scratch)) / magnets
                found = found_by_peer(given, name, phases, kept)
                which = list(map(int, found))
                middles = np.array([(one["low"] + one["high"]) / 2 for one in found.values()])
                took = np.mean([one["seconds"] for one in found.values()])
                show(name, middles, ours.coercivity[which], took)


def two_phases(count: int, size: int, seed: int) -> np.ndarray:
    """Sections of grains, of which 10 to 95 % are SmCo5 (0), the others Sm2Co17 (1)."""
    rng = np.random.default_rng(seed)
    points = np.stack(np.mgrid[:size, :size], axis=-1).reshape(-1, 2) * 1e-3  # In µm.
    maps = []
    for _ in range(count):
        grain_size, hard_share = rng.uniform(4e-3, 16e-3), rng.uniform(0.1, 0.95)
        grain, _ = tessellate(points, (grain_size, grain_size), 0.3, rng)
        hard = rng.random(grain.max() + 1) < hard_share
        maps.append(np.where(hard[grain], 0, 1).reshape(size, size))
    return np.array(maps)


def demagnetised(
    phases: np.ndarray, dtype: torch.dtype, **settings: float
) -> tuple[Hysteresis, float]:
    """What is found, and seconds of the processor for each magnet."""
    start = time.process_time()
    magnets = Magnets.of(phases, cell=CELL, dtype=dtype)
    found = finish(hysteresis(magnets, replace(WALK, **settings)))
    return found, (time.process_time() - start) / len(phases)


def found_by_peer(
    given: argparse.Namespace, name: str, phases: np.ndarray, folder: Path
) -> dict[str, dict[str, float]]:
    """Fields between which each magnet turns over, and seconds, by the magnet's number."""
    folder.mkdir(parents=True, exist_ok=True)
    magnets, found = folder / "magnets.npz", folder / f"{name}.json"
    materials = [(one.anisotropy, one.magnetisation, one.exchange) for one in (SMCO5, SM2CO17)]
    walk = {name: getattr(WALK, name) for name in ("tilt", "first_step", "torque")}
    walk |= {"phases": phases, "materials": materials, "cell": CELL, "precision": PEERS_PRECISION}
    np.savez(magnets, **walk)
    peers = Path(__file__).with_name("coercivity_peers.py")
    seconds = str(given.seconds / len(PEERS))
    command = [given.peers, str(peers), name, str(magnets), str(found), "--seconds", seconds]
    subprocess.run(command, check=True)
    return json.loads(found.read_text())


def show(name: str, found: np.ndarray, ours: np.ndarray, seconds: float) -> None:
    apart = 100 * np.abs(found / ours - 1)
    print(f"{name:<31}{len(found):>8}{apart.mean():>8.2f}{apart.max():>11.2f}{seconds:>8.2f}")


if __name__ == "__main__":
    main()
