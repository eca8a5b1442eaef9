"""Patterns that are prepared where the network runs."""

import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.latent.on_device import own_queue, prepared_on
from napari_kikuchi.latent.tasks import PatternMeasures
from napari_kikuchi.latent.vae import VaeEncoder
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def pieces_of(scan, count=7):
    patterns = np.asarray(scan.patterns).reshape(-1, *scan.pattern_shape)
    return [patterns[start : start + count] for start in range(0, len(patterns), count)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("rescale", ["common", "range", "deviation"])
@pytest.mark.parametrize(("size", "dtype"), [(24, ">u2"), (24, "u1"), (20, "u2"), (48, "f8")])
def test_a_device_prepares_as_the_processor_does(make_scan, device, rescale, size, dtype):
    scan = make_scan(size=(48, 48), corner=6)
    patterns = np.asarray(scan.patterns)
    if np.dtype(dtype).itemsize > 1:
        patterns = patterns * np.uint16(200)  # half of the pixels need their sixteenth bit
    patterns[0, 0] = 90  # a pattern without contrast
    scan = Scan(ArraySource(patterns.astype(dtype)))
    preprocessor = finish(prepare(scan, Recipe(size=(size, size), rescale=rescale)))
    pieces = pieces_of(scan)
    prepared, contrast = prepared_on(device, preprocessor, pieces)
    expected, contrasts = preprocessor.with_contrast(np.concatenate(pieces))
    assert expected.std() > 0.05
    np.testing.assert_allclose(prepared.cpu(), expected, atol=2e-5)
    np.testing.assert_allclose(contrast.cpu(), contrasts, atol=1e-6)


class Elsewhere(VaeEncoder):
    """On another name of the processor, which is a device like any other."""

    device = "cpu:0"


@pytest.mark.parametrize("pieces", [1, 2, 80])
def test_measures_are_the_same_wherever_the_network_runs(make_scan, vae, pieces):
    scan = make_scan(size=(60, 60))
    preprocessor = finish(prepare(scan, Recipe(size=(60, 60))))
    vae.mask = torch.from_numpy(preprocessor.mask)
    here, elsewhere = (cls(vae, preprocessor.recipe) for cls in (VaeEncoder, Elsewhere))
    expected = PatternMeasures(preprocessor, lambda: here)(iter(pieces_of(scan, pieces)))
    found = PatternMeasures(preprocessor, lambda: elsewhere)(iter(pieces_of(scan, pieces)))
    assert found.shape == (80, 18)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.ptp(expected))
    prepared = preprocessor(np.concatenate(pieces_of(scan, pieces)))
    inside = (here.decode(here.encode(prepared)) - prepared)[:, preprocessor.mask]
    np.testing.assert_allclose(found[:, -1], np.sqrt((inside**2).mean(axis=1)), rtol=1e-4)


@pytest.mark.parametrize("device", DEVICES)
def test_each_thread_keeps_its_queue(device):
    with own_queue(device):
        first = torch.cuda.current_stream() if device == "cuda" else None
    with own_queue(device):
        second = torch.cuda.current_stream() if device == "cuda" else None
    assert first == second
    if device == "cuda":
        assert first != torch.cuda.default_stream()
