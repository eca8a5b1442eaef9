import numpy as np
import pytest
from orix.quaternion.symmetry import Oh

from napari_kikuchi.explore.misorientations import misorientation_angles
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.microstructure.grains import no_orientations, oriented, picture_of
from napari_kikuchi.microstructure.maps import polycrystal_orientations
from napari_kikuchi.microstructure.pictures import pictures
from napari_kikuchi.microstructure.polycrystal import PolycrystalSettings, Volume


@pytest.fixture(scope="module")
def plane():
    return Volume(PolycrystalSettings(diameter=9, fraction=0.4), 48, 5).slice(2, 0.5)


@pytest.fixture(scope="module")
def truth(plane):
    return polycrystal_orientations(plane)


@pytest.fixture(scope="module")
def holed(truth):
    quaternions = truth.quaternions.copy()
    quaternions[14:34, 16:36] = np.nan
    quaternions[2, 2] = np.nan
    return OrientationMap(quaternions, truth.symmetries, truth.phases)


def test_a_map_is_the_picture_that_is_learned_from(plane, truth):
    np.testing.assert_allclose(255 * picture_of(truth), pictures([plane])[0], atol=0.51)


def test_holes_of_a_map_are_holes_of_its_picture(holed):
    unknown = np.isnan(picture_of(holed))
    assert unknown.sum() == 4 * (20 * 20 + 1)
    assert unknown[:, 2, 2].all()


def test_grains_go_on_into_a_hole(plane, truth, holed):
    found = oriented(picture_of(truth), holed)
    known = holed.numbers > 0
    np.testing.assert_array_equal(found.quaternions[known], truth.quaternions[known])
    np.testing.assert_array_equal(found.numbers[known], truth.numbers[known])
    # Regions of one or two pixels go to their neighbours.
    assert (found.numbers == truth.numbers).mean() > 0.995
    going_on = np.isin(plane.grains, np.unique(plane.grains[known]))
    assert 0.5 < going_on[~known].mean() < 1
    angles = misorientation_angles(found.quaternions[going_on], truth.quaternions[going_on], Oh)
    # But for some pixels at corners, which are alone.
    assert (angles < 1e-3).mean() > 0.99


def test_new_grains_have_one_orientation_of_their_colour(plane, truth, holed):
    found = oriented(picture_of(truth), holed)
    known = holed.numbers > 0
    inside = ~np.isin(plane.grains, np.unique(plane.grains[known]))
    colours = np.abs(picture_of(found) - picture_of(truth)).max(axis=0)
    # Those of one or two pixels belong to their neighbours.
    large = [one for one in np.unique(plane.grains[inside]) if (plane.grains == one).sum() > 8]
    assert len(large) > 1
    for grain in large:
        its = plane.grains == grain
        assert np.median(colours[its]) <= 0.1
        _, counts = np.unique(found.quaternions[its], axis=0, return_counts=True)
        assert counts.max() > 0.8 * its.sum()


def test_new_grains_keep_the_texture():
    settings = PolycrystalSettings(diameter=6, components=1, scatter=4, fraction=0.0)
    plane = Volume(settings, 48, 1).slice(2, 0.5)
    truth = polycrystal_orientations(plane)
    quaternions = truth.quaternions.copy()
    quaternions[10:40, 10:40] = np.nan
    holed = OrientationMap(quaternions, truth.symmetries, truth.phases)
    found = oriented(picture_of(truth), holed)
    from_mean = misorientation_angles(
        found.quaternions[10:40, 10:40].reshape(-1, 4),
        np.broadcast_to(plane.quaternions[0], (900, 4)),
        Oh,
    )
    # Any orientation of the same colour would be up to 45° away.
    assert np.median(from_mean) < 12
    assert from_mean.max() < 25


def test_where_nothing_is_known_orientations_have_the_colours(plane, truth):
    wanted = picture_of(truth)
    found = oriented(wanted, no_orientations((48, 48), [Oh, Oh]))
    assert (found.numbers == truth.numbers).mean() > 0.99
    assert np.percentile(np.abs(picture_of(found) - wanted), 95) < 0.06
    again = oriented(wanted, no_orientations((48, 48), [Oh, Oh]))
    np.testing.assert_array_equal(found.quaternions, again.quaternions)


def test_maps_of_three_phases_are_refused():
    three = OrientationMap(np.ones((2, 2, 4)) / 2, [Oh, Oh, Oh], np.ones((2, 2)))
    with pytest.raises(ValueError, match="one or two phases, found 3"):
        picture_of(three)


def test_one_phase_stays_one(truth):
    alone = OrientationMap(truth.quaternions, [Oh])
    picture = picture_of(alone)
    assert picture[3].max() == 0
    picture[3, :20] = 0.9
    assert oriented(picture, no_orientations((48, 48), [Oh])).numbers.max() == 1


def test_a_second_phase_where_there_is_none_cuts_no_grain(truth):
    one = truth.quaternions[:1, :1].repeat(8, 0).repeat(8, 1)
    holed = one.copy()
    holed[:, 4:] = np.nan
    picture = picture_of(OrientationMap(one, [Oh]))
    picture[3, :, 5:] = 1
    found = oriented(picture, OrientationMap(holed, [Oh]))
    np.testing.assert_array_equal(found.quaternions, one)
