"""Cells between walls that are drawn by hand."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_kikuchi.explore.cells import cut_cells, divide_into_cells
from napari_kikuchi.jobs import finish

KNOWN = np.ones((37, 49), bool)


def lattice():
    """Walls around twelve cells, each twelve positions wide."""
    walls = np.zeros(KNOWN.shape)
    walls[::12] = walls[:, ::12] = 1
    return walls


def smooth(walls, noise=0.02):
    rough = walls + np.random.default_rng(0).normal(scale=noise, size=walls.shape)
    return ndimage.gaussian_filter(rough, 0.7)


def divided(*height_known_borders):
    return finish(divide_into_cells(*height_known_borders))


def middles(cells):
    return cells[6::12, 6::12]


def test_each_cell_is_found_up_to_its_walls():
    cells = divided(smooth(lattice()), KNOWN)
    assert np.unique(middles(cells)).size == 12
    assert cells.min() == 1
    assert cells.max() == 12
    for row, col in np.ndindex(3, 4):
        inside = cells[12 * row + 1 : 12 * row + 12, 12 * col + 1 : 12 * col + 12]
        assert (inside == middles(cells)[row, col]).all()


def test_a_gap_in_a_wall_is_bridged_and_a_wall_that_is_mostly_gap_is_none():
    walls = lattice()
    walls[5:7, 12] = 0
    walls[2:11, 24] = 0
    cells = middles(divided(smooth(walls), KNOWN))
    assert cells[0, 0] != cells[0, 1]
    assert cells[0, 1] == cells[0, 2]
    assert np.unique(cells).size == 11


def test_a_dent_in_a_wall_is_no_cell():
    walls = lattice()
    walls[12, 6] = walls[6, 24] = 0.8
    assert divided(smooth(walls, 0.0), KNOWN).max() == 12


def test_cells_end_at_borders_where_no_wall_is():
    grains = np.where(np.arange(49) < 18, 7, -2) * np.ones((37, 1), int)
    cells = divided(smooth(lattice()), KNOWN, grains)
    assert cells.max() == 15
    for number in range(1, 16):
        assert np.unique(grains[cells == number]).size == 1


def test_positions_without_a_value_belong_to_no_cell():
    known = KNOWN.copy()
    known[:, 20:30] = False
    cells = divided(smooth(lattice()), known)
    np.testing.assert_array_equal(cells > 0, known)


@given(seed=st.integers(0, 1000), parts=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_cells_are_in_one_piece_and_numbered_without_gaps(seed, parts):
    rng = np.random.default_rng(seed)
    height = ndimage.gaussian_filter(rng.normal(size=(30, 20)), 1)
    known = rng.random(height.shape) > 0.02
    cells = divided(height, known, rng.integers(0, parts, (30, 1)) * np.ones(20, int))
    numbers = np.unique(cells[known])
    np.testing.assert_array_equal(numbers, np.arange(1, len(numbers) + 1))
    for number in numbers:
        assert ndimage.label(cells == number, np.ones((3, 3)))[1] == 1


def test_a_flat_map_is_one_cell():
    np.testing.assert_array_equal(divided(np.zeros(KNOWN.shape), KNOWN), 1)


def test_cells_at_the_border_or_beside_nothing_are_cut():
    cells = np.repeat(np.repeat(np.arange(1, 17).reshape(4, 4), 5, axis=0), 5, axis=1)
    assert set(np.flatnonzero(~cut_cells(cells))) == {0, 6, 7, 10, 11}
    cells[7, 7] = 0
    assert set(np.flatnonzero(~cut_cells(cells))) == {0, 7, 10, 11}
