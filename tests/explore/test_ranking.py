import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.explore.ranking import feature_score, rank_features

SIDE = 64


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def noise(rng, spread=1.0, shape=(SIDE, SIDE)):
    return rng.normal(scale=spread, size=shape).astype(np.float32)


def walls(height=1.0, shape=(SIDE, SIDE)):
    """Cell walls one position wide, 8 positions apart."""
    row, col = np.indices(shape)
    return (height * ((row % 8 == 0) | (col % 8 == 0))).astype(np.float32)


def grains(height=1.0):
    row, col = np.indices((SIDE, SIDE))
    return (height * ((row // 32 + col // 32) % 2)).astype(np.float32)


def test_walls_come_before_grains_and_grains_before_noise(rng):
    maps = [noise(rng, 2), grains() + noise(rng, 0.3), walls() + noise(rng, 0.3), np.zeros((9, 9))]
    scores = rank_features(maps)
    assert np.argsort(-scores).tolist() == [2, 1, 0, 3]


def test_strong_walls_under_noise_come_before_faint_clean_ones(rng):
    assert feature_score(walls() + noise(rng, 0.3)) > feature_score(walls(0.02))


def test_noise_alone_scores_next_to_nothing(rng):
    assert feature_score(noise(rng)) < 0.01 * feature_score(walls())


@pytest.mark.parametrize("value", [0.0, 3.7e4, np.nan])
def test_a_map_that_says_nothing_scores_nothing(value):
    assert feature_score(np.full((20, 30), value)) == pytest.approx(0, abs=1e-3)


@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-10, 10))
def test_the_score_has_the_unit_of_the_feature_and_forgets_its_offset(scale, shift):
    values = walls() + noise(np.random.default_rng(1), 0.3)
    expected = scale * feature_score(values)
    assert feature_score(scale * (values + shift)) == pytest.approx(expected, rel=1e-3)
    assert feature_score(-scale * values) == pytest.approx(expected, rel=1e-3)


def test_the_score_is_its_formula():
    # The local mean by hand, the edge repeated outwards; every row is alike.
    stripes = np.indices((50, 50))[1] % 3 == 0
    values = stripes.astype(np.float32)
    local = values - np.array(
        [np.mean([values[0, min(max(col + k, 0), 49)] for k in range(-3, 4)]) for col in range(50)]
    )
    across = local[:, 1:] * local[:, :-1]
    down = local[1:] * local[:-1]
    variance = np.mean(local**2)
    correlation = np.mean([*across.ravel(), *down.ravel()]) / variance
    assert correlation > 0
    assert feature_score(values) == pytest.approx(np.sqrt(variance) * correlation**2, rel=1e-4)


def test_missing_positions_do_not_count(rng):
    values = walls() + noise(rng, 0.3) + 10
    holes = values.copy()
    holes[:, 40:] = np.nan
    holes[3, 3] = np.nan
    assert feature_score(holes) == pytest.approx(feature_score(values), rel=0.2)


def test_a_large_map_scores_as_its_parts_do(rng):
    large = walls(shape=(700, 900)) + noise(rng, 0.3, (700, 900))
    part = feature_score(large[:300, :300])
    assert feature_score(large) == pytest.approx(part, rel=0.05)


def test_maps_may_come_one_by_one():
    assert rank_features(walls() for _ in range(3)) == pytest.approx([feature_score(walls())] * 3)
