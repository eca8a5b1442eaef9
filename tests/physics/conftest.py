"""Simulated scans, of which every orientation is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate import make_structure, simulate_scan


@pytest.fixture(scope="module")
def known_orientations():
    """Nine grains of two rows and two columns each; in the upper rows 0.5° turn from left to right.

    Of shape (6, 6, 4).
    """
    grain = (np.arange(6)[:, None] // 2 * 3 + np.arange(6) // 2).ravel()
    base = Rotation.random(9, random_state=3)[grain]
    turn = np.zeros((6, 6, 3))
    turn[:2, 1::2, 2] = np.deg2rad(0.5)
    turned = Rotation.from_rotvec(turn.reshape(-1, 3)) * base
    return turned.as_quat(scalar_first=True).reshape(6, 6, 4)


@pytest.fixture(scope="module")
def scan(known_orientations, tmp_path_factory):
    structure = replace(
        make_structure("wrought", 6, 6, seed=1),
        orientations=known_orientations.astype(np.float32),
        particle=np.zeros((6, 6), np.int32),
        blur=np.zeros((6, 6), np.float32),
    )
    path = tmp_path_factory.mktemp("scan") / "known.up2"
    return open_scan(finish(simulate_scan(path, structure, noise="low")))
