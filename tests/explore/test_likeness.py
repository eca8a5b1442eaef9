"""Which maps are alike, against scipy's own coefficient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from napari_kikuchi.explore.likeness import likenesses
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack


def stack_of(*maps):
    return MapStack(np.stack(maps), [Channel(str(i)) for i in range(len(maps))])


@given(seed=st.integers(0, 1000), shared=st.floats(-3, 3))
def test_it_is_the_rank_correlation_of_what_both_know(seed, shared):
    rng = np.random.default_rng(seed)
    reference = rng.normal(size=(12, 15))
    other = shared * reference**3 + rng.normal(size=(12, 15))
    other[rng.random((12, 15)) < 0.2] = np.nan
    reference[3, 4:9] = np.nan
    both = np.isfinite(reference) & np.isfinite(other)
    expected = spearmanr(reference[both], other[both]).statistic
    np.testing.assert_allclose(finish(likenesses(stack_of(other), reference)), [expected])


def test_a_map_is_like_itself_in_whatever_unit_and_unlike_what_says_nothing():
    reference = np.random.default_rng(0).uniform(size=(20, 30))
    blank = np.full((20, 30), np.nan)
    maps = stack_of(reference, np.exp(9 * reference), -reference, np.ones((20, 30)), blank)
    updates = []
    found = finish(likenesses(maps, reference), updates.append)
    np.testing.assert_allclose(found, [1, 1, -1, 0, 0])
    assert [(update.done, update.total) for update in updates] == [(i, 5) for i in range(1, 6)]
    assert (finish(likenesses(maps, blank)) == 0).all()


def test_large_maps_are_compared_by_a_sample():
    rng = np.random.default_rng(1)
    reference = rng.normal(size=(700, 800))
    other = reference + rng.normal(size=reference.shape)
    whole = spearmanr(reference.ravel(), other.ravel()).statistic
    (found,) = finish(likenesses(stack_of(other), reference))
    assert found == pytest.approx(whole, abs=0.01)
    assert found != pytest.approx(whole, abs=1e-9)
    assert finish(likenesses(stack_of(other), reference)) == [found]


def test_maps_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(20, 30\).*\(30, 20\)"):
        finish(likenesses(stack_of(np.zeros((20, 30))), np.zeros((30, 20))))
