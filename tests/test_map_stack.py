from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from napari_kikuchi.maps import Channel, MapStack, Mark, contrast_limits


def stack(scores):
    values = np.arange(len(scores) * 6, dtype=np.float32).reshape(len(scores), 2, 3)
    return MapStack(values, [Channel(f"map {i}", score=s) for i, s in enumerate(scores)])


def test_ranking_puts_the_highest_score_first_and_maps_without_one_last():
    assert stack([0.2, None, 0.9, 0.2, None]).ranking() == [2, 0, 3, 1, 4]


def test_red_green_and_blue_with_limits_are_one_picture_which_is_shown_first():
    values = np.array([[[0.2, 0.3]], [[1, 2]], [[0.1, 0.2]], [[0, 0.1]]], np.float32)
    red, green, blue = (Channel(c, colormap=c, limits=(0, 1)) for c in ("red", "green", "blue"))
    coloured = MapStack(values, [blue, Channel("KAM", score=2), red, green])
    assert coloured.picture() == coloured.shown_first() == (2, 3, 0)
    assert red.contrast(values[2]) == (0, 1)
    assert Channel("KAM").contrast(values[1]) == contrast_limits(values[1])

    # A map that someone likes in red is none, nor are two of the colours.
    liked = [replace(blue, limits=None), *coloured.channels[1:]]
    assert MapStack(values, liked).picture() == ()
    assert MapStack(values, liked).shown_first() == (1,)


def test_a_map_that_was_hidden_is_not_shown_first_unless_all_were():
    maps = stack([0.9, 0.5, 0.7])
    hidden = [replace(channel, mark=Mark.HIDDEN) for channel in maps.channels]
    assert replace(maps, channels=[hidden[0], *maps.channels[1:]]).shown_first() == (2,)
    assert replace(maps, channels=hidden).shown_first() == (0,)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2, 3), (2, 2, 3, 1)])
def test_values_that_do_not_match_the_channels_are_refused(shape):
    with pytest.raises(ValueError, match=r"2 channels needs values of shape \(2, rows, columns\)"):
        MapStack(np.zeros(shape), [Channel("a"), Channel("b")])


@given(
    arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=2, max_side=20),
        elements=st.floats(-1e6, 1e6, width=32) | st.just(np.nan) | st.just(np.inf),
    )
)
def test_contrast_limits_are_apart_and_within_the_finite_values(values):
    low, high = contrast_limits(values)
    assert np.isfinite([low, high]).all()
    assert low < high
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() < finite.max():
        assert finite.min() <= low
        assert high <= finite.max()


def test_contrast_limits_leave_out_what_is_rare():
    values = np.linspace(0, 1, 10_000)
    values[:20] = 1000
    low, high = contrast_limits(values)
    assert 0 < low < 0.02
    assert 0.98 < high < 1.01


def test_contrast_limits_of_a_map_without_values():
    assert contrast_limits(np.full((3, 3), np.nan)) == (0.0, 1.0)


def test_contrast_limits_of_a_large_map_look_at_all_of_its_columns():
    values = np.random.default_rng(0).random((5_000, 400), np.float32)
    values[:, 0] = 1000  # A bad first column, where the beam flew back.
    _, high = contrast_limits(values)
    assert high < 1
