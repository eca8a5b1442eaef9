"""Walls found on maps that simulated structures and chosen noise make."""

import numpy as np
import pytest

from napari_kikuchi.explore.wall_measures import measure_walls
from napari_kikuchi.explore.walls import NoWallsError, find_walls, walls_are_dark
from napari_kikuchi.jobs import finish
from napari_kikuchi.simulate import make_structure

WIDTH = 0.8  # of the walls of an additive structure, in µm
STEP = (0.5, 0.5)


def structure(step=STEP, side=96, seed=5):
    return make_structure("additive", side, side, step=step, seed=seed)


def noisy(wall, contrast, seed=0):
    return wall + np.random.default_rng(seed).normal(size=wall.shape) / contrast


def found(values, step=STEP, dark=False, **options):
    return finish(find_walls(values, step, dark=dark, **options))


@pytest.mark.parametrize(("contrast", "error"), [(1000, 0.05), (10, 0.05), (5, 0.1)])
@pytest.mark.parametrize("seed", [5, 6])
def test_thickness_and_fraction_are_those_of_the_truth(contrast, error, seed):
    truth = structure(seed=seed)
    walls = found(noisy(truth.wall, contrast))
    assert walls.thickness == pytest.approx(WIDTH, rel=error)
    assert walls.mask.mean() == pytest.approx(np.mean(truth.wall > 0.5), rel=error)
    agree = walls.mask == (truth.wall > 0.5)
    assert agree.mean() > 0.92


@pytest.mark.parametrize("step", [(0.25, 0.25), (0.2, 0.2), (0.5, 0.35)])
def test_thick_walls_and_unequal_steps(step):
    walls = found(noisy(structure(step, 128).wall, 8), step)
    assert walls.thickness == pytest.approx(WIDTH, rel=0.1)


@pytest.mark.parametrize("step", [(0.5, 0.5), (0.5, 0.25), (0.25, 0.5)])
@pytest.mark.parametrize("angle", np.deg2rad([0, 15, 45, 90]))
@pytest.mark.parametrize(("sides", "width"), [((6.1, 6.1), 0.9), ((8.3, 5.2), 0.7)])
def test_figures_are_those_of_drawn_cells_whatever_steps_and_directions(step, angle, sides, width):
    extent = 48
    shape = tuple(round(extent / one) for one in step)
    down, right = np.indices(shape) * np.reshape(step, (2, 1, 1)) + 0.7
    across = (
        down * np.cos(angle) + right * np.sin(angle),
        right * np.cos(angle) - down * np.sin(angle),
    )
    away = [
        np.abs((one + side / 2) % side - side / 2) for one, side in zip(across, sides, strict=True)
    ]
    drawn = np.exp(-4 * np.log(2) * (np.minimum(*away) / width) ** 2)
    walls = found(noisy(drawn, 10), step)
    figures = measure_walls(walls)
    crossings = np.sum([1 / side for side in sides]) * (abs(np.cos(angle)) + abs(np.sin(angle)))
    assert walls.thickness == pytest.approx(width, rel=0.1)
    assert figures.wall_fraction.value == pytest.approx(np.mean(drawn > 0.5), rel=0.1)
    diameter = 2 * np.sqrt(np.prod(sides) / np.pi)
    assert figures.cell_diameter.value == pytest.approx(diameter, rel=0.1)
    assert figures.intercept.value == pytest.approx(2 / crossings, rel=0.1)


def test_strength_is_a_share_of_the_depth_and_distance_is_to_the_middle():
    truth = structure().wall
    walls = found(3 - 0.2 * noisy(truth, 20), dark=True)
    particles = structure().particle > 0
    assert np.median(walls.strength[(truth == 0) & ~particles]) == pytest.approx(0, abs=0.1)
    assert np.median(walls.strength[truth > 0.95]) == pytest.approx(1, abs=0.1)
    between = (truth > 0.1) & (walls.distance < 0.8)
    away = WIDTH / 2 * np.sqrt(-np.log2(truth[between]))
    assert np.median(np.abs(walls.distance[between] - away)) < 0.1 * STEP[0]


def test_it_forgets_unit_offset_and_sign():
    values = noisy(structure().wall, 10).astype(np.float32)
    plain, other = found(values), found(7 - 300 * values, dark=True)
    assert other.thickness == pytest.approx(plain.thickness, rel=1e-3)
    assert (other.mask == plain.mask).mean() > 0.999
    assert (other.cells == plain.cells).mean() > 0.99


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("contrast", [20, 3])
def test_the_sign_of_walls_is_guessed(sign, contrast):
    values = sign * noisy(structure().wall, contrast)
    assert finish(walls_are_dark(values, STEP)) == (sign < 0)


def test_positions_without_a_value_are_in_no_wall_and_no_cell():
    truth = structure()
    values = noisy(truth.wall, 10)
    values[:40, :30] = values[60, 60] = np.nan
    walls = found(values)
    missing = np.isnan(values)
    assert np.isnan(walls.strength[missing]).all()
    assert np.isnan(walls.distance[missing]).all()
    assert not walls.mask[missing].any()
    np.testing.assert_array_equal(walls.cells == 0, missing)
    assert walls.thickness == pytest.approx(WIDTH, rel=0.07)


def test_borders_end_cells_but_make_no_wall():
    truth = structure()
    values = noisy(truth.wall, 10)
    halves = np.repeat([[1, 2]], 96, axis=0).repeat(48, axis=1)
    walls, alone = found(values, borders=halves), found(values)
    np.testing.assert_array_equal(walls.mask, alone.mask)
    assert walls.cells.max() > alone.cells.max()
    assert not set(walls.cells[:, :48].ravel()) & set(walls.cells[:, 48:].ravel())


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(1).normal(size=(80, 80)),
        np.zeros((40, 40)),
        np.full((40, 40), np.nan),
        np.arange(1600.0).reshape(40, 40)
        + np.random.default_rng(1).normal(scale=50, size=(40, 40)),
        np.zeros((1, 1)),
        np.random.default_rng(1).normal(size=(3, 5)),
    ],
    ids=["noise", "constant", "nothing", "slope", "one position", "tiny"],
)
@pytest.mark.parametrize("dark", [True, False])
def test_a_map_without_walls_is_refused(values, dark):
    with pytest.raises(NoWallsError, match="Choose a map"):
        found(values, dark=dark)


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_walls_looked_for_in_the_wrong_shade_are_refused_or_no_thicker_than_is_looked_at(seed):
    try:
        walls = found(noisy(structure(seed=seed).wall, 10), dark=True)
    except NoWallsError:
        return
    assert walls.thickness <= 2 * walls.profile.reach


def test_borders_of_another_map_are_refused():
    with pytest.raises(ValueError, match=r"\(3, 4\) do not fit a map of shape \(96, 96\)"):
        found(structure().wall, borders=np.zeros((3, 4), int))
