"""Files that are not what they should be: the error names file, expected and actual bytes."""

import contextlib
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from up2_files import ang, patterns_of, version_1, version_3

from napari_kikuchi.io import PatternFileError, open_scan
from napari_kikuchi.io.layout import Layout


def error_of(path, **options):
    with pytest.raises(PatternFileError) as caught:
        open_scan(path, **options)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message


def test_truncated(tmp_path):
    path = version_3(tmp_path / "scan.up2", patterns_of(5), 2, 3)
    message = error_of(path)
    assert "truncated, 24 bytes are missing" in message
    assert "expected 186 bytes (6 patterns), found 162 bytes (5 whole patterns)" in message
    assert "allow_partial=True" in message


def test_last_pattern_only_partly_written(tmp_path):
    path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3)
    path.write_bytes(path.read_bytes()[:-1])
    assert "expected 186 bytes (6 patterns), found 185 bytes (5 whole" in error_of(path)


@pytest.mark.parametrize("surplus", [1, 24])
def test_oversized(tmp_path, surplus):
    path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3)
    path.write_bytes(path.read_bytes() + bytes(surplus))
    message = error_of(path)
    assert f"too long by {surplus} bytes" in message
    assert f"expected 186 bytes (6 patterns), found {186 + surplus} bytes" in message


def test_empty(tmp_path):
    path = tmp_path / "scan.up2"
    path.touch()
    assert "empty: expected a header of at least 16 bytes, found 0 bytes" in error_of(path)


@pytest.mark.parametrize(("kept", "needed"), [(10, 16), (30, 42)])
def test_header_cut_short(tmp_path, kept, needed):
    path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3)
    path.write_bytes(path.read_bytes()[:kept])
    message = error_of(path)
    assert str(needed) in message
    assert f"found {kept} bytes" in message


@pytest.mark.parametrize("write", [version_1, lambda *a: version_3(*a, 2, 3)])
@pytest.mark.parametrize("stray_bytes", [0, 23])
def test_header_without_a_pattern(tmp_path, write, stray_bytes):
    path = write(tmp_path / "scan.up2", patterns_of(0))
    path.write_bytes(path.read_bytes() + bytes(stray_bytes))
    for options in ({}, {"allow_partial": True}):
        message = error_of(path, **options)
        assert "holds no pattern" in message
        assert f"the file has {path.stat().st_size}" in message


@pytest.mark.parametrize(("height", "width"), [(0, 4), (3, 0), (20_000, 4)])
def test_impossible_pattern_size(tmp_path, height, width):
    path = tmp_path / "scan.up2"
    path.write_bytes(np.array([1, width, height, 16], "<u4").tobytes() + bytes(100))
    assert f"patterns of {width} x {height} pixels" in error_of(path)


@pytest.mark.parametrize("version", [0, 5, 2**31])
def test_unknown_version(tmp_path, version):
    path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3, version=version)
    message = error_of(path)
    assert "expected version 1, 3 or 4" in message
    assert f"found {version} " in message


def test_another_format_under_the_name(tmp_path):
    path = tmp_path / "scan.up2"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(200)))
    message = error_of(path)
    assert "not a UP1/UP2 file" in message
    assert "89 50 4e 47" in message


def test_patterns_inside_the_header(tmp_path):
    path = tmp_path / "scan.up2"
    path.write_bytes(np.array([1, 4, 3, 8], "<u4").tobytes() + bytes(24))
    assert "begin at byte 8, inside it" in error_of(path)


def test_absurd_grid_is_refused_before_memory_is_asked_for(tmp_path):
    path = version_3(tmp_path / "scan.up2", patterns_of(1), 4_000_000_000, 4_000_000_000)
    assert "4000000000 rows x 4000000000 columns" in error_of(path, allow_partial=True)


def test_wrong_grid_lists_what_was_tried(tmp_path):
    ang(tmp_path / "scan.ang", 4, 5, 5)
    path = version_3(tmp_path / "scan.up2", patterns_of(6), 3, 4, hexagonal=1)
    message = error_of(path)
    assert "3 rows x 4 columns = 12 patterns (hexagonal grid, from the header)" in message
    assert "3 rows of 4 and 3 columns in turn = 11 patterns" in message
    assert "4 rows x 5 columns = 20 patterns (square grid, from scan.ang)" in message


def test_wrong_shape_of_the_user(tmp_path):
    path = version_1(tmp_path / "scan.up2", patterns_of(6))
    assert "4 rows x 2 columns = 8 patterns (square grid, from shape=(4, 2))" in error_of(
        path, shape=(4, 2)
    )
    assert "expected shape=(rows, columns)" in error_of(path, shape=(0, 6))
    assert "expected shape=(rows, columns)" in error_of(path, shape=(6,))


@pytest.mark.parametrize(
    "line", ["# NROWS: many", "# NROWS: 0", "# NROWS: 2\n# NCOLS_EVEN: -3", "# XSTEP: wide"]
)
def test_damaged_ang_file(tmp_path, line):
    (tmp_path / "scan.ang").write_text(f"# NCOLS_ODD: 3\n# NROWS: 2\n{line}\n")
    path = version_1(tmp_path / "scan.up2", patterns_of(6))
    with pytest.raises(
        PatternFileError, match=re.escape(f"{tmp_path / 'scan.ang'}: expected NROWS")
    ):
        open_scan(path)


def test_missing_file(tmp_path):
    assert "no such file" in error_of(tmp_path / "scan.up2")


def test_folder(tmp_path):
    path = tmp_path / "scan.up2"
    path.mkdir()
    assert "found a folder" in error_of(path)


@pytest.mark.parametrize("name", ["scan.txt", "scan"])
def test_unknown_extension(tmp_path, name):
    message = error_of(tmp_path / name)
    assert ".up2" in message
    assert "no extension" in message or ".txt" in message


@pytest.mark.parametrize("step", [0, -1.0, (1.0, np.nan), (np.inf, 1.0)])
def test_impossible_step(tmp_path, step):
    path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3)
    assert "expected a step in µm greater than 0" in error_of(path, step=step)


def test_scan_name_where_there_is_none(tmp_path):
    path = version_3(tmp_path / "scan.up2", patterns_of(6), 2, 3)
    assert "has no scan 'Scan 1'" in error_of(path, scan="Scan 1")


@given(
    content=st.binary(max_size=120),
    partial=st.booleans(),
    start=st.sampled_from([b"", b"\1\0\0\0", b"\3\0\0\0"]),
)
def test_any_bytes_give_a_scan_or_a_pattern_file_error(tmp_path_factory, content, partial, start):
    path = tmp_path_factory.mktemp("bytes") / "scan.up1"
    path.write_bytes(start + content)
    with contextlib.suppress(PatternFileError):
        assert open_scan(path, allow_partial=partial).read(0, 0).size


def no_room(monkeypatch):
    """Let a layout be none: those of the largest grids take gigabytes."""
    for name in ("regular", "alternating"):
        monkeypatch.setattr(Layout, name, lambda *_: pytest.fail("room has been made"))


@pytest.mark.parametrize("allow_partial", [False, True])
@pytest.mark.parametrize(
    ("rows", "cols"), [(10**9, 1), (1, 10**9), (30_000, 30_000), (2**32 - 1, 2**32 - 1)]
)
@pytest.mark.parametrize("hexagonal", [0, 1])
def test_no_room_is_made_for_a_grid_that_no_file_of_this_size_has(
    tmp_path, monkeypatch, rows, cols, hexagonal, allow_partial
):
    path = version_3(tmp_path / "a.up2", patterns_of(6), rows, cols, hexagonal=hexagonal)
    no_room(monkeypatch)
    with pytest.raises(PatternFileError, match=r"a\.up2: .*damaged"):
        open_scan(path, allow_partial=allow_partial)


@pytest.mark.parametrize("line", ["# NROWS: 1000000000", "# NCOLS_ODD: 1000000000"])
def test_nor_for_that_of_an_ang_file(tmp_path, monkeypatch, line):
    path = version_1(tmp_path / "a.up2", patterns_of(6))
    content = ang(tmp_path / "a.ang", 1, 1, 1).read_text(encoding="latin-1")
    name = line.partition(":")[0]
    lines = [line if one.startswith(name) else one for one in content.splitlines()]
    (tmp_path / "a.ang").write_text("\n".join(lines), encoding="latin-1")
    no_room(monkeypatch)
    with pytest.raises(PatternFileError, match=r"a\.ang gives .* would be missing"):
        open_scan(path, allow_partial=True)


def test_an_ang_file_without_an_end_is_not_read_to_it(tmp_path):
    path = version_1(tmp_path / "a.up2", patterns_of(1))
    with (tmp_path / "a.ang").open("wb") as file:
        file.write(b"#")
        file.truncate(2**40)  # takes no place on most disks
    assert open_scan(path).map_shape == (1, 1)
