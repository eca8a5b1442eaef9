"""A cloud of points as pictures: what lies where, and in which colour."""

import numpy as np
import pytest
from napari.utils.colormaps import ensure_colormap

from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui.point_cloud import (
    Method,
    Tones,
    density_picture,
    lay_out,
    lit_picture,
    positions_within,
    toned_picture,
)

ROWS, COLS = 20, 30


@pytest.fixture
def view():
    """Points that lie as the positions do: column across, row up; one position has none."""
    rows, cols = np.indices((ROWS, COLS)).astype(np.float32)
    rows[3, 4] = np.nan
    stack = MapStack(np.stack([2 * cols, rows]), [Channel("feature 1"), Channel("feature 2")])
    return finish(lay_out(stack, Method.COMPONENTS)).view(0, 1)


def pixel(picture, view, row, col):
    """The colour of the picture where the point of a position lies."""
    left, right, bottom, top = view.extent
    across, up = view.at(row, col)
    height, width = picture.shape[:2]
    return picture[
        int((top - up) / (top - bottom) * height), int((across - left) / (right - left) * width)
    ]


def test_each_position_with_a_vector_has_a_point(view):
    assert view.at(3, 4) is None
    assert view.at(ROWS, 0) is None
    assert view.at(-1, 0) is None
    across = [view.at(5, col)[0] for col in range(COLS)]
    np.testing.assert_allclose(np.diff(across), 2, atol=1e-2)
    assert view.cloud.names[0].startswith("component 1")


def test_where_there_are_points_the_picture_is_opaque(view):
    picture = finish(density_picture(view, (1, 0, 0)))
    assert pixel(picture, view, 7, 8).tolist() == [255, 0, 0, 255]
    assert (picture[0, :, 3] == 0).all()
    # Discs of some pixels, that do not meet.
    assert 0.02 < (picture[..., 3] > 0).mean() < 0.5


def test_many_points_in_one_place_are_seen_before_one_alone():
    values = np.zeros((2, 10, 10), np.float32)
    values[:, 0, :3] = [[5, 6, 6], [0, 1, 1.0]]
    maps = MapStack(values, [Channel("feature 1"), Channel("feature 2")])
    found = finish(lay_out(maps, Method.COMPONENTS)).view(0, 1)
    picture = finish(density_picture(found, (1, 1, 1)))
    alone, two, most = (pixel(picture, found, 0, col)[3] for col in (0, 1, 5))
    assert 0 < alone < two < most == 255


def test_points_have_the_colours_of_the_map(view):
    values = np.indices((ROWS, COLS))[1].astype(float)
    values[9, 9] = np.nan
    tones = Tones(values, (0, COLS - 1), ensure_colormap("gray"))
    picture = finish(toned_picture(view, tones))
    for col in (0, 12, COLS - 1):
        shade = round(255 * col / (COLS - 1))
        np.testing.assert_allclose(pixel(picture, view, 7, col), [shade] * 3 + [255], atol=2)
    assert pixel(picture, view, 9, 9)[3] == 0


def test_positions_light_up_and_those_without_a_point_do_not(view):
    picture = finish(lit_picture(view, np.array([[7, 8], [3, 4]]), (0, 1, 0)))
    assert pixel(picture, view, 7, 8).tolist() == [0, 255, 0, 255]
    assert pixel(picture, view, 7, 10)[3] == 0
    assert (picture[..., 3] > 0).sum() < 100


def test_an_outline_encloses_what_lies_inside(view):
    low, high = np.array(view.at(5, 10)), np.array(view.at(8, 14))
    if (high < low).any():  # the sign of a component is by its weights
        low, high = np.minimum(low, high), np.maximum(low, high)
    (left, bottom), (right, top) = low - 0.3, high + 0.3
    outline = np.array([[left, bottom], [left, top], [right, top], [right, bottom]])
    found = finish(positions_within(view, outline))
    expected = [[row, col] for row in range(5, 9) for col in range(10, 15)]
    np.testing.assert_array_equal(found, expected)


def test_clouds_of_many_points_come_in_updates_that_are_short():
    values = np.random.default_rng(0).normal(size=(2, 400, 500)).astype(np.float32)
    maps = MapStack(values, [Channel("feature 1"), Channel("feature 2")])
    view = finish(lay_out(maps, Method.COMPONENTS)).view(0, 1)
    updates = []
    finish(density_picture(view, (1, 1, 1)), updates.append)
    assert len(updates) == 4
