from itertools import pairwise

import numpy as np
import pytest

from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.navigator import Navigator

RNG = np.random.default_rng(0)


class CountingSource(ArraySource):
    """Counts the patterns that are read."""

    read = 0

    def read_run(self, row, start, stop, out=None):
        CountingSource.read += stop - start
        return super().read_run(row, start, stop, out)


@pytest.fixture
def banded():
    """Patterns whose stripes are as strong as their position says, on an uneven background."""
    strength = RNG.uniform(0.05, 0.5, (20, 30, 1, 1))
    y, x = np.mgrid[:40, :40]
    background = 1000 * np.exp(-((y - 20) ** 2 + (x - 15) ** 2) / 500)
    phase = RNG.uniform(0, 2 * np.pi, (20, 30, 1, 1))
    stripes = 1 + strength * np.sin(x / 2 + phase)
    gain = RNG.uniform(0.5, 2, (20, 30, 1, 1))
    return strength[..., 0, 0], (gain * background * stripes).astype(np.uint16)


def test_contrast_follows_the_strength_of_bands_and_not_the_gain(banded):
    strength, patterns = banded
    navigator = Navigator.coarse(Scan(ArraySource(patterns)), patterns=10_000)
    assert navigator.stride == 1
    assert np.corrcoef(navigator.values.ravel(), strength.ravel())[0, 1] > 0.99


def test_coarse_reads_few_patterns_and_fills_the_map(banded):
    _, patterns = banded
    # Rows too long to be read in one go, as those of large scans are.
    scan = Scan(CountingSource(np.tile(patterns, (1, 1, 16, 16))))
    CountingSource.read = 0
    navigator = Navigator.coarse(scan, patterns=50)
    assert CountingSource.read == 5 * 8 <= 50
    assert navigator.stride == 4
    assert np.isfinite(navigator.values).all()
    assert np.unique(navigator.values).size == 40


def test_refining_ends_where_reading_all_ends(banded):
    _, patterns = banded
    scan = Scan(ArraySource(patterns))
    navigator = Navigator.coarse(scan, patterns=30)
    updates = []
    finish(navigator.refine(), updates.append)
    everything = Navigator.coarse(scan, patterns=10_000)
    assert navigator.stride == 1
    # The reference is the mean of what was sampled first: nearly, not exactly, the mean of all.
    assert np.corrcoef(navigator.values.ravel(), everything.values.ravel())[0, 1] > 0.98
    assert updates[-1].done == updates[-1].total == 600 - 3 * 4
    assert all(a.done <= b.done for a, b in pairwise(updates))


def test_refining_stops_before_it_has_read_too_much(banded):
    _, patterns = banded
    scan = Scan(CountingSource(patterns))
    navigator = Navigator.coarse(scan, patterns=30)
    CountingSource.read = 0
    updates = []
    finish(navigator.refine(max_bytes=200 * scan.pattern_bytes), updates.append)
    assert navigator.stride == 2
    assert updates[-1].done == updates[-1].total == 150 - 12


def test_positions_without_a_pattern_stay_empty(banded):
    _, patterns = banded
    present = np.ones((20, 30), bool)
    present[15:] = False
    navigator = Navigator.coarse(Scan(ArraySource(patterns), present=present), patterns=50)
    finish(navigator.refine())
    np.testing.assert_array_equal(np.isnan(navigator.values), ~present)


def test_dark_patterns_have_no_contrast():
    scan = Scan(ArraySource(np.zeros((3, 3, 8, 8), np.uint8)))
    np.testing.assert_array_equal(Navigator.coarse(scan).values, 0)


def test_of_a_stem_scan_it_is_a_virtual_bright_field():
    y, x = np.mgrid[:64, :64]
    beam, spot = np.hypot(y - 30, x - 34) <= 6, np.hypot(y - 30, x - 54) <= 6
    share = RNG.uniform(0, 0.8, (20, 30, 1, 1))
    patterns = (1000 * ((1 - share) * beam + share * spot)).astype(np.uint16)
    scan = Scan(ArraySource(patterns), technique="4D-STEM")
    navigator = Navigator.coarse(scan, patterns=50)
    assert navigator.title == "virtual bright field"
    finish(navigator.refine())
    bright = patterns[..., beam].sum(axis=-1)
    assert np.corrcoef(navigator.values.ravel(), bright.ravel())[0, 1] > 0.999
