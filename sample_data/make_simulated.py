"""Make the simulated scans of this folder, with their truth.

    python sample_data/make_simulated.py

The seeds are fixed: the files come out the same each time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate import make_structure, simulate_scan

HERE = Path(__file__).parent
# Small enough for the repository: 7 MB each with 60 x 60 pixels of eight bits.
ROWS, COLS = 40, 48
SEEDS = {"additive": 7, "wrought": 7}


def main() -> None:
    """Read the command line and write the scans."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", type=Path, default=HERE, help="folder to write into")
    target = parser.parse_args().target
    for kind, seed in SEEDS.items():
        structure = make_structure(kind, ROWS, COLS, step=0.5, seed=seed)
        print(finish(simulate_scan(target / f"{kind}.up1", structure, seed=seed)))


if __name__ == "__main__":
    main()
