"""Where the screen stood, in the conventions of three makers."""

import json
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kikuchipy.detectors import EBSDDetector

from napari_kikuchi.geometry import Convention, Geometry
from napari_kikuchi.simulate import Detector

centres = st.tuples(st.floats(-1, 2), st.floats(-1, 2), st.floats(0.05, 3))
shapes = st.tuples(st.integers(1, 2000), st.integers(1, 2000))
tilts = st.tuples(st.floats(0, 90), st.floats(-45, 45))


@given(centres, st.sampled_from(get_args(Convention)), tilts, shapes)
def test_the_detector_is_the_one_that_kikuchipy_makes_of_it(pc, convention, tilts, shape):
    sample_tilt, tilt = tilts
    expected = EBSDDetector(
        shape=shape, pc=pc, convention=convention, sample_tilt=sample_tilt, tilt=tilt
    )
    found = Geometry(pc, convention, sample_tilt, tilt).detector(shape)
    np.testing.assert_allclose(found.pc, expected.pc_bruker().squeeze(), atol=1e-9)
    assert (found.sample_tilt, found.tilt) == (expected.sample_tilt, expected.tilt)


@given(centres, tilts, shapes)
def test_a_detector_is_that_of_its_geometry(pc, tilts, shape):
    detector = Detector(pc, *tilts)
    assert Geometry.of_detector(detector).detector(shape) == detector


@pytest.mark.parametrize(
    ("convention", "wide", "tall"),
    [
        ("bruker", (0.4, 0.3, 0.6), (0.4, 0.3, 0.6)),
        # The shorter side of a wide pattern is its height.
        ("edax", (0.4, 0.7, 0.6), (0.4, 0.7, 0.3)),
        ("oxford", (0.4, 0.4, 1.2), (0.4, 0.85, 0.3)),
    ],
)
def test_centres_of_patterns_that_are_not_square(convention, wide, tall):
    geometry = Geometry((0.4, 0.3, 0.6), convention)
    assert geometry.detector((30, 60)).pc == pytest.approx(wide)
    assert geometry.detector((60, 30)).pc == pytest.approx(tall)


@pytest.mark.parametrize("distance", [0, -0.5, float("nan")])
def test_the_screen_stands_before_the_sample(distance):
    with pytest.raises(ValueError, match="distance z above 0"):
        Geometry((0.5, 0.3, distance))


def test_settings_are_fit_for_json():
    settings = Geometry((0.5, 0.3, 0.6), "oxford", 69.5, -3.0).settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings == {
        "pc": [0.5, 0.3, 0.6],
        "convention": "oxford",
        "sample_tilt": 69.5,
        "detector_tilt": -3.0,
    }
    assert Geometry.from_settings(settings) == Geometry((0.5, 0.3, 0.6), "oxford", 69.5, -3.0)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"pc": [0.5, 0.3]}, "list of 3"),
        ({"pc": [0.5, 0.3, -1.0]}, "distance z above 0"),
        ({"convention": "mine"}, "bruker, edax, oxford"),
        ({"sample_tilt": None}, "sample_tilt"),
    ],
)
def test_settings_of_no_geometry_are_refused(changed, told):
    settings = Geometry((0.5, 0.3, 0.6)).settings()
    with pytest.raises(ValueError, match=told):
        Geometry.from_settings(settings | changed)
    with pytest.raises(ValueError, match="JSON object"):
        Geometry.from_settings(None)
