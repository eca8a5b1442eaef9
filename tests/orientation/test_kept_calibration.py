"""Calibrations that were set by hand are found again, of the very scan of which they are."""

import json
from dataclasses import replace

import numpy as np
import pytest

from napari_kikuchi.io import places
from napari_kikuchi.orientation.kept_calibration import (
    find_kept_calibration,
    forget_calibration,
    keep_calibration,
    read_calibration,
)
from napari_kikuchi.orientation.spot_calibration import Descan, SpotCalibration
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan

DESCAN = Descan((2.0, 1.0), ((0.5, 0.0), (0.1, 0.25)))
FOUND = SpotCalibration((29.0, 33.5), 0.02, 30.0, True, 1.2, 25.0, 4.0, DESCAN)


@pytest.fixture
def user(tmp_path, monkeypatch):
    """The folder of the user's own data."""
    monkeypatch.setattr(places, "user_folder", lambda: tmp_path / "user")
    return tmp_path / "user"


@pytest.fixture
def scan(tmp_path, user):
    (tmp_path / "archive").mkdir()
    patterns = np.arange(2 * 3 * 8 * 8, dtype=np.uint16).reshape(2, 3, 8, 8)
    path = tmp_path / "archive" / "weld.hspy"
    return Scan(ArraySource(patterns), name="weld", path=path, technique="4D-STEM")


def kept_of(scan):
    return find_kept_calibration(scan.path, scan.options, scan.fingerprint())


def test_it_is_kept_beside_the_scan_as_the_command_reads_it(scan):
    assert kept_of(scan) is None
    path = keep_calibration(scan, FOUND)
    assert path == scan.path.with_name("weld.calibration.json")
    assert read_calibration(path) == FOUND
    kept = kept_of(scan)
    assert (kept.path, kept.calibration) == (path, FOUND)
    # Of the spots of the scan, too, and the last one that was set.
    keep_calibration(scan, replace(FOUND, scale=0.03))
    of_spots = find_kept_calibration(scan.path.with_name("weld.spots"), {}, scan.fingerprint())
    assert of_spots.calibration.scale == 0.03
    forget_calibration(scan)
    assert kept_of(scan) is None
    assert list(scan.path.parent.iterdir()) == []
    forget_calibration(scan)


def test_a_closed_folder_is_left_as_it_is(scan, user, monkeypatch):
    monkeypatch.setattr(places, "_is_open", lambda folder: folder != scan.path.parent)
    path = keep_calibration(scan, FOUND)
    assert path.is_relative_to(user)
    assert list(scan.path.parent.iterdir()) == []
    assert kept_of(scan).path == path
    assert kept_of(scan).calibration == FOUND
    forget_calibration(scan)
    assert kept_of(scan) is None


def test_that_of_another_scan_of_the_same_name_is_none_of_this_one(scan):
    path = keep_calibration(scan, FOUND)
    other = replace(scan, source=ArraySource(np.zeros((2, 3, 8, 8), np.uint16)))
    assert kept_of(other) is None
    # Whoever writes such a file without saying of which scan means this one.
    path.write_text(json.dumps(FOUND.settings()))
    assert kept_of(other).calibration == FOUND


def test_a_damaged_file_is_told(scan):
    keep_calibration(scan, FOUND).write_text('{"centre": [1, 2]}')
    with pytest.raises(ValueError, match=r"weld\.calibration\.json: expected the calibration"):
        kept_of(scan)


def test_a_scan_in_memory_has_no_place(scan):
    with pytest.raises(ValueError, match="weld: expected a scan in a file"):
        keep_calibration(replace(scan, path=None), FOUND)
