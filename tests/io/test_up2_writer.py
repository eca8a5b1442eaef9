"""Written files read the same here, in kikuchipy and in PyEBSDIndex."""

import importlib.util
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from up2_files import patterns_of, version_3

from napari_kikuchi.io import PatternFileError, Up2Writer, open_scan, write_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Block, Scan


def scan_of(patterns, **options):
    return Scan(ArraySource(patterns), **options)


def whole(scan):
    rows, cols = scan.map_shape
    return scan.read_block(Block(slice(0, rows), slice(0, cols)))


@given(
    rows=st.integers(1, 6),
    cols=st.integers(1, 6),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    kind=st.sampled_from([("s.up1", "u1"), ("s.up2", "<u2"), ("s.up2", ">u2"), ("s.up2", "u1")]),
    version=st.sampled_from([1, 3]),
    runs=st.lists(st.integers(1, 8), min_size=36, max_size=36),
)
@settings(max_examples=50)
def test_what_is_appended_in_any_portions_is_read_back(
    tmp_path_factory, rows, cols, height, width, kind, version, runs
):
    name, dtype = kind
    path = tmp_path_factory.mktemp("written") / name
    patterns = patterns_of(rows * cols, height, width, dtype)
    with Up2Writer(path, (rows, cols), (height, width), step=(2, 3), version=version) as writer:
        rest = patterns
        for run in runs:
            writer.append(rest[0] if run == 1 and len(rest) else rest[:run])
            rest = rest[run:]
    scan = open_scan(path, shape=(rows, cols))
    np.testing.assert_array_equal(whole(scan).reshape(patterns.shape), patterns)
    assert scan.step == ((2, 3) if version == 3 else (1, 1))
    assert [entry.name for entry in path.parent.iterdir()] == [name]


@pytest.mark.parametrize(("suffix", "dtype"), [(".up1", "u1"), (".up2", "u2")])
@pytest.mark.parametrize("version", [1, 3])
def test_kikuchipy_reads_the_same(tmp_path, suffix, dtype, version):
    import kikuchipy

    patterns = patterns_of(6, 5, 4, dtype).reshape(2, 3, 5, 4)
    path = finish(write_scan(tmp_path / f"scan{suffix}", scan_of(patterns), version=version))
    shape = {"nav_shape": (2, 3)} if version == 1 else {}
    signal = kikuchipy.load(path, **shape)
    np.testing.assert_array_equal(signal.data, patterns)
    assert signal.data.dtype == dtype


@pytest.fixture(scope="module")
def up_file():
    """PyEBSDIndex's reader alone: importing the whole package compiles its indexer."""
    package = importlib.util.find_spec("pyebsdindex").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("ebsd_pattern", f"{package}/ebsd_pattern.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["ebsd_pattern"] = module
    spec.loader.exec_module(module)
    yield module.UPFile
    del sys.modules["ebsd_pattern"]


@pytest.mark.parametrize(("suffix", "dtype"), [(".up1", "u1"), (".up2", "u2")])
@pytest.mark.parametrize("version", [1, 3])
def test_pyebsdindex_reads_the_same(tmp_path, up_file, suffix, dtype, version):
    patterns = patterns_of(6, 5, 4, dtype)
    scan = scan_of(patterns.reshape(2, 3, 5, 4), step=(0.5, 0.25), grid="hexagonal")
    path = finish(write_scan(tmp_path / f"scan{suffix}", scan, version=version))
    reader = up_file(path)
    read, _ = reader.read_data(returnArrayOnly=True)
    np.testing.assert_array_equal(read, patterns)
    assert (reader.patternW, reader.patternH) == (4, 5)
    if version == 3:
        assert (reader.nCols, reader.nRows, reader.hexflag) == (3, 2, 1)
        assert (reader.xStep, reader.yStep) == (0.25, 0.5)


def test_hexagonal_scan_with_shorter_rows_survives(tmp_path):
    source = version_3(tmp_path / "a.up2", patterns_of(11), 3, 4, hexagonal=1)
    path = finish(write_scan(tmp_path / "b.up2", open_scan(source)))
    assert path.read_bytes() == source.read_bytes()


def test_positions_without_a_pattern_become_zeros(tmp_path):
    source = version_3(tmp_path / "a.up2", patterns_of(4), 2, 3)
    scan = open_scan(source, allow_partial=True)
    path = finish(write_scan(tmp_path / "b.up2", scan))
    np.testing.assert_array_equal(whole(open_scan(path)), whole(scan))


def test_a_scan_may_be_written_over_its_own_file(tmp_path):
    path = version_3(tmp_path / "a.up2", patterns_of(6), 2, 3)
    before = path.read_bytes()
    finish(write_scan(path, open_scan(path)))
    assert path.read_bytes() == before


def test_progress_counts_patterns(tmp_path):
    patterns = patterns_of(6).reshape(2, 3, 3, 4)
    updates = []
    finish(write_scan(tmp_path / "a.up2", scan_of(patterns)), updates.append)
    assert [(update.done, update.total) for update in updates] == [(0, 6), (6, 6)]


class TestInterrupted:
    def test_by_an_error_keeps_what_was_written_under_another_name(self, tmp_path):
        path = tmp_path / "scan.up2"
        patterns = patterns_of(6)

        def write():
            with Up2Writer(path, (2, 3), (3, 4)) as writer:
                writer.append(patterns[:4])
                raise RuntimeError("stage stuck")

        with pytest.raises(RuntimeError, match="stage stuck"):
            write()
        assert not path.exists()
        kept = open_scan(tmp_path / "scan.partial.up2", allow_partial=True)
        assert kept.count == 4
        np.testing.assert_array_equal(kept.read(1, 0), patterns[3])

    def test_by_closing_early_says_where_the_patterns_are(self, tmp_path):
        writer = Up2Writer(tmp_path / "scan.up2", (2, 3), (3, 4))
        writer.append(patterns_of(1))
        with pytest.raises(PatternFileError, match=r"expected 6 patterns, found 1\..*partial\.up2"):
            writer.close()
        assert not (tmp_path / "scan.up2").exists()
        writer.close()

    def test_before_the_first_pattern_leaves_nothing(self, tmp_path):
        with pytest.raises(PatternFileError, match="Nothing was kept"):
            Up2Writer(tmp_path / "scan.up2", (2, 3), (3, 4)).close()
        assert not list(tmp_path.iterdir())

    def test_leaves_an_earlier_file_as_it_was(self, tmp_path):
        path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3)
        before = path.read_bytes()
        job = write_scan(path, scan_of(patterns_of(6, seed=1).reshape(6, 1, 3, 4)))
        next(job)
        job.close()
        assert path.read_bytes() == before

    def test_the_rest_can_be_written_out_but_not_over_itself(self, tmp_path):
        version_3(tmp_path / "scan.partial.up2", patterns_of(4), 2, 3)
        scan = open_scan(tmp_path / "scan.partial.up2", allow_partial=True)
        with pytest.raises(PatternFileError, match="Choose another name"):
            finish(write_scan(tmp_path / "scan.up2", scan))
        assert scan.read(1, 0).any()


class TestRefused:
    def test_other_extension(self, tmp_path):
        with pytest.raises(PatternFileError, match=r"ends in \.up1 .* found \.h5"):
            Up2Writer(tmp_path / "scan.h5", (2, 3), (3, 4))

    def test_folder_that_does_not_exist(self, tmp_path):
        with pytest.raises(PatternFileError, match="does not exist"):
            Up2Writer(tmp_path / "nowhere" / "scan.up2", (2, 3), (3, 4))

    @pytest.mark.parametrize(
        ("name", "dtype"), [("a.up1", "u2"), ("a.up2", "f4"), ("a.up2", "i2"), ("a.up1", "i8")]
    )
    def test_pixels_that_would_lose_information(self, tmp_path, name, dtype):
        scan = scan_of(patterns_of(6, dtype=dtype).reshape(2, 3, 3, 4))
        with pytest.raises(PatternFileError, match="would lose information"):
            finish(write_scan(tmp_path / name, scan))
        assert not list(tmp_path.iterdir())

    def test_patterns_of_another_size(self, tmp_path):
        with (
            pytest.raises(PatternFileError, match=r"expected patterns of 3 x 4 .* \(6, 4, 3\)"),
            Up2Writer(tmp_path / "scan.up2", (2, 3), (3, 4)) as writer,
        ):
            writer.append(patterns_of(6, 4, 3))

    def test_more_patterns_than_positions(self, tmp_path):
        with (
            pytest.raises(PatternFileError, match="expected 6 patterns, found 7"),
            Up2Writer(tmp_path / "scan.up2", (2, 3), (3, 4)) as writer,
        ):
            writer.append(patterns_of(7))
