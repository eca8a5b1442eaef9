"""The scale of simulated spots, degraded as a measurement does, is found without a guess."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.orientation.degrade import Degradation, degrade
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.ring_fit import RingFitter

SCALE, K_MAX = 0.0237, 1.6
REACH = K_MAX / SCALE
# From a quarter to four times: nobody has to know.
SCALES = (SCALE / 4, SCALE * 4)
NOISE = Degradation(k_max=K_MAX)
MUCH_NOISE = Degradation(k_max=K_MAX, spurious=8, missed=0.3, jitter=0.01)


def spots_of(name, degradation, patterns=600, ratio=1.0, angle=0.0, seed=0):
    """Rows and columns from the direct beam, and the number of the pattern."""
    rotations = Rotation.random(patterns, rng=np.random.default_rng(seed + 1)).as_matrix()
    # Another thickness than the fit takes.
    spots = KinematicalSpots(Crystal.built_in(name), k_max=K_MAX, thickness=250)(rotations)
    spots = degrade(spots, degradation, torch.Generator().manual_seed(seed)).numpy()
    seen = spots[..., 2] > 0
    axes = Rotation.from_euler("z", angle, degrees=True).as_matrix()[:2, :2]
    image = axes @ np.diag([ratio**0.5, ratio**-0.5]) @ axes.T
    return spots[seen][:, :2].astype(float) @ image.T / SCALE, np.nonzero(seen)[0]


def fit(names, away, groups, **options):
    fitter = RingFitter([Crystal.built_in(name) for name in names], 300.0, 2.5)
    return fitter(away, groups, (6.0, REACH), SCALES, **options)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("noise", [NOISE, MUCH_NOISE], ids=["noise", "much noise"])
@pytest.mark.parametrize("name", ["cu", "ti", "fe"])
def test_the_scale_is_found_within_a_third_of_a_percent(name, noise, seed):
    found = fit([name], *spots_of(name, noise, seed=seed))
    assert found.scale == pytest.approx(SCALE, rel=0.003)
    assert found.error < 0.004
    assert found.sure
    assert found.score > 1.5 * found.second_score
    assert found.ratio < 1.01


def test_the_error_is_what_the_scale_is_off_by():
    fits = [fit(["cu"], *spots_of("cu", NOISE, patterns=60, seed=seed)) for seed in range(12)]
    off = np.array([found.scale / SCALE - 1 for found in fits])
    told = np.array([found.error for found in fits])
    assert 0.4 < np.sqrt(np.mean(told**2)) / np.sqrt(np.mean(off**2)) < 2.5


@pytest.mark.parametrize(("ratio", "angle"), [(1.03, 35.0), (1.08, -70.0)])
def test_a_distortion_is_found_with_the_scale(ratio, angle):
    found = fit(["ti"], *spots_of("ti", NOISE, patterns=1500, ratio=ratio, angle=angle))
    assert found.scale == pytest.approx(SCALE, rel=0.003)
    assert found.ratio == pytest.approx(ratio, abs=0.006)
    assert found.ratio_angle == pytest.approx(angle, abs=8)


def test_a_distortion_is_not_looked_for_unless_asked_for():
    away, groups = spots_of("cu", NOISE, ratio=1.02, angle=10)
    found = fit(["cu"], away, groups, elliptic=False)
    assert (found.ratio, found.ratio_angle) == (1, 0)
    assert found.scale == pytest.approx(SCALE, rel=0.004)


def test_spots_of_two_crystals_are_fitted_by_both():
    copper, titanium = spots_of("cu", NOISE, 300), spots_of("ti", NOISE, 500, seed=5)
    away = np.concatenate([copper[0], titanium[0]])
    groups = np.concatenate([copper[1], 300 + titanium[1]])
    found = fit(["cu", "ti"], away, groups)
    assert found.scale == pytest.approx(SCALE, rel=0.003)
    assert found.sure


def test_one_is_not_sure_of_spots_that_lie_anywhere():
    rng = np.random.default_rng(0)
    away = (
        REACH
        * np.sqrt(rng.uniform(0, 1, (6000, 1)))
        * Rotation.random(6000, rng=rng).as_matrix()[:, 0, :2]
    )
    assert not fit(["cu"], away, np.arange(6000) // 10).sure


def test_too_few_spots_are_told():
    with pytest.raises(ValueError, match=r"expected 10 spots at least, 6 to .* found 1"):
        fit(["cu"], np.array([[20.0, 3.0], [1.0, 1.0]]), np.zeros(2, int))
