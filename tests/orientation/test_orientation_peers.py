"""What benchmarks/orientation_peers.py makes of the peers' results; the peers are not needed."""

import runpy
from pathlib import Path

import numpy as np
import torch

from napari_kikuchi.orientation.in_plane import mirrored, turned

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "orientation_peers.py"


def test_mirrored_and_turned_templates_are_the_orientations_of_such_patterns(random_rotations):
    turned_templates = runpy.run_path(str(SCRIPT))["turned_templates"]
    templates, angles = random_rotations(40), np.linspace(-4, 4, 40)
    mirror = np.arange(40) % 3 == 0
    found = turned_templates(templates, angles, mirror)

    spots, rotations = torch.zeros(40, 1, 3), torch.from_numpy(templates)
    _, of_mirrored = mirrored(spots, rotations)
    first = torch.where(torch.from_numpy(mirror)[:, None, None], of_mirrored, rotations)
    _, expected = turned(spots, first, torch.from_numpy(angles))
    np.testing.assert_allclose(found, expected, atol=1e-12)
