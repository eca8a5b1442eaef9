"""Patterns as a camera records them, averaged."""

import numpy as np
import pytest

from napari_kikuchi.explore.averages import average_pattern
from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan


@pytest.fixture(scope="session")
def rendered():
    """Diffracted intensities of nickel at an orientation, given as a quaternion."""
    from napari_kikuchi.simulate.master import nickel
    from napari_kikuchi.simulate.render import render

    return lambda quaternion, side: render(
        np.array([quaternion]), nickel(), shape=(side, side)
    ).numpy()[0]


@pytest.fixture(scope="session")
def averaged():
    """The average of some exposures of the same diffracted intensities."""
    import torch

    from napari_kikuchi.simulate.effects import Camera, Effects

    def average(diffracted, count, seed, **effects):
        camera = Camera(Effects(**effects), diffracted.shape, levels=4095)
        exposed = torch.tensor(diffracted, dtype=torch.float32).expand(count, -1, -1).contiguous()
        patterns = camera.record(exposed, torch.Generator().manual_seed(seed)).numpy()
        scan = Scan(ArraySource(patterns.astype(np.uint16)[None]))
        return finish(average_pattern(scan, np.stack([np.zeros(count, int), np.arange(count)], 1)))

    return average
