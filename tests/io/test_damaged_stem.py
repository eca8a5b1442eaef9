"""4D-STEM files that are damaged, or made to do harm."""

import json
import pickle
import tracemalloc
from threading import Thread

import h5py
import numpy as np
import pytest
import stem_files as files
from stem_files import GRID, PATTERNS, make

from napari_kikuchi.io import PatternFileError, is_pattern_file, open_scan


@pytest.mark.parametrize("kind", ["blo", "mib", "tvips", "mrc", "xml", "emd", "hspy", "h5", "dm4"])
@pytest.mark.parametrize("content", [b"", b"not patterns at all" * 100])
def test_not_what_the_extension_says(kind, content, tmp_path):
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    with pytest.raises(PatternFileError, match=rf"a\.{kind}: ") as raised:
        open_scan(path)
    assert len(str(raised.value)) < 1500


@pytest.mark.parametrize("kind", ["blo", "tvips", "mrc", "mib", "dm4", "raw", "xml", "h5"])
def test_cut_short(kind, tmp_path):
    path, _ = make(kind, tmp_path)
    file = tmp_path / "weld_12.raw" if kind == "xml" else path
    file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(PatternFileError, match=path.name.replace(".", r"\.")):
        open_scan(path, GRID.get(kind))


def test_headers_that_ask_for_far_more_than_the_file_has(tmp_path):
    path, _ = make("blo", tmp_path)
    content = bytearray(path.read_bytes())
    content[24:28] = b"\xff\xff\xff\xff"  # columns and rows
    path.write_bytes(content)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        cube = file.create_group("root/datacube")
        cube.attrs["emd_group_type"] = "array"
        cube.create_dataset("data", (10**8, 10, 64, 64), np.uint8, chunks=(1, 1, 8, 8))
    with h5py.File(tmp_path / "b.h5", "w") as file:
        cube = file.create_group("root/datacube")
        cube.attrs["emd_group_type"] = "array"
        cube.create_dataset("data", (64, 64, 1024, 1024), np.uint8, chunks=(64, 32, 1024, 1024))
    with h5py.File(tmp_path / "c.h5", "w") as file:
        cube = file.create_group("4DSTEM_experiment/data/datacubes/datacube_0")
        cube.attrs["emd_group_type"] = 1
        cube.create_dataset("data", (10, 10**12, 64, 64), np.uint8, chunks=(1, 1, 64, 64))
    tracemalloc.start()
    try:
        for name, words in (
            ("a.blo", "65535"),
            ("a.h5", "rows of patterns"),
            ("b.h5", "chunks"),
            ("c.h5", "at most 1000000000 patterns, found 10 rows x 1000000000000 columns"),
        ):
            with pytest.raises(PatternFileError, match=rf"{name}: .*{words}"):
                open_scan(tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def test_a_damaged_index_is_told(tmp_path):
    path, _ = make("hspy", tmp_path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"TREE", b"BUSH"))
    with pytest.raises(PatternFileError, match=r"a\.hspy: .*Copy"):
        open_scan(path)
    assert not is_pattern_file(path)


def test_a_damaged_chunk_is_told_and_the_rest_is_read(tmp_path):
    path = files.py4dstem(tmp_path / "a.h5", PATTERNS, chunks=(1, 1, 6, 8), compression="gzip")
    with h5py.File(path, "r") as file:
        chunk = file["datacube_root/datacube/data"].id.get_chunk_info_by_coord((1, 2, 0, 0))
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    scan = open_scan(path)
    patterns, readable = scan.read_readable(np.argwhere(np.ones((3, 4))))
    assert np.flatnonzero(~readable).tolist() == [6]
    np.testing.assert_array_equal(patterns[readable], PATTERNS.reshape(12, 6, 8)[readable])


def test_a_damaged_chunk_of_a_zarr_folder_is_told(tmp_path):
    path = files.zspy(tmp_path / "a.zspy", PATTERNS)
    chunk = path / "Experiments/weld/data/1.1.0.0"
    content = bytearray(chunk.read_bytes())
    content[4:8] = b"\xff\xff\xff\xff"  # size of what is packed in it
    chunk.write_bytes(content)
    _, readable = open_scan(path).read_readable(np.argwhere(np.ones((3, 4))))
    assert np.flatnonzero(~readable).tolist() == [10, 11]


@pytest.mark.parametrize("place", ["compressor", "filters"])
def test_a_zarr_folder_runs_no_code(place, tmp_path):
    class Code:
        def __reduce__(self):
            return (tmp_path / "made").mkdir, ()

    path = files.zspy(tmp_path / "a.zspy", PATTERNS)
    array = path / "Experiments/weld/data"
    described = json.loads((array / ".zarray").read_text())
    codec = {"id": "pickle", "protocol": 5}
    described |= {"compressor": None, place: [codec] if place == "filters" else codec}
    (array / ".zarray").write_text(json.dumps(described))
    for chunk in array.glob("[0-9]*"):
        chunk.write_bytes(pickle.dumps(Code()))
    with pytest.raises(PatternFileError, match=r"a\.zspy"):
        open_scan(path).read(0, 0)
    assert not (tmp_path / "made").exists()


def test_a_damaged_file_leaves_others_readable(tmp_path):
    """Also from other threads, and as long as somebody keeps the error."""
    path = files.with_rosettasciio("hspy", tmp_path / "whole.hspy", PATTERNS)
    root, *inner = path.read_bytes().split(b"TREE")
    (tmp_path / "a.h5").write_bytes(root + b"TREE" + b"BUSH".join(inner))
    with pytest.raises(PatternFileError) as raised:
        open_scan(tmp_path / "a.h5")
    opened = []
    thread = Thread(target=lambda: opened.append(open_scan(path)), daemon=True)
    thread.start()
    thread.join(20)
    assert opened, f"still locked by {raised.value}"


def test_patterns_that_are_larger_than_any_detector_are_refused(tmp_path):
    path = files.py4dstem(tmp_path / "a.h5", PATTERNS)
    with h5py.File(path, "r+") as file:
        del file["datacube_root/datacube/data"]
        large = (2, 2, 16_000, 16_000)
        file.create_dataset("datacube_root/datacube/data", large, np.uint16, chunks=(1, 1, 64, 64))
    with pytest.raises(PatternFileError, match=r"a\.h5: expected patterns of at most"):
        open_scan(path)
