"""Overlap, blur and camera do what their figures say."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_kikuchi.simulate.effects import Camera, Effects, blur, overlap, overlap_weights

SHAPE = (24, 30)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def patterns(n, shape=SHAPE, seed=0):
    return torch.randn(n, *shape, generator=generator(seed))


@pytest.mark.parametrize("fwhm", [0.0, 0.3, 0.5, 2.0])
def test_overlap_weights_sum_to_one(fwhm):
    own, other = overlap_weights(0.5, fwhm)
    assert own + 2 * other == pytest.approx(1)
    assert own >= other >= 0


def test_overlap_width_is_its_full_width_at_half_maximum():
    own, other = overlap_weights(0.25, 0.5)
    assert other / own == pytest.approx(0.5)
    assert overlap_weights(0.25, 0.0) == (1, 0)


def test_overlap_is_a_weighted_mean_of_nine():
    scan = torch.stack([patterns(7, seed=row) for row in range(5)])
    mixed = torch.stack(list(overlap(iter(scan), (0.5, 0.4), 0.6)))
    down, right = (np.array([b, a, b]) for a, b in (overlap_weights(d, 0.6) for d in (0.5, 0.4)))
    weights = np.outer(down, right)[:, :, None, None]
    expected = ndimage.convolve(scan.numpy(), weights, mode="nearest")
    np.testing.assert_allclose(mixed, expected, atol=1e-6)


def test_a_boundary_position_is_the_mixture_of_both_sides():
    left, right = patterns(2)
    row = torch.stack([left, left, left, right, right, right])
    mixed = next(iter(overlap([row], (0.5, 0.5), 0.5)))
    own, other = overlap_weights(0.5, 0.5)
    torch.testing.assert_close(mixed[2], (own + other) * left + other * right)
    torch.testing.assert_close(mixed[1], left)


def test_overlap_takes_each_row_once_and_holds_no_more_than_it_must():
    taken = []

    def rows():
        for row in range(6):
            taken.append(row)
            yield patterns(3, seed=row)

    for done, _ in enumerate(overlap(rows(), (1.0, 1.0), 1.0)):
        assert len(taken) <= done + 2
    assert taken == list(range(6))


@pytest.mark.parametrize("sigma", [0.1, 0.25, 0.7, 2.0])
def test_blur_is_the_discrete_gaussian(sigma):
    point = torch.zeros(1, 41, 41)
    point[0, 20, 20] = 1
    spread = blur(point, torch.tensor([sigma]))[0].numpy()
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    # The discrete Gaussian's Fourier transform, as the literature has it.
    frequency = 2 * np.pi * np.fft.fftfreq(41)
    along = np.exp(sigma**2 * (np.cos(frequency) - 1))
    transfer = np.abs(np.fft.fft2(spread))
    np.testing.assert_allclose(transfer, np.outer(along, along), atol=2e-4)


def test_no_blur_changes_nothing_beside_blurred_neighbours():
    given = patterns(2)
    torch.testing.assert_close(blur(given, torch.tensor([0.0, 1.0]))[0], given[0])
    assert blur(given, torch.zeros(2)) is given


def test_background_and_screen():
    effects = Effects()
    background, screen = effects.background((60, 60)), effects.screen((60, 60))
    assert background[screen].mean().item() == pytest.approx(1, abs=1e-5)
    assert (background[~screen] == 0).all()
    assert not screen[0, 0]
    assert screen[30].all()
    assert 0.9 < screen.float().mean() < 0.99
    brightest = np.unravel_index(background.argmax(), (60, 60))
    np.testing.assert_allclose(brightest, (27, 30), atol=1)


@pytest.mark.parametrize("counts", [500.0, 10_000.0])
def test_noise_is_poissons_with_the_cameras_on_top(counts):
    """Mean and variance of the recorded pixels, back in counts."""
    effects = Effects(mean_counts=counts, gain_spread=0.0, read_noise=20.0)
    levels = 2**20  # Fine enough that rounding adds nothing.
    camera = Camera(effects, SHAPE, levels)
    diffracted = patterns(1).repeat(3000, 1, 1)
    expected = camera.expected_counts(diffracted[:1], torch.ones(1))[0].numpy()
    full_scale = counts * float(effects.background(SHAPE).max()) / 0.75
    recorded = camera.record(diffracted, generator()).numpy() / levels * full_scale
    bright = expected > 0.3 * counts  # Where no reading is cut off at zero.
    mean, variance = recorded.mean(axis=0), recorded.var(axis=0)
    np.testing.assert_allclose(mean[bright], expected[bright], rtol=0.02)
    ratio = variance[bright] / (expected[bright] + 20.0**2)
    assert ratio.mean() == pytest.approx(1, abs=0.01)
    assert np.abs(ratio - 1).max() < 0.15


def test_gain_spreads_the_brightness_of_whole_patterns():
    effects = Effects(mean_counts=1e6, gain_spread=0.05)
    recorded = Camera(effects, SHAPE, 4095).record(torch.zeros(2000, *SHAPE), generator())
    brightness = recorded[:, effects.screen(SHAPE)].mean(dim=1)
    assert (brightness.std() / brightness.mean()).item() == pytest.approx(0.05, rel=0.06)


def test_gamma_bends_the_response():
    shared = {"mean_counts": 1e8, "gain_spread": 0.0, "read_noise": 0.0}
    linear, bent = (
        Camera(Effects(**shared, gamma=gamma), SHAPE, 4095).record(patterns(1), generator()) / 4095
        for gamma in (1.0, 0.5)
    )
    torch.testing.assert_close(bent, linear**0.5, atol=2e-3, rtol=0)


def test_recorded_pixels_are_whole_and_within_the_levels():
    effects = Effects(contrast=0.3, mean_counts=50.0)
    recorded = Camera(effects, SHAPE, 255).record(5 * patterns(20), generator())
    assert recorded.min() >= 0
    assert recorded.max() <= 255
    assert (recorded == recorded.round()).all()
