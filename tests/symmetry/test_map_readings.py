"""What maps of symmetry tell of a position, whoever has written them."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.symmetry.map_readings import (
    SymmetryReading,
    SymmetryReadings,
    group_numbers,
    group_shares,
    has_symmetry,
)
from napari_kikuchi.symmetry.summary import match_told, reading_told, symmetry_told
from symmetry_maps import Masters, symmetry_scan, symmetry_stack


@pytest.fixture(scope="module")
def stack():
    return symmetry_stack(symmetry_scan(Masters())[0])


def test_each_position_tells_its_group_and_all_that_go_with_its_grain(stack):
    assert has_symmetry(stack)
    readings = SymmetryReadings.of(stack)
    # One pattern by itself finds 221 likelier, its grain does not.
    assert stack.map(stack.names.index("probability 221"))[0, 0] > 0.6
    assert readings.at(0, 0) == SymmetryReading(225, pytest.approx(0.6), (225, 221), 1)
    assert readings.at(7, 3) == SymmetryReading(225, pytest.approx(0.6), (225, 221), 1)
    assert readings.at(5, 5) == SymmetryReading(229, pytest.approx(0.95), (229,), 2)
    assert readings.at(5, 9) == SymmetryReading(0, 0.0, (), 0)
    assert readings.at(5, 11) is None
    np.testing.assert_array_equal(readings.positions(2)[[0, -1]], [[0, 4], [7, 7]])


def test_shares_are_those_of_what_was_recorded(stack):
    groups = group_numbers(stack.map(0))
    shares = group_shares(groups)
    assert [group for group, _ in shares] == [225, 229, 0]
    assert [share for _, share in shares] == pytest.approx([4 / 11, 4 / 11, 3 / 11])
    assert group_shares(np.full((2, 2), -1)) == []
    assert symmetry_told(stack)[0] == "36.4% 225 (Fm-3m), confidence 0.60"


def test_a_part_of_the_maps_tells_as_much_as_it_can(stack):
    few = replace(stack, values=stack.values[:1], channels=stack.channels[:1])
    reading = SymmetryReadings.of(few).at(0, 0)
    assert (reading.group, reading.compatible, reading.grain) == (225, (), 0)
    assert np.isnan(reading.confidence)
    assert not has_symmetry(replace(stack, provenance={}))
    assert not has_symmetry(replace(stack, provenance={"symmetry": 3}))


def test_what_no_map_of_symmetry_holds_is_nothing():
    values = np.array([np.nan, np.inf, -3, 1e30, 231, 0, 230])
    assert group_numbers(values).tolist() == [-1, -1, -1, -1, -1, 0, 230]


def test_damaged_numbers_of_grains_and_groups_do_no_harm(stack):
    values = stack.values.copy()
    names = stack.names
    values[names.index("grain"), 0, 0] = 1e9
    values[names.index("compatible groups"), :, 0:4] = 1e9
    values[names.index("probability 225"), 1, 0] = np.nan
    readings = SymmetryReadings.of(replace(stack, values=values))
    assert readings.at(0, 0).grain == 0
    assert set(readings.at(1, 0).compatible) == {221, 225, 229}


def test_words_name_the_group_how_sure_it_is_and_what_else_it_may_be():
    assert (
        reading_told(SymmetryReading(225, 0.912, (225, 221), 1))
        == "225 (Fm-3m)  ·  confidence 0.91  ·  or 221"
    )
    assert reading_told(SymmetryReading(229, 0.95, (229,), 2)) == "229 (Im-3m)  ·  confidence 0.95"
    assert reading_told(SymmetryReading(0, 0.0, (), 0)) == "unlike cubic crystals"
    match = SimpleNamespace(index=0, name="Ni", group=225, correlation=0.8149)
    assert match_told(match) == "best match: Ni, Fm-3m, correlation 0.81"


def test_the_order_of_groups_is_that_of_the_vote(stack):
    """Bands alone find 225 likelier than 205; what repeats says m-3."""
    names = ["symmetry", "confidence", "compatible groups", "probability 205", "probability 225"]
    names += ["repeated", "repeated in m-3", "repeated by threefold axes", "signal", "grain"]
    values = [205, 0.9, 2, 0.3, 0.7, 0.2, 0.3, 0.3, 0.3, 1]
    trust = {"groups": [205, 225], "trust": [1.0, 0.0, 0.1, 40.0, 0.0, 0.5]}
    maps = MapStack(
        np.array(values, np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32),
        [Channel(name) for name in names],
        stack.step,
        {"symmetry": trust},
    )
    assert SymmetryReadings.of(maps).at(0, 0).compatible == (205, 225)
    # Of maps that do not tell how votes were counted, bands alone tell.
    for told in ({}, {"trust": "much"}, {"trust": [1.0, float("nan"), 0, 0, 0, 0]}):
        unknown = replace(maps, provenance={"symmetry": told})
        assert SymmetryReadings.of(unknown).at(0, 0).compatible == (225, 205)
