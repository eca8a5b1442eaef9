"""A dock over maps of walls and grains."""

import numpy as np
import pytest
from napari.layers import Layer
from segmenting import COLS, FEATURES, ROWS, STEP, WALLED, grains, open_dock, walled

from napari_kikuchi.io import open_scan
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink


@pytest.fixture
def stack():
    """Features that differ from grain to grain, a map of walls, and one of noise."""
    rng = np.random.default_rng(0)
    means = rng.normal(scale=3, size=(FEATURES, 5))
    features = means[:, grains()] + rng.normal(scale=0.2, size=(FEATURES, ROWS, COLS))
    values = np.stack([*features, walled(), rng.normal(size=(ROWS, COLS))]).astype(np.float32)
    channels = [Channel(f"feature {i + 1}", score=float(i)) for i in range(FEATURES)]
    channels += [Channel(WALLED, score=20.0), Channel("noise")]
    return MapStack(values, channels, STEP, {"method": "latent", "model": {"latent": FEATURES}})


@pytest.fixture
def scan(tmp_path, write_scan):
    patterns = np.random.default_rng(2).integers(0, 1000, (ROWS, COLS, 8, 8)).astype(np.uint16)
    return open_scan(write_scan(tmp_path / "weld.up2", patterns))


@pytest.fixture
def dock(make_napari_viewer, stack, scan):
    viewer = make_napari_viewer()
    for data, attributes, kind in layers_of(stack, ScanLink(scan)):
        viewer.layers.append(Layer.create(data, attributes, kind))
    return open_dock(viewer)
