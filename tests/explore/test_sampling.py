import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.explore.sampling import sample


@given(count=st.integers(0, 5000), size=st.integers(1, 300), seed=st.integers(0, 9))
def test_each_is_drawn_once_in_order_and_from_everywhere(count, size, seed):
    drawn = sample(count, size, seed)
    assert len(drawn) == min(count, size)
    assert (np.diff(drawn) > 0).all()
    if count:
        assert 0 <= drawn[0] <= count / size
        assert count - count / size - 1 <= drawn[-1] < count
    np.testing.assert_array_equal(drawn, sample(count, size, seed))


@given(period=st.integers(2, 60))
def test_what_repeats_itself_is_seen_in_every_phase(period):
    phases = np.bincount(sample(60_000, 6000) % period, minlength=period)
    assert phases.min() > 0.5 * phases.mean()
