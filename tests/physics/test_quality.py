import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_kikuchi.physics.quality import (
    fill_outside,
    image_quality,
    mean_intensity,
    pattern_contrast,
    sharpness,
)

MEASURES = [image_quality, sharpness, pattern_contrast, mean_intensity]


def bands(n=5, size=(40, 48), seed=0):
    """Patterns of crossing bands on a bright background."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    out = np.full((n, *size), 1000.0)
    for pattern in out:
        for angle, place in zip(rng.uniform(0, np.pi, 6), rng.uniform(-15, 15, 6), strict=True):
            distance = np.cos(angle) * (x - size[1] / 2) + np.sin(angle) * (y - size[0] / 2)
            pattern += 150 * (np.abs(distance - place) < 4)
    return out.astype(np.float32)


def round_mask(size=(40, 48)):
    y, x = np.mgrid[: size[0], : size[1]]
    return np.hypot(y - size[0] / 2, x - size[1] / 2) < 0.45 * min(size)


def quality_by_kikuchipy(patterns):
    from kikuchipy.signals import EBSD

    signal = EBSD(patterns[None].astype(np.float32))
    return signal.get_image_quality(normalize=True, show_progressbar=False)[0]


def direct_sharpness(pattern):
    """The sums of the definition, term by term."""
    height, width = pattern.shape
    y, x = np.mgrid[:height, :width]
    f = np.array(
        [
            [
                np.sum(pattern * np.cos(2 * np.pi * (k * y / height + j * x / width)))
                for j in range(width)
            ]
            for k in range(height)
        ]
    )
    return np.mean(f > np.abs(f).max() / 2500)


@pytest.mark.parametrize("size", [(40, 48), (33, 31)])
def test_image_quality_is_that_of_kikuchipy(size):
    noise = np.random.default_rng(1).normal(scale=80, size=(5, *size))
    patterns = bands(size=size) + noise
    everywhere = np.ones(size, bool)
    np.testing.assert_allclose(
        image_quality(patterns, everywhere), quality_by_kikuchipy(patterns), atol=2e-5
    )
    mask = round_mask(size)
    np.testing.assert_allclose(
        image_quality(patterns, mask), quality_by_kikuchipy(fill_outside(patterns, mask)), atol=2e-5
    )


def test_image_quality_falls_with_noise_to_that_of_white_noise():
    noise = np.random.default_rng(1).normal(size=(5, 40, 48))
    mask = np.ones((40, 48), bool)
    found = [image_quality(bands() + level * noise, mask) for level in (0, 50, 200, 1e6)]
    assert (np.diff(found, axis=0) < 0).all()
    np.testing.assert_allclose(found[-1], 0, atol=0.03)


def test_a_pattern_without_contrast_has_no_image_quality():
    patterns = np.stack([np.full((40, 48), 7.0), bands(1)[0]])
    assert np.isnan(image_quality(patterns, round_mask())).tolist() == [True, False]


def test_sharpness_is_that_of_its_definition():
    patterns = gaussian_filter(bands(3, (14, 17)), (0, 0.7, 0.7))
    expected = [direct_sharpness(pattern) for pattern in patterns]
    np.testing.assert_allclose(sharpness(patterns, np.ones((14, 17), bool)), expected, atol=0.006)


def test_sharpness_falls_with_blur_but_noise_pins_it():
    mask = np.ones((40, 48), bool)
    blurred = [gaussian_filter(bands(), (0, sigma, sigma)) for sigma in (0, 1, 2)]
    clean = [sharpness(patterns, mask).mean() for patterns in blurred]
    assert clean[0] > 1.3 * clean[1] > 1.3 * 1.3 * clean[2]
    noise = np.random.default_rng(1).normal(scale=100, size=(5, 40, 48))
    noisy = [sharpness(patterns + noise, mask).mean() for patterns in blurred]
    assert np.ptp(noisy) < 0.02
    np.testing.assert_allclose(noisy, 0.45, atol=0.06)


def test_contrast_and_intensity_are_standard_deviation_and_mean_inside_the_mask():
    mask = np.zeros((4, 6), bool)
    mask[1:3, 1:5] = True
    patterns = np.full((1, 4, 6), 1e9, np.float32)
    patterns[0, mask] = [10, 20] * 4
    assert pattern_contrast(patterns, mask) == 5
    assert mean_intensity(patterns, mask) == 15


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), brightness=st.floats(0, 1e4))
def test_what_lies_outside_the_mask_does_not_count(seed, brightness):
    rng = np.random.default_rng(seed)
    mask = round_mask()
    patterns = bands(2) + rng.normal(scale=20, size=(2, 40, 48)).astype(np.float32)
    other = np.where(mask, patterns, rng.uniform(0, brightness + 1, patterns.shape))
    for measure in MEASURES:
        found = measure(patterns, mask)
        assert found.shape == (2,)
        assert found.dtype == np.float32
        np.testing.assert_allclose(measure(other, mask), found, rtol=1e-5)


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(0.1, 10), offset=st.floats(-100, 100))
def test_image_quality_does_not_depend_on_gain_and_offset(gain, offset):
    patterns, mask = bands(2), round_mask()
    found = image_quality(gain * patterns + offset, mask)
    np.testing.assert_allclose(found, image_quality(patterns, mask), atol=1e-4)
