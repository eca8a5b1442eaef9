"""Small scans whose patterns vary in a few known ways."""

import numpy as np
import pytest
import torch

from napari_kikuchi.latent.presets import preset
from napari_kikuchi.latent.vae import Vae
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan


def striped_scan(
    rows=8, cols=10, size=(24, 24), factors=3, noise=2.0, seed=0, corner=0, name="stripes"
):
    """Bands whose strengths vary from position to position, on a bright background, with noise.

    ``corner`` pixels in each corner of the frame stay dark, as outside a round screen.
    """
    rng = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[:height, :width]
    angles = np.arange(factors) * np.pi / factors
    bands = [np.cos((np.cos(a) * x + np.sin(a) * y) * 0.4 * (i + 1)) for i, a in enumerate(angles)]
    strength = rng.normal(size=(rows, cols, factors)) * np.linspace(30, 10, factors)
    patterns = 200 + np.tensordot(strength, np.stack(bands), axes=1)
    patterns += rng.normal(scale=noise, size=patterns.shape)
    if corner:
        frame = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)
        patterns[..., frame > frame.max() - corner] = 2
    return Scan(ArraySource(patterns.clip(0, 65535).astype(np.uint16)), name=name)


@pytest.fixture(scope="session")
def make_scan():
    return striped_scan


@pytest.fixture(scope="module")
def mask():
    y, x = np.mgrid[:60, :60]
    return np.hypot(y - 29.5, x - 29.5) < 28


@pytest.fixture
def vae(mask):
    torch.manual_seed(0)
    return Vae(preset("quick-16"), mask)


@pytest.fixture
def patterns(mask):
    random = np.random.default_rng(0).uniform(-1, 1, (12, 60, 60))
    return (random * mask).astype(np.float32)
