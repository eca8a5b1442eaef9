import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from napari_kikuchi.microstructure.likeness import likeness


@pytest.fixture
def picture():
    return np.random.default_rng(0).random((3, 18, 21)).astype(np.float32)


@pytest.fixture
def other(picture):
    return np.clip(picture + 0.1 * np.random.default_rng(1).normal(size=picture.shape), 0, 1)


def test_numbers_are_those_of_scikit_image(picture, other):
    found = likeness(picture, other, np.ones((18, 21), bool))
    expected = structural_similarity(picture, other, data_range=1, channel_axis=0)
    assert found.ssim == pytest.approx(expected, abs=1e-6)
    assert found.psnr == pytest.approx(peak_signal_noise_ratio(picture, other, data_range=1))


def test_no_difference_is_none(picture):
    assert likeness(picture, picture, np.ones((18, 21), bool)) == (np.inf, 1)


def test_only_what_was_measured_counts(picture):
    other = picture.copy()
    other[:, :9] = 1 - other[:, :9]
    below = np.indices((18, 21))[0] >= 12
    assert likeness(picture, other, below) == (np.inf, pytest.approx(1))
    assert likeness(picture, other, ~below).ssim < 0.5
    corner = np.zeros((18, 21), bool)
    corner[0, 0] = True
    assert likeness(picture, other, corner).ssim < 0.5


def test_a_picture_that_is_too_small_is_told(picture):
    with pytest.raises(ValueError, match="7 x 7 pixels or more to be compared, found 6 x 21"):
        likeness(picture[:, :6], picture[:, :6], np.ones((6, 21), bool))
