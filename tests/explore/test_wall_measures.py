"""Figures and tables of walls, against cells drawn by hand and repeated simulations."""

import numpy as np
import pytest

from napari_kikuchi.explore.wall_measures import measure_walls
from napari_kikuchi.explore.wall_profile import ProfileError, WallProfile
from napari_kikuchi.explore.wall_tables import cell_table, measure_table
from napari_kikuchi.explore.walls import Walls, find_walls
from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate import make_structure

STEP = (0.5, 0.25)


def walls_of(cells, step=STEP, thickness=1.0):
    """Walls along the lines between these cells, 1 µm thick, Gaussian and without noise."""
    from scipy import ndimage

    edge = np.zeros(cells.shape, bool)
    edge[:, 1:] |= cells[:, 1:] != cells[:, :-1]
    edge[1:] |= cells[1:] != cells[:-1]
    distance = np.full(cells.shape, np.inf, np.float32)
    if edge.any():
        distance[:] = ndimage.distance_transform_edt(~edge, sampling=step)
    distance[cells == 0] = np.nan
    strength = np.exp(-4 * np.log(2) * (distance / thickness) ** 2)
    profile = WallProfile.of(distance, strength, 2.0)
    return Walls(strength, distance, cells, profile, thickness, 10.0, step)


def squares():
    """Sixteen cells of 6 µm by 6 µm."""
    numbers = np.arange(1, 17, dtype=np.int32).reshape(4, 4)
    return np.repeat(np.repeat(numbers, 12, axis=0), 24, axis=1)


def test_figures_of_squares_are_those_of_geometry():
    figures = measure_walls(walls_of(squares()))
    assert figures.cell_diameter.value == pytest.approx(np.sqrt(4 * 36 / np.pi))
    # Four are whole, which do not tell how much others vary.
    assert np.isnan(figures.cell_diameter.error)
    # Rows and columns of 24 µm, less one step, cross three walls each.
    length = (24 - STEP[0] + 24 - STEP[1]) / 2
    assert figures.intercept.value == pytest.approx(length / 3)
    assert figures.wall_thickness.value == pytest.approx(1.0, rel=0.01)
    inside = walls_of(squares()).distance <= 0.5
    assert figures.wall_fraction.value == pytest.approx(inside.mean())


def test_the_diameter_of_ten_cells_and_more_has_an_error():
    numbers = np.arange(1, 37, dtype=np.int32).reshape(6, 6)
    heights = [8, 8, 10, 14, 20, 8]
    cells = np.repeat(np.repeat(numbers, heights, axis=0), 16, axis=1)
    diameter = measure_walls(walls_of(cells)).cell_diameter
    inner = np.repeat(np.array(heights[1:-1]) * STEP[0] * 16 * STEP[1], 4)
    expected = np.sqrt(4 * inner / np.pi)
    assert diameter.value == pytest.approx(expected.mean())
    assert diameter.error == pytest.approx(expected.std(ddof=1) / 4)


def test_the_intercept_of_long_cells_does_not_depend_on_the_steps():
    bands = np.repeat(np.arange(1, 9, dtype=np.int32), 12)[:, None] * np.ones(96, np.int32)
    for step in ((0.5, 0.5), (0.5, 0.125), (0.5, 2.0)):
        # Seven of 95 steps down cross a wall, and none to the right: that is half of all ways.
        intercept = measure_walls(walls_of(bands, step)).intercept.value
        assert intercept == pytest.approx(2 * 95 * 0.5 / 7)


def test_positions_without_a_value_do_not_count_and_cut_their_cells():
    cells = squares()
    cells[:, 30:40] = 0
    figures = measure_walls(walls_of(cells))
    known = cells > 0
    assert figures.wall_fraction.value == pytest.approx(walls_of(cells).mask[known].mean())
    assert set(np.flatnonzero(~finish(cell_table(walls_of(cells)))["cut"]) + 1) == {7, 11}


def test_errors_tell_how_far_maps_of_the_same_kind_differ():
    figures = []
    for seed in range(12):
        truth = make_structure("additive", 80, 80, seed=seed, grain_size=(500.0, 500.0))
        values = truth.wall + np.random.default_rng(seed).normal(size=truth.wall.shape) / 8
        figures.append(measure_walls(finish(find_walls(values, (0.5, 0.5), dark=False))))
    for name in ("wall_fraction", "wall_thickness", "cell_diameter", "intercept"):
        several = [getattr(one, name) for one in figures]
        spread = np.std([one.value for one in several], ddof=1)
        told = np.median([one.error for one in several])
        assert spread / 3 < told < spread * 3, name


def test_one_cell_has_no_intercept_and_no_error():
    figures = measure_walls(walls_of(np.ones((20, 20), np.int32)))
    for name in ("wall_thickness", "cell_diameter", "intercept"):
        assert np.isnan(getattr(figures, name).value)
    assert figures.wall_fraction.value == 0


@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_the_table_tells_size_and_direction_of_an_ellipse(angle):
    down, right = np.indices((120, 240)) * np.reshape(STEP, (2, 1, 1))
    down, right = down - 25, right - 35
    turn = np.deg2rad(angle)
    along, across = (
        right * np.cos(turn) - down * np.sin(turn),
        right * np.sin(turn) + down * np.cos(turn),
    )
    cells = np.where((along / 12) ** 2 + (across / 4) ** 2 < 1, 2, 1).astype(np.int32)
    table = finish(cell_table(walls_of(cells)))
    row = {name: values[1] for name, values in table.items()}
    assert row["cell"] == 2
    assert not row["cut"]
    assert (row["down (µm)"], row["right (µm)"]) == pytest.approx((25, 35), abs=0.1)
    assert row["area (µm²)"] == pytest.approx(np.pi * 48, rel=0.02)
    assert row["diameter (µm)"] == pytest.approx(2 * np.sqrt(48), rel=0.01)
    assert row["aspect ratio"] == pytest.approx(3, rel=0.03)
    assert (row["direction (°)"] - angle + 90) % 180 - 90 == pytest.approx(0, abs=1)


def test_the_table_of_figures_names_each_with_its_unit():
    figures = measure_walls(walls_of(squares()))
    table = measure_table(figures)
    assert table["measure"] == ["wall fraction", "wall thickness", "cell diameter", "intercept"]
    assert table["unit"] == ["", "µm", "µm", "µm"]
    assert table["value"][2] == figures.cell_diameter.value
    assert table["standard error"][1] == figures.wall_thickness.error


def test_a_profile_tells_its_gaussian_and_parts_add_up():
    distance = np.random.default_rng(0).uniform(0, 2, 5000)
    values = 0.2 + 3 * np.exp(-4 * np.log(2) * (distance / 0.9) ** 2)
    profile = WallProfile.of(distance, values, 2.0)
    assert profile.fit() == pytest.approx((3, 0.9, 0.2), rel=0.01)
    half = WallProfile.of(distance[:2500], values[:2500], 2.0)
    rest = WallProfile.of(distance[2500:], values[2500:], 2.0)
    np.testing.assert_allclose((profile - half).mean, rest.mean)
    with pytest.raises(ProfileError, match="too few"):
        WallProfile.of([0.1, np.nan, 3], [1, 1, 1], 2.0).fit()
