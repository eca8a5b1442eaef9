"""The direct beam among spots whose places are known."""

import numpy as np
import pytest

from napari_kikuchi.orientation.beam_place import NoBeamError, find_beam

SHAPE, RADIUS = (30, 40), 3.0
POSITIONS = np.argwhere(np.ones(SHAPE, bool))
GRADIENT = np.array([(0.05, -0.02), (0.01, 0.08)])
CENTRE = np.array((61.3, 66.8))


def beams(gradient=GRADIENT):
    """Rows and columns of the beam at each position."""
    return CENTRE + (POSITIONS - (np.array(SHAPE) - 1) / 2) @ np.transpose(gradient)


def patterns(centres, beam=5.0, spots=8, seed=0, lattice=None, spread=0.1, paired=0.7):
    """Lists of spots: some with their opposite, all around the direct beam of that strength."""
    rng = np.random.default_rng(seed)
    n = len(centres)
    if lattice is None:
        angle, length = rng.uniform(0, 2 * np.pi, (n, spots)), rng.uniform(15, 55, (n, spots))
        away = np.stack([length * np.cos(angle), length * np.sin(angle)], axis=-1)
    else:
        away = np.broadcast_to(lattice, (n, *lattice.shape))
    intensity = rng.uniform(0.3, 1, away.shape[:2])
    mirrored = np.where(rng.random(intensity.shape) < paired, intensity * 0.8, 0)
    places = np.concatenate([away, -away, np.zeros((n, 1, 2))], axis=1) + centres[:, None]
    places += spread * rng.normal(size=places.shape)
    counts = np.concatenate([intensity, mirrored, np.full((n, 1), beam)], axis=1)
    found = np.concatenate([places[..., ::-1], counts[..., None]], axis=-1) * (
        counts[..., None] > 0
    )
    order = np.argsort(-counts, axis=1)
    return np.take_along_axis(found, order[..., None], axis=1).astype(np.float32)


@pytest.mark.parametrize("beam", [50.0, 1.2, 0.2])
def test_place_and_wandering_of_a_beam_strong_or_weak(beam):
    found = find_beam(patterns(beams(), beam), POSITIONS, SHAPE, RADIUS)
    np.testing.assert_allclose(found.centre, CENTRE, atol=0.03)
    np.testing.assert_allclose(found.descan.gradient, GRADIENT, atol=0.002)
    assert found.descan.origin == (14.5, 19.5)
    corners = np.array([(29, 39), (29, -39)]) @ GRADIENT.T
    assert found.wandering == pytest.approx(np.hypot(*corners.T).max(), abs=0.1)
    np.testing.assert_allclose(found.spread, 0.1, rtol=0.15)
    assert found.share == pytest.approx(1, abs=0.01)


def test_a_beam_that_wanders_far_is_followed():
    found = find_beam(patterns(beams(10 * GRADIENT)), POSITIONS, SHAPE, RADIUS)
    np.testing.assert_allclose(found.descan.gradient, 10 * GRADIENT, atol=0.005)


def test_a_beam_that_stands_still_does_not_wander():
    found = find_beam(patterns(beams(0 * GRADIENT)), POSITIONS, SHAPE, RADIUS)
    assert found.descan is None
    np.testing.assert_allclose(found.centre, CENTRE, atol=0.02)


def test_patterns_in_which_another_spot_is_stronger_do_not_move_it():
    spots = patterns(beams())
    rng = np.random.default_rng(1)
    for one in rng.choice(len(spots), 450, replace=False):
        spots[one, 0, :2] += rng.uniform(-40, 40, 2)
    found = find_beam(spots, POSITIONS, SHAPE, RADIUS)
    np.testing.assert_allclose(found.centre, CENTRE, atol=0.03)
    np.testing.assert_allclose(found.descan.gradient, GRADIENT, atol=0.003)
    assert found.share == pytest.approx(1 - 450 / 1200, abs=0.05)


def test_behind_a_beam_stop_it_is_where_spots_lie_in_pairs():
    found = find_beam(patterns(beams(0 * GRADIENT), beam=0.0), POSITIONS, SHAPE, RADIUS)
    np.testing.assert_allclose(found.centre, CENTRE, atol=0.1)
    assert found.share == 0
    assert found.descan is None


def test_a_lone_crystal_behind_a_beam_stop_does_not_pass_for_a_beam():
    lattice = np.array([(14.0, 3), (-3, 14), (11, 17), (17, -11), (28, 6), (-6, 28)])
    spots = patterns(beams(0 * GRADIENT), beam=0.0, lattice=lattice, paired=1.0)
    # One spot is the strongest everywhere.
    strongest = CENTRE + lattice[0]
    near = np.hypot(*(spots[..., 1::-1] - strongest).T).T < 2
    spots[near, 2] = 1.5
    order = np.argsort(-spots[..., 2], axis=1)
    spots = np.take_along_axis(spots, order[..., None], axis=1)
    found = find_beam(spots, POSITIONS, SHAPE, RADIUS)
    np.testing.assert_allclose(found.centre, CENTRE, atol=0.1)


def test_few_spots_beside_a_bright_beam_do_not_make_a_centre_between_them():
    lone = np.array([(20.0, -9.0)])
    spots = patterns(beams(0 * GRADIENT), beam=4.0, lattice=lone, paired=0.0)
    found = find_beam(spots, POSITIONS, SHAPE, RADIUS)
    np.testing.assert_allclose(found.centre, CENTRE, atol=0.02)


def test_spots_here_and_there_have_no_centre():
    rng = np.random.default_rng(0)
    spots = rng.uniform(1, 120, (len(POSITIONS), 8, 3)).astype(np.float32)
    with pytest.raises(NoBeamError, match="Give the centre"):
        find_beam(spots, POSITIONS, SHAPE, RADIUS)
    with pytest.raises(NoBeamError, match="at least 3 patterns"):
        find_beam(0 * spots, POSITIONS, SHAPE, RADIUS)
