"""The radius of spots is that with which a scan was simulated."""

import numpy as np
import pytest

from damaged import damaged
from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.orientation.simulated_scan import Exposure, simulate_spot_scan
from napari_kikuchi.orientation.spot_radius import guess_radius
from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.scan import Scan
from napari_kikuchi.unreadable import UnreadableScanError

SHAPE = (8, 9)


def scan_of(**exposure):
    crystals = [Crystal.built_in("cu"), Crystal.built_in("ti")]
    return simulate_spot_scan(SHAPE, crystals, exposure=Exposure(**exposure))[0]


@pytest.mark.parametrize("direct_beam", [0.0, 5.0, 200.0])
@pytest.mark.parametrize("radius", [1.5, 3.0, 6.0])
def test_discs_have_their_radius_whatever_the_direct_beam(radius, direct_beam):
    scan = scan_of(radius=radius, direct_beam=direct_beam)
    assert guess_radius(scan) == pytest.approx(radius, abs=0.3)


def test_few_counts_are_enough():
    scan = scan_of(radius=6, dose=300.0, background=0.5)
    assert guess_radius(scan) == pytest.approx(6, abs=1)


@pytest.mark.parametrize("radius", [1.5, 3.0, 6.0])
def test_gaussian_spots_have_the_radius_at_half_height(radius):
    # Half of it is the standard deviation; the search blurs by one pixel.
    half_height = np.sqrt(2 * np.log(2) * ((radius / 2) ** 2 + 1))
    assert guess_radius(scan_of(radius=radius, form="gaussian")) == pytest.approx(
        half_height, abs=0.25
    )


def test_missing_and_unreadable_patterns_do_not_count():
    scan = scan_of(radius=3)
    present = np.ones(SHAPE, bool)
    present[:, ::2] = False
    partial = damaged(Scan(scan.source, present=present), {(1, 3), (4, 5)})
    assert guess_radius(partial) == pytest.approx(3, abs=0.3)


def test_a_scan_of_which_nothing_can_be_read_is_told():
    scan = Scan(ArraySource(np.zeros((2, 2, 20, 20))), name="weld")
    with pytest.raises(UnreadableScanError, match="weld: no pattern could be read"):
        guess_radius(damaged(scan, {(row, col) for row in (0, 1) for col in (0, 1)}))
