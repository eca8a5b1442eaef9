import pickle
from itertools import pairwise

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.io.map_array import MapArray
from napari_kikuchi.scan import Block

SHAPE = (3, 4, 6)
VALUES = np.random.default_rng(0).random(SHAPE, np.float32)
LAST_ROW = Block(slice(3, 4), slice(2, 6))


@pytest.fixture
def maps(tmp_path):
    return MapArray.create(tmp_path / "0", SHAPE, np.dtype(np.float32))


def cuts(length):
    """Ways to cut a length into pieces."""
    inner = st.sets(st.integers(1, length - 1)) if length > 1 else st.just(set())
    return inner.map(lambda at: [slice(*ends) for ends in pairwise([0, *sorted(at), length])])


@given(data=st.data())
def test_blocks_in_any_order_are_the_array_that_zarr_reads(tmp_path_factory, data):
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6)))
    dtype = data.draw(st.sampled_from(["f4", "f8", "i8", ">f4"]))
    values = (np.random.default_rng(0).random(shape) * 1000).astype(dtype)
    folder = tmp_path_factory.mktemp("maps") / "0"
    maps = MapArray.create(folder, shape, np.dtype(dtype))
    blocks = [
        Block(rows, cols)
        for rows in data.draw(cuts(shape[1]))
        for cols in data.draw(cuts(shape[2]))
    ]
    checksums = {}
    for i in data.draw(st.permutations(range(len(blocks)))):
        checksums[i] = maps.write(blocks[i], values[:, blocks[i].rows, blocks[i].cols])
    found = zarr.open_array(folder, mode="r")
    assert found.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(found[:], values)
    np.testing.assert_array_equal(maps.read_map(shape[0] - 1), values[-1])
    assert [maps.values.checksum(block) for block in blocks] == [
        checksums[i] for i in range(len(blocks))
    ]


def test_a_file_begins_with_the_plain_array(maps):
    for i, values in enumerate(VALUES):
        maps.write_map(i, values)
    with maps.file.open("rb") as file:
        assert file.read(VALUES.nbytes) == VALUES.tobytes()


def test_zarr_reads_one_map_and_no_more(maps, monkeypatch):
    for i, values in enumerate(VALUES):
        maps.write_map(i, values)
    array = zarr.open_array(maps.file.parents[3], mode="r")
    sizes = []
    original = zarr.storage.LocalStore.get

    async def get(self, key, *arguments, **options):
        found = await original(self, key, *arguments, **options)
        sizes.append(0 if found is None else len(found))
        return found

    monkeypatch.setattr(zarr.storage.LocalStore, "get", get)
    np.testing.assert_array_equal(array[1], VALUES[1])
    assert sum(sizes) == VALUES[1].nbytes + 3 * 16  # and the index of three maps


def test_a_checksum_tells_what_is_in_the_file(maps):
    checksum = maps.write(LAST_ROW, VALUES[:, 3:, 2:])
    assert maps.values.checksum(LAST_ROW) == checksum
    maps.write(Block(slice(3, 4), slice(0, 2)), VALUES[:, 3:, :2])  # beside it
    assert maps.values.checksum(LAST_ROW) == checksum
    maps.write(Block(slice(3, 4), slice(5, 6)), np.zeros((3, 1, 1)))  # within it
    assert maps.values.checksum(LAST_ROW) != checksum


def test_a_file_cut_short_holds_nothing_of_what_is_gone(maps):
    checksum = maps.write(LAST_ROW, VALUES[:, 3:, 2:])
    with maps.file.open("r+b") as file:
        file.truncate(VALUES[:2].nbytes)
    assert maps.values.checksum(LAST_ROW) != checksum


def test_values_of_another_shape_are_refused(maps):
    with pytest.raises(ValueError, match=r"rows 3 to 4, columns 2 to 6.*\(3, 1, 4\), not \(2, 1"):
        maps.write(LAST_ROW, np.zeros((2, 1, 4)))


def test_a_copy_in_another_process_writes_to_the_same_place(maps):
    checksum = pickle.loads(pickle.dumps(maps)).write(LAST_ROW, VALUES[:, 3:, 2:])
    assert maps.values.checksum(LAST_ROW) == checksum


def test_positions_of_a_lost_file_are_missing_and_not_zero(maps):
    maps.file.unlink()
    assert np.isnan(zarr.open_array(maps.file.parents[3], mode="r")[:]).all()
