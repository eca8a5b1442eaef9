"""Pixels that are not finite: counted, and replaced by what is around them."""

import numpy as np
import pytest

from napari_kikuchi.io.origin import unreadable_told
from napari_kikuchi.io.provenance import checked_provenance
from napari_kikuchi.not_finite import NotFinite, with_replaced
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan


@pytest.fixture
def patterns():
    return np.random.default_rng(0).random((5, 20, 24)).astype(np.float32)


def test_whole_patterns_stay_as_they_are(patterns):
    assert with_replaced(patterns) is patterns
    counts = (1000 * patterns).astype(np.uint16)
    assert with_replaced(counts) is counts
    assert NotFinite.of(patterns) == NotFinite.of(counts) == NotFinite()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_dead_pixel_becomes_the_median_around_it(patterns, value):
    broken = patterns.copy()
    broken[:, 8, 9] = broken[2, 0, 0] = value
    assert NotFinite.of(broken) == NotFinite(5, 6)
    found = with_replaced(broken)
    assert found.dtype == np.float32
    for pattern, replaced in zip(broken, found, strict=True):
        square = pattern[6:11, 7:12]
        assert replaced[8, 9] == np.float32(np.median(square[np.isfinite(square)]))
    corner = broken[2, :3, :3]
    assert found[2, 0, 0] == np.float32(np.median(corner[np.isfinite(corner)]))
    whole = np.isfinite(broken)
    np.testing.assert_array_equal(found[whole], patterns[whole])
    assert not np.isfinite(broken).all(), "what was given is changed"


def test_gaps_are_filled_from_their_edges():
    ramp = np.broadcast_to(np.linspace(0, 99, 100), (1, 100, 100)).copy()
    ramp[:, :, 40:50] = np.nan
    ramp[:, 10:90, 60:] = np.nan
    found = with_replaced(ramp)
    assert np.isfinite(found).all()
    # Each from its own side, and none from far away.
    assert found[0, 50, 40:45].max() < 41
    assert found[0, 50, 45:50].min() > 48
    assert found[0, 50, 99] == pytest.approx(np.nanmedian(ramp), abs=15)


def test_a_pattern_without_a_finite_pixel_cannot_be_read(patterns):
    patterns[3] = np.nan
    patterns[4] = np.inf
    patterns[4, 7, 7] = 1.0
    scan = Scan(ArraySource(patterns[None]))
    found, readable = scan.read_readable(np.argwhere(np.ones((1, 5))))
    assert readable.tolist() == [True, True, True, False, True]
    assert NotFinite.of(found[readable]) == NotFinite(1, 20 * 24 - 1)
    assert (with_replaced(patterns[3:]) == [[[0]], [[1]]]).all()


def test_what_became_of_them_is_told_in_words():
    record = NotFinite(2, 3000).record("they are left out")
    assert unreadable_told(checked_provenance(record)) == (
        "No finite number is in 3,000 pixels of 2 patterns: they are left out."
    )
    assert NotFinite().record("they are left out") == {}
    with pytest.raises(ValueError, match="pixels in not_finite"):
        checked_provenance({"not_finite": {"patterns": 2, "fate": "gone"}})
