import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_kikuchi.microstructure import crops as module
from napari_kikuchi.microstructure.crops import crops, whole

SIZE = 8


@st.composite
def holed(draw):
    """Maps with a few holes, or with unknown pixels everywhere."""
    shape = draw(st.tuples(st.integers(1, 90), st.integers(1, 90)))
    if draw(st.booleans()):
        return draw(arrays(bool, shape)) | (np.indices(shape).sum(axis=0) == 0)
    unknown = np.zeros(shape, bool)
    for _ in range(draw(st.integers(1, 6))):
        row, col = (draw(st.integers(0, side - 1)) for side in shape)
        unknown[row : row + draw(st.integers(1, 40)), col : col + draw(st.integers(1, 40))] = True
    return unknown


def counted(boxes, shape):
    """How many of the boxes each pixel lies in."""
    count = np.zeros(shape, int)
    for box in boxes:
        count[box] += 1
    return count


@given(holed(), st.sampled_from([1, 2, 3, 8]), st.sampled_from([4, 9, 64]))
def test_each_unknown_pixel_lies_in_one_core_that_is_seen_with_its_surroundings(
    unknown, multiple, large
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LARGE", large)
        found = crops(unknown, SIZE, multiple)
    shape = unknown.shape
    cores = counted([one.core for one in found], shape)
    assert cores.max() == 1
    assert (cores[unknown] == 1).all()
    margin = SIZE // 2
    for one in found:
        assert unknown[one.core].any()
        seen = counted([one.view], shape)
        rows, cols = np.nonzero(unknown & (counted([one.core], shape) > 0))
        around = slice(max(0, rows.min() - margin), rows.max() + margin + 1)
        assert seen[around, max(0, cols.min() - margin) : cols.max() + margin + 1].all()
        for core, view, side in zip(one.core, one.view, shape, strict=True):
            assert 0 <= view.start <= core.start < core.stop <= view.stop <= side
            assert view.start % multiple == core.start % multiple == 0
            assert view.stop % multiple == 0 or view.stop == side
        assert np.shares_memory(unknown[one.view][one.core_in_view], unknown[one.core])
        assert unknown[one.view][one.core_in_view].shape == unknown[one.core].shape


@given(holed())
def test_small_maps_are_one_crop_and_others_cost_less_than_the_map(unknown):
    found = crops(unknown, SIZE, 2)
    if unknown.size <= 4 * SIZE**2:
        assert found == [whole(unknown.shape)]
    elif found != [whole(unknown.shape)] and all(one.core == one.view for one in found):
        assert sum(unknown[one.view].size for one in found) < 0.6 * unknown.size


def test_holes_that_lie_apart_are_crops_of_their_own():
    unknown = np.zeros((100, 120), bool)
    unknown[10:13, 20] = unknown[80, 90:95] = True
    first, second = crops(unknown, SIZE, 4)
    assert first.core == first.view == (slice(4, 20), slice(16, 28))
    assert second.core == second.view == (slice(76, 88), slice(84, 100))
    # What both are seen with meets.
    unknown[18, 30] = True
    near, other = crops(unknown, SIZE, 4)
    assert near.view == (slice(4, 24), slice(16, 36))
    assert other == second


def test_what_is_too_large_is_divided_into_tiles_that_hold_something(monkeypatch):
    monkeypatch.setattr(module, "_LARGE", 9)
    unknown = np.eye(96, dtype=bool)
    found = crops(unknown, SIZE, 4)
    sides = {side.stop - side.start for one in found for side in one.view}
    assert len(found) == 6
    assert max(sides) == 3 * SIZE
    assert sum(unknown[one.view].size for one in found) < 0.5 * unknown.size
