"""Patterns put together from those of their neighbours, against mixtures that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from napari_kikuchi.latent.neighbours import compare_neighbours, mixture

PIXELS = 400


def grain(seed):
    """A pattern of mean 0 and norm 1."""
    pattern = np.random.default_rng(seed).normal(size=PIXELS)
    pattern -= pattern.mean()
    return (pattern / np.linalg.norm(pattern)).astype(np.float32)


def compare(patterns):
    rows = []

    def read(row):
        rows.append(row)
        return patterns[row]

    compared = compare_neighbours(read, range(len(patterns)), len(patterns))
    kept, unlike = map(np.stack, zip(*compared, strict=True))
    assert rows == list(range(len(patterns)))
    assert kept.shape == unlike.shape == patterns.shape[:2]
    return kept, unlike


@pytest.fixture
def bicrystal():
    """Two grains, each of one pattern; the column between them is a mixture of both."""
    one, other = grain(1), grain(2)
    patterns = np.empty((5, 7, PIXELS), np.float32)
    patterns[:, :3], patterns[:, 4:] = one, other
    patterns[:, 3] = 0.7 * one + 0.3 * other
    return patterns


def test_overlap_is_found_at_the_boundary_and_nowhere_else(bicrystal):
    kept, unlike = compare(bicrystal)
    expected = np.ones(kept.shape)
    expected[:, 3] = np.linalg.norm(bicrystal[0, 3])
    assert expected[0, 3] < 0.8
    # Mixtures along the boundary may stand in for each other; that of the grains is preferred.
    np.testing.assert_allclose(kept[:, 3], expected[:, 3], atol=0.03)
    np.testing.assert_allclose(np.delete(kept, 3, axis=1), 1, atol=5e-3)
    np.testing.assert_allclose(unlike, 0, atol=0.02)


def test_a_weak_pattern_is_not_taken_for_a_mixture(bicrystal):
    """A wall takes contrast without bringing another pattern in."""
    bicrystal[2, 1] *= 0.5
    kept, unlike = compare(bicrystal)
    assert kept[2, 1] == pytest.approx(1, abs=5e-3)
    assert unlike[2, 1] == pytest.approx(0, abs=0.02)


def test_what_no_neighbour_has_is_unlike_them(bicrystal):
    bicrystal[2, 1] = grain(3)
    kept, unlike = compare(bicrystal)
    assert unlike[2, 1] > 0.95
    # Of something so different nobody knows how much of it is overlap.
    assert kept[2, 1] > 0.95
    assert unlike[2, 5] == pytest.approx(0, abs=0.02)


def test_mixtures_are_those_of_scipy():
    rng = np.random.default_rng(0)
    common = rng.normal(size=PIXELS)
    shapes = common + rng.normal(size=(20, 8, PIXELS))
    shapes /= np.linalg.norm(shapes, axis=-1, keepdims=True)
    pattern = (shapes * rng.uniform(-0.3, 1, (20, 8, 1))).sum(axis=1)
    pattern += 0.02 * rng.normal(size=pattern.shape)
    pattern /= np.linalg.norm(pattern, axis=-1, keepdims=True)
    kept, left = mixture(shapes.astype(np.float32), pattern.astype(np.float32))
    for i in range(20):
        weights, residual = nnls(shapes[i].T, pattern[i])
        # The reward of pure patterns costs a little of the fit.
        assert left[i] == pytest.approx(residual, abs=5e-3)
        expected = np.linalg.norm(weights @ shapes[i]) / weights.sum()
        assert kept[i] == pytest.approx(expected, abs=0.02)


def test_missing_patterns_are_neither_compared_nor_mixed(bicrystal):
    kept, unlike = compare(bicrystal)
    bicrystal[1, 3] = bicrystal[4, 0] = np.nan
    again, unlike_again = compare(bicrystal)
    missing = np.isnan(bicrystal[:, :, 0])
    assert np.isnan(again[missing]).all()
    assert np.isnan(unlike_again[missing]).all()
    np.testing.assert_allclose(again[~missing], kept[~missing], atol=0.03)
    np.testing.assert_allclose(unlike_again[~missing], unlike[~missing], atol=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (2, 2)])
def test_maps_of_any_size(shape):
    kept, unlike = compare(np.broadcast_to(grain(1), (*shape, PIXELS)))
    if shape == (1, 1):
        assert np.isnan(kept).all()
        assert np.isnan(unlike).all()
    else:
        np.testing.assert_allclose(kept, 1, atol=1e-3)
        np.testing.assert_allclose(unlike, 0, atol=0.02)


def test_a_pattern_without_contrast_is_missing(bicrystal):
    bicrystal[2, 5] = 0.25
    kept, unlike = compare(bicrystal)
    assert np.isnan(kept[2, 5])
    assert np.isnan(unlike[2, 5])
    assert np.isfinite(np.delete(kept.ravel(), 2 * 7 + 5)).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), cols=st.integers(2, 5), rows=st.integers(1, 4))
def test_brightness_and_contrast_of_patterns_change_nothing(seed, cols, rows):
    rng = np.random.default_rng(seed)
    patterns = rng.normal(size=(rows, cols, 30)) + 2 * rng.normal(size=30)
    gain = rng.uniform(0.2, 5, (rows, cols, 1))
    shift = rng.uniform(-3, 3, (rows, cols, 1))
    for one, other in zip(compare(patterns), compare(gain * patterns + shift), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-3)
        assert (one >= 0).all()
        assert (one <= 1 + 1e-5).all()
