"""A file of the spots of a scan: read where it is asked for, refused where it is damaged."""

import json
import pickle
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from napari_kikuchi.file_state import ScanLostError
from napari_kikuchi.io.tensor_places import HEADER_BYTES, header_bytes, placed
from napari_kikuchi.io.weights import ModelFileError, write_tensors
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.scan_spots import CONTENT, ScanSpots
from napari_kikuchi.orientation.spot_writer import SpotWriter
from napari_kikuchi.orientation.spots import SpotFileError
from napari_kikuchi.scan import Block

SHAPE, MOST = (5, 7), 6
DETECTION = Detection(2.5, least=0.01, spacing=4.0, most=MOST)


def some_spots():
    """Up to six spots in each pattern; two patterns are missing."""
    rng = np.random.default_rng(0)
    spots = rng.uniform(1, 60, (*SHAPE, MOST, 3)).astype(np.float32)
    spots[np.arange(MOST) >= rng.integers(0, MOST + 1, SHAPE)[..., None]] = 0
    spots[2, 3] = spots[4, 6] = np.nan
    return spots


@pytest.fixture
def path(tmp_path):
    writer = SpotWriter.open(tmp_path / "a.spots", SHAPE, DETECTION, {"scan": "weld"})
    block = Block(slice(0, 5), slice(0, 7))
    writer.confirm(block, writer.spots.write(block, some_spots()[None]))
    provenance = {"scan": {"name": "weld", "fingerprint": {"crc32": [1]}}}
    finish(writer.finish(provenance))
    return tmp_path / "a.spots"


def test_what_was_written_is_read_by_pattern_by_rows_and_by_places(path):
    spots, expected = ScanSpots.open(path), some_spots()
    missing = np.isnan(expected).any((2, 3))
    expected[missing] = 0
    assert (spots.shape, spots.most, spots.detection) == (SHAPE, MOST, DETECTION)
    np.testing.assert_array_equal(spots.present, ~missing)
    np.testing.assert_array_equal(spots.counts[~missing], (expected[..., 2] > 0).sum(-1)[~missing])
    np.testing.assert_array_equal(spots.rows(1, 4), expected[1:4])
    assert spots.rows(2, 2).shape == (0, 7, MOST, 3)
    places = [(4, 6), (0, 0), (3, 5), (0, 0)]
    np.testing.assert_array_equal(spots.read(places), expected[tuple(np.transpose(places))])
    here = expected[3, 5]
    np.testing.assert_array_equal(spots.at(3, 5), here[here[:, 2] > 0])
    assert spots.at(2, 3).shape == (0, 3)
    assert spots.provenance["scan"]["name"] == "weld"
    assert spots.fingerprint == {"crc32": [1]}
    assert spots.pattern_shape is None


def test_the_size_of_patterns_is_that_of_the_scan(tmp_path):
    writer = SpotWriter.open(tmp_path / "a.spots", SHAPE, DETECTION, {"scan": "weld"})
    block = Block(slice(0, 5), slice(0, 7))
    writer.confirm(block, writer.spots.write(block, some_spots()[None]))
    scan = {"name": "weld", "fingerprint": {"shape": [5, 7, 64, 80]}}
    assert finish(writer.finish({"scan": scan})).pattern_shape == (64, 80)


def test_it_is_a_file_that_safetensors_reads(path):
    tensors = load_file(path)
    np.testing.assert_array_equal(tensors["spots"], some_spots())
    np.testing.assert_array_equal(tensors["counts"], ScanSpots.open(path).counts)


def test_it_travels_to_another_process(path):
    spots = pickle.loads(pickle.dumps(ScanSpots.open(path)))
    np.testing.assert_array_equal(spots.at(0, 2), ScanSpots.open(path).at(0, 2))


@pytest.mark.parametrize("place", [(-1, 0), (5, 0), (0, 7)])
def test_a_place_outside_is_an_error(path, place):
    with pytest.raises(IndexError, match=r"a.spots: position .* outside the scan of 5 rows x 7"):
        ScanSpots.open(path).at(*place)
    with pytest.raises(IndexError, match="rows 3 to 6"):
        ScanSpots.open(path).rows(3, 6)


def test_a_million_patterns_are_never_in_memory(tmp_path):
    shape = (1000, 1000)
    places = placed({"counts": ("I32", shape), "spots": ("F32", (*shape, 64, 3))})
    header = {"content": CONTENT, "detection": Detection(2).settings(), "provenance": {}}
    with (tmp_path / "a.spots").open("wb") as file:
        file.write(header_bytes(places, header))
        file.truncate(places["spots"].end)
    tracemalloc.start()
    spots = ScanSpots.open(tmp_path / "a.spots")
    assert spots.rows(499, 501).shape == (2, 1000, 64, 3)
    assert spots.at(999, 999).shape == (0, 3)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 30e6


def test_a_file_that_changes_under_it_is_noticed(path):
    spots = ScanSpots.open(path)
    with path.open("ab") as file:
        file.write(b" ")
    with pytest.raises(ScanLostError, match=r"a.spots: was changed"):
        spots.at(0, 0)
    with pytest.raises(FileNotFoundError, match=r"b.spots"):
        ScanSpots.open(path.with_name("b.spots"))


def rewritten(path, **changes):
    """The same file with other tensors or another header, as another program may write it."""
    tensors = load_file(path)
    header = {
        "content": CONTENT,
        "detection": DETECTION.settings(),
        "provenance": {},
        **{name: value for name, value in changes.items() if name not in tensors},
    }
    write_tensors(path, tensors | {k: v for k, v in changes.items() if k in tensors}, header)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"content": "model"}, "found a model"),
        ({"version": 99}, "Update napari-kikuchi"),
        ({"detection": {}}, "radius of a spot"),
        ({"detection": {**DETECTION.settings(), "most": 7}}, r"shape \(5, 7, 7, 3\)"),
        ({"detection": {**DETECTION.settings(), "spacing": "x"}}, "spacing"),
        ({"provenance": 3}, "provenance"),
        ({"counts": np.zeros((5, 6), np.int32)}, r"shape \(5, 6, 6, 3\)"),
        ({"counts": np.zeros((5, 7), np.float32)}, "counts as I32"),
        ({"counts": np.full((5, 7), 9, np.int32)}, "-1 to 6 spots"),
        ({"spots": np.zeros((5, 7, 18), np.float32)}, "spots as F32 of 4 sides"),
        ({"spots": np.zeros((5, 7, 6, 2), np.float32)}, r"found \(5, 7, 6, 2\)"),
    ],
)
def test_other_content_is_told(path, changes, told):
    rewritten(path, **changes)
    with pytest.raises(ModelFileError, match=rf"a\.spots: .*{told}"):
        ScanSpots.open(path)


def test_safetensors_of_another_program_are_told(path):
    save_file({"spots": np.zeros((1, 1, 1, 3), np.float32)}, path)
    with pytest.raises(ModelFileError, match="without its header"):
        ScanSpots.open(path)
    path.write_bytes(b"something else altogether")
    with pytest.raises(ModelFileError, match="damaged or of another format"):
        ScanSpots.open(path)


@pytest.mark.parametrize("bytes_left", [5, HEADER_BYTES // 2, HEADER_BYTES + 50, -4])
def test_a_file_cut_short_is_told(path, bytes_left):
    path.write_bytes(path.read_bytes()[:bytes_left])
    with pytest.raises(ModelFileError, match=r"a\.spots: .*damaged"):
        ScanSpots.open(path)


@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf])
def test_spots_that_are_none_are_told_where_they_are_read(path, value):
    spots = np.nan_to_num(some_spots())
    spots[1, 2, 0] = value
    rewritten(path, spots=spots)
    opened = ScanSpots.open(path)
    assert len(opened.rows(0, 1))
    for read in (lambda: opened.rows(1, 2), lambda: opened.at(1, 2)):
        with pytest.raises(SpotFileError, match=r"a\.spots: .*not finite or below 0"):
            read()


def test_a_header_has_room_for_all_that_can_be_told():
    runs = [[1_000_000, 1_000_000, 1_000_000]] * 10_000
    provenance = {"scan": {"path": "\u00e4" * 4096}, "unreadable": {"count": 1, "runs": runs}}
    places = placed({"counts": ("I32", (1, 1))})
    told = header_bytes(places, {"provenance": provenance})
    assert len(told) == HEADER_BYTES
    metadata = json.loads(told[8:])["__metadata__"]["napari-kikuchi"]
    assert json.loads(metadata)["provenance"] == provenance
    with pytest.raises(ValueError, match="expected a header of at most"):
        header_bytes(places, {"provenance": {"runs": runs * 3}})
