import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_kikuchi.microstructure.polycrystal import (
    KINDS,
    PolycrystalSettings,
    Volume,
    random_settings,
)


def test_a_slice_is_that_of_a_laguerre_tessellation():
    rng = np.random.default_rng(3)
    volume = Volume(PolycrystalSettings(diameter=7, spread=0.4), 24, seed=3)
    found = volume.slice(2, 0.5)
    # The same seeds, drawn in the same order; each pixel asks all of them.
    edge = 24 / 7 + 4
    count = round(edge**3)
    seeds = rng.uniform(-2, 24 / 7 + 2, (count, 3))
    radii = 0.5 * rng.lognormal(0, 0.4, count)
    places = (np.indices((24, 24)).reshape(2, -1).T + 0.5) / 7
    places = np.column_stack([places, np.full(len(places), 12 / 7)])
    power = ((places[:, None] - seeds) ** 2).sum(axis=-1) - radii**2
    _, expected = np.unique(power.argmin(axis=1), return_inverse=True)
    np.testing.assert_array_equal(found.grains.ravel(), expected)


def test_slices_meet_where_planes_cross():
    volume = Volume(PolycrystalSettings("recrystallised", diameter=6), 32, seed=1)
    along_x, along_z = volume.slice(0, 10.5 / 32), volume.slice(2, 20.5 / 32)
    # Both hold the line x = 10.5, z = 20.5.
    one = along_x.quaternions[along_x.grains[:, 20]]
    other = along_z.quaternions[along_z.grains[10]]
    np.testing.assert_array_equal(one, other)


def test_rolled_grains_are_long_and_thin():
    volume = Volume(PolycrystalSettings("rolled", diameter=8, elongation=4), 96, seed=0)
    across = volume.slice(1, 0.5).grains

    def mean_run(lines):
        return lines.size / (1 + np.count_nonzero(np.diff(lines.ravel())))

    # Rows run along x, columns along z.
    assert mean_run(across.T) > 2.5 * mean_run(across)
    even = Volume(PolycrystalSettings(diameter=8), 96, seed=0).slice(1, 0.5).grains
    assert mean_run(even.T) == pytest.approx(mean_run(even), rel=0.15)


def test_recrystallised_grains_take_the_place_of_old_ones():
    none, some, all_of = (
        Volume(PolycrystalSettings("recrystallised", diameter=6, new=new), 96, 2).slice(2, 0.5)
        for new in (0.0, 0.5, 1.0)
    )
    assert len(none.phases) < 0.5 * len(all_of.phases)
    assert len(none.phases) < len(some.phases)
    # What has not recrystallised is as it was.
    shared = {*map(tuple, none.quaternions)} & {*map(tuple, some.quaternions)}
    assert 0.3 < len(shared) / len(none.phases) < 0.7


@pytest.mark.parametrize("spread", [0.1, 0.4])
def test_grains_of_space_are_as_large_as_asked_for(spread):
    volume = Volume(PolycrystalSettings(diameter=5, spread=spread), 40, seed=4)
    sizes: dict[tuple, int] = {}
    for depth in np.arange(0.5, 40) / 40:
        plane = volume.slice(2, depth)
        for grain, pixels in enumerate(np.bincount(plane.grains.ravel())):
            key = tuple(plane.quaternions[grain])
            sizes[key] = sizes.get(key, 0) + int(pixels)
    # Who picks voxels at random, and not grains, picks no more of those that the faces have cut.
    grains = 40**3 / np.mean([*sizes.values()])
    assert 40**3 / 5**3 * 0.8 < grains < 2 * 40**3 / 5**3


@pytest.mark.parametrize("changed", [{"diameter": 0.5}, {"spread": 0.6}, {"spread": -0.1}])
def test_settings_that_make_no_grains_are_told(changed):
    with pytest.raises(ValueError, match="diameter of 1 pixel or more and a spread from 0"):
        PolycrystalSettings(**changed)


def test_volumes_too_large_for_a_laptop_are_refused():
    with pytest.raises(ValueError, match=r"would have .* grains"):
        Volume(PolycrystalSettings(diameter=1), 1000, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_grain_is_as_large_as_asked_for(kind):
    settings = PolycrystalSettings(kind, diameter=6, spread=0.2, new=1.0)
    cells = {
        tuple(quaternion)
        for depth in np.arange(0.5, 36) / 36
        for quaternion in Volume(settings, 36, seed=4).slice(2, depth).quaternions
    }
    # Cells on the faces of the cube count, too: their centres lie in a somewhat larger one.
    assert 36**3 / 6**3 < len(cells) < 2.7 * 36**3 / 6**3


def test_phases_and_orientations_are_as_asked_for():
    settings = PolycrystalSettings(diameter=3, fraction=0.2, components=2, scatter=4)
    found = Volume(settings, 64, seed=5).slice(1, 0.2)
    assert (found.phases == 2).mean() == pytest.approx(0.2, abs=0.05)
    rotations = Rotation.from_quat(found.quaternions, scalar_first=True)
    from_first = np.degrees((rotations * rotations[0].inv()).magnitude())
    near, far = from_first[from_first < 20], from_first[from_first >= 20]
    assert len(near) + len(far) == len(found.phases)
    assert 0.3 < len(near) / len(from_first) < 0.7
    without = Volume(PolycrystalSettings(diameter=3), 64, seed=5).slice(1, 0.2)
    others = Rotation.from_quat(without.quaternions, scalar_first=True)
    # Of rotations alike in all directions: the mean angle is pi / 2 + 2 / pi (Miles 1965).
    mean = (others[1:] * others[:-1].inv()).magnitude().mean()
    assert mean == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.08)


def test_the_same_seed_makes_the_same_volume():
    settings = random_settings(np.random.default_rng(0), 4, 12)
    assert settings == random_settings(np.random.default_rng(0), 4, 12)
    assert 4 <= settings.diameter <= 12
    one, same, other = (Volume(settings, 32, seed).slice(0, 0.3) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.grains, same.grains)
    np.testing.assert_array_equal(one.quaternions, same.quaternions)
    assert one.quaternions.shape != other.quaternions.shape or not np.array_equal(
        one.quaternions, other.quaternions
    )


@pytest.mark.parametrize(("axis", "depth"), [(3, 0.5), (0, 1.5), (0, -0.1)])
def test_there_is_no_slice_beside_the_volume(axis, depth):
    with pytest.raises(ValueError, match="depth from 0 to 1"):
        Volume(PolycrystalSettings(diameter=16), 32, 0).slice(axis, depth)
