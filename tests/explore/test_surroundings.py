"""Maps less their surroundings: walls stay, grains go."""

import numpy as np
from scipy import ndimage

from napari_kikuchi.explore.surroundings import less_surroundings, local_difference
from napari_kikuchi.jobs import finish

ROW, COL = np.indices((64, 64))
WALLS = ((ROW % 8 == 0) | (COL % 8 == 0)).astype(np.float32)
GRAINS = ((ROW // 32 + COL // 32) % 2).astype(np.float32)


def test_the_local_difference_keeps_walls_and_loses_grains():
    inside = (slice(5, 27), slice(5, 27))
    difference = local_difference(5 * GRAINS + WALLS)
    np.testing.assert_array_equal(difference[inside], WALLS[inside])


def test_the_local_difference_goes_around_missing_positions():
    values = GRAINS + WALLS
    values[10:12, 10:20] = np.nan
    difference = local_difference(values)
    np.testing.assert_array_equal(np.isnan(difference), np.isnan(values))
    assert np.nanmax(np.abs(difference[5:27, 5:27] - WALLS[5:27, 5:27])) == 0
    assert np.isnan(local_difference(np.full((4, 5), np.nan))).all()


def test_rows_at_a_time_are_those_of_the_whole_map():
    values = np.random.default_rng(0).normal(size=(100, 30)).astype(np.float32)
    updates = []
    difference = finish(less_surroundings(values, (9, 17)), updates.append)
    np.testing.assert_array_equal(
        difference, values - ndimage.median_filter(values, (9, 17), mode="nearest")
    )
    assert [update.done for update in updates] == [32, 64, 96, 100]


def test_of_a_large_square_fewer_positions_tell_nearly_the_same():
    values = np.random.default_rng(0).normal(size=(60, 60)).astype(np.float32)
    less = values - finish(less_surroundings(values, (27, 27)))
    whole = ndimage.median_filter(values, 27, mode="nearest")
    # The median of 81 values of deviation 1 is known to 0.14.
    assert np.std((less - whole)[14:-14, 14:-14]) < 0.16
