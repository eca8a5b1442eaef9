import numpy as np
import pytest
import torch

from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import MapStack
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.grains import picture_of
from napari_kikuchi.microstructure.maps import cubic_phases, grain_maps, polycrystal_orientations
from napari_kikuchi.microstructure.measured import read_measured
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.polycrystal import PolycrystalSettings, Volume
from napari_kikuchi.microstructure.scan_pictures import interpolate_maps, reconstruct_maps


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return MicrostructureGenerator(GeneratorNetwork(GeneratorArchitecture((8, 8), 1, 2)).eval())


@pytest.fixture(scope="module")
def truth():
    return polycrystal_orientations(Volume(PolycrystalSettings(diameter=8), 32, 3).slice(2, 0.5))


def _maps(truth, rows, cols, hole=None):
    quaternions = truth.quaternions[rows, cols].copy()
    if hole is not None:
        quaternions[hole] = np.nan
    part = OrientationMap(quaternions, truth.symmetries, truth.phases[rows, cols])
    told = {"scan": {"name": "weld"}}
    stack = grain_maps(part, cubic_phases(), told, step=(0.5, 0.25))
    return stack, picture_of(read_measured(stack).orientations)


def test_the_way_leads_from_one_map_to_the_other(generator, truth):
    one, first = _maps(truth, np.s_[:16], np.s_[:24], np.s_[2:4, 3:6])
    other, second = _maps(truth, np.s_[10:], np.s_[12:], np.s_[20:])
    job = interpolate_maps(generator, one, other, [0, 0.5, 1], time=0, steps=2)
    found = finish(job)
    assert found.shapes == ((16, 24), (22, 20))
    # The hole of the second was cut off.
    assert found.filled == (6, 0)
    assert found.pictures.shape == (3, 4, 16, 20)
    known = ~np.isnan(first[0, :, :20])
    ends = first[:, :, :20], second[:, :16]
    np.testing.assert_allclose(found.pictures[0][:, known], ends[0][:, known], atol=1e-6)
    np.testing.assert_allclose(found.pictures[2], ends[1], atol=1e-6)
    middle = (ends[0] + ends[1]) / 2
    np.testing.assert_allclose(found.pictures[1][:, known], middle[:, known], atol=1e-6)
    assert np.isfinite(found.pictures).all()
    noised = finish(interpolate_maps(generator, one, other, [0, 1], time=0.7, steps=2))
    assert np.abs(noised.pictures[0] - found.pictures[0]).mean() > 0.01


def test_without_noise_latents_lose_nothing(generator, truth):
    # Rows and columns are no multiples of the network's.
    stack, picture = _maps(truth, np.s_[:15], np.s_[:23], np.s_[2:4, 3:6])
    found = finish(reconstruct_maps(generator, stack, steps=2))
    known = ~np.isnan(picture[0])
    np.testing.assert_array_equal(found.picture[:, known], picture[:, known])
    error = found.error.map(0)
    np.testing.assert_array_equal(error[known], 0)
    assert np.isnan(error[~known]).all()
    assert found.colours == found.phase == (np.inf, pytest.approx(1))


def test_errors_are_those_of_what_the_generator_makes(generator, truth):
    stack, picture = _maps(truth, np.s_[:16], np.s_[:24], np.s_[2:4, 3:6])
    found = finish(reconstruct_maps(generator, stack, time=0.8, steps=2, seed=5))
    known = ~np.isnan(picture[0])
    difference = np.abs(found.picture - picture)
    np.testing.assert_array_equal(found.error.map(0)[known], difference.max(axis=0)[known])
    (channel,) = found.error.channels
    assert channel.limits == (0, pytest.approx(difference[:, known].max()))
    assert found.colours.psnr == pytest.approx(
        -10 * np.log10((difference[:3, known].astype(float) ** 2).mean())
    )
    assert found.phase.ssim < 0.9
    assert isinstance(found.error, MapStack)
    assert found.error.step == (0.5, 0.25)
    assert found.error.provenance["scan"] == {"name": "weld"}
    told = found.error.provenance["microstructure"]
    assert (told["made"], told["time"], told["seed"]) == ("reconstructed", 0.8, 5)


def test_what_is_too_small_to_be_compared_is_told_before_anything_is_filled_in(generator, truth):
    stack, _ = _maps(truth, np.s_[:6], np.s_[:20], np.s_[2:4, 3:6])
    job = reconstruct_maps(generator, stack, steps=2)
    assert next(job).message == "Reading the orientations"
    with pytest.raises(ValueError, match="7 x 7 pixels or more to be compared, found 6 x 20"):
        next(job)
