"""What a region says of a map, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.explore.places import PlacesError
from napari_kikuchi.explore.regions import describe, describe_every_map, histograms
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack

STEP = (0.5, 0.2)


def random_map(seed=0, shape=(20, 30), missing=0.2):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    values[rng.random(shape) < missing] = np.nan
    return values


def random_place(seed, shape=(20, 30), share=0.3):
    mask = np.random.default_rng(seed + 1000).random(shape) < share
    mask[3, 4] = True
    return mask, np.argwhere(mask)


@given(seed=st.integers(0, 200), share=st.floats(0, 1))
def test_a_region_is_described_by_its_values(seed, share):
    values = random_map(seed)
    values[3, 4] = 1
    mask, place = random_place(seed, share=share)
    there = sorted(values[mask & np.isfinite(values)])
    found = describe(values, place, STEP)
    assert found.count == len(there)
    assert found.area == pytest.approx(len(there) * 0.5 * 0.2)
    assert found.mean == pytest.approx(sum(there) / len(there))
    squares = [(value - found.mean) ** 2 for value in there]
    assert found.deviation == pytest.approx(np.sqrt(sum(squares) / len(there)), abs=1e-12)
    expected = np.interp([0.05, 0.5, 0.95], np.linspace(0, 1, len(there)), there)
    assert [found.low, found.median, found.high] == pytest.approx(expected)


def test_one_position_and_none_with_a_value_are_answers():
    values = random_map(missing=0)
    values[2, 2] = np.nan
    one = describe(values, np.array([[1, 5]]), STEP)
    figures = (one.mean, one.median, one.low, one.high)
    assert figures == pytest.approx([values[1, 5]] * 4)
    assert (one.count, one.deviation) == (1, 0)
    none = describe(values, np.array([[2, 2]]), STEP)
    assert (none.count, none.area) == (0, 0)
    assert np.isnan([none.mean, none.deviation, none.median, none.low, none.high]).all()


@pytest.mark.parametrize(
    ("place", "told"), [(np.empty((0, 2), int), "empty"), (np.array([[0, 30]]), "20 x 30")]
)
def test_regions_that_are_none_are_refused(place, told):
    values = random_map()
    stack = MapStack(values[None], [Channel("a")])
    for ask in (
        lambda: describe(values, place, STEP),
        lambda: histograms(values, [place], 5),
        lambda: finish(describe_every_map(stack, place)),
    ):
        with pytest.raises(PlacesError, match=told):
            ask()


def test_each_map_is_read_alone_and_no_further_than_the_region():
    class Watched:
        shape = (3, 20, 30)
        maps = np.stack([random_map(seed) for seed in range(3)])
        read = 0

        def __getitem__(self, key):
            part = self.maps[key]
            self.read += part.size
            return part

    values = Watched()
    stack = MapStack(values, [Channel(name) for name in "abc"], STEP)
    place = np.array([[row, col] for row in (5, 7, 8) for col in (10, 13)])
    updates = []
    found = finish(describe_every_map(stack, place), updates.append)
    assert found == [describe(one, place, STEP) for one in Watched.maps]
    assert [(update.done, update.total) for update in updates] == [(1, 3), (2, 3), (3, 3)]
    assert values.read == 3 * 4 * 4


@given(
    seed=st.integers(0, 200), bins=st.integers(1, 50), shares=st.lists(st.floats(0, 1), max_size=2)
)
def test_every_value_is_counted_once_in_a_bin_of_its_own(seed, bins, shares):
    values = random_map(seed)
    masks, places = [], []
    for i, share in enumerate(shares):
        mask, place = random_place(seed + i, share=share)
        masks.append(mask)
        places.append(place)
    found = histograms(values, places, bins)
    rest = ~np.logical_or.reduce([np.zeros(values.shape, bool), *masks])
    assert found.edges.shape == (bins + 1,)
    assert found.places.shape == (len(places), bins)
    for mask, counts in zip([*masks, rest], [*found.places, found.rest], strict=True):
        there = values[mask & np.isfinite(values)]
        inner = [np.sum(there < edge) for edge in found.edges[1:-1]]
        np.testing.assert_array_equal(counts, np.diff([0, *inner, len(there)]))


def test_a_small_bright_place_is_not_lost_in_a_large_map():
    values = np.random.default_rng(0).normal(size=(300, 400))
    place = np.array([[7, col] for col in range(9)])
    values[7, :9] = 100
    values[200, 200] = 1e9
    found = histograms(values, [place], 100)
    assert found.edges[-1] == pytest.approx(100, rel=0.01)
    assert found.places[0].argmax() > 95
    assert found.rest[-1] == 1


@pytest.mark.parametrize("value", [3.0, np.nan])
def test_maps_that_say_nothing_have_histograms(value):
    found = histograms(np.full((4, 5), value), [np.array([[0, 0]])], 10)
    expected = int(np.isfinite(value))
    assert (found.places.sum(), found.rest.sum()) == (expected, 19 * expected)
    assert (np.diff(found.edges) > 0).all()
