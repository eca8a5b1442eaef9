"""What means the same in several scans, and between which limits it is shown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.explore.several_scans import IncomparableError, common_limits, comparable
from napari_kikuchi.maps import Channel, MapStack, contrast_limits

PHYSICS = {"method": "physics"}


def stack_of(names, provenance, units=None, scan="steel"):
    channels = [Channel(name, unit) for name, unit in zip(names, units or names, strict=True)]
    return MapStack(
        np.zeros((len(names), 2, 3)), channels, provenance={"scan": {"name": scan}} | provenance
    )


def latent(weights, **options):
    model = {"kind": "vae", "latent": 2, "weights": weights * 64, "path": None}
    names = ["feature 1", "feature 2"]
    return stack_of(names, {"method": "latent", "model": model}, ["", ""], **options)


@given(seed=st.integers(0, 99), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_the_limits_of_one_map_are_its_own_and_of_equal_maps_those_of_all(seed, scale, shift):
    rng = np.random.default_rng(seed)
    one = scale * rng.gamma(2, size=(90, 110)) + shift
    other = scale * rng.normal(size=(90, 110)) + shift
    tolerance = 0.05 * scale
    one[3, 7:50] = np.nan
    assert common_limits([one]) == pytest.approx(contrast_limits(one), abs=tolerance)
    together = contrast_limits(np.concatenate([one, other]))
    assert common_limits([one, other]) == pytest.approx(together, abs=tolerance)


def test_a_large_map_does_not_outvote_a_small_one():
    rng = np.random.default_rng(0)
    large, small = rng.normal(size=(700, 800)), rng.normal(10, size=(20, 30))
    low, high = common_limits([large, small])
    # Of half of all values each: two percent of a map lie beyond.
    assert low == pytest.approx(np.percentile(large, 2), abs=0.05)
    assert high == pytest.approx(np.percentile(small, 98), abs=0.05)
    assert contrast_limits(np.concatenate([large.ravel(), small.ravel()]))[1] < 5


def test_maps_without_values_do_not_count():
    values = np.random.default_rng(0).normal(size=(9, 9))
    blank = np.full((5, 5), np.nan)
    assert common_limits([blank, values]) == common_limits([values])
    assert common_limits([blank]) == (0, 1)


def test_features_of_one_model_and_physics_maps_of_one_name_and_unit_are_comparable():
    assert comparable([latent("a"), latent("a", scan="copper")]) == ["feature 1", "feature 2"]
    one = stack_of(["KAM", "fit", "GROD"], PHYSICS, ["°", "°", "°"])
    other = stack_of(["GROD", "KAM", "fit"], PHYSICS, ["°", "°", "rad"])
    assert comparable([one, other]) == ["KAM", "GROD"]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (latent("b", scan="copper"), r"steel .*weights aaaaaaaa\); copper .*weights bbbbbbbb\)"),
        (stack_of(["feature 1"], PHYSICS, scan="copper"), r"copper by physics"),
        (MapStack(np.zeros((1, 2, 3)), [Channel("feature 1")]), r"a scan by something unknown"),
    ],
)
def test_what_others_made_is_refused_and_it_is_told_who(other, told):
    with pytest.raises(IncomparableError, match=told):
        comparable([latent("a"), other])


def test_physics_maps_without_a_common_one_are_refused():
    with pytest.raises(IncomparableError, match="no map of the same name"):
        comparable([stack_of(["KAM"], PHYSICS), stack_of(["fit"], PHYSICS)])
