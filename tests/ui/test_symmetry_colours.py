"""Colours of space groups: that people tell them apart, wherever they are shown."""

from itertools import combinations

import numpy as np
import pytest
from skimage.color import rgb2lab

from napari_kikuchi.symmetry.classes import CLASSES, SIX_GROUPS
from napari_kikuchi.symmetry.summary import SYMBOLS
from napari_kikuchi.ui.symmetry_colours import group_colour


def rgb(colour):
    """Parts of a colour that is written as on a web page."""
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def contrasts(colours):
    """How far colours are from each other, to people of normal sight and to colour-blind ones.

    By a simulation of the three kinds of colour blindness, after Viénot and Brettel.
    """
    kinds = (
        np.eye(3),
        [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
        [[1, 0.1446, -0.1446], [0, 0.8596, 0.1404], [0, 0.8596, 0.1404]],
    )
    colours = np.array([rgb(one) for one in colours])
    linear = np.where(colours < 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    for kind in kinds:
        seen = np.clip(linear @ np.transpose(kind), 0, 1)
        lab = rgb2lab(np.clip(1.055 * seen ** (1 / 2.4) - 0.055, 0, 1))
        apart = np.linalg.norm(lab[:, None] - lab, axis=-1)
        yield apart + np.diag(np.full(len(lab), np.inf))


def test_colour_blind_people_tell_the_groups_apart():
    for apart in contrasts(group_colour(one) for one in (0, *SIX_GROUPS)):
        assert apart.min() > 15


def test_each_class_has_a_colour_of_its_own():
    normal, *blind = contrasts(group_colour(one) for one in (0, *CLASSES))
    assert normal.min() > 25
    assert min(apart.min() for apart in blind) > 11
    # Of the same lattice, with the same symbol's first letter.
    numbers = list(CLASSES)
    for one, other in combinations(numbers, 2):
        if SYMBOLS[one][0] == SYMBOLS[other][0]:
            assert normal[1 + numbers.index(one), 1 + numbers.index(other)] > 30


def test_the_most_frequent_groups_keep_their_colours():
    colours = ["#e8d35e", "#86dcf5", "#3d6cc0", "#3bb273", "#e4584c", "#8f2d8f"]
    assert [group_colour(one) for one in SIX_GROUPS] == colours


def test_a_group_of_no_class_has_a_colour_as_well():
    others = [one for one in range(1, 231) if one not in CLASSES]
    colours = [group_colour(one) for one in others]
    assert all(rgb(one) for one in colours)
    assert len({*colours, *(group_colour(one) for one in (0, *CLASSES))}) > 200
    assert group_colour(216) == group_colour(216) != group_colour(225)


@pytest.mark.parametrize("window", ["#262930", "#efebe9"])
def test_the_colour_of_what_is_unlike_is_seen_in_dark_and_light_windows(window):
    assert next(contrasts([group_colour(0), window])).min() > 35
