"""Levelled patterns keep their bands and lose the rest."""

import numpy as np
import pytest

from napari_kikuchi.symmetry.levelled import Levelling

SHAPE = (48, 60)


def bands(seed=0):
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    slopes = np.random.default_rng(seed).normal(size=2)
    return 0.03 * np.sin((slopes[0] * x + slopes[1] * y) / np.hypot(*slopes))


def light():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.exp(-((y - 20) ** 2 + (x - 33) ** 2) / (2 * 25.0**2))


def test_of_no_pattern_nothing_is_left():
    assert Levelling(light() > 0.2)(np.zeros((0, *SHAPE))).shape == (0, *SHAPE)


@pytest.mark.parametrize("brightness", [1.0, 300.0])
def test_the_background_goes_and_the_bands_stay(brightness):
    mask = light() > 0.2
    recorded = brightness * light() * (1 + bands())
    recorded[~mask] = -7
    found = Levelling(mask)(recorded[None])[0]
    assert np.corrcoef(found[mask], bands()[mask])[0, 1] > 0.97
    assert (found[~mask] == 0).all()
    assert found[mask].mean() == pytest.approx(0, abs=1e-4)
    assert found[mask].std() == pytest.approx(1, abs=1e-4)


def test_without_contrast_there_is_nothing():
    patterns = np.stack([np.zeros(SHAPE), np.full(SHAPE, 17.0)])
    found = Levelling(np.ones(SHAPE, bool))(patterns)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 1e-3


def test_each_pattern_is_levelled_by_itself():
    levelling = Levelling(np.ones(SHAPE, bool))
    patterns = np.stack([light() * (1 + bands(seed)) for seed in range(3)])
    both = levelling(patterns)
    np.testing.assert_allclose(both[1], levelling(patterns[1:2])[0], atol=1e-3)
    assert np.corrcoef(both[0].ravel(), both[1].ravel())[0, 1] < 0.5
