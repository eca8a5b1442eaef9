"""The difference of two mean patterns, on patterns whose change is known."""

import numpy as np
import pytest
from scipy.stats import ttest_ind_from_stats

from napari_kikuchi.explore.averages import AveragePattern
from napari_kikuchi.explore.differences import pattern_difference

SHAPE = (12, 15)


def average(seed=0, count=20, bright=1000.0):
    rng = np.random.default_rng(seed)
    mean = bright * rng.uniform(0.5, 1.5, SHAPE)
    return AveragePattern(mean, 0.1 * bright * rng.uniform(0.5, 1.5, SHAPE), count)


def test_it_is_the_difference_of_patterns_of_one_brightness_in_standard_errors():
    mask = np.ones(SHAPE, bool)
    mask[:, :4] = False
    one, other = average(1, 20), average(2, 7, bright=3000)
    found = pattern_difference(one, other, mask)
    levels = one.mean[mask].mean(), other.mean[mask].mean()
    first, second = one.mean / levels[0], other.mean / levels[1]
    np.testing.assert_allclose(found.values[mask], (first - second)[mask], atol=1e-6)
    deviations = one.deviation / levels[0], other.deviation / levels[1]
    test = ttest_ind_from_stats(first, deviations[0], 20, second, deviations[1], 7, equal_var=False)
    np.testing.assert_allclose(found.significance[mask], test.statistic[mask], rtol=1e-5)
    assert np.isnan(found.values[~mask]).all()
    assert np.isnan(found.significance[~mask]).all()


def test_a_known_change_is_found_and_nothing_else(rendered, averaged):
    mask = np.hypot(*np.indices((60, 60)) - 29.5) < 28
    diffracted = rendered([1, 0, 0, 0], 60)
    changed = diffracted.copy()
    spot = np.s_[20:26, 30:40]
    changed[spot] += 1
    one = averaged(changed, 40, seed=1)
    # A beam twice as strong changes brightness and noise.
    other = averaged(diffracted, 30, seed=2, mean_counts=20_000)
    found = pattern_difference(one, other, mask)
    elsewhere = mask.copy()
    elsewhere[spot] = False
    assert found.significance[elsewhere].std() == pytest.approx(1, abs=0.1)
    assert abs(found.significance[elsewhere]).max() < 5.5
    # The background is three times as bright in the middle as at the rim, about 1.5 at the spot.
    light = (one.mean / one.mean[mask].mean())[spot]
    assert found.values[spot].mean() == pytest.approx(0.03 * light.mean(), rel=0.1)
    assert found.significance[spot].min() > 5


def test_what_is_not_known_is_nan():
    mask = np.ones(SHAPE, bool)
    several, single = average(1), average(2)
    single = AveragePattern(single.mean, np.full(SHAPE, np.nan), 1)
    found = pattern_difference(several, single, mask)
    assert np.isfinite(found.values).all()
    assert np.isnan(found.significance).all()
    dead = [AveragePattern(one.mean, one.deviation.copy(), 20) for one in (several, average(3))]
    for one in dead:
        one.deviation[0, 0] = 0
    assert np.argwhere(np.isnan(pattern_difference(*dead, mask).significance)).tolist() == [[0, 0]]


def test_patterns_that_cannot_be_compared_are_refused():
    mask = np.ones(SHAPE, bool)
    small = AveragePattern(np.ones((4, 5)), np.ones((4, 5)), 3)
    with pytest.raises(ValueError, match=r"12 x 15 and 4 x 5 pixels .* 12 x 15"):
        pattern_difference(average(), small, mask)
    with pytest.raises(ValueError, match="mask is empty"):
        pattern_difference(average(), average(), ~mask)
    black = AveragePattern(np.zeros(SHAPE), np.ones(SHAPE), 3)
    with pytest.raises(ValueError, match="not black"):
        pattern_difference(average(), black, mask)
