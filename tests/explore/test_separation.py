"""Which maps tell two places apart, on maps whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.explore.places import PlacesError
from napari_kikuchi.explore.separation import separations
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack

ROWS, COLS = 40, 50
WALL = np.array([[row, 25] for row in range(10, 30)])
INTERIOR = np.array([[row, 28] for row in range(10, 30)])


def stack_of(*maps):
    return MapStack(np.stack(maps).astype(np.float32), [Channel(str(i)) for i in range(len(maps))])


def noise(seed=0, spread=1.0):
    return np.random.default_rng(seed).normal(scale=spread, size=(ROWS, COLS))


def wall(height=4.0):
    """One position wide."""
    return height * (np.arange(COLS) == 25) * np.ones((ROWS, 1))


def grains(height=20.0):
    """A boundary between the two places."""
    return height * (np.arange(COLS) > 26) * np.ones((ROWS, 1))


def found(*maps, one=WALL, other=INTERIOR, **options):
    return finish(separations(stack_of(*maps), one, other, **options))


def test_a_wall_is_found_among_noise_and_grains():
    scores = found(noise(1), wall() + noise(2), grains() + noise(3), -wall() + noise(4))
    assert set(np.argsort(-abs(scores))[:2]) == {1, 3}
    assert scores[1] > 2
    assert scores[3] < -2


def test_two_grains_are_told_apart_when_asked_for():
    scores = found(wall(2) + noise(2), grains() + noise(3), fine=False)
    assert abs(scores).argmax() == 1
    assert scores[1] < -8


def test_the_score_is_its_formula():
    values = noise(5)
    (score,) = found(values, fine=False)
    values = values.astype(np.float32)[6:34, 21:33].astype(float)  # as far as surroundings reach
    one, other = values[4:24, 4], values[4:24, 7]
    steps = np.concatenate([np.diff(values, axis=axis).ravel() for axis in (0, 1)])
    spread = np.median(abs(steps)) / 0.67448975 / np.sqrt(2)
    expected = (one.mean() - other.mean()) / np.sqrt((one.var() + other.var()) / 2 + spread**2)
    assert score == pytest.approx(expected)


@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100), seed=st.integers(0, 100))
def test_it_forgets_unit_and_offset_and_turns_with_the_sign(scale, shift, seed):
    values = wall() + noise(seed)
    (plain,) = found(values)
    (other,) = found(scale * (values.astype(np.float32) + shift))
    assert other == pytest.approx(plain, rel=0.02, abs=1e-3)
    np.testing.assert_allclose(found(-values), -plain, rtol=1e-6)
    np.testing.assert_allclose(found(values, one=INTERIOR, other=WALL), -plain, rtol=1e-6)


def test_positions_without_a_value_do_not_count():
    holes = wall() + noise(1)
    (plain,) = found(holes)
    holes[12:15, 25] = holes[20:24, 28] = np.nan
    (score,) = found(holes)
    assert score == pytest.approx(plain, rel=0.3)
    nothing = np.full((ROWS, COLS), np.nan)
    half = wall() + noise(1)
    half[:, 25] = np.nan
    np.testing.assert_array_equal(found(nothing, half), 0)


def test_maps_without_noise_and_places_at_the_edge():
    corner = np.array([[0, 0]])
    flat = np.zeros((ROWS, COLS))
    step = flat.copy()
    step[0, 0] = 1
    scores = found(flat, step, one=corner, other=np.array([[ROWS - 1, COLS - 1]]))
    assert scores[0] == 0
    assert scores[1] == np.inf


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (np.empty((0, 2), int), "empty"),
        (np.array([[0, COLS]]), "40 x 50"),
        (np.array([[-1, 3]]), "beyond"),
    ],
)
def test_places_that_are_none_are_refused(place, told):
    for places in ((place, WALL), (WALL, place)):
        with pytest.raises(PlacesError, match=told):
            found(wall(), one=places[0], other=places[1])


def test_every_map_is_an_update_and_only_what_is_near_is_read():
    class Watched:
        shape = (3, 1000, 1000)
        read = 0

        def __getitem__(self, key):
            _, rows, cols = key
            size = (rows.stop - rows.start, cols.stop - cols.start)
            self.read += size[0] * size[1]
            return np.zeros(size)

    values = Watched()
    stack = MapStack(values, [Channel(name) for name in "abc"])
    updates = []
    finish(separations(stack, WALL, INTERIOR), updates.append)
    assert [(update.done, update.total) for update in updates] == [(1, 3), (2, 3), (3, 3)]
    assert values.read == 3 * 28 * 12


def test_noise_of_a_line_scan_that_repeats_itself_is_seen():
    # Of 300,000 differences every third is 0, and a third of all are looked at.
    line = np.random.default_rng(0).normal(size=300_001)
    line[1::3] = line[:-1:3]
    stack = MapStack(line[None, None], [Channel("a")])
    one, other = np.array([[0, 0], [0, 1]]), np.array([[0, 300_000]])
    (score,) = finish(separations(stack, one, other, fine=False))
    assert abs(score) < 10
