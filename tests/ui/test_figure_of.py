"""What is seen in the window, as the content of a figure."""

import numpy as np
import pytest
from napari.layers import Image

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.explore.orientation_channels import ipf_channels
from napari_kikuchi.explore.orientation_readings import OrientationReadings
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui.figure_of import figure_of
from napari_kikuchi.ui.link import LayerLink, ScanLink


def test_of_two_pictures_in_three_colours_the_upper_one_is_the_figure():
    stack = MapStack(
        np.arange(6.0)[:, None, None] * np.ones((6, 3, 4)),
        [Channel(f"feature {i}") for i in range(6)],
    )
    # From the bottom: two pictures, of the features 0 to 2 and 3 to 5.
    layers = [
        Image(
            stack.map(i),
            name=f"feature {i} ({colour}) [1]",
            colormap=colour,
            metadata=LayerLink(ScanLink(), stack, i).metadata(),
        )
        for i, colour in enumerate(("red", "green", "blue") * 2)
    ]
    (panel,) = figure_of(layers[::-1]).maps
    assert list(panel.names) == ["feature 3", "feature 4", "feature 5"]
    np.testing.assert_array_equal(panel.values[:, 0, 0], [3, 4, 5])


@pytest.mark.parametrize(("name", "along"), [("IPF x", "x"), ("IPF", "z")])
def test_inverse_pole_figures_have_the_keys_of_the_phases_that_are_there(name, along):
    stack = MapStack(np.zeros((3, 2, 3)), ipf_channels(name))
    layers = [
        Image(
            stack.map(i),
            name=f"{name} {colour}",
            colormap=colour,
            metadata=LayerLink(ScanLink(), stack, i).metadata(),
        )
        for i, colour in enumerate(("red", "green", "blue"))
    ]
    crystals = [Crystal.built_in(one) for one in ("cu", "al", "ti")]
    # None of the second, and one position of none.
    numbers = np.array([[1, 1, 3], [0, 1, 3]])
    orientations = OrientationMap(
        np.tile([1.0, 0, 0, 0], (2, 3, 1)), [one.laue_group for one in crystals], numbers
    )
    readings = OrientationReadings(orientations, tuple(one.phase for one in crystals), None)
    (panel,) = figure_of(layers, readings=readings).maps
    assert [key.name for key in panel.keys] == ["Cu", "Ti"]
    assert panel.heading == f"crystal direction along {along}"
    assert {indices for _, indices in panel.keys[0].corners} == {(0, 0, 1), (1, 0, 1), (1, 1, 1)}
    # Whose orientations nobody knows have the names of the three maps.
    (plain,) = figure_of(layers).maps
    assert not plain.keys
    assert plain.names == [f"{name} {colour}" for colour in ("red", "green", "blue")]
