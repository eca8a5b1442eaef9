"""The main job on real patterns: open, prepare, encode, layers, the pattern behind a point."""

from pathlib import Path

import kikuchipy
import numpy as np
import pytest

from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.encoder import load_encoder
from napari_kikuchi.latent.maps import encode_scan, preprocessor_of
from napari_kikuchi.samples import SCANS, sample_folder, shipped_encoder
from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import ScanLink
from napari_kikuchi.ui.pattern_views import View, view_pattern
from napari_kikuchi.ui.preparation import Model, average, fit

KIKUCHIPY = Path(kikuchipy.data.__file__).parent
OTHERS = {
    "EDAX .up1": ("edax_binary/edax_binary.up1", {"shape": (3, 3)}),
    "EDAX .h5": ("edax_h5ebsd/patterns.h5", {}),
    "NORDIF .dat": ("nordif/Pattern.dat", {}),
}
FILES = {name: (sample_folder() / name, {}) for name in SCANS} | {
    name: (KIKUCHIPY / path, options) for name, (path, options) in OTHERS.items()
}


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(shipped_encoder(), device="cpu")


@pytest.mark.parametrize("name", FILES)
def test_from_file_to_maps_and_patterns(name, encoder, tmp_path):
    path, options = FILES[name]
    scan = open_scan(path, **options)
    stack = finish(encode_scan(scan, encoder, tmp_path / "maps.zarr", model=shipped_encoder()))

    layers = layers_of(stack, ScanLink(scan))
    # The shipped encoder knows the simulated scans, and compares neighbours there.
    known = name in ("additive.up1", "wrought.up1")
    assert len(layers) == len(stack) == encoder.latent + (4 if known else 2)
    values, attributes, kind = layers[-1]
    assert kind == "image"
    assert attributes["visible"]
    assert values.shape == scan.map_shape
    assert np.isfinite(values).all()
    low, high = attributes["contrast_limits"]
    assert low < high

    row, col = (size // 2 for size in scan.map_shape)
    pattern = scan.read(row, col)
    preprocessor = preprocessor_of(stack)
    model = Model(encoder, preprocessor)
    preparation = fit(scan, encoder.recipe, finish(average(scan)))
    shown = view_pattern(pattern, list(View), preparation, model)
    # What symmetry says of a pattern comes from its maps, not from a model.
    assert list(shown) == [view for view in View if view is not View.SIMULATED]
    np.testing.assert_array_equal(shown[View.RAW], pattern)
    # What the maps hold at this position is what the pattern itself encodes to.
    again = encoder.encode(preprocessor(pattern[None]))[0]
    here = stack.values[:, row, col]
    features, (contrast, error) = here[: encoder.latent], here[encoder.latent :][:2]
    np.testing.assert_allclose(features, again, atol=1e-3)
    assert contrast > 0
    np.testing.assert_allclose(error, np.sqrt(np.nanmean(shown[View.DIFFERENCE] ** 2)), rtol=1e-3)
