"""Averaging patterns down, finding where they have a signal, and their background."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.images import bin_to, find_signal_mask, smooth_background
from napari_kikuchi.io import open_scan
from napari_kikuchi.samples import sample_folder


def round_screen(size, radius, margin=0.0):
    """Pixels of a square frame within a disk around its centre."""
    axis = np.arange(size) - (size - 1) / 2
    return np.hypot(axis[:, None], axis) < radius * size / 2 - margin


def area_mean(pattern, size):
    """Binning pixel by pixel: the overlap of every pair of old and new pixels, written out."""
    height, width = pattern.shape
    out = np.zeros(size)
    for i, j in np.ndindex(*size):
        top, bottom = i * height / size[0], (i + 1) * height / size[0]
        left, right = j * width / size[1], (j + 1) * width / size[1]
        for y, x in np.ndindex(height, width):
            tall = max(0.0, min(bottom, y + 1) - max(top, y))
            wide = max(0.0, min(right, x + 1) - max(left, x))
            out[i, j] += tall * wide * pattern[y, x]
    return out * size[0] * size[1] / (height * width)


class TestBinning:
    @given(
        shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
        data=st.data(),
        seed=st.integers(0, 9),
    )
    def test_equals_the_overlap_of_areas(self, shape, data, seed):
        size = tuple(data.draw(st.integers(1, length)) for length in shape)
        pattern = np.random.default_rng(seed).integers(0, 65536, shape).astype("u2")
        np.testing.assert_allclose(
            bin_to(pattern[None], size)[0], area_mean(pattern, size), rtol=1e-5, atol=1e-2
        )

    def test_whole_factors_are_plain_means(self):
        pattern = np.random.default_rng(0).integers(0, 65536, (480, 480)).astype("u2")
        expected = pattern.reshape(120, 4, 120, 4).mean(axis=(1, 3))
        np.testing.assert_allclose(bin_to(pattern[None], (120, 120))[0], expected, rtol=1e-6)

    @pytest.mark.parametrize("dtype", ["?", "i1", ">u4", "f2", ">f4", "f8"])
    def test_takes_pixels_of_any_type(self, dtype):
        pattern = np.random.default_rng(0).integers(0, 2, (6, 4)).astype(dtype)
        expected = pattern.reshape(3, 2, 2, 2).mean(axis=(1, 3), dtype="f4")
        np.testing.assert_array_equal(bin_to(pattern[None], (3, 2))[0], expected)

    def test_keeps_the_mean_intensity(self):
        patterns = np.random.default_rng(0).random((3, 50, 50))
        binned = bin_to(patterns, (17, 17))
        np.testing.assert_allclose(binned.mean(axis=(1, 2)), patterns.mean(axis=(1, 2)), rtol=1e-5)

    def test_the_same_size_changes_nothing(self):
        patterns = np.random.default_rng(0).integers(0, 65536, (2, 7, 5)).astype("u2")
        np.testing.assert_array_equal(bin_to(patterns, (7, 5)), patterns)


class TestSignalMask:
    @given(
        size=st.integers(40, 120),
        radius=st.floats(0.7, 1.15),
        dark=st.floats(0, 20),
        bright=st.floats(100, 50_000),
        seed=st.integers(0, 9),
    )
    def test_finds_a_round_screen(self, size, radius, dark, bright, seed):
        screen = round_screen(size, radius)
        rng = np.random.default_rng(seed)
        pattern = np.where(screen, bright * rng.uniform(0.6, 1.0, screen.shape), dark)
        found = find_signal_mask(pattern)
        assert found[round_screen(size, radius, margin=2)].all()
        assert not found[~round_screen(size, radius, margin=-2)].any()

    @pytest.mark.parametrize("edge", [0.5, 0.8, 1.0])
    def test_a_frame_without_a_dark_surround_is_all_signal(self, edge):
        """Brighter in the middle, as every pattern is."""
        y, x = np.mgrid[-1:1:60j, -1:1:60j]
        assert find_signal_mask(1000 - 1000 * (1 - edge) * np.hypot(y, x) / np.sqrt(2)).all()

    def test_real_frame_that_the_screen_nearly_fills(self):
        scan = open_scan(sample_folder() / "nickel_3x3.up2")
        found = find_signal_mask(scan.patterns.mean(axis=(0, 1)).compute())
        assert not found[[0, -1], [-1, -1]].any()
        assert found[[0, -1], [0, 0]].all()
        assert found.mean() > 0.95

    @pytest.mark.parametrize("value", [0.0, 7.0])
    def test_a_uniform_frame_is_all_signal(self, value):
        assert find_signal_mask(np.full((30, 30), value)).all()

    def test_dark_spots_inside_the_screen_belong_to_it(self):
        pattern = np.where(round_screen(80, 1.0), 1000.0, 5.0)
        pattern[38:44, 30:36] = 5
        assert find_signal_mask(pattern)[36:46, 28:38].all()

    def test_bright_specks_outside_the_screen_do_not(self):
        pattern = np.where(round_screen(80, 1.0), 1000.0, 5.0)
        pattern[2:5, 2:5] = 1000
        assert not find_signal_mask(pattern)[:6, :6].any()

    def test_real_screen(self, silicon):
        """A disk that the frame cuts, with the shadow of a clamp on its lower edge."""
        for col in range(3):
            found = find_signal_mask(silicon.read(0, col).astype(float))
            corners = found[:40, :40], found[:40, -40:], found[-40:, :40], found[-40:, -40:]
            assert not any(corner.any() for corner in corners)
            assert found[round_screen(480, 0.88)].all()
            assert not found[460, 310]
            assert 0.80 < found.mean() < 0.87


def oval_screen(size=(60, 80)):
    """Coordinates from -1 to 1, and a round signal mask."""
    y, x = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]), indexing="ij")
    return y, x, np.hypot(y, x) < 0.9


class TestSmoothBackground:
    def test_bands_go_and_the_background_stays(self):
        y, x, mask = oval_screen()
        slope = 1000 * np.exp(-(y**2 + x**2) / 4)
        bands = 100.0 * (np.abs(x + 0.5 * y) < 0.06) - 100.0 * (np.abs(y - 0.4 * x) < 0.06)
        smooth = smooth_background((slope + bands).astype(np.float32), mask)
        without = smooth_background(slope.astype(np.float32), mask)
        np.testing.assert_allclose(without[mask], slope[mask], rtol=0.06)
        assert (smooth - without)[mask].std() < 0.4 * bands[mask].std()

    def test_what_lies_outside_the_mask_does_not_count(self):
        _, _, mask = oval_screen()
        flat = np.where(mask, 500, 1e6).astype(np.float32)
        np.testing.assert_allclose(smooth_background(flat, mask), np.where(mask, 500, 0), rtol=1e-5)

    def test_no_background_stays_none(self):
        _, _, mask = oval_screen()
        assert not smooth_background(np.zeros(mask.shape, np.float32), mask).any()
