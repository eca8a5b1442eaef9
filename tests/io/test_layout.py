"""Which stored pattern lies at which position."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.io import PatternFileError, UnknownGridError
from napari_kikuchi.io.layout import Candidate, Layout, Stored, choose_layout


def numbers(layout):
    """Number of the stored pattern at each position, -1 without one; written out plainly."""
    grid = np.full(layout.map_shape, -1)
    for row, (start, count) in enumerate(zip(layout.starts, layout.counts, strict=True)):
        grid[row, :count] = np.arange(start, start + count)
    return grid


def stored(size, offset=16, pattern_bytes=10):
    return Stored(Path("scan.up1"), size, offset, pattern_bytes)


def test_alternating_rows():
    layout = Layout.alternating(3, 4, 3)
    assert layout.count == 11
    assert numbers(layout).tolist() == [[0, 1, 2, 3], [4, 5, 6, -1], [7, 8, 9, 10]]
    assert layout.present.tolist() == [[True] * 4, [True] * 3 + [False], [True] * 4]


def test_longer_second_rows():
    layout = Layout.alternating(3, 3, 4)
    assert layout.map_shape == (3, 4)
    assert numbers(layout).tolist() == [[0, 1, 2, -1], [3, 4, 5, 6], [7, 8, 9, -1]]


def test_whole_grid_lacks_nothing():
    assert Layout.regular(5, 6).present is None


@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=9),
    kept=st.integers(0, 90),
)
def test_a_cut_layout_keeps_the_first_patterns_at_their_positions(lengths, kept):
    whole = Layout.of_rows(lengths)
    cut = whole.cut(kept)
    expected = numbers(whole)
    expected[expected >= kept] = -1
    np.testing.assert_array_equal(numbers(cut), expected)
    assert cut.count == min(kept, whole.count)


@given(
    rows=st.integers(1, 9),
    cols=st.integers(2, 9),
    offset=st.integers(0, 50),
    bytes_=st.integers(1, 9),
)
def test_the_candidate_that_explains_every_byte_is_chosen(rows, cols, offset, bytes_):
    layouts = [Layout.regular(rows + 1, cols), Layout.alternating(rows, cols, cols - 1)]
    candidates = [Candidate("here", layout) for layout in layouts]
    chosen = choose_layout(stored(offset + layouts[1].count * bytes_, offset, bytes_), candidates)
    assert chosen is candidates[1]


def test_no_candidate_names_the_shapes_that_would_do():
    with pytest.raises(UnknownGridError, match=r"12 patterns.*shape=\(3, 4\)") as caught:
        choose_layout(stored(16 + 120), [])
    assert caught.value.count == 12
    assert caught.value.shapes == [(3, 4), (2, 6), (1, 12)]


def test_a_single_pattern_needs_no_grid():
    assert choose_layout(stored(26), []).layout.map_shape == (1, 1)


def test_misfit_names_every_layout_tried():
    candidates = [
        Candidate("the header", Layout.regular(4, 5), "hexagonal"),
        Candidate("scan.ang", Layout.alternating(4, 5, 4), "hexagonal"),
    ]
    with pytest.raises(PatternFileError) as caught:
        choose_layout(stored(16 + 170), candidates)
    message = str(caught.value)
    assert "truncated, 30 bytes are missing" in message
    assert "expected 216 bytes (20 patterns), found 186 bytes (17 whole patterns)" in message
    assert "4 rows x 5 columns = 20 patterns (hexagonal grid, from the header)" in message
    assert (
        "4 rows of 5 and 4 columns in turn = 18 patterns (hexagonal grid, from scan.ang)" in message
    )
    assert "allow_partial=True" in message


def test_extra_patterns_are_left_out_only_if_the_file_announces_them():
    candidate = Candidate("the header", Layout.regular(2, 2))
    assert choose_layout(stored(16 + 60), [candidate], extra_patterns=True) is candidate
    with pytest.raises(PatternFileError, match="too long by 20 bytes"):
        choose_layout(stored(16 + 60), [candidate])
    with pytest.raises(PatternFileError, match="truncated"):
        choose_layout(stored(16 + 30), [candidate], extra_patterns=True)
