"""What patterns say of cubic symmetry: of crystals that have it, and of others."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.crystals.kinematical_master import kinematical_intensities
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.symmetry.folding import repeated, unfold
from napari_kikuchi.symmetry.modes import Modes
from napari_kikuchi.symmetry.reader import PatternReader
from napari_kikuchi.symmetry.sector import SIDE, sector_directions, sector_weights
from napari_kikuchi.symmetry.sites import sites_of

DETECTOR = Detector((0.5, 0.3, 0.6))
SIZE = (60, 60)


def stretched(name, cell=1.0):
    settings = Crystal.built_in(name).settings()
    settings["lattice"] = [cell * side for side in settings["lattice"][:3]] + settings["lattice"][
        3:
    ]
    return Crystal.from_settings(settings)


def patterns_of(crystal, count, noise, rng):
    """Patterns of any crystal, by its bands, and how it stands."""
    towards = DETECTOR.directions(SIZE)
    rotations = Rotation.random(count, rng=rng).as_matrix()
    seen = np.stack(
        [kinematical_intensities(crystal, towards @ one.T, voltage=20) for one in rotations]
    )
    seen = (seen - seen.mean()) / seen.std()
    recorded = 1 + 0.03 * seen + noise * rng.standard_normal(seen.shape)
    return recorded.reshape(count, *SIZE).astype(np.float32), rotations


@pytest.fixture(scope="module")
def reader():
    cells = np.geomspace(0.85, 1.6, 8)
    masters = [
        kinematical_intensities(stretched(name, cell), sector_directions(), voltage=20)
        for name in ("cu", "fe")
        for cell in cells
    ]
    return PatternReader(Modes.of(np.array(masters)), DETECTOR.directions, np.ones(SIZE, bool))


@pytest.mark.parametrize("noise", [0.005, 0.02])
def test_what_symmetry_repeats_is_the_signal_of_a_cubic_crystal(noise, reader):
    rng = np.random.default_rng(0)
    found = reader(patterns_of(stretched("al"), 8, noise, rng)[0])
    ratios = found.repeated.sum(axis=0) / found.signal.sum()
    assert (ratios > 0.85).all()
    assert (ratios < [1.2, 1.2, 1.5]).all()  # About threefold axes bands are many.
    # Neighbouring pixels share what is not noise, but for the sharpest edges.
    share = 1 / (1 + (noise / 0.03) ** 2)
    assert 0.6 * share < found.signal.mean() < share
    other = reader(patterns_of(stretched("ti"), 8, noise, rng)[0])
    assert (other.repeated.sum(axis=0) / other.signal.sum() < [0.65, 0.7, 0.75]).all()


def test_crystals_met_before_are_not_searched_for_again(reader, monkeypatch):
    """Patterns of two crystals in turn, read in two goes or in one."""
    rng = np.random.default_rng(5)
    first, second = (
        patterns_of(stretched("al"), 1, 0, np.random.default_rng(seed))[0][0] for seed in (0, 1)
    )
    there = np.stack([first, second] * 4) + 0.005 * rng.standard_normal((8, *SIZE))
    patterns = there.astype(np.float32)
    whole = reader(patterns)
    met = []
    parts = [reader(patterns[:2], met)]
    assert len(met) == 2

    def search(*_):
        raise AssertionError

    monkeypatch.setattr(reader.finder, "_search", search)
    parts.append(reader(patterns[2:], met))
    for name in ("rotations", "explained", "totals"):
        there = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_allclose(there, getattr(whole, name), rtol=1e-4, atol=1e-3)


def test_noise_and_an_empty_detector_repeat_nothing(reader):
    rng = np.random.default_rng(1)
    noise = reader(1 + 0.03 * rng.standard_normal((10, *SIZE)))
    assert abs(noise.repeated).max() < 0.04
    assert abs(noise.signal).max() < 0.03
    empty = reader(np.full((2, *SIZE), 7.0))
    for values in (empty.repeated, empty.signal, empty.explained):
        np.testing.assert_allclose(values, 0, atol=1e-6)


def test_the_triangle_is_that_of_the_crystal(reader):
    crystal = stretched("al")
    found = reader(patterns_of(crystal, 6, 0.005, np.random.default_rng(2))[0])
    total, count = found.totals.sum(axis=0), found.counts.sum(axis=0)
    truth = kinematical_intensities(crystal, sector_directions(), voltage=20)
    weights = sector_weights()
    deviations = [one - np.average(one, weights=weights) for one in (total / count, truth)]
    covariance = np.cov(*deviations, aweights=weights)
    assert covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]) > 0.85


def test_a_pixel_is_no_witness_of_itself():
    """Held against a plain calculation."""
    rng = np.random.default_rng(3)
    directions = np.ascontiguousarray(DETECTOR.directions((20, 20)).T, np.float32)
    pattern = rng.standard_normal(400).astype(np.float32)
    weights = (rng.random(400) < 0.8).astype(np.float32)
    rotation = Rotation.random(rng=rng).as_matrix().astype(np.float32)
    found = np.empty(3, np.float32)
    repeated(pattern, weights, rotation, directions, found)
    shares = np.zeros((400, SIDE, SIDE))
    for pixel in range(400):
        one = np.zeros(400, np.float32)
        one[pixel] = 1
        unfold(one, one, rotation, directions, shares[pixel], np.zeros((SIDE, SIDE)))
    both = (shares + shares.swapaxes(1, 2)).reshape(400, -1)
    shares = shares.reshape(400, -1)
    axis = np.abs(rotation @ directions).argmax(axis=0)
    alone = np.arange(400)[:, None] == np.arange(400)
    about_axis = axis[:, None] == axis
    cases = ((both, alone), (shares, alone), (shares, about_axis))
    for value, (of_others, excluded) in zip(found, cases, strict=True):
        products, used = 0.0, 0.0
        for pixel in np.flatnonzero(weights):
            others = np.where(excluded[pixel], 0, weights)
            sums, seen = (others * pattern) @ of_others, others @ of_others
            if shares[pixel] @ seen > 0.5:
                products += pattern[pixel] * (shares[pixel] @ sums) / (shares[pixel] @ seen)
                used += 1
        assert value == pytest.approx(products / used, rel=1e-3)


def test_what_a_crystal_of_m3_repeats_is_not_what_m3m_does(reader):
    """FeSi: bands of (210) and (120) differ much."""
    atoms = [
        [element, *place, 1.0, 0.5]
        for element, along in (("Fe", 0.136), ("Si", 0.844))
        for place in sites_of(198).orbit([along] * 3)
    ]
    settings = {
        "name": "FeSi", "space_group": 198, "lattice": [4.49] * 3 + [90] * 3,
        "source": "handbook", "atoms": atoms,
    }  # fmt: skip
    rng = np.random.default_rng(4)
    patterns, _ = patterns_of(Crystal.from_settings(settings), 8, 0.005, rng)
    found = reader(patterns)
    in_m3m, in_m3, threefold = found.repeated.sum(axis=0) / found.signal.sum()
    assert min(in_m3, threefold) > 0.85
    assert in_m3m < in_m3 - 0.1
