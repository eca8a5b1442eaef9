"""Average patterns, against numpy on all patterns at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from damaged import damaged
from napari_kikuchi.explore.averages import average_pattern, mean_pattern
from napari_kikuchi.jobs import JobWarning, finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import UnreadableScanError


def scan_of(patterns, **options):
    return Scan(ArraySource(np.asarray(patterns)), **options)


def random_patterns(rows=4, cols=30, size=(6, 7), seed=0):
    return np.random.default_rng(seed).integers(100, 4000, (rows, cols, *size)).astype("u2")


def everywhere(scan):
    return np.argwhere(np.ones(scan.map_shape, bool))


@given(seed=st.integers(0, 99), gain=st.floats(0.1, 10))
def test_mean_and_deviation_are_those_of_patterns_present(seed, gain):
    rng = np.random.default_rng(seed)
    present = rng.random((4, 30)) < 0.8
    patterns = (random_patterns(seed=seed) * gain).astype("u2")
    scan = scan_of(patterns, present=present)
    updates = []
    found = finish(average_pattern(scan, everywhere(scan)), updates.append)
    there = patterns[present].astype(float)
    alike = there / there.mean(axis=(1, 2), keepdims=True) * there.mean()
    np.testing.assert_allclose(found.mean, there.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.deviation, alike.std(axis=0, ddof=1), rtol=1e-5)
    assert found.count == present.sum()
    assert [update.done for update in updates] == [64, present.sum()]
    np.testing.assert_array_equal(finish(mean_pattern(scan, everywhere(scan))), found.mean)


def test_brightness_alone_is_no_deviation():
    pattern = random_patterns(1, 1)[0, 0].astype(float)
    scan = scan_of((pattern * np.linspace(0.5, 2, 20)[:, None, None])[None])
    found = finish(average_pattern(scan, everywhere(scan)))
    assert found.deviation.max() < 1e-6 * pattern.max()


def test_faint_differences_of_bright_patterns_are_kept():
    faint = np.random.default_rng(1).normal(size=(1, 200, 8, 8))
    scan = scan_of(1e7 + faint)
    found = finish(average_pattern(scan, everywhere(scan)))
    less_brightness = faint[0] - faint[0].mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found.deviation, less_brightness.std(axis=0, ddof=1), rtol=1e-5)


def test_one_pattern_has_no_deviation_and_a_black_one_does_no_harm():
    patterns = random_patterns()
    patterns[0, 1] = 0
    one = finish(average_pattern(scan_of(patterns), np.array([[2, 3]])))
    np.testing.assert_array_equal(one.mean, patterns[2, 3])
    assert np.isnan(one.deviation).all()
    both = finish(average_pattern(scan_of(patterns), np.array([[2, 3], [0, 1]])))
    np.testing.assert_array_equal(both.mean, patterns[2, 3] / 2)
    assert np.isfinite(both.deviation).all()


@pytest.mark.parametrize("positions", [np.array([[0, 0]]), np.empty((0, 2), int)])
def test_of_nothing_is_an_error(positions):
    scan = scan_of(random_patterns(), present=np.arange(120).reshape(4, 30) > 0, name="steel")
    with pytest.raises(ValueError, match=r"steel: .*no pattern to average"):
        finish(average_pattern(scan, positions))


def test_patterns_that_cannot_be_read_are_left_out_and_told():
    patterns = random_patterns()
    bad = np.zeros((4, 30), bool)
    bad[1, 5] = bad[2, :] = True
    scan = damaged(scan_of(patterns, name="steel"), map(tuple, np.argwhere(bad)))
    with pytest.warns(JobWarning, match="steel: 31 of 120 patterns could not be read"):
        found = finish(average_pattern(scan, everywhere(scan)))
    expected = finish(average_pattern(scan_of(patterns), np.argwhere(~bad)))
    assert found.count == expected.count == 89
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-6)
    np.testing.assert_allclose(found.deviation, expected.deviation, rtol=1e-5)
    with pytest.raises(UnreadableScanError, match="steel: none of 30 patterns"):
        finish(average_pattern(scan, np.argwhere(np.indices((4, 30))[0] == 2)))
