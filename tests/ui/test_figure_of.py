"""What is seen in the window, as the content of a figure."""

import numpy as np
from napari.layers import Image

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
