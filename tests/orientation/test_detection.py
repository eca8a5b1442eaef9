"""Spots found in patterns whose spots are known."""

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.orientation.detection import Detection, SpotDetector
from napari_kikuchi.orientation.simulated_scan import Exposure, simulate_spot_scan

SIZE, RADIUS = (120, 130), 4.0


def disc_pattern(spots, size=SIZE, radius=RADIUS, background=3.0, dose=None, seed=0):
    """Discs of given column, row and counts on an uneven background."""
    y, x = np.mgrid[: size[0], : size[1]]
    pattern = background * np.exp(-np.hypot(x - size[1] / 2, y - size[0] / 2) / 60)
    for column, row, counts in spots:
        disc = np.clip((radius - np.hypot(x - column, y - row)) / 0.7 + 0.5, 0, 1)
        pattern += counts * disc / disc.sum()
    return pattern if dose is None else np.random.default_rng(seed).poisson(pattern)


def spread(count, seed, margin=8.0, apart=14.0):
    """Places inside a pattern, none near another."""
    rng, places = np.random.default_rng(seed), []
    while len(places) < count:
        place = rng.uniform(margin, (SIZE[1] - margin, SIZE[0] - margin))
        if all(np.hypot(*(place - other)) > apart for other in places):
            places.append(place)
    return np.array(places)


def matched(found, truth, within):
    """Distances of those that are the same spot."""
    distances = cdist(found[found[:, 2] > 0, :2], truth[:, :2])
    rows, cols = linear_sum_assignment(np.minimum(distances, 10 * within))
    near = distances[rows, cols]
    return near[near < within]


def test_places_are_found_to_a_part_of_a_pixel_and_intensities_in_counts():
    counts = np.linspace(20_000, 2_000, 12)
    truth = np.column_stack([spread(12, seed=0), counts])
    found = SpotDetector(SIZE, Detection(RADIUS))(disc_pattern(truth)[None])[0].numpy()
    assert found.shape == (64, 3)
    assert np.count_nonzero(found[:, 2]) == 12
    assert (found[12:] == 0).all()
    np.testing.assert_allclose(found[:12, :2], truth[:, :2], atol=0.05)
    ratio = found[:12, 2] / counts
    # A peak is somewhat sharper than the parabola through its highest pixels.
    assert 0.9 < ratio.mean() < 1.0
    assert np.ptp(ratio) < 0.05


def test_spots_are_found_in_noise_and_nothing_else():
    near, truths, spots = [], 0, 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        counts = np.exp(rng.uniform(np.log(300), np.log(20_000), 20))
        truth = np.column_stack([spread(20, seed), counts])
        pattern = disc_pattern(truth, dose=1, seed=seed)
        found = SpotDetector(SIZE, Detection(RADIUS))(pattern[None].astype(np.uint16))[0].numpy()
        near.append(matched(found, truth, within=1.0))
        truths += len(truth)
        spots += np.count_nonzero(found[:, 2])
    near = np.concatenate(near)
    assert len(near) > 0.97 * truths
    assert len(near) > 0.97 * spots
    assert np.sqrt(np.mean(near**2)) < 0.2


def test_a_batch_gives_what_each_pattern_gives():
    patterns = np.stack(
        [disc_pattern(np.column_stack([spread(5, seed), np.full(5, 9e3)])) for seed in range(70)]
    )
    detect = SpotDetector(SIZE, Detection(RADIUS, most=8))
    together = detect(torch.from_numpy(patterns))
    assert together.shape == (70, 8, 3)
    torch.testing.assert_close(together[66:67], detect(patterns[66:67]), atol=1e-2, rtol=1e-4)
    assert detect(patterns[:0]).shape == (0, 8, 3)


def test_an_even_or_empty_pattern_has_no_spots():
    even = np.stack([np.zeros(SIZE), np.full(SIZE, 7.0)])
    assert (SpotDetector(SIZE, Detection(RADIUS))(even) == 0).all()


def test_of_two_that_are_too_near_the_stronger_one_counts():
    truth = [(40.0, 40.0, 9e3), (46.0, 40.0, 6e3), (80.0, 60.0, 5e3)]
    near = SpotDetector(SIZE, Detection(RADIUS, spacing=9))(disc_pattern(truth)[None])[0]
    assert int((near[:, 2] > 0).sum()) == 2
    assert near[0, 0] == pytest.approx(40, abs=1.5)


def test_what_lies_on_the_other_side_of_a_pattern_is_not_taken_for_its_surroundings():
    truth = np.array([(6.0, 60.0, 9e3), (123.0, 60.0, 9e3)])
    found = SpotDetector(SIZE, Detection(RADIUS))(disc_pattern(truth)[None])[0].numpy()
    assert len(matched(found, truth, within=0.1)) == 2
    assert np.count_nonzero(found[:, 2]) == 2


@pytest.mark.parametrize(
    ("settings", "told"), [({"radius": 0}, "radius"), ({"radius": 3, "most": 0}, "1 spot")]
)
def test_settings_that_mean_nothing_are_refused(settings, told):
    with pytest.raises(ValueError, match=told):
        Detection(**settings)


def simulated(**exposure):
    """A scan of copper, and the spots that can be told from noise, as columns and rows."""
    exposure = Exposure(**exposure)
    scan, truth = simulate_spot_scan((6, 8), [Crystal.built_in("cu")], exposure=exposure)
    positions = np.argwhere(truth.phases >= 0)
    spots = truth.spots(positions)
    places = np.stack(truth.calibration.to_pixels(*spots[..., :2].T.swapaxes(1, 2), positions), -1)
    beams = np.broadcast_to(truth.calibration.centres(positions)[:, ::-1], (len(positions), 2))
    total = spots[..., 2].sum(1) + exposure.direct_beam * spots[..., 2].max(1)
    counts = spots[..., 2] / total[:, None] * exposure.dose * (1 - exposure.background)
    edge = exposure.radius + 1
    inside = ((places > edge) & (places < 127 - edge)).all(-1)
    disc = np.pi * exposure.radius**2
    # The background is at most four times its mean.
    noise = np.sqrt(counts + 4 * exposure.background * exposure.dose / 128**2 * disc)
    clear = inside & (counts > 8 * noise) & (spots[..., 2] > 0)
    every = [np.vstack([p[s > 0], b]) for p, s, b in zip(places, spots[..., 2], beams, strict=True)]
    patterns = scan.read_positions(positions)
    return patterns, [p[c] for p, c in zip(places, clear, strict=True)], every


@pytest.mark.parametrize("direct_beam", [0.0, 5.0, 60.0])
@pytest.mark.parametrize(
    ("radius", "form"), [(1.5, "disc"), (3.0, "disc"), (6.0, "disc"), (3.0, "gaussian")]
)
def test_spots_of_any_size_are_found_beside_a_bright_beam_or_none(radius, form, direct_beam):
    patterns, clear, every = simulated(radius=radius, form=form, direct_beam=direct_beam)
    detect = SpotDetector((128, 128), Detection(radius, least=1e-3))
    apart, false, found = [], 0, 0
    for spots, wanted, there in zip(detect(patterns).numpy(), clear, every, strict=True):
        spots = spots[spots[:, 2] > 0, :2]
        apart.extend(cdist(wanted, spots).min(axis=1))
        false += np.count_nonzero(cdist(spots, there).min(axis=1) > max(2, radius / 2))
        found += len(spots)
    apart = np.array(apart)
    assert len(apart) > 70
    assert np.mean(apart < 1) > 0.95
    assert np.median(apart) < 0.2
    assert false < 0.05 * found


@pytest.mark.parametrize(
    ("gain", "pedestal"), [(1.0, 0.0), (37.0, 0.0), (5.0, 400.0), (1.0, -0.5), (1e-3, 0.0)]
)
@pytest.mark.parametrize("mean", [0.02, 1.0, 100.0])
def test_noise_alone_is_no_spot_whatever_a_count_is(gain, pedestal, mean):
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    # Far more is counted in the middle than at the rim.
    level = 4 * mean * np.exp(-(((y - 60) / 40) ** 2) - ((x - 65) / 40) ** 2)
    rng = np.random.default_rng(0)
    patterns = gain * rng.poisson(np.broadcast_to(level, (20, *SIZE))) + pedestal
    found = SpotDetector(SIZE, Detection(3.0))(patterns)[..., 2] > 0
    assert found.sum(1).double().mean() < 0.5


def test_discs_side_by_side_are_all_found_and_a_weaker_one_within_the_spacing_is_none():
    diagonal = [(40.0, 40.0, 9e3), (49.0, 49.0, 6e3), (58.0, 40.0, 7e3)]
    pattern = disc_pattern(diagonal, radius=4)[None]
    assert int((SpotDetector(SIZE, Detection(4.0))(pattern)[0, :, 2] > 0).sum()) == 3
    found = SpotDetector(SIZE, Detection(4.0, spacing=14))(pattern)[0].numpy()
    # The one in the middle is near to both, which are not near to each other.
    assert [round(float(column)) for column in found[found[:, 2] > 0, 0]] == [40, 58]


def test_spots_come_strongest_first():
    found = SpotDetector(SIZE, Detection(RADIUS))(
        disc_pattern(np.column_stack([spread(12, 1), np.linspace(4000, 4200, 12)]), dose=1)[None]
    )[0, :, 2]
    assert (found.diff() <= 0).all()
