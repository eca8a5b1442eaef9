"""The figures of an orientation map against counts by hand."""

import numpy as np
import pytest

from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.orientation.report import report_orientations


def stack_of(phase, confidence, grain):
    phase, confidence, grain = (np.array(x, np.float32) for x in (phase, confidence, grain))
    quaternion = np.where(phase > 0, 0.5, np.nan)
    names = ["phase", "confidence", "grain", *(f"quaternion {part}" for part in "abcd")]
    return MapStack(
        np.stack([phase, confidence, grain, *[quaternion] * 4]),
        [Channel(name) for name in names],
        provenance={"indexing": {"phases": [{"name": "Cu"}, {"name": "Ti"}, {"name": "Ni"}]}},
    )


def test_figures_are_those_of_what_has_a_pattern_and_an_orientation():
    nan = np.nan
    report = report_orientations(
        stack_of(
            [[1, 1, 0, nan], [2, 1, 0, 1]],
            [[0.9, 0.8, 0.1, nan], [0.4, 0.7, 0.1, 0.6]],
            [[1, 1, 0, 0], [2, 1, 0, 3]],
        )
    )
    assert report.patterns == 7
    assert report.indexed == pytest.approx(5 / 7)
    assert report.phases == {"Cu": 0.8, "Ti": 0.2, "Ni": 0}
    assert (report.confidence, report.grains) == (pytest.approx(0.7), 3)
    words = report.in_words()
    assert "71.4% of 7 patterns are indexed: Cu 80.0%, Ti 20.0%, Ni 0.0%." in words
    assert "0.70; they make 3 grains" in words


def test_a_map_of_which_nothing_is_indexed_says_what_to_do():
    report = report_orientations(stack_of([[0, 0]], [[0.1, 0.0]], [[0, 0]]))
    assert (report.indexed, report.confidence, report.grains) == (0, None, 0)
    assert "None of 2 patterns" in report.in_words()
    assert "calibration" in report.in_words()
