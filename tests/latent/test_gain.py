"""The gain of patterns whose contrast is known."""

import numpy as np
import pytest
import torch

from napari_kikuchi.latent.gain import Gain

COMPONENTS = 12


def with_power(strengths):
    """Strengths of patterns that are nothing but their components, and their power."""
    return torch.from_numpy(strengths), torch.from_numpy((strengths**2).sum(1, keepdims=True))


def scaled_to(strengths, power=None):
    seen = with_power(strengths)
    if power is not None:
        seen = (seen[0], torch.from_numpy(power))
    gain = Gain(COMPONENTS)
    gain.scale_to(*seen)
    feature, at_median = gain(*seen)
    return gain, feature[:, 0].numpy(), at_median.numpy()


def many_grains(count=2000, seed=0):
    """Strengths in all directions, and by how many deviations they are strong."""
    rng = np.random.default_rng(seed)
    shapes = rng.normal(size=(count, COMPONENTS))
    shapes /= np.linalg.norm(shapes, axis=1, keepdims=True)
    deviations = rng.normal(size=count)
    return (shapes * (20 + 0.2 * deviations[:, None])).astype(np.float32), deviations


def test_on_many_grains_it_is_the_contrast_in_deviations():
    strengths, deviations = many_grains()
    _, feature, at_median = scaled_to(strengths)
    np.testing.assert_allclose(feature, deviations, atol=0.2)
    left = np.linalg.norm(at_median, axis=1)
    assert left.std() < 0.01 * 0.2
    assert left.mean() == pytest.approx(20, rel=0.02)


def test_all_of_a_pattern_tells_of_it_and_not_what_its_components_have():
    strengths, deviations = many_grains()
    power = (strengths**2).sum(axis=1, keepdims=True)
    share = np.random.default_rng(1).uniform(0.5, 1, (len(power), 1)).astype(np.float32)
    _, feature, _ = scaled_to(np.sqrt(share) * strengths, power)
    np.testing.assert_allclose(feature, deviations, atol=0.2)


def test_less_power_than_noise_has_is_none():
    strengths, _ = many_grains()
    power = (strengths**2).sum(axis=1, keepdims=True)
    power[:5] = [[-1], [-100], [-1e6], [0], [1e-9]]
    _, feature, at_median = scaled_to(strengths, power)
    assert (feature[:5] == feature.min()).all()
    assert np.isfinite(at_median).all()


def test_what_overlap_takes_is_given_back():
    strengths, _ = many_grains()
    gain, feature, at_median = scaled_to(strengths)
    with torch.no_grad():  # of every pattern, a fifth
        gain.overlap.layers[-1].bias.fill_(np.log(0.8))
    found, shape = gain(*with_power(0.8 * strengths))
    np.testing.assert_allclose(found[:, 0].detach(), feature, atol=1e-3)
    np.testing.assert_allclose(shape.detach(), 0.8 * at_median, atol=1e-3)


def test_no_pattern_has_more_than_pure_ones():
    gain = Gain(COMPONENTS)
    seen = with_power(many_grains()[0])
    before = gain(*seen)[0]
    with torch.no_grad():
        gain.overlap.layers[-1].bias.fill_(0.3)
    assert torch.equal(gain(*seen)[0], before)


def test_on_one_grain_that_turns_it_hardly_bends_what_the_others_see():
    """Where patterns lie around their mean, their distance to it is no contrast."""
    turned = np.linspace(-1, 1, 1000)
    strengths = np.zeros((1000, COMPONENTS), np.float32)
    strengths[:, 3] = 20 * turned
    _, feature, at_median = scaled_to(strengths)
    assert np.corrcoef(at_median[:, 3], turned)[0, 1] > 0.995
    assert np.isfinite(feature).all()


def test_pores_and_particles_do_not_scale_it():
    strengths, deviations = many_grains()
    strengths[:40] *= 0.01
    strengths[40:80] *= 5
    _, feature, _ = scaled_to(strengths)
    np.testing.assert_allclose(feature[80:], deviations[80:], atol=0.3)


def test_patterns_that_are_all_alike_have_no_gain():
    gain, feature, at_median = scaled_to(np.zeros((5, COMPONENTS), np.float32))
    assert (feature == 0).all()
    assert (at_median == 0).all()
    assert all(torch.isfinite(value).all() for value in gain.state_dict().values())
