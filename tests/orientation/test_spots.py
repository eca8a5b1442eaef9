"""Lists of spots, in memory and in files."""

import zipfile

import numpy as np
import pytest

from napari_kikuchi.orientation.spots import SpotFileError, Spots

LISTS = [
    [[0.5, -0.2, 3.0], [1.0, 1.0, 7.0]],
    [],
    [[0.1, 0.2, 1.0], [0.3, 0.4, 2.0], [-0.5, 0.6, 3.0]],
]


@pytest.fixture
def spots():
    return Spots.from_lists(LISTS)


def test_ragged_lists_are_padded_and_come_back(spots):
    assert len(spots) == 3
    assert spots.values.shape == (3, 3, 3)
    np.testing.assert_array_equal(spots.counts, [2, 0, 3])
    np.testing.assert_array_equal(spots.intensity[0], [3, 7, 0])
    assert spots.kx[0, 1] == spots.ky[0, 1] == 1.0
    for expected, found in zip(LISTS, spots.lists(), strict=True):
        np.testing.assert_array_equal(found, np.reshape(expected, (-1, 3)).astype(np.float32))


def test_no_patterns_are_no_spots():
    assert len(Spots.from_lists([])) == 0
    assert Spots.from_lists([]).packed().values.shape == (0, 0, 3)


@pytest.mark.parametrize(
    "index", [slice(1, 3), [1, 2], np.array([False, True, True])], ids=["slice", "numbers", "mask"]
)
def test_some_patterns(spots, index):
    np.testing.assert_array_equal(spots[index].values, spots.values[1:])


def test_one_pattern_by_its_number(spots):
    np.testing.assert_array_equal(spots[2].values, spots.values[2:])


def test_spots_within_a_distance_stay_in_their_places():
    values = np.array([[[0.6, 0.8, 2], [0.6, 0.9, 3], [0, 0, 0], [-0.1, 0, 4]]], np.float32)
    found = Spots(values).within(1.01)
    np.testing.assert_array_equal(found.values[0, [0, 3]], values[0, [0, 3]])
    assert (found.values[0, [1, 2]] == 0).all()


def test_packed_spots_are_the_strongest_first_without_padding():
    values = np.zeros((2, 5, 3), np.float32)
    values[0, [1, 3, 4]] = [[1, 1, 2], [2, 2, 9], [3, 3, 5]]
    values[1, 2] = [4, 4, 1]
    values[1, 4, 0] = 8  # A position without intensity is no spot.
    packed = Spots(values).packed()
    np.testing.assert_array_equal(packed.values[0], [[2, 2, 9], [3, 3, 5], [1, 1, 2]])
    np.testing.assert_array_equal(packed.values[1], [[4, 4, 1], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(Spots(values).packed(2).counts, [2, 1])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((2, 3)), "shape"),
        (np.zeros((2, 3, 4), np.float32), "shape"),
        (np.zeros((2, 3, 3)), "float32"),
        (np.full((1, 1, 3), np.nan, np.float32), "finite"),
        (np.full((1, 1, 3), -1, np.float32), "from 0, found -1"),
    ],
)
def test_what_is_no_list_of_spots_is_refused(values, said):
    with pytest.raises(ValueError, match=said):
        Spots(values)


def test_list_of_another_shape_is_named():
    with pytest.raises(ValueError, match=r"pattern 1 of shape \(spots, 3\), found \(1, 2\)"):
        Spots.from_lists([LISTS[0], [[1.0, 2.0]]])


def test_saved_spots_are_read_and_are_numpys(spots, tmp_path):
    path = tmp_path / "scan.npz"
    spots.save(path)
    np.testing.assert_array_equal(Spots.load(path).values, spots.values)
    np.testing.assert_array_equal(np.load(path)["spots"], spots.values)
    assert [file.name for file in tmp_path.iterdir()] == ["scan.npz"]


def write(path, **arrays):
    np.savez(path, **arrays)


def write_compressed(path):
    np.savez_compressed(path, spots=np.zeros((2, 2, 3), np.float32))


def write_objects(path):
    np.savez(path, spots=np.array([[{}]], dtype=object))


def write_too_large_a_header(path):
    """A header that promises terabytes."""
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000, 3), }"
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(12)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("spots.npy", member)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b""), "zip"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "zip"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"@@", b"@A")), "CRC"),
        (lambda path: write(path, other=np.zeros(3)), "no item named"),
        (lambda path: write(path, spots=np.zeros((2, 2, 3))), "float64"),
        (lambda path: write(path, spots=np.full((1, 1, 3), -1, np.float32)), "from 0"),
        (write_compressed, "compressed"),
        (write_objects, "object"),
        (write_too_large_a_header, r"\(1000000, 1000000, 3\) in 12 bytes"),
    ],
)
def test_spoilt_file_is_named(spots, tmp_path, spoil, said):
    path = tmp_path / "scan.npz"
    spots.save(path)
    spoil(path)
    with pytest.raises(SpotFileError, match=said) as raised:
        Spots.load(path)
    assert str(path) in str(raised.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        Spots.load(tmp_path / "none.npz")
