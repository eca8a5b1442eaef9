import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.detectors import DirectBeam
from napari_kikuchi.orientation.round_detectors import (
    RoundDetector,
    default_detectors_path,
    detector_masks,
    seek_direct_beam,
    usual_detectors,
    without_dark_field_told,
)
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan

radii = st.floats(0, 500).map(lambda value: float(f"{value:.9g}"))


@given(
    st.text(min_size=1).map(str.strip).filter(bool),
    radii,
    radii,
    st.none() | st.tuples(radii, radii),
)
def test_what_is_written_is_read_again(name, one, other, centre):
    if one == other:
        return
    detector = RoundDetector(name, min(one, other), max(one, other), centre)
    assert RoundDetector.parse(str(detector)) == detector


@pytest.mark.parametrize(
    "text", ["ring", "ring=3", "ring=3,4,5", "ring=a,b", "=1,2", "ring=4,3", "ring=0,nan", ""]
)
def test_what_is_no_detector_is_an_error(text):
    with pytest.raises(ValueError, match="expected a virtual detector"):
        RoundDetector.parse(text)


def test_the_usual_ones_part_the_direct_beam_from_all_else():
    beam = DirectBeam((30.0, 34.0), 3.0)
    y, x = np.indices((64, 72))
    distance = np.hypot(y - 30, x - 34)
    masks = detector_masks(usual_detectors((64, 72), beam), (64, 72), (0, 0))
    assert list(masks) == ["bright field", "annular dark field"]
    bright, dark = masks.values()
    assert bright[distance <= 3].all()
    assert not bright[distance > 5].any()
    assert not dark[distance < 5.9].any()
    # As far as the pattern reaches in all directions.
    np.testing.assert_array_equal(dark, (distance >= 6) & (distance <= 30))
    # Where the beam lies at the edge there still is a ring.
    corner = usual_detectors((64, 72), DirectBeam((2.0, 3.0), 3.0))[1]
    assert corner.mask((64, 72), (0, 0)).any()


def test_a_detector_without_a_centre_lies_around_the_direct_beam():
    patterns = np.zeros((3, 4, 32, 40), np.uint16)
    patterns[:, :, 10:13, 20:23] = 100
    beam = finish(seek_direct_beam(Scan(ArraySource(patterns))))
    assert beam.centre == pytest.approx((11, 21))
    masks = detector_masks(
        [RoundDetector("a", 0, 2), RoundDetector("b", 0, 2, (5, 6))], (32, 40), beam.centre
    )
    around, elsewhere = (11, 21), (5, 6)
    assert [masks["a"][around], masks["a"][elsewhere]] == [True, False]
    assert [masks["b"][around], masks["b"][elsewhere]] == [False, True]


def test_names_are_given_once(tmp_path):
    with pytest.raises(ValueError, match="found two a"):
        detector_masks([RoundDetector("a", 0, 2), RoundDetector("a", 0, 3)], (9, 9), (4, 4))
    assert default_detectors_path(tmp_path / "a.mib").name == "a.virtual.zarr"


@pytest.mark.parametrize(
    ("centre", "radius", "rooms"),
    [((31.5, 31.5), 22.0, 2), ((31.5, 31.5), 22.4, 1), ((0.0, 63.0), 40.0, 2), ((9.0, 9.0), 90, 1)],
)
def test_a_dark_field_without_a_pixel_is_left_out_and_told(centre, radius, rooms):
    shape, beam = (64, 64), DirectBeam(centre, radius)
    usual = usual_detectors(shape, beam)
    assert len(detector_masks(usual, shape, (0, 0))) == len(usual) == rooms
    told = without_dark_field_told(usual, shape, beam)
    assert ("leaves no room" in told) == (rooms == 1)
