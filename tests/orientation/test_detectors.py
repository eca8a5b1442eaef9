import numpy as np
import pytest

from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detectors import (
    annulus,
    disc,
    find_direct_beam,
    summarise_patterns,
    virtual_images,
)
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import UnreadableScanError

SHAPE = (40, 48)


@pytest.fixture
def patterns():
    return np.random.default_rng(0).integers(0, 60_000, (21, 30, *SHAPE), dtype=np.uint16)


@pytest.fixture
def scan(patterns):
    present = np.ones((21, 30), bool)
    present[4, 5:] = False
    return Scan(ArraySource(patterns), step=(0.5, 0.25), present=present, technique="4D-STEM")


class WithHole(ArraySource):
    """A file of which some patterns cannot be read."""

    def read_run(self, row, start, stop, out=None):
        if row == 3 and start <= 7 < stop:
            raise OSError("a bad place")
        return super().read_run(row, start, stop, out)


class Lost(ArraySource):
    """A file that gives nothing."""

    def read_run(self, row, start, stop, out=None):
        raise OSError("a bad drive")


def test_masks_hold_the_pixels_within_their_radii():
    y, x = np.mgrid[:40, :48]
    distance = np.hypot(y - 12.5, x - 30)
    np.testing.assert_array_equal(disc(SHAPE, (12.5, 30), 7.2), distance <= 7.2)
    ring = annulus(SHAPE, (12.5, 30), 7.2, 11)
    np.testing.assert_array_equal(ring, (distance >= 7.2) & (distance <= 11))
    assert disc(SHAPE, (3, 4), 0).sum() == 1


def test_a_mask_beside_the_detector_is_an_error():
    with pytest.raises(ValueError, match="none of them from 0 to 3 pixels"):
        disc(SHAPE, (-20, 0), 3)


def test_images_are_the_sums_of_numpy(scan, patterns, tmp_path):
    weights = np.random.default_rng(1).normal(size=SHAPE)
    detectors = {
        "bright field": disc(SHAPE, (20, 24), 6),
        "annular dark field": annulus(SHAPE, (20, 24), 8, 19),
        "centre of mass": weights,
    }
    progress = []
    stack = finish(virtual_images(scan, detectors, tmp_path / "a.zarr"), progress.append)
    assert stack.names == list(detectors)
    assert stack.step == (0.5, 0.25)
    assert progress[-1].total
    for index, detector in enumerate(detectors.values()):
        truth = np.einsum("rchw,hw->rc", patterns.astype(np.float64), detector)
        truth[~scan.present] = np.nan
        np.testing.assert_allclose(stack.map(index), truth, rtol=1e-6, atol=0.5)
    again = read_maps(tmp_path / "a.zarr")
    np.testing.assert_array_equal(again.arrays["detector bright field"], detectors["bright field"])
    assert again.provenance["method"] == "virtual detectors"


def test_patterns_that_cannot_be_read_have_no_value(patterns, tmp_path):
    scan = Scan(WithHole(patterns))
    stack = finish(virtual_images(scan, {"all": np.ones(SHAPE)}, tmp_path / "a.zarr"))
    assert np.argwhere(np.isnan(stack.map(0))).tolist() == [[3, 7]]
    assert stack.provenance["unreadable"]["count"] == 1


@pytest.mark.parametrize("detectors", [{}, {"small": np.ones((3, 3), bool)}])
def test_detectors_that_do_not_fit_are_refused_before_anything_is_read(detectors, tmp_path):
    scan = Scan(Lost(np.zeros((2, 2, *SHAPE))))
    with pytest.raises(ValueError, match="virtual detector"):
        finish(virtual_images(scan, detectors, tmp_path / "a.zarr"))
    assert not list(tmp_path.iterdir())


def test_mean_and_maximum_pattern(scan, patterns):
    summary = finish(summarise_patterns(scan))
    there = patterns[scan.present]
    np.testing.assert_allclose(summary.mean, there.mean(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(summary.maximum, there.max(axis=0))
    assert summary.maximum.dtype == patterns.dtype
    assert not len(summary.unreadable)


def test_the_mean_is_of_what_can_be_read(patterns):
    summary = finish(summarise_patterns(Scan(WithHole(patterns))))
    assert summary.unreadable.tolist() == [[3, 7]]
    there = np.delete(patterns.reshape(-1, *SHAPE), 3 * 30 + 7, axis=0)
    np.testing.assert_allclose(summary.mean, there.mean(axis=0), rtol=1e-12)


def test_nothing_that_can_be_read_has_no_mean():
    with pytest.raises(UnreadableScanError):
        finish(summarise_patterns(Scan(Lost(np.zeros((2, 2, *SHAPE))))))


def test_the_direct_beam_is_found_among_spots_and_a_hot_pixel():
    y, x = np.mgrid[:64, :80]
    pattern = 100.0 * (np.hypot(y - 30.3, x - 41.6) <= 6)
    pattern += 30.0 * (np.hypot(y - 12, x - 60) <= 6)
    pattern[50, 10] = 500
    beam = find_direct_beam(pattern)
    assert beam.centre == pytest.approx((30.3, 41.6), abs=0.3)
    assert beam.radius == pytest.approx(6, abs=0.5)


@pytest.fixture
def broken(patterns):
    """With a dead row, a pixel dead in one pattern, and a pattern without a number."""
    found = patterns.astype(np.float64)
    found[:, :, 2] = np.nan
    found[5, 6, 20, 24] = np.inf
    found[3, 7] = np.nan
    return found


def test_pixels_that_are_not_finite_are_left_out_of_the_sums(broken, tmp_path):
    detectors = {
        "bright field": disc(SHAPE, (20, 24), 6),
        "all": np.ones(SHAPE),
        "dead": disc(SHAPE, (2, 10), 0),
    }
    stack = finish(virtual_images(Scan(ArraySource(broken)), detectors, tmp_path / "a.zarr"))
    finite = np.where(np.isfinite(broken), broken, 0)
    for index, name in enumerate(["bright field", "all"]):
        truth = np.einsum("rchw,hw->rc", finite, detectors[name])
        truth[3, 7] = np.nan
        np.testing.assert_allclose(stack.map(index), truth, rtol=1e-6)
    assert np.isnan(stack.map(2)).all()
    assert stack.provenance["unreadable"] == {"count": 1, "runs": [[3, 7, 7]]}
    record = stack.provenance["not_finite"]
    count = 21 * 30 - 1
    assert (record["patterns"], record["pixels"]) == (count, count * SHAPE[1] + 1)


def test_dead_pixels_are_not_the_direct_beam():
    y, x = np.mgrid[:64, :80]
    pattern = 100.0 * (np.hypot(y - 30, x - 41) <= 6)
    pattern[5, 70] = np.nan
    pattern[30, 41] = np.inf
    beam = find_direct_beam(pattern)
    assert beam.centre == pytest.approx((30, 41), abs=0.01)
    assert beam.radius == pytest.approx(6, abs=0.5)


def test_mean_and_maximum_go_without_what_is_not_finite(broken, patterns):
    summary = finish(summarise_patterns(Scan(ArraySource(broken))))
    assert np.isfinite(summary.mean).all()
    assert np.isfinite(summary.maximum).all()
    there = np.delete(patterns.reshape(-1, *SHAPE), 3 * 30 + 7, axis=0)
    np.testing.assert_allclose(summary.mean[30:], there.mean(axis=0)[30:], rtol=1e-12)
