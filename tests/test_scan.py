"""A scan reads what is asked for and nothing else."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.pattern_source import ArraySource, put
from napari_kikuchi.scan import BLOCK_BYTES, MAX_CHUNKS, Block, Scan, squares


class CountingSource:
    """Patterns that name their position, and a record of what was read."""

    def __init__(self, shape, dtype="u2"):
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.runs = []

    def read_run(self, row, start, stop, out=None):
        self.runs.append((row, start, stop))
        numbers = row * self.shape[1] + np.arange(start, stop)
        shape = (stop - start, *self.shape[2:])
        return put(np.broadcast_to(numbers.astype(self.dtype)[:, None, None], shape), out)


@pytest.fixture
def small():
    return Scan(CountingSource((5, 7, 4, 6)))


def test_opening_the_stack_reads_nothing(small):
    assert small.patterns.shape == (5, 7, 4, 6)
    assert small.source.runs == []


def test_one_pattern_of_the_largest_map_reads_that_pattern_only():
    scan = Scan(CountingSource((1000, 900, 480, 480)))
    pattern = scan.patterns[17, 421].compute()
    assert scan.source.runs == [(17, 421, 422)]
    assert (pattern == (17 * 900 + 421) % 2**16).all()


@pytest.mark.parametrize(
    "index",
    [
        np.s_[2, 3],
        np.s_[-1, -1],
        np.s_[1, 2:5],
        np.s_[1:4, 2],
        np.s_[::2, ::3],
        np.s_[::-1, 5:1:-2],
        np.s_[[3, 1], 2],
        np.s_[2, [4, 0]],
        np.s_[2, 3, 1:3, ::-2],
        np.s_[2:2],
    ],
)
def test_the_stack_slices_like_an_array(small, index):
    expected = small.read_block(Block(slice(0, 5), slice(0, 7)))[index]
    small.source.runs.clear()
    np.testing.assert_array_equal(small.patterns[index].compute(), expected)
    rows = set(np.arange(5)[index[0] if isinstance(index, tuple) else index].ravel())
    assert {row for row, *_ in small.source.runs} == rows


def test_the_stack_slices_on_several_threads(small):
    whole = small.patterns.compute(scheduler="threads", num_workers=4)
    np.testing.assert_array_equal(whole[..., 0, 0], np.arange(35).reshape(5, 7))


@pytest.mark.parametrize(
    "shape", [(1000, 900, 480, 480), (900, 1000, 60, 60), (1, 1, 60, 60), (25_000, 3, 8, 8)]
)
def test_chunks_are_few_and_hold_whole_patterns(shape):
    patterns = Scan(CountingSource(shape)).patterns
    assert patterns.npartitions <= MAX_CHUNKS
    assert patterns.chunksize[2:] == shape[2:]


def test_chunks_of_different_sources_have_different_names():
    names = {Scan(ArraySource(np.full((1, 1, 2, 2), value))).patterns.name for value in (1, 2)}
    assert len(names) == 2


@pytest.mark.parametrize("position", [(-1, 0), (5, 0), (0, 7), (0, -1)])
def test_a_position_outside_the_scan_is_an_error(small, position):
    with pytest.raises(IndexError, match="5 rows x 7 columns"):
        small.read(*position)


@given(
    rows=st.integers(1, 12),
    cols=st.integers(1, 12),
    pattern_bytes=st.integers(1, 40),
    max_bytes=st.integers(1, 400),
)
def test_blocks_cover_every_position_once_within_the_limit(rows, cols, pattern_bytes, max_bytes):
    scan = Scan(CountingSource((rows, cols, 1, pattern_bytes), "u1"))
    seen = np.zeros((rows, cols), int)
    for block in scan.blocks(max_bytes):
        seen[block.rows, block.cols] += 1
        assert block.shape == seen[block.rows, block.cols].shape
        assert np.prod(block.shape) * pattern_bytes <= max(max_bytes, pattern_bytes)
    assert (seen == 1).all()


def test_blocks_of_the_largest_map_stay_small():
    scan = Scan(CountingSource((1000, 900, 480, 480)))
    largest = max(np.prod(block.shape) for block in scan.blocks())
    assert largest * scan.pattern_bytes <= BLOCK_BYTES


@given(positions=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=30))
def test_positions_are_read_in_file_order_and_returned_in_their_own(positions):
    scan = Scan(CountingSource((5, 7, 4, 6)))
    patterns = scan.read_positions(np.array(positions))
    assert patterns[:, 0, 0].tolist() == [row * 7 + col for row, col in positions]
    assert scan.source.runs == sorted(scan.source.runs)


@given(n=st.integers(1, 40), seed=st.integers(0, 5), absent=st.integers(0, 20))
def test_drawn_positions_are_distinct_present_and_repeatable(n, seed, absent):
    present = np.arange(35).reshape(5, 7) >= absent
    scan = Scan(CountingSource((5, 7, 4, 6)), present=present)
    drawn = scan.draw(n, seed)
    assert len(drawn) == min(n, 35 - absent)
    assert len({tuple(position) for position in drawn}) == len(drawn)
    assert present[tuple(drawn.T)].all()
    np.testing.assert_array_equal(drawn, scan.draw(n, seed))


def test_another_seed_draws_other_positions(small):
    assert not np.array_equal(small.draw(10, seed=0), small.draw(10, seed=1))


def test_count_leaves_out_absent_positions():
    present = np.ones((5, 7), bool)
    present[4, 2:] = False
    assert Scan(CountingSource((5, 7, 4, 6)), present=present).count == 30


def test_fingerprint_tells_scans_apart_and_survives_pickling():
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 255, (3, 4, 5, 6), dtype=np.uint8)
    scan = Scan(ArraySource(patterns))
    assert pickle.loads(pickle.dumps(scan)).fingerprint() == scan.fingerprint()
    changed = patterns.copy()
    changed[0, 0, 0, 0] ^= 1
    assert Scan(ArraySource(changed)).fingerprint() != scan.fingerprint()
    assert Scan(ArraySource(patterns[:, :3])).fingerprint() != scan.fingerprint()


@pytest.mark.parametrize("present", [None, np.arange(2000) < np.tile([2000, 1999], 750)[:, None]])
def test_a_scan_travels_light(present):
    scan = Scan(CountingSource((1500, 2000, 4, 6)), step=(0.5, 0.25), name="weld", present=present)
    assert scan.patterns.npartitions > 1000  # which stays here
    packed = pickle.dumps(scan)
    assert len(packed) < 10_000
    there = pickle.loads(packed)
    assert (there.name, there.step, there.shape) == ("weld", (0.5, 0.25), scan.shape)
    assert (there.present is None) == (present is None)
    if present is not None:
        np.testing.assert_array_equal(there.present, present)
        assert there.count == 2_999_250


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50))
def test_squares_cover_a_map_once(rows, cols, side):
    covered = np.zeros((rows, cols), int)
    for block in squares((rows, cols), side):
        assert 0 < min(block.shape) <= max(block.shape) <= side
        covered[block.rows, block.cols] += 1
    assert (covered == 1).all()
