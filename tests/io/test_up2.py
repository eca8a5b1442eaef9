"""Reading UP1 and UP2 files of every version and grid."""

import os
import pickle
import threading

import numpy as np
import psutil
import pytest
from up2_files import ang, patterns_of, version_1, version_3

from napari_kikuchi.io import PatternFileError, UnknownGridError, Up2Writer, open_scan
from napari_kikuchi.scan import Block


def whole(scan):
    rows, cols = scan.map_shape
    return scan.read_block(Block(slice(0, rows), slice(0, cols)))


@pytest.mark.parametrize("version", [3, 4])
def test_square_grid_of_the_header(tmp_path, version):
    patterns = patterns_of(6)
    scan = open_scan(version_3(tmp_path / "scan.up2", patterns, 2, 3, version=version))
    assert scan.shape == (2, 3, 3, 4)
    assert scan.dtype == np.uint16
    assert scan.step == (0.5, 0.25)
    assert scan.grid == "square"
    assert scan.present is None
    assert scan.name == "scan"
    np.testing.assert_array_equal(whole(scan), patterns.reshape(2, 3, 3, 4))
    np.testing.assert_array_equal(scan.read(1, 2), patterns[5])


def test_extension_sets_the_pixel_type_in_either_case(tmp_path):
    patterns = patterns_of(6, dtype="u1")
    scan = open_scan(version_3(tmp_path / "SCAN.UP1", patterns, 2, 3))
    assert scan.dtype == np.uint8
    np.testing.assert_array_equal(scan.read(0, 1), patterns[1])


def test_patterns_begin_where_the_header_says(tmp_path):
    patterns = patterns_of(6)
    path = version_3(tmp_path / "scan.up2", patterns, 2, 3, offset=100)
    np.testing.assert_array_equal(open_scan(path).read(0, 0), patterns[0])


def test_one_row_keeps_its_steps(tmp_path):
    scan = open_scan(version_3(tmp_path / "line.up2", patterns_of(5), 1, 5, step=(0.5, 0.25)))
    assert scan.map_shape == (1, 5)
    assert scan.step == (0.5, 0.25)


@pytest.mark.parametrize(
    ("step", "expected"),
    [((0.0, 0.25), (0.25, 0.25)), ((0.0, 0.0), (1.0, 1.0)), ((np.nan, -1.0), (1.0, 1.0))],
)
def test_steps_that_no_scan_can_have_are_replaced(tmp_path, step, expected):
    assert (
        open_scan(version_3(tmp_path / "s.up2", patterns_of(5), 1, 5, step=step)).step == expected
    )


class TestVersion1:
    def test_grid_from_the_user(self, tmp_path):
        patterns = patterns_of(6)
        scan = open_scan(version_1(tmp_path / "scan.up2", patterns), shape=(3, 2), step=0.5)
        np.testing.assert_array_equal(whole(scan), patterns.reshape(3, 2, 3, 4))
        assert scan.step == (0.5, 0.5)

    def test_grid_and_step_from_the_ang_file(self, tmp_path):
        patterns = patterns_of(6)
        ang(tmp_path / "scan.ang", 2, 3, 3)
        scan = open_scan(version_1(tmp_path / "scan.up2", patterns))
        assert scan.map_shape == (2, 3)
        assert scan.step == (0.2, 0.1)
        assert scan.grid == "square"

    def test_without_a_grid_the_error_carries_the_possible_ones(self, tmp_path):
        path = version_1(tmp_path / "scan.up2", patterns_of(6))
        with pytest.raises(UnknownGridError, match="holds 6 patterns") as caught:
            open_scan(path)
        assert caught.value.shapes == [(2, 3), (1, 6)]
        assert pickle.loads(pickle.dumps(caught.value)).count == 6

    def test_an_ang_file_without_a_grid_is_no_help(self, tmp_path):
        (tmp_path / "scan.ang").write_text("# OPERATOR: me\n 0 0 0 0 0\n")
        with pytest.raises(UnknownGridError):
            open_scan(version_1(tmp_path / "scan.up2", patterns_of(6)))

    def test_one_pattern_is_a_scan_of_one(self, tmp_path):
        assert open_scan(version_1(tmp_path / "one.up2", patterns_of(1))).map_shape == (1, 1)


class TestHexagonal:
    def test_rows_of_one_length(self, tmp_path):
        patterns = patterns_of(12)
        scan = open_scan(version_3(tmp_path / "scan.up2", patterns, 3, 4, hexagonal=1))
        assert scan.grid == "hexagonal"
        assert scan.present is None
        np.testing.assert_array_equal(whole(scan), patterns.reshape(3, 4, 3, 4))

    def test_shorter_second_rows(self, tmp_path):
        patterns = patterns_of(11)
        scan = open_scan(version_3(tmp_path / "scan.up2", patterns, 3, 4, hexagonal=1))
        assert scan.map_shape == (3, 4)
        assert scan.count == 11
        assert np.argwhere(~scan.present).tolist() == [[1, 3]]
        assert not scan.read(1, 3).any()
        np.testing.assert_array_equal(scan.read(1, 2), patterns[6])
        np.testing.assert_array_equal(scan.read(2, 0), patterns[7])
        np.testing.assert_array_equal(scan.patterns[2, 3].compute(), patterns[10])

    def test_row_lengths_of_the_ang_file(self, tmp_path):
        patterns = patterns_of(10)
        ang(tmp_path / "scan.ang", 3, 3, 4, grid="HexGrid")
        scan = open_scan(version_3(tmp_path / "scan.up2", patterns, 3, 3, hexagonal=1))
        assert scan.map_shape == (3, 4)
        np.testing.assert_array_equal(scan.read(2, 0), patterns[7])

    def test_announced_extra_patterns_are_left_out(self, tmp_path):
        patterns = patterns_of(10)
        scan = open_scan(version_3(tmp_path / "s.up2", patterns, 3, 3, hexagonal=1, extra=1))
        np.testing.assert_array_equal(whole(scan), patterns[:9].reshape(3, 3, 3, 4))

    def test_extra_patterns_after_rows_of_two_lengths(self, tmp_path):
        patterns = patterns_of(19)  # 5 + 4 + 5 + 4, and one more; rows of 5 would need 20
        scan = open_scan(version_3(tmp_path / "s.up2", patterns, 4, 5, hexagonal=1, extra=1))
        assert scan.count == 18
        np.testing.assert_array_equal(scan.read(2, 0), patterns[9])

    def test_version_1_learns_of_it_from_the_ang_file(self, tmp_path):
        ang(tmp_path / "scan.ANG", 3, 4, 3, grid="HexGrid")
        scan = open_scan(version_1(tmp_path / "scan.up2", patterns_of(11)))
        assert scan.grid == "hexagonal"
        assert scan.count == 11


class TestWhichGridWins:
    def test_the_user_over_the_header(self, tmp_path):
        path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3)
        assert open_scan(path, shape=(3, 2)).map_shape == (3, 2)

    def test_the_header_over_the_ang_file(self, tmp_path):
        ang(tmp_path / "scan.ang", 3, 2, 2)
        scan = open_scan(version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3))
        assert scan.map_shape == (2, 3)
        assert scan.step == (0.5, 0.25)

    def test_the_ang_file_over_a_header_that_does_not_fit(self, tmp_path):
        ang(tmp_path / "scan.ang", 3, 2, 2)
        path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 4)
        assert open_scan(path).map_shape == (3, 2)

    def test_the_ang_file_over_a_header_that_says_nothing(self, tmp_path):
        ang(tmp_path / "scan.ang", 3, 2, 2)
        path = version_3(tmp_path / "scan.up2", patterns_of(6), 0, 0)
        assert open_scan(path).map_shape == (3, 2)


class TestVersion2:
    def test_is_read_as_version_3_where_that_explains_every_byte(self, tmp_path):
        patterns = patterns_of(6)
        scan = open_scan(version_3(tmp_path / "scan.up2", patterns, 2, 3, version=2))
        np.testing.assert_array_equal(scan.read(1, 1), patterns[4])

    def test_is_refused_otherwise_even_in_part(self, tmp_path):
        path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 4, version=2)
        with pytest.raises(PatternFileError, match="version 2 of the UP1/UP2 format"):
            open_scan(path, allow_partial=True)


class TestStoppedAcquisition:
    @pytest.mark.parametrize("stray_bytes", [0, 1, 23])
    def test_missing_positions_are_marked(self, tmp_path, stray_bytes):
        patterns = patterns_of(12)
        path = version_3(tmp_path / "scan.up2", patterns[:7], 3, 4)
        with path.open("ab") as file:
            file.write(patterns[7].tobytes()[:stray_bytes])
        scan = open_scan(path, allow_partial=True)
        assert scan.map_shape == (3, 4)
        assert scan.count == 7
        assert scan.present.ravel().tolist() == [True] * 7 + [False] * 5
        expected = np.concatenate([patterns[:7], np.zeros((5, 3, 4))]).reshape(3, 4, 3, 4)
        np.testing.assert_array_equal(whole(scan), expected)
        np.testing.assert_array_equal(scan.patterns.compute(), expected)

    def test_surplus_patterns_are_left_out(self, tmp_path):
        patterns = patterns_of(9)
        path = version_3(tmp_path / "scan.up2", patterns, 2, 4)
        scan = open_scan(path, allow_partial=True)
        assert scan.present is None
        np.testing.assert_array_equal(scan.read(1, 3), patterns[7])

    def test_a_grid_from_the_user(self, tmp_path):
        path = version_1(tmp_path / "scan.up2", patterns_of(5))
        assert open_scan(path, shape=(2, 3), allow_partial=True).count == 5

    def test_row_lengths_of_the_ang_file_hold(self, tmp_path):
        patterns = patterns_of(9)
        ang(tmp_path / "scan.ang", 3, 4, 3, grid="HexGrid")
        path = version_3(tmp_path / "scan.up2", patterns, 3, 4, hexagonal=1)
        scan = open_scan(path, allow_partial=True)
        np.testing.assert_array_equal(scan.read(2, 1), patterns[8])
        assert not scan.present[1, 3]


def test_many_threads_read_their_own_patterns(tmp_path):
    patterns = patterns_of(400)
    source = open_scan(version_3(tmp_path / "scan.up2", patterns, 20, 20)).source
    wrong = []

    def read(seed):
        for number in np.random.default_rng(seed).integers(0, 400, 200):
            row, col = divmod(int(number), 20)
            if not np.array_equal(source.read_run(row, col, col + 1)[0], patterns[number]):
                wrong.append(number)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_pickled_scan_reads_on(tmp_path):
    patterns = patterns_of(6)
    scan = open_scan(version_3(tmp_path / "scan.up2", patterns, 2, 3))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(scan)).read(1, 0), patterns[3])


def test_no_handle_stays_on_the_file(tmp_path):
    scan = open_scan(version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3))
    scan.read(0, 0)
    assert not [file for file in psutil.Process().open_files() if file.path.endswith("scan.up2")]


def test_a_file_that_shrinks_or_goes_away_while_open_is_an_error(tmp_path):
    path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3)
    scan = open_scan(path)
    path.write_bytes(path.read_bytes()[:-1])
    scan.read(0, 0)
    with pytest.raises(PatternFileError, match=r"scan.up2: ends at byte 185.*up to byte 186"):
        scan.read(1, 2)
    path.unlink()
    with pytest.raises(PatternFileError, match=r"scan.up2: could not be read"):
        scan.read(0, 0)


def test_a_rewritten_file_gets_new_dask_names(tmp_path):
    path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3)
    before = open_scan(path)
    assert before.patterns.name == open_scan(path).patterns.name
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
    assert before.patterns.name != open_scan(path).patterns.name


def test_a_hexagonal_scan_cut_short_is_not_laid_out_by_guess(tmp_path):
    path = tmp_path / "scan.up2"
    with Up2Writer(path, (4, 5), (2, 3), grid="hexagonal", short_rows=True) as writer:
        writer.append(np.arange(18, dtype=np.uint16)[:, None, None] * np.ones((2, 3), np.uint16))
    path.write_bytes(path.read_bytes()[: -3 * 12])
    with pytest.raises(PatternFileError, match=r"does not tell which.*NCOLS_EVEN"):
        open_scan(path, allow_partial=True)
    path.with_suffix(".ang").write_text(
        "# GRID: HexGrid\n# NCOLS_ODD: 5\n# NCOLS_EVEN: 4\n# NROWS: 4\n"
    )
    first_pixels = np.asarray(open_scan(path, allow_partial=True).patterns)[:, :, 0, 0]
    np.testing.assert_array_equal(
        first_pixels, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 0], [9, 10, 11, 12, 13], [14, 0, 0, 0, 0]]
    )


def test_a_hexagonal_scan_stopped_in_its_first_row_opens(tmp_path):
    path = tmp_path / "scan.up2"
    with Up2Writer(path, (4, 5), (2, 3), grid="hexagonal") as writer:
        writer.append(np.ones((20, 2, 3), np.uint16))
    path.write_bytes(path.read_bytes()[: -16 * 12])
    assert open_scan(path, allow_partial=True).count == 4
