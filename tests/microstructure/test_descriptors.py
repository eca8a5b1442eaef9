import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_kikuchi.microstructure.descriptors import (
    boundary,
    boundary_agreement,
    describe,
    differences,
    grain_diameters,
    gram_matrix,
    lineal_path,
    size_distance,
    two_point,
    variation,
)

phases = arrays(
    bool, array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9), elements=st.booleans()
)


@settings(max_examples=30, deadline=None)
@given(phases)
def test_two_point_correlation_counts_pairs(phase):
    found = two_point(phase)
    reach = min(phase.shape) // 2
    rows, cols = phase.shape
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            pairs = [
                phase[row, col] and phase[row + down, col + right]
                for row in range(max(0, -down), min(rows, rows - down))
                for col in range(max(0, -right), min(cols, cols - right))
            ]
            assert found[reach + down, reach + right] == pytest.approx(np.mean(pairs))


@settings(max_examples=30, deadline=None)
@given(phases)
def test_lineal_path_counts_lines(phase):
    found = lineal_path(phase)
    rows, cols = phase.shape
    for length in range(1, min(phase.shape) // 2 + 1):
        down = [phase[row : row + length].all(axis=0) for row in range(rows - length + 1)]
        right = [phase[:, col : col + length].all(axis=1) for col in range(cols - length + 1)]
        np.testing.assert_allclose(found[:, length - 1], [np.mean(down), np.mean(right)])


def test_stripes_are_told_by_their_directions():
    stripes = np.zeros((32, 32), bool)
    stripes[:, ::4] = stripes[:, 1::4] = True
    middle = two_point(stripes)[16]
    assert middle[16 + 4] == pytest.approx(0.5)
    assert middle[16 + 2] == 0
    down, right = lineal_path(stripes)
    np.testing.assert_allclose(down, 0.5)
    assert right[2:].max() == 0
    assert variation(stripes) == pytest.approx(15 / 32)
    gram = gram_matrix(stripes)
    # The derivative along the stripes is nothing, and with it all of its products.
    assert gram[1].max() == pytest.approx(0, abs=1e-20)
    assert gram[0, 0] > 0.01


def test_a_map_does_not_differ_from_itself_but_from_its_complement():
    rng = np.random.default_rng(0)
    phase = rng.random((24, 24)) < 0.2
    assert max(differences(describe(phase), describe(phase)).values()) == 0
    other = differences(describe(phase), describe(~phase))
    assert other["fraction"] == pytest.approx(1 - 2 * phase.mean())
    assert other["variation"] == 0
    assert other["two_point"] > 0.4


def test_grains_are_as_large_as_their_circles():
    grains = np.full((20, 20), -1)
    grains[:10], grains[15:] = 0, 3
    np.testing.assert_allclose(np.pi / 4 * grain_diameters(grains) ** 2, [200, 100])


def test_sizes_are_as_far_apart_as_their_distributions():
    some = np.arange(100.0)
    assert size_distance(some, some) == 0
    assert size_distance(some, some + 25) == pytest.approx(0.25)
    assert size_distance(some, some + 200) == 1


@settings(max_examples=30, deadline=None)
@given(phases)
def test_boundaries_are_pixels_beside_the_other_phase(phase):
    rows, cols = phase.shape
    for row, col in np.ndindex(rows, cols):
        around = [(row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)]
        others = [not phase[one] for one in around if 0 <= one[0] < rows and 0 <= one[1] < cols]
        assert boundary(phase)[row, col] == (phase[row, col] and any(others))


@settings(max_examples=30, deadline=None)
@given(phases, st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.0, 1.5, 2.0]))
def test_boundaries_agree_that_lie_near_each_other(phase, seed, within):
    other = np.random.default_rng(seed).permuted(phase.ravel()).reshape(phase.shape)
    wanted, found = (np.argwhere(boundary(one)) for one in (phase, other))
    agreement = boundary_agreement(phase, other, within)
    if len(wanted):
        nearest = [min((np.hypot(*(a - b)) for b in found), default=np.inf) for a in wanted]
        assert agreement == pytest.approx(np.mean(np.array(nearest) <= within))
    else:
        assert np.isnan(agreement)


def test_a_boundary_that_has_moved_by_a_pixel_agrees():
    phase = np.arange(20)[None] // 5 % 2 == 1
    phase = np.broadcast_to(phase, (6, 20))
    assert boundary_agreement(phase, np.roll(phase, 1, axis=1)) == 1
    assert boundary_agreement(phase, np.roll(phase, 2, axis=1)) < 0.5
    assert boundary_agreement(phase, np.zeros_like(phase)) == 0
