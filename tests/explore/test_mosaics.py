"""One map of several, on surfaces that are known everywhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.explore.mosaics import mosaic, side_by_side
from napari_kikuchi.jobs import finish

steps = st.tuples(*[st.floats(0.01, 5)] * 2)
places = st.tuples(*[st.floats(-1e4, 1e4)] * 2)
shapes = st.tuples(*[st.integers(1, 20)] * 2)


def random_map(shape, seed=0, missing=0.2):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape).astype(np.float32)
    values[rng.random(shape) < missing] = np.nan
    return values


def grid(shape, step, origin):
    down, right = (o + s * np.arange(n) for n, s, o in zip(shape, step, origin, strict=True))
    return np.meshgrid(down, right, indexing="ij")


@given(shape=shapes, step=steps, origin=places, seed=st.integers(0, 9))
def test_a_mosaic_of_one_map_is_that_map(shape, step, origin, seed):
    values = random_map(shape, seed)
    found = finish(mosaic([values], [step], [origin]))
    np.testing.assert_array_equal(found.values, values)
    assert (found.step, found.origin) == (step, origin)


@given(
    sizes=st.lists(shapes, min_size=1, max_size=3),
    own=st.lists(steps, min_size=3, max_size=3),
    origins=st.lists(st.tuples(*[st.floats(-20, 20)] * 2), min_size=3, max_size=3),
    step=st.none() | st.tuples(*[st.floats(0.3, 3)] * 2),
)
def test_a_plane_sampled_at_any_steps_is_the_same_plane(sizes, own, origins, step):
    own = [(max(0.2, down), max(0.2, right)) for down, right in own[: len(sizes)]]
    origins = origins[: len(sizes)]

    def plane(down, right):
        return 2 * down - 0.5 * right + 3

    maps = [
        plane(*grid(size, each, origin))
        for size, each, origin in zip(sizes, own, origins, strict=True)
    ]
    updates = []
    found = finish(mosaic(maps, own, origins, step=step), updates.append)
    down, right = grid(found.values.shape, found.step, found.origin)
    known = np.isfinite(found.values)
    np.testing.assert_allclose(found.values[known], plane(down, right)[known], atol=1e-3)
    # Values are where a map reaches, from the centre of its first position to that of its last.
    margin = 1e-4
    for sign in (-1, 1):
        covered = np.zeros(known.shape, bool)
        for size, each, (top, left) in zip(sizes, own, origins, strict=True):
            bottom = top + (size[0] - 1) * each[0] + sign * margin
            end = left + (size[1] - 1) * each[1] + sign * margin
            covered |= (
                (down >= top - sign * margin)
                & (down <= bottom)
                & (right >= left - sign * margin)
                & (right <= end)
            )
        assert (covered <= known).all() if sign < 0 else (known <= covered).all()
    assert not updates or updates[-1].done == updates[-1].total


def test_rows_are_laid_down_a_few_at_a_time_and_meet_without_a_seam(monkeypatch):
    maps = [random_map((90, 40), seed, missing=0.1) for seed in (1, 2)]
    laid = maps, [(1.1, 0.9), (0.7, 1.3)], [(0.0, 0.0), (50.3, 10.7)]
    updates = []
    parts = finish(mosaic(*laid), updates.append).values
    assert np.diff([0] + [update.done for update in updates]).max() <= 32
    monkeypatch.setattr("napari_kikuchi.explore.mosaics._ROWS", 10_000)
    np.testing.assert_allclose(parts, finish(mosaic(*laid)).values, atol=1e-4)


def test_missing_values_stay_missing_and_spread_no_further():
    values = np.arange(20.0).reshape(4, 5)
    values[1, 2] = np.nan
    found = finish(mosaic([values], [(1, 1)], [(0, 0)], step=(0.25, 0.25))).values
    rows, cols = (part / 4 for part in np.indices(found.shape))
    plane = 5 * rows + cols
    missing = (1 - abs(rows - 1)).clip(0) * (1 - abs(cols - 2)).clip(0) > 0.5
    np.testing.assert_array_equal(np.isnan(found), missing)
    # Where the missing value has no weight, the others are interpolated as if it were not there.
    far = (abs(rows - 1) >= 1) | (abs(cols - 2) >= 1)
    np.testing.assert_allclose(found[far], plane[far], atol=1e-5)


def test_the_later_map_is_seen_as_far_as_it_has_values():
    below, above = np.zeros((4, 6)), np.ones((4, 6))
    above[0, 0] = np.nan
    found = finish(mosaic([below, above], [(1, 1)] * 2, [(0, 0), (2, 3)]))
    expected = np.full((6, 9), np.nan)
    expected[:4, :6] = 0
    expected[2:, 3:] = 1
    expected[2, 3] = 0
    np.testing.assert_array_equal(found.values, expected)


@given(
    sizes=st.lists(shapes, min_size=1, max_size=4),
    step=steps,
    gap=st.floats(0, 30),
    seed=st.integers(0, 9),
)
def test_maps_of_one_step_laid_side_by_side_keep_their_values(sizes, step, gap, seed):
    maps = [random_map(size, seed + i, missing=0.1) for i, size in enumerate(sizes)]
    origins = side_by_side(sizes, [step] * len(sizes), gap + step[1])
    found = finish(mosaic(maps, [step] * len(sizes), origins)).values
    for values, (down, right) in zip(maps, origins, strict=True):
        assert down == 0
        first = round(right / step[1])
        part = found[: values.shape[0], first : first + values.shape[1]]
        np.testing.assert_allclose(part, values, atol=1e-4)


@given(
    sizes=st.lists(shapes, min_size=2, max_size=4),
    own=st.lists(steps, min_size=4, max_size=4),
    gap=st.floats(0, 30),
)
def test_the_gap_is_as_wide_as_asked_for_and_less_than_a_finest_column_wider(sizes, own, gap):
    own = own[: len(sizes)]
    origins = side_by_side(sizes, own, gap)
    finest = min(right for _, right in own)
    assert origins[0] == (0, 0)
    for (_, cols), (_, step), (_, here), (_, there) in zip(
        sizes, own, origins, origins[1:], strict=False
    ):
        between = there - (here + (cols - 1) * step)
        assert gap - 1e-5 * finest <= between < gap + 1.001 * finest


def test_what_makes_no_mosaic_is_refused():
    values = np.zeros((3, 3))
    with pytest.raises(ValueError, match="0 maps"):
        finish(mosaic([], [], []))
    with pytest.raises(ValueError, match="1 maps, 2 steps"):
        finish(mosaic([values], [(1, 1)] * 2, [(0, 0)]))
    with pytest.raises(ValueError, match=r"too large.* 0.1 x 0.1 µm"):
        finish(mosaic([values] * 2, [(0.1, 0.1)] * 2, [(0, 0), (5e3, 5e3)]))


def test_a_small_map_between_the_positions_of_a_coarse_mosaic_leaves_nothing():
    maps = [np.zeros((11, 11)), np.ones((2, 2))]
    found = finish(mosaic(maps, [(1, 1), (0.1, 0.1)], [(0, 0), (2.3, 2.3)], step=(5, 5)))
    np.testing.assert_array_equal(found.values, np.zeros((3, 3)))
