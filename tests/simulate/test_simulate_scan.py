"""Simulated scans on disk, with their truth."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_kikuchi.io import PatternFileError, open_scan
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate import make_structure, simulate_scan, truth_path
from napari_kikuchi.simulate.effects import Effects
from napari_kikuchi.simulate.master import nickel, niobium_carbide

SIZE = (20, 24)


@pytest.fixture(scope="module")
def additive():
    return make_structure("additive", 12, 70, seed=2)


def noiseless(**changes):
    """What is left shows the structure alone."""
    defaults = {"mean_counts": 1e8, "gain_spread": 0.0, "read_noise": 0.0, "overlap_fwhm": 0.0}
    return Effects(**defaults | changes)


def test_scan_and_truth_open(tmp_path, additive):
    path = finish(simulate_scan(tmp_path / "a.up2", additive, pattern_size=SIZE))
    scan = open_scan(path)
    assert scan.shape == (12, 70, *SIZE)
    assert scan.step == (0.5, 0.5)
    assert scan.dtype == np.uint16
    assert 1500 < scan.patterns.max().compute() <= 4095
    truth = read_maps(tmp_path / "a.truth.zarr")
    assert truth.names[:5] == ["grain", "cell", "wall", "particle", "twin"]
    np.testing.assert_array_equal(truth.values[:], additive.truth.values)
    assert truth.step == (0.5, 0.5)
    settings = truth.provenance["settings"]
    assert settings["structure"]["wall_width"] == 0.8
    assert settings["effects"]["mean_counts"] == 10_000
    assert settings["detector"]["sample_tilt"] == 70


def test_eight_bits(tmp_path, additive):
    path = finish(simulate_scan(tmp_path / "a.up1", additive, pattern_size=SIZE))
    scan = open_scan(path)
    assert scan.dtype == np.uint8
    assert 100 < scan.patterns.max().compute() <= 255


def test_same_seed_same_bytes_whatever_the_threads(tmp_path, additive):
    threads = torch.get_num_threads()
    files = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            path = tmp_path / f"{count}.up2"
            files.append(finish(simulate_scan(path, additive, pattern_size=SIZE, seed=4)))
    finally:
        torch.set_num_threads(threads)
    assert files[0].read_bytes() == files[1].read_bytes()
    other = finish(simulate_scan(tmp_path / "other.up2", additive, pattern_size=SIZE, seed=5))
    assert other.read_bytes() != files[0].read_bytes()


def test_noise_is_new_in_every_pattern(tmp_path, additive):
    same = replace(
        additive,
        orientations=np.broadcast_to(additive.orientations[:1, :1], additive.orientations.shape),
        particle=np.zeros_like(additive.particle),
        blur=np.zeros_like(additive.blur),
        contrast=np.ones_like(additive.contrast),
    )
    effects = Effects(gain_spread=0.0, mean_counts=2_500.0)
    path = finish(simulate_scan(tmp_path / "a.up2", same, pattern_size=SIZE, effects=effects))
    patterns = open_scan(path).patterns.compute().reshape(-1, *SIZE).astype(float)
    noise = (patterns - patterns.mean(axis=0))[:, 8:12, 8:16].reshape(len(patterns), -1)
    correlations = np.corrcoef(noise)[np.triu_indices(len(noise), 1)]
    assert abs(correlations.mean()) < 0.01
    assert correlations.max() < 0.9


def test_particles_have_the_master_pattern_that_is_given(tmp_path, additive):
    assert additive.particle.any()
    bare = replace(additive, particle=np.zeros_like(additive.particle))
    files = [
        finish(simulate_scan(tmp_path / name, structure, pattern_size=SIZE, particles=particles))
        for name, structure, particles in (
            ("bare.up2", bare, None),
            ("of nickel.up2", additive, nickel()),
            ("of carbide.up2", additive, niobium_carbide()),
            ("usual.up2", additive, None),
        )
    ]
    of_matrix, of_nickel, of_carbide, usual = (path.read_bytes() for path in files)
    assert of_nickel == of_matrix
    assert usual == of_carbide != of_matrix


def test_walls_lose_contrast_and_particles_differ(tmp_path, additive):
    path = finish(
        simulate_scan(tmp_path / "a.up2", additive, pattern_size=(60, 60), effects=noiseless())
    )
    patterns = open_scan(path).patterns.compute()[:, :, 15:45, 15:45].astype(float)
    light = patterns.reshape(-1, 30, 30).mean(axis=0)
    relative = patterns / light
    contrast = relative.std(axis=(2, 3))
    grain = (additive.grain == additive.grain[0, 0]) & (additive.particle == 0)
    wall, interior = grain & (additive.wall > 0.9), grain & (additive.wall < 0.05)
    # 12 % of the band contrast, and what blur by one pixel of 60 takes besides.
    assert contrast[wall].mean() < 0.85 * contrast[interior].mean()
    place = np.argwhere(additive.particle > 0)[0]
    matrix = patterns[interior]
    likeness = [
        np.corrcoef((pattern / light).ravel(), (matrix[0] / light).ravel())[0, 1]
        for pattern in (matrix[1], patterns[tuple(place)])
    ]
    assert likeness[0] > 0.8 > likeness[1]


@pytest.mark.parametrize(("noise", "expected"), [("low", 0.005), ("medium", 0.01), ("high", 0.02)])
def test_named_noise_levels(tmp_path, noise, expected):
    """Shot noise relative to the signal, where the background has its mean."""
    still = make_structure("wrought", 1, 256, seed=0, grain_size=1e6, twins_per_grain=0, scatter=0)
    path = finish(simulate_scan(tmp_path / "a.up2", still, pattern_size=SIZE, noise=noise))
    patterns = open_scan(path).patterns.compute()[0].astype(float)
    patterns /= patterns.mean(axis=(1, 2), keepdims=True)  # Takes the gain out.
    mean, spread = patterns.mean(axis=0), patterns.std(axis=0)
    typical = (mean > 0.8) & (mean < 1.2)
    assert (spread / mean)[typical].mean() == pytest.approx(expected, rel=0.2)


def test_cancelling_leaves_nothing_under_the_scans_name(tmp_path, additive):
    path = tmp_path / "a.up2"
    job = simulate_scan(path, additive, pattern_size=SIZE)
    update = next(job)
    assert (update.done, update.total) == (70, 12 * 70)
    job.close()
    assert not path.exists()
    assert not truth_path(path).exists()
    assert finish(simulate_scan(path, additive, pattern_size=SIZE)) == path


def test_errors(tmp_path, additive):
    with pytest.raises(ValueError, match="'loud'; expected low, medium or high"):
        finish(simulate_scan(tmp_path / "a.up2", additive, noise="loud"))
    with pytest.raises(PatternFileError, match=r"a\.tif"):
        finish(simulate_scan(tmp_path / "a.tif", additive))


def test_a_measured_scan_is_not_replaced_by_a_simulated_one(tmp_path, additive):
    (tmp_path / "a.up2").write_bytes(b"measured")
    with pytest.raises(FileExistsError, match=r"a\.up2: this exists.*not overwritten"):
        next(simulate_scan(tmp_path / "a.up2", additive, pattern_size=SIZE))
    assert (tmp_path / "a.up2").read_bytes() == b"measured"


def test_a_simulated_scan_is_replaced(tmp_path):
    small = make_structure("wrought", 2, 3)
    first = finish(simulate_scan(tmp_path / "a.up2", small, pattern_size=SIZE)).read_bytes()
    again = simulate_scan(tmp_path / "a.up2", small, pattern_size=SIZE, seed=1)
    assert finish(again).read_bytes() != first


def test_what_lies_where_the_truth_goes_is_told_before_the_work(tmp_path, additive):
    (tmp_path / "a.truth.zarr").write_text("mine")
    with pytest.raises(FileExistsError, match=r"a\.truth\.zarr"):
        next(simulate_scan(tmp_path / "a.up2", additive, pattern_size=SIZE))
    assert [path.name for path in tmp_path.iterdir()] == ["a.truth.zarr"]


def test_the_truth_of_another_scan_is_not_replaced(tmp_path):
    structure = make_structure("additive", 2, 2, seed=1)
    finish(simulate_scan(tmp_path / "a.up2", structure, pattern_size=(20, 20)))
    with pytest.raises(FileExistsError, match=r"a\.truth\.zarr: this is the truth of a\.up2"):
        finish(simulate_scan(tmp_path / "a.up1", structure, pattern_size=(20, 20)))
    assert not (tmp_path / "a.up1").exists()


def test_an_absent_device_is_named(tmp_path, additive):
    with pytest.raises(ValueError, match="device 'tpu' is not available"):
        next(simulate_scan(tmp_path / "a.up2", additive, pattern_size=SIZE, device="tpu"))
