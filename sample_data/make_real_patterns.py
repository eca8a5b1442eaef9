"""Make the real patterns of this folder from the files in which they were published.

    python sample_data/make_real_patterns.py nickel patterns.h5
    python sample_data/make_real_patterns.py silicon si_in.h5 si_out5mm.h5 si_out10mm.h5

Where those files come from, and under which licences, is told in README.md beside this script.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_kikuchi import open_scan
from napari_kikuchi.io import Up2Writer, write_scan
from napari_kikuchi.jobs import finish

HERE = Path(__file__).parent


def make_nickel(published: Path, target: Path) -> Path:
    """Write kikuchipy's small nickel scan, 3 x 3 patterns of 60 x 60 pixels, as UP2."""
    return finish(write_scan(target / "nickel_3x3.up2", open_scan(published, scan="Scan 1")))


def make_silicon(published: list[Path], target: Path) -> Path:
    """Write silicon patterns at growing camera lengths as one row of a UP1 file."""
    scans = [open_scan(path) for path in published]
    path = target / "silicon_moving_screen.up1"
    with Up2Writer(path, (1, len(scans)), scans[0].pattern_shape) as writer:
        for scan in scans:
            writer.append(scan.read(0, 0))
    return path


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sample", choices=["nickel", "silicon"])
    parser.add_argument("published", nargs="+", type=Path, help="the published file or files")
    parser.add_argument("--target", type=Path, default=HERE, help="folder to write into")
    given = parser.parse_args()
    if given.sample == "nickel":
        print(make_nickel(given.published[0], given.target))
    else:
        print(make_silicon(given.published, given.target))


if __name__ == "__main__":
    main()
