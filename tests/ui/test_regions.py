import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Image, Shapes

from napari_kikuchi.ui.regions import Drawn, drawn

MAP = Image(np.zeros((20, 30)), scale=(0.5, 0.25), translate=(1, 2))
Y, X = np.mgrid[:20, :30].astype(float)
Y_UM, X_UM = 1 + 0.5 * Y, 2 + 0.25 * X

corner = st.tuples(st.floats(0, 11), st.floats(1, 11))


def inside_triangle(corners, y, x):
    """Whether points lie inside, by the signs of three cross products; and how near the edge."""
    sides = []
    for (ay, ax), (by, bx) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        length = np.hypot(by - ay, bx - ax)
        sides.append(((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length)
    sides = np.array(sides)
    return (sides > 0).all(axis=0) | (sides < 0).all(axis=0), np.abs(sides).min(axis=0)


@given(st.lists(corner, min_size=3, max_size=3, unique=True))
@settings(deadline=None, max_examples=30)
def test_positions_in_a_triangle_drawn_in_micrometres(corners):
    corners = np.array(corners)
    (ay, ax), (by, bx), (cy, cx) = corners
    if abs((by - ay) * (cx - ax) - (bx - ax) * (cy - ay)) < 1:
        return  # All but a line.
    shapes = Shapes([corners], shape_type="polygon")
    found = np.zeros((20, 30), bool)
    found[tuple(Drawn(shapes, 0).positions(MAP).T)] = True
    inside, distance = inside_triangle(corners, Y_UM, X_UM)
    # Positions on the line itself may go either way.
    clear = distance > 0.01
    np.testing.assert_array_equal(found[clear], inside[clear])


def test_the_scale_of_the_shapes_does_not_matter():
    corners = np.array([[2.0, 3.0], [2.0, 7.0], [9.0, 5.0]])
    in_um = Shapes([corners], shape_type="polygon")
    in_pixels = Shapes(
        [(corners - (1, 2)) / (0.5, 0.25)],
        shape_type="polygon",
        scale=(0.5, 0.25),
        translate=(1, 2),
    )
    np.testing.assert_array_equal(
        Drawn(in_um, 0).positions(MAP), Drawn(in_pixels, 0).positions(MAP)
    )


def test_an_ellipse_is_round():
    box = np.array([[2.0, 3.0], [2.0, 7.0], [9.0, 7.0], [9.0, 3.0]])
    found = Drawn(Shapes([box], shape_type="ellipse"), 0).positions(MAP)
    inside = ((Y_UM - 5.5) / 3.5) ** 2 + ((X_UM - 5) / 2) ** 2 < 1
    assert len(found) == pytest.approx(inside.sum(), rel=0.03)


def test_a_region_outside_the_map_holds_nothing():
    shapes = Shapes([np.array([[50, 50], [50, 60], [60, 60.0]])], shape_type="polygon")
    assert Drawn(shapes, 0).positions(MAP).shape == (0, 2)


def test_the_region_meant_is_the_selected_shape_else_the_last():
    viewer = ViewerModel()
    assert drawn(viewer) == []
    square = np.array([[0, 0], [0, 2], [2, 2], [2, 0.0]])
    first = viewer.add_shapes([square, square + 5], shape_type="polygon")
    assert drawn(viewer) == [Drawn(first, 1)]
    first.selected_data = {0}
    second = viewer.add_shapes([square], shape_type="polygon")
    # The selected layer comes before a selected shape elsewhere.
    assert drawn(viewer) == [Drawn(second, 0)]
    viewer.layers.selection.active = first
    assert drawn(viewer) == [Drawn(first, 0)]
