import numpy as np

from napari_kikuchi.physics.background import smooth_background


def screen(size=(60, 80)):
    """Coordinates from -1 to 1, and a round signal mask."""
    y, x = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]), indexing="ij")
    return y, x, np.hypot(y, x) < 0.9


def test_bands_go_and_the_background_stays():
    y, x, mask = screen()
    slope = 1000 * np.exp(-(y**2 + x**2) / 4)
    bands = 100.0 * (np.abs(x + 0.5 * y) < 0.06) - 100.0 * (np.abs(y - 0.4 * x) < 0.06)
    smooth = smooth_background((slope + bands).astype(np.float32), mask)
    without = smooth_background(slope.astype(np.float32), mask)
    np.testing.assert_allclose(without[mask], slope[mask], rtol=0.06)
    assert (smooth - without)[mask].std() < 0.4 * bands[mask].std()


def test_what_lies_outside_the_mask_does_not_count():
    _, _, mask = screen()
    flat = np.where(mask, 500, 1e6).astype(np.float32)
    np.testing.assert_allclose(smooth_background(flat, mask), np.where(mask, 500, 0), rtol=1e-5)


def test_no_background_stays_none():
    _, _, mask = screen()
    assert not smooth_background(np.zeros(mask.shape, np.float32), mask).any()
