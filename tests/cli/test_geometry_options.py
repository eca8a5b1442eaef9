"""Where the screen stood, as the command line and files say."""

import pytest

from napari_kikuchi.cli.geometry_options import GeometryOptions
from napari_kikuchi.cli.options import Convention
from napari_kikuchi.geometry import Geometry
from napari_kikuchi.io import open_scan
from napari_kikuchi.samples import sample_folder


@pytest.fixture
def told():
    """A scan beside whose file the truth lies."""
    return open_scan(sample_folder() / "wrought.up1")


def test_what_is_given_goes_before_what_files_tell(told):
    truth = sample_folder() / "wrought.truth.zarr"
    known = Geometry((0.42, 0.22, 0.5))
    assert GeometryOptions().of(told) == (known, truth)
    assert GeometryOptions(tilt=69.0).of(told) == (Geometry(known.pc, "bruker", 69.0), truth)
    assert GeometryOptions("0.5,0.3,0.6").of(told) == (Geometry((0.5, 0.3, 0.6)), None)
    given = GeometryOptions("0.5,0.3,0.6", Convention.EDAX, detector_tilt=0.0)
    assert given.of(told) == (Geometry((0.5, 0.3, 0.6), "edax"), None)
    given = {"--pc": "0.5,0.3,0.6", "--convention": "edax", "--tilt": None, "--detector-tilt": 0.0}
    assert GeometryOptions("0.5,0.3,0.6", Convention.EDAX, None, 0.0).given() == given


def test_nothing_is_known_of_a_scan_that_files_tell_nothing_of():
    unknown = open_scan(sample_folder() / "nickel_3x3.up2")
    assert GeometryOptions(tilt=69.0).of(unknown) == (None, None)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (GeometryOptions("0.5,0.3"), "--pc needs 3 numbers"),
        (GeometryOptions("0.5,0.3,0"), "distance z above 0"),
        (GeometryOptions(convention=Convention.EDAX), "leave out --convention"),
    ],
)
def test_what_is_no_geometry_is_told(options, told):
    with pytest.raises(ValueError, match=told):
        options.of(open_scan(sample_folder() / "wrought.up1"))
