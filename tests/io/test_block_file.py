import pickle
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.io.block_file import BlockFile
from napari_kikuchi.scan import Block

HEADER = b"what comes before"
PATTERNS = np.random.default_rng(0).integers(0, 65536, (2, 4, 6, 3, 5)).astype(np.uint16)


def file_of(path, values=PATTERNS, layers=2):
    path.write_bytes(HEADER)
    shape = (layers, *values.shape[1:3])
    return BlockFile(path, shape, np.dtype("<u2"), values.shape[3:], len(HEADER))


def squares(rows, cols):
    return [Block(slice(r, r + 2), slice(c, c + 3)) for r, c in product(rows, cols)]


@given(data=st.data())
def test_blocks_in_any_order_are_the_plain_array_behind_what_comes_before(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("blocks") / "patterns"
    values = file_of(path)
    writes = [(block, layer) for block in squares((0, 2), (0, 3)) for layer in (0, 1)]
    for block, layer in data.draw(st.permutations(writes)):
        copy = pickle.loads(pickle.dumps(values))
        layers = range(layer, layer + 1)
        written = PATTERNS[layer : layer + 1, block.rows, block.cols]
        assert copy.write(block, written, layers) == values.checksum(block, layers)
        np.testing.assert_array_equal(values.read(block, layers), written)
    assert path.read_bytes() == HEADER + PATTERNS.tobytes()
    assert values.is_whole()


def test_what_is_not_there_yet_reads_as_zeros_and_is_not_whole(tmp_path):
    values = file_of(tmp_path / "patterns")
    assert not values.is_whole()
    block = Block(slice(1, 2), slice(0, 6))
    checksum = values.write(block, PATTERNS[:, 1:2])
    with values.file.open("r+b") as file:
        file.truncate(values.end - 4 * PATTERNS[0, 0].nbytes)
    assert values.checksum(block) != checksum
    assert (values.read(block)[1] == 0).all()


def test_values_of_another_shape_are_refused(tmp_path):
    values = file_of(tmp_path / "patterns")
    with pytest.raises(ValueError, match=r"rows 1 to 2, columns 0 to 6, needs .*\(2, 1, 6, 3, 5\)"):
        values.write(Block(slice(1, 2), slice(0, 6)), PATTERNS[:, :2])
    assert values.file.read_bytes() == HEADER
