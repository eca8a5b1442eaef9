"""A scan over patterns in memory."""

import pickle

import numpy as np
import pytest

from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Block, Scan


@pytest.fixture
def patterns():
    return np.arange(3 * 4 * 5 * 6, dtype=np.uint16).reshape(3, 4, 5, 6)


def test_scan_over_an_array_reads_what_the_array_holds(patterns):
    scan = Scan(ArraySource(patterns))
    assert scan.shape == (3, 4, 5, 6)
    assert scan.dtype == np.uint16
    np.testing.assert_array_equal(scan.read(2, 1), patterns[2, 1])
    block = Block(slice(1, 3), slice(2, 4))
    np.testing.assert_array_equal(scan.read_block(block), patterns[1:3, 2:4])
    np.testing.assert_array_equal(scan.patterns[1:, 2].compute(), patterns[1:, 2])


def test_array_source_travels_to_another_process(patterns):
    source = pickle.loads(pickle.dumps(ArraySource(patterns)))
    np.testing.assert_array_equal(source.read_run(1, 0, 2), patterns[1, :2])


def test_array_source_refuses_an_array_without_a_grid(patterns):
    with pytest.raises(ValueError, match=r"\(rows, columns, height, width\), not \(4, 5, 6\)"):
        ArraySource(patterns[0])
