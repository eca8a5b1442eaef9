"""Which bands changed, on patterns whose bands and changes are known."""

from itertools import product

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from napari_kikuchi.explore.averages import AveragePattern, average_pattern
from napari_kikuchi.explore.bands import changed_bands
from napari_kikuchi.explore.lines import Line
from napari_kikuchi.images import find_signal_mask
from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import finish
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.simulate.effects import Effects

SIDE = 60
ORIENTATIONS = Rotation.random(3, np.random.default_rng(0)).as_quat(scalar_first=True)


def strong_planes():
    """Indices of {111}, {200}, {220} and {311} of a face-centred cubic crystal, each plane once."""
    for plane in product(range(-3, 4), repeat=3):
        sizes = sorted(map(abs, plane))
        if sizes in ([1, 1, 1], [0, 0, 2], [0, 2, 2], [1, 1, 3]) and plane > (0, 0, 0):
            yield plane


def distances_from_predicted(bands, quaternion, side=SIDE, detector=None):
    """How far the ends of each band's centre line are from the trace of the nearest plane."""
    detector = detector or Detector()
    normals = (
        np.array([*strong_planes()]) @ Rotation.from_quat(quaternion, scalar_first=True).as_matrix()
    )
    angle = np.deg2rad(90 - detector.sample_tilt + detector.tilt)
    directions = detector.directions((side, side))
    # On the screen, where a plane is a straight line and its distance grows evenly.
    on_screen = directions / (directions @ [np.sin(angle), 0, np.cos(angle)])[:, None]
    planes = (on_screen @ normals.T).reshape(side, side, -1)
    down, right = planes[1, 0] - planes[0, 0], planes[0, 1] - planes[0, 0]
    found = []
    for band in bands:
        rows, cols = band.ends.T
        from_planes = planes[0, 0] + np.outer(rows, down) + np.outer(cols, right)
        found.append(abs(from_planes / np.hypot(down, right)).max(axis=0).min())
    return np.array(found)


@pytest.fixture(scope="module")
def crystal(rendered):
    return rendered(ORIENTATIONS[0], SIDE)


@pytest.fixture(scope="module")
def interior(crystal, averaged):
    return averaged(crystal, 30, seed=1)


@pytest.fixture(scope="module")
def mask(interior):
    return find_signal_mask(interior.mean)


def test_bands_are_where_the_crystal_has_its_planes(rendered, averaged):
    near = []
    for i, orientation in enumerate(ORIENTATIONS):
        average = averaged(rendered(orientation, SIDE), 30, seed=i)
        bands = changed_bands(average, average, find_signal_mask(average.mean))
        near.append(distances_from_predicted(bands, orientation) < 2)
    # The strongest come first; among the last are bands of other planes.
    assert all(each[:6].all() for each in near)
    assert np.mean(np.concatenate(near)) > 0.8


def test_bands_of_large_patterns_are_in_their_own_pixels(rendered, averaged):
    """Looked for in binned ones; a row and a column are left over."""
    crystal = rendered(ORIENTATIONS[1], 181)
    one, other = averaged(crystal, 10, seed=0), averaged(crystal, 10, seed=50)
    bands = changed_bands(one, other, find_signal_mask(one.mean))
    assert np.median(distances_from_predicted(bands, ORIENTATIONS[1], 181)) < 0.4
    assert np.std([band.significance for band in bands]) == pytest.approx(1, abs=0.3)
    for band in bands:
        rows, cols = band.ends.T
        np.testing.assert_allclose(band.line.distances(rows, cols, (181, 181)), 0, atol=1e-6)
        assert 2 < band.line.width < 0.1 * 181


def test_bands_of_real_patterns_are_where_indexing_puts_them():
    from kikuchipy.data import nickel_ebsd_small

    published = nickel_ebsd_small()
    scan = open_scan(sample_folder() / "nickel_3x3.up2")
    left = finish(average_pattern(scan, np.array([[0, 0], [1, 0], [2, 0]])))
    bands = changed_bands(
        left, left, find_signal_mask(left.mean), published.static_background.astype(np.float32)
    )
    bands.sort(key=lambda band: -band.contrasts[0] / band.errors[0])
    screen = published.detector
    detector = Detector(tuple(screen.pc.reshape(-1, 3)[0]), screen.tilt, screen.sample_tilt)
    orientation = published.xmap.rotations.data[0]
    near = distances_from_predicted(bands, orientation, detector=detector) < 2
    assert near[:5].all()
    assert near.sum() >= 10


def test_regions_of_the_same_pattern_differ_by_chance(crystal, averaged, interior, mask):
    other = averaged(crystal, 20, seed=2, mean_counts=15_000)
    found = [band.significance for band in changed_bands(interior, other, mask)]
    assert len(found) >= 6
    assert np.std(found) < 1.6
    assert max(map(abs, found)) < 4.5


def test_a_loss_of_contrast_is_measured_on_every_band(crystal, averaged, interior, mask):
    faded = averaged(0.8 * crystal, 20, seed=2)
    light = Effects().background(mask.shape).numpy()
    mask = mask & (light > 0)
    bands = changed_bands(faded, interior, mask, light)
    sizes = [abs(band.significance) for band in bands]
    assert sizes == sorted(sizes, reverse=True)
    assert np.median([band.change for band in bands]) == pytest.approx(-0.2, abs=0.02)
    for band in bands:
        assert band.change == pytest.approx(-0.2, abs=4 * band.change_error)
        one, other = band.contrasts
        assert band.change == pytest.approx((one - other) / other)
        errors = [one / other**2 * band.errors[1], band.errors[0] / other]
        assert band.change_error == pytest.approx(np.hypot(*errors))
    # Without the light's own shape nearly as much is found.
    rough = [band.change for band in changed_bands(faded, interior, mask)[:6]]
    assert rough == pytest.approx([-0.2] * 6, abs=0.05)
    turned = changed_bands(interior, faded, mask, light)
    assert [-band.significance for band in turned] == pytest.approx(
        [band.significance for band in bands]
    )
    assert turned[0].change_error == pytest.approx(bands[0].change_error)


def test_blur_takes_contrast_from_narrow_bands(crystal, averaged, interior, mask):
    blurred = averaged(ndimage.gaussian_filter(crystal, 1), 30, seed=2)
    bands = changed_bands(blurred, interior, mask)[:6]
    assert all(band.change < -0.05 and band.significance < -5 for band in bands)
    narrow = min(bands, key=lambda band: band.line.width)
    wide = max(bands, key=lambda band: band.line.width)
    assert narrow.change < wide.change


@pytest.mark.parametrize("height", [0.1, 0.6])
def test_a_band_that_only_one_region_has_is_the_most_changed(
    height, crystal, averaged, interior, mask
):
    """A twentieth as strong as the strongest band, and as strong as others; not along any."""
    line = Line(160, -14, 2.5)
    distance = abs(line.distances(*np.indices(mask.shape), mask.shape))
    added = crystal + height * (distance < line.width / 2)
    most = changed_bands(averaged(added, 30, seed=2), interior, mask)[0]
    rows, cols = most.ends.T
    assert abs(line.distances(rows, cols, mask.shape)).max() < 1
    assert most.significance > 6
    assert most.contrasts[0] > most.contrasts[1]


def test_a_scratch_on_the_screen_is_no_band(interior, mask):
    scratch = Line(120, -6, 2)
    screen = 1 + 0.1 * (abs(scratch.distances(*np.indices(mask.shape), mask.shape)) < 1)
    seen = AveragePattern(interior.mean * screen, interior.deviation * screen, interior.count)

    def is_found(background):
        ends = [band.ends.T for band in changed_bands(seen, seen, mask, background)]
        return any(abs(scratch.distances(*each, mask.shape)).max() < 1 for each in ends)

    assert is_found(None)
    assert not is_found(500 * screen)


def test_single_patterns_have_bands_without_errors_and_equal_ones_no_change(interior, mask):
    single = AveragePattern(interior.mean, np.full(mask.shape, np.nan), 1)
    bands = changed_bands(single, interior, mask)
    assert len(bands) >= 6
    assert all(np.isnan([band.significance, band.change_error]).all() for band in bands)
    assert all(band.change == 0 for band in bands)
    exact = AveragePattern(interior.mean, np.zeros(mask.shape), 9)
    assert all(band.significance == 0 for band in changed_bands(exact, exact, mask))
    flat = AveragePattern(np.ones(mask.shape), np.ones(mask.shape), 9)
    assert changed_bands(flat, flat, mask) == []


def test_what_has_no_background_is_refused(interior, mask):
    with pytest.raises(ValueError, match="0 or less"):
        changed_bands(
            AveragePattern(interior.mean - interior.mean.mean(), interior.deviation, 30),
            interior,
            mask,
        )
    with pytest.raises(ValueError, match="0 or less"):
        changed_bands(interior, interior, mask, np.zeros(mask.shape))
    with pytest.raises(ValueError, match=r"60 x 60 pixels.* 4 x 5"):
        changed_bands(interior, interior, mask, np.ones((4, 5)))
    with pytest.raises(ValueError, match="mask of 30 x 30"):
        changed_bands(interior, interior, mask[:30, :30])
