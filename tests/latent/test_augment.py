import numpy as np
import pytest
import torch

from napari_kikuchi.latent import augment as module
from napari_kikuchi.latent.augment import augment

COUNT, SIDE = 400, 40


@pytest.fixture
def only(monkeypatch):
    """Leave one kind of noise, met by every pattern."""

    def leave(kind):
        monkeypatch.setattr(module, "_PROBABILITY", 1.0)
        for other, nothing in (("GAMMA", 1.0), ("NOISE", 0.0), ("SALT", 0.0)):
            if other != kind:
                monkeypatch.setattr(module, f"_MOST_{other}", nothing)

    return leave


def changed(patterns, mask=None, seed=0):
    patterns = torch.tensor(patterns, dtype=torch.float32)
    mask = torch.ones(patterns.shape[1:], dtype=torch.bool) if mask is None else mask
    return augment(patterns, mask, torch.Generator().manual_seed(seed)).numpy()


def ramp():
    return np.broadcast_to(np.linspace(-1, 1, SIDE * SIDE).reshape(SIDE, SIDE), (COUNT, SIDE, SIDE))


def test_gamma_keeps_ends_and_order_and_moves_the_middle_either_way(only):
    only("GAMMA")
    out = changed(ramp())
    np.testing.assert_allclose(out[:, 0, 0], -1, atol=1e-6)
    np.testing.assert_allclose(out[:, -1, -1], 1, atol=1e-6)
    assert (np.diff(out.reshape(COUNT, -1), axis=1) >= 0).all()
    # The exponent of each pattern, from a pixel of a quarter of the range.
    quarter = SIDE * SIDE // 4
    exponents = np.log((out.reshape(COUNT, -1)[:, quarter] + 1) / 2) / np.log(
        (ramp()[0].ravel()[quarter] + 1) / 2
    )
    assert exponents.min() == pytest.approx(1 / 1.5, abs=0.02)
    assert exponents.max() == pytest.approx(1.5, abs=0.02)
    assert np.median(exponents) == pytest.approx(1, abs=0.05)


def test_noise_is_new_in_every_pixel_and_of_a_strength_for_each_pattern(only):
    only("NOISE")
    out = changed(np.zeros((COUNT, SIDE, SIDE)))
    spread = out.std(axis=(1, 2))
    assert spread.min() < 0.01
    assert spread.max() == pytest.approx(0.2, rel=0.05)
    strong = out[spread.argmax()]
    assert abs(np.corrcoef(strong[:, 1:].ravel(), strong[:, :-1].ravel())[0, 1]) < 0.1


def test_salt_and_pepper_blacken_and_whiten_as_many(only):
    only("SALT")
    out = changed(np.zeros((COUNT, SIDE, SIDE)))
    assert set(np.unique(out)) == {-1, 0, 1}
    assert np.mean(out != 0) == pytest.approx(0.05 / 2, rel=0.1)
    assert np.mean(out == 1) == pytest.approx(np.mean(out == -1), rel=0.1)


def test_kinds_come_together_or_not_at_all():
    out = changed(ramp())
    same = np.isclose(out, ramp(), atol=1e-6).all(axis=(1, 2))
    assert same.mean() == pytest.approx(1 / 8, abs=0.05)


def test_the_mask_and_the_range_are_kept_and_the_seed_decides():
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mask[10:30, 10:30] = True
    out = changed(ramp(), mask)
    assert (out[:, ~mask.numpy()] == 0).all()
    assert np.abs(out).max() <= 1
    np.testing.assert_array_equal(out, changed(ramp(), mask))
    assert (out != changed(ramp(), mask, seed=1)).any()
