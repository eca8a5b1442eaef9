"""Straight bands in images, on images whose bands are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_kikuchi.explore.lines import Line, LineFinder

SHAPE = (48, 61)
SCREEN = np.hypot(*(np.indices(SHAPE) - np.array([[[23.5]], [[30]]]))) < 26


def band(line, height=1.0, shape=SHAPE):
    """An image of a band with soft edges."""
    distance = abs(line.distances(*np.indices(shape), shape))
    return height * np.clip(line.width / 2 + 0.5 - distance, 0, 1)


def noise(seed=0, spread=1.0):
    return np.random.default_rng(seed).normal(scale=spread, size=SHAPE)


def apart(line, other, mask=SCREEN):
    """Largest distance of the ends of a line from another one."""
    rows, cols = line.ends(mask).T
    return abs(other.distances(rows, cols, mask.shape)).max()


def test_angles_run_counter_clockwise_from_the_right_and_distances_from_the_middle():
    frame = np.ones(SHAPE, bool)
    np.testing.assert_allclose(Line(0, 5, 3).ends(frame), [[0, 35], [47, 35]], atol=0.5)
    np.testing.assert_allclose(Line(90, 5, 3).ends(frame), [[18.5, 0], [18.5, 60]], atol=0.5)
    # Falling to the right, above the middle.
    rows, cols = Line(45, 5, 3).ends(frame).T
    np.testing.assert_allclose((cols - 30) - (rows - 23.5), 5 * np.sqrt(2), atol=1e-6)


@given(theta=st.floats(-10, 190), rho=st.floats(-25, 25))
def test_ends_lie_on_the_centre_line_where_it_leaves_the_mask(theta, rho):
    line = Line(theta, rho, 3)
    ends = line.ends(SCREEN)
    rows, cols = ends.T
    np.testing.assert_allclose(line.distances(rows, cols, SHAPE), 0, atol=1e-9)
    chord = 2 * np.sqrt(max(26**2 - rho**2, 0))
    # The screen is wider than the frame is high.
    if len(ends) and (ends[:, 0] > 1).all() and (ends[:, 0] < 46).all():
        assert np.hypot(*(ends[1] - ends[0])) == pytest.approx(chord, abs=0.25 * chord + 3)
    assert len(Line(theta, 40, 3).ends(SCREEN)) == 0


@settings(max_examples=15)
@given(
    theta=st.floats(0, 180),
    rho=st.floats(-15, 15),
    width=st.floats(1.5, 4),
    seed=st.integers(0, 99),
)
def test_a_band_in_noise_is_found_where_it_is(theta, rho, width, seed):
    line = Line(theta, rho, width)
    found = LineFinder(SCREEN)(band(line) + noise(seed, 0.4))[0]
    assert apart(found, line) < 1.5


@pytest.mark.parametrize("width", [2.5, 3, 4])
@pytest.mark.parametrize("theta", [33, 75])
def test_the_width_of_a_band_is_found_to_a_pixel(theta, width):
    image = band(Line(theta, 4.3, width)) + noise(5, 0.1)
    assert LineFinder(SCREEN)(image)[0].width == pytest.approx(width, abs=1)


def test_each_of_several_bands_is_found_once_the_strongest_first():
    lines = [Line(20, 3, 4), Line(110, -8, 3), Line(179.5, 14, 3), Line(60, -12, 2.5)]
    image = sum(band(line, height) for line, height in zip(lines, (4, 3, 2.5, 2), strict=True))
    found = LineFinder(SCREEN)(image + noise(1, 0.3))
    assert apart(found[0], lines[0]) < 0.5
    for line in lines:
        assert sum(apart(one, line) < 3 for one in found) == 1
        assert min(apart(one, line) for one in found) < 1


def test_dark_bands_are_found_when_asked_for():
    find, line = LineFinder(SCREEN), Line(70, 5, 3)
    image = noise(2, 0.2) - band(line)
    assert apart(find(image, dark=True)[0], line) < 0.5
    assert all(apart(one, line) > 1.5 for one in find(image))


def test_nothing_outside_the_mask_counts():
    find, line = LineFinder(SCREEN), Line(70, 5, 3)
    image = band(line) + noise(3, 0.3)
    assert find(np.where(SCREEN, image, 1e3)) == find(image)


def test_images_without_bands_have_none():
    assert LineFinder(SCREEN)(np.zeros(SHAPE)) == []
    assert LineFinder(np.zeros(SHAPE, bool))(noise()) == []


def test_the_contrast_is_the_height_of_a_band_over_its_flanks():
    line = Line(33, 4, 4)
    slope = 0.3 * line.distances(*np.indices(SHAPE), SHAPE)
    weights = line.contrast_weights(SCREEN)
    assert weights @ (band(line, 7) + slope + 100)[SCREEN] == pytest.approx(7, rel=0.25)
    sharp = abs(line.distances(*np.indices(SHAPE), SHAPE)) < 20
    assert weights @ (100.0 * sharp)[SCREEN] == pytest.approx(0, abs=1e-9)
    assert not Line(33, 90, 4).contrast_weights(SCREEN).any()
