"""What degraded lists have lost, and how much of it."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from napari_kikuchi.orientation.degrade import Degradation, degrade
from napari_kikuchi.orientation.spots import Spots

PATTERNS, SPOTS, WIDTH = 4000, 20, 30
NONE = {field.name: 0.0 for field in fields(Degradation) if field.name != "k_max"}


@pytest.fixture(scope="module")
def spots():
    """Spots on a disc, of intensities from 0.01 to 1, with padding."""
    generator = torch.Generator().manual_seed(0)
    values = torch.zeros(PATTERNS, WIDTH, 3)
    values[:, :SPOTS, :2] = torch.rand(PATTERNS, SPOTS, 2, generator=generator) * 2 - 1
    values[:, :SPOTS, 2] = 10 ** -torch.linspace(0, 2, SPOTS)
    return values


def degraded(spots, seed=1, **strength):
    degradation = Degradation(**{**NONE, **strength})
    return degrade(spots, degradation, torch.Generator().manual_seed(seed))


def found(spots):
    return spots[..., 2] > 0


def test_nothing_changes_without_effects(spots):
    torch.testing.assert_close(degraded(spots), spots)


def test_the_same_seed_gives_the_same_lists(spots):
    one, other = (degrade(spots, Degradation(), torch.Generator().manual_seed(2)) for _ in "ab")
    assert torch.equal(one, other)
    assert not torch.equal(one, degrade(spots, Degradation(), torch.Generator().manual_seed(3)))


def test_degraded_lists_are_lists(spots):
    Spots(degrade(spots, Degradation(), torch.Generator().manual_seed(4)).numpy())
    empty = degrade(torch.zeros(3, 5, 3), Degradation(), torch.Generator().manual_seed(4))
    assert (empty == 0).all()


def test_weak_spots_go_first(spots):
    left = found(degraded(spots, weakest=0.1))[:, :SPOTS].float().mean(0)
    assert (left.diff() <= 0).all()
    # The limit is drawn evenly up to 0.1: a spot of 0.05 is found half the time.
    expected = (spots[0, :SPOTS, 2] / 0.1).clamp(max=1)
    np.testing.assert_allclose(left, expected, atol=0.03)


def test_any_spot_may_be_missed(spots):
    left = found(degraded(spots, missed=0.2))[:, :SPOTS].float().mean(0)
    np.testing.assert_allclose(left, 0.8, atol=0.03)


def test_lost_spots_leave_nothing(spots):
    lost = degraded(spots, missed=0.5)
    assert (lost[~found(lost)] == 0).all()


def test_false_spots_lie_evenly_on_the_detector(spots):
    changed = degraded(spots, spurious=3.0, k_max=2.5)
    torch.testing.assert_close(changed[:, :SPOTS], spots[:, :SPOTS])
    false = changed[:, SPOTS:]
    count = found(false).sum(1).float()
    assert count.mean() == pytest.approx(3, abs=0.1)
    assert count.var() == pytest.approx(3, abs=0.3)
    false = false[found(false)]
    radius = false[:, :2].norm(dim=1)
    assert radius.max() <= 2.5
    assert (radius < 2.5 / 2).float().mean() == pytest.approx(0.25, abs=0.02)
    assert false[:, 2].min() >= 0.0099
    assert false[:, 2].max() <= 1
    assert false[:, 2].log10().mean() == pytest.approx(-1, abs=0.05)


@pytest.mark.parametrize("together", [False, True], ids=["jitter", "centre"])
def test_positions_are_off(spots, together):
    moved = degraded(spots, **{"centre" if together else "jitter": 0.02})
    off = (moved - spots)[:, :SPOTS, :2]
    assert off.std() == pytest.approx(0.02, rel=0.05)
    within = off.std(dim=1).mean()
    assert within < 1e-6 if together else within == pytest.approx(0.02, rel=0.05)


def test_camera_length_is_off(spots):
    ratio = (degraded(spots, scale=0.03) / spots)[:, :SPOTS, :2]
    torch.testing.assert_close(ratio, ratio[:, :1, :1].expand_as(ratio), rtol=1e-3, atol=1e-3)
    assert ratio[:, 0, 0].std() == pytest.approx(0.03, rel=0.05)
    assert ratio[:, 0, 0].mean() == pytest.approx(1, abs=0.003)


def test_circles_become_ellipses(spots):
    angles = torch.linspace(0, 2 * np.pi, SPOTS + 1)[:-1]
    circle = spots.clone()
    circle[:, :SPOTS, 0], circle[:, :SPOTS, 1] = angles.cos(), angles.sin()
    ellipse = degraded(circle, ellipticity=0.1)[:, :SPOTS, :2]
    # The axes are the singular values of the points.
    axes = torch.linalg.svdvals(ellipse)
    ratio = (axes[:, 0] / axes[:, 1]).log()
    assert (ratio**2).mean().sqrt() == pytest.approx(0.1, rel=0.05)
    np.testing.assert_allclose(axes.prod(1), SPOTS / 2, rtol=1e-4)  # The area stays.
    longest = ellipse.norm(dim=2).argmax(1) % (SPOTS // 2)
    share = torch.bincount(longest, minlength=SPOTS // 2) / PATTERNS
    np.testing.assert_allclose(share, 0.1, atol=0.03)


def test_intensities_are_noisy(spots):
    ratio = (degraded(spots, intensity_noise=0.4)[..., 2] / spots[..., 2])[:, :SPOTS].log()
    assert ratio.std() == pytest.approx(0.4, rel=0.05)
    assert ratio.mean() == pytest.approx(0, abs=0.01)


def test_strong_spots_saturate(spots):
    changed = degraded(spots, saturation=0.5)[..., 2]
    assert changed.amax(1).mean() == pytest.approx(0.75, abs=0.01)
    assert changed.amax(1).min() == pytest.approx(0.5, abs=0.01)
    weak = spots[..., 2] < 0.5
    torch.testing.assert_close(changed[weak], spots[..., 2][weak])
