"""The spots of a scan are found block by block, and survive what may happen meanwhile."""

import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from damaged import damaged
from napari_kikuchi import streaming
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.journal import ResumeError
from napari_kikuchi.io.output import OutputInUseError
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detection import Detection, SpotDetector
from napari_kikuchi.orientation.find_spots import default_spots_path, find_spots
from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.orientation.simulated_scan import simulate_spot_scan
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan

SHAPE = (7, 9)
DETECTION = Detection(3.0, most=32)


@pytest.fixture(scope="module")
def patterns():
    scan, _ = simulate_spot_scan(SHAPE, [Crystal.built_in("cu")], pattern_shape=(64, 64))
    return scan.read_positions(np.argwhere(np.ones(SHAPE))).reshape(scan.shape)


@pytest.fixture
def scan(patterns):
    return Scan(ArraySource(patterns), name="weld", technique="4D-STEM")


@pytest.fixture
def expected(patterns):
    flat = patterns.reshape(-1, 64, 64)
    return SpotDetector((64, 64), DETECTION)(flat).numpy().reshape(*SHAPE, 32, 3)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(streaming, "_BLOCK_PATTERNS", 4)  # 9 columns: blocks of 4, 4 and 1


def assert_spots(found, expected):
    # Of how many patterns at a time are transformed the last bits depend.
    np.testing.assert_allclose(found, expected, atol=2e-2, rtol=1e-4)


@pytest.mark.parametrize("workers", [1, 3])
def test_spots_are_those_of_each_pattern(scan, expected, tmp_path, workers):
    seen = []
    spots = finish(find_spots(scan, tmp_path / "a.spots", DETECTION, workers=workers), seen.append)
    assert_spots(spots.rows(0, 7), expected)
    done = [update.done for update in seen if update.message == "Finding spots"]
    assert (done[0], done[-1], done) == (0, 63, sorted(done))
    assert [path.name for path in tmp_path.iterdir()] == ["a.spots"]
    again = ScanSpots.open(tmp_path / "a.spots")
    assert again.detection == DETECTION
    assert again.fingerprint == scan.fingerprint()
    assert again.provenance["method"] == "spots"
    assert again.provenance["version"]


def test_processes_find_the_same(scan, expected, tmp_path):
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        job = find_spots(scan, tmp_path / "a.spots", DETECTION, executor=pool, workers=1)
        assert_spots(finish(job).rows(0, 7), expected)


def test_positions_without_a_pattern_and_unreadable_ones_are_missing(scan, expected, tmp_path):
    present = np.ones(SHAPE, bool)
    present[6, 4:] = False
    partial = Scan(scan.source, present=present)
    bad = {(1, 3), (5, 0)}
    spots = finish(find_spots(damaged(partial, bad), tmp_path / "a.spots", DETECTION))
    readable = present.copy()
    readable[tuple(np.transpose(list(bad)))] = False
    np.testing.assert_array_equal(spots.present, readable)
    assert_spots(spots.rows(0, 7), np.where(readable[..., None, None], expected, 0))
    assert spots.provenance["unreadable"] == {"count": 2, "runs": [[1, 3, 3], [5, 0, 0]]}


def stopped_after(scan, folder, count):
    """What lies on the disk when so many patterns are done, and how many they are."""
    out = folder / "stopped" / "a.spots"
    out.parent.mkdir()
    job = find_spots(scan, out, DETECTION, workers=2)
    while (done := next(job).done) < count:
        pass
    shutil.copytree(out.parent, folder / "left")
    job.close()
    assert not out.exists()
    return folder / "left" / "a.spots", done


@pytest.mark.parametrize("count", [0, 5, 30, 63])
def test_a_stopped_search_goes_on_where_it_was(scan, expected, tmp_path, count):
    out, done = stopped_after(scan, tmp_path, count)
    seen = []
    spots = finish(find_spots(scan, out, DETECTION), seen.append)
    assert seen[0].done == done
    assert_spots(spots.rows(0, 7), expected)
    assert [path.name for path in out.parent.iterdir()] == ["a.spots"]


def test_patterns_that_could_not_be_read_are_tried_again(scan, expected, tmp_path):
    lost = damaged(scan, {(1, 2)})
    out, _ = stopped_after(lost, tmp_path, 30)
    spots = finish(find_spots(scan, out, DETECTION))
    assert spots.present.all()
    assert_spots(spots.rows(0, 7), expected)


def test_only_the_same_spots_are_gone_on_with(scan, tmp_path):
    out, _ = stopped_after(scan, tmp_path, 5)
    with pytest.raises(ResumeError, match=r"detection radius was 3.0, now 2.0"):
        finish(find_spots(scan, out, Detection(2.0, most=32)))
    spots = finish(find_spots(scan, out, Detection(2.0, most=32), resume=False))
    assert spots.detection.radius == 2


def test_an_older_file_is_replaced_in_the_end_but_nothing_else(scan, tmp_path):
    out = tmp_path / "a.spots"
    finish(find_spots(scan, out, DETECTION))
    job = find_spots(scan, out, Detection(2.0))
    next(job)
    assert ScanSpots.open(out).detection == DETECTION
    with pytest.raises(OutputInUseError, match=r"a.spots: another job"):
        finish(find_spots(scan, out, Detection(2.0)))
    assert finish(job).detection.radius == 2
    out.write_text("what a person wrote")
    with pytest.raises(FileExistsError, match=r"a.spots: .*something else lies here"):
        finish(find_spots(scan, out, DETECTION))
    assert out.read_text() == "what a person wrote"


def test_spots_of_a_file_lie_beside_it(scan, expected, patterns, tmp_path):
    path = tmp_path / "scan_x9_y7.raw"
    frames = np.zeros((*SHAPE, 130, 128), "<f4")
    frames[..., 32:96, 32:96] = patterns
    path.write_bytes(frames.tobytes())
    out = default_spots_path(path)
    assert out == tmp_path / "scan_x9_y7.spots"
    spots = finish(find_spots(open_scan(path), out, DETECTION))
    assert spots.provenance["scan"]["path"] == str(path)
    inner = expected[3, 4, 0, :2] + 32
    np.testing.assert_allclose(spots.at(3, 4)[0, :2], inner, atol=0.02)


@pytest.fixture
def broken(patterns):
    """With a pixel that is dead in all patterns, and a pattern without a number."""
    found = patterns.astype(np.float32)
    found[:, :, 3, 60] = np.nan
    found[2, 5] = np.nan
    return Scan(ArraySource(found), name="broken", technique="4D-STEM")


def test_a_dead_pixel_takes_no_spot_away_and_is_told(broken, expected, tmp_path):
    spots = finish(find_spots(broken, tmp_path / "a.spots", DETECTION))
    whole = np.ones(SHAPE, bool)
    whole[2, 5] = False
    np.testing.assert_array_equal(spots.present, whole)
    assert spots.provenance["unreadable"] == {"count": 1, "runs": [[2, 5, 5]]}
    record = spots.provenance["not_finite"]
    assert (record["patterns"], record["pixels"]) == (62, 62)
    found = spots.rows(0, 7)
    # Where the pixel is, at the edge, there is no spot.
    near = np.hypot(expected[..., 0] - 60, expected[..., 1] - 3) < 8
    same = whole & ~(near & (expected[..., 2] > 0)).any(axis=-1)
    assert same.sum() > 30
    assert_spots(found[same], expected[same])


def test_dead_pixels_are_counted_though_a_run_is_interrupted(broken, tmp_path):
    job = find_spots(broken, tmp_path / "a.spots", DETECTION, workers=1)
    for update in job:
        if update.done >= 20:
            break
    job.close()
    seen = []
    spots = finish(find_spots(broken, tmp_path / "a.spots", DETECTION), seen.append)
    assert seen[0].done >= 20
    assert spots.provenance["not_finite"]["pixels"] == 62
