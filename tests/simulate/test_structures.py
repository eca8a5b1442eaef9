"""Structures hold what they state: grains, twins, cells, walls, particles, rotations."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from orix.quaternion import Orientation, Rotation
from orix.quaternion.symmetry import Oh
from orix.vector import Vector3d
from scipy import ndimage

from napari_kikuchi.simulate import make_structure


def angles(first, second):
    """Least misorientation angles of a cubic crystal in degrees, by orix."""
    first, second = (Orientation(q.reshape(-1, 4), symmetry=Oh) for q in (first, second))
    return np.rad2deg(first.angle_with(second))


@pytest.fixture(scope="module")
def wrought():
    return make_structure("wrought", 96, 96, seed=3, scatter=0.0)


@pytest.fixture(scope="module")
def additive():
    return make_structure("additive", 96, 96, seed=3)


def test_twins_are_sigma_3(wrought):
    """60° apart, and the coincidence lattice of Σ3: thrice the misorientation is all integers."""
    parents, twins = [], []
    for twin in range(1, wrought.twin.max() + 1):
        inside = wrought.twin == twin
        assert len(np.unique(wrought.grain[inside])) == 1
        parent = (wrought.grain == wrought.grain[inside][0]) & (wrought.twin == 0)
        if parent.any():
            parents.append(wrought.orientations[parent][0])
            twins.append(wrought.orientations[inside][0])
    assert len(twins) > 20
    np.testing.assert_allclose(angles(np.array(twins), np.array(parents)), 60, atol=0.01)
    lattice = 3 * (Rotation(twins) * ~Rotation(parents)).to_matrix()
    np.testing.assert_allclose(lattice, np.round(lattice), atol=1e-5)


def test_twin_follows_the_trace_of_its_plane(wrought):
    """A long lamella runs along the line in which its {111} plane cuts the surface."""
    sizes = np.bincount(wrought.twin.ravel())
    sizes[0] = 0
    checked = 0
    for twin in np.argsort(sizes)[-5:]:
        inside = wrought.twin == twin
        grain = wrought.grain == wrought.grain[inside][0]
        parent = wrought.orientations[grain & (wrought.twin == 0)][0]
        places = np.argwhere(inside) - np.argwhere(inside).mean(axis=0)
        _, spread, axes = np.linalg.svd(places, full_matrices=False)
        if spread[0] < 3 * spread[1]:
            continue
        checked += 1
        planes = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / np.sqrt(3)
        normals = (~Orientation(parent)).to_matrix()[0] @ planes.T
        traces = np.stack([-normals[1], normals[0]]) / np.hypot(*normals[:2])
        assert np.abs(axes[0] @ traces).max() > np.cos(np.deg2rad(8))
    assert checked


def test_some_twins_are_one_pixel_thin(wrought):
    thin = 0
    for twin in range(1, wrought.twin.max() + 1):
        inside = wrought.twin == twin
        if inside.sum() >= 6 and not ndimage.binary_erosion(inside, np.ones((2, 2))).any():
            rows, cols = inside.sum(axis=1), inside.sum(axis=0)
            # One position in each row, or in each column, that the line crosses.
            thin += min(rows.max(), cols.max()) == 1
    assert thin >= 3


def test_grains_are_uniform_but_for_the_scatter():
    scattered = make_structure("wrought", 48, 48, seed=1, scatter=0.2, twins_per_grain=0)
    largest = scattered.grain == np.bincount(scattered.grain.ravel()).argmax()
    members = scattered.orientations[largest]
    deviations = angles(members, np.broadcast_to(members.mean(axis=0), members.shape))
    assert np.sqrt(np.mean(deviations**2)) == pytest.approx(0.2, rel=0.15)


def test_grain_size_is_as_asked():
    """The mean intercept of a line is 0.56 to 0.7 of the spatial diameter of such grains."""
    grain = make_structure("wrought", 200, 200, step=1.0, seed=0, grain_size=16.0).grain
    crossings = np.count_nonzero(np.diff(grain, axis=0)) + np.count_nonzero(np.diff(grain, axis=1))
    intercept = 2 * 200 * 200 / crossings
    assert 0.5 * 16 < intercept < 0.9 * 16


def test_grains_of_a_fibre_texture_have_one_of_its_axes_along_the_normal():
    fibres = [(0, 0, 1), (0, 1, 1)]
    made = make_structure(
        "wrought", 96, 96, seed=3, fibres=fibres, fibre_spread=1.0, scatter=0.0, grain_size=8.0,
        twins_per_grain=0.0,
    )  # fmt: skip
    of_grains = np.array([made.orientations[made.grain == g][0] for g in np.unique(made.grain)])
    normals = (Rotation(of_grains) * Vector3d.zvector()).unit
    along = np.sort(np.abs(normals.data))
    axes = np.array(fibres) / np.linalg.norm(fibres, axis=1, keepdims=True)
    off = np.rad2deg(np.arccos(np.clip(along @ np.sort(axes).T, -1, 1)))
    assert off.min(axis=1).max() < 5
    assert np.median(off.min(axis=1)) == pytest.approx(1.18, abs=0.5)  # Of a Rayleigh distribution.
    assert set(off.argmin(axis=1)) == {0, 1}
    # About the normal they lie anyhow.
    assert np.ptp(angles(of_grains[:1].repeat(len(of_grains), axis=0), of_grains)) > 20


def test_steep_twins_stand_on_edge():
    made = make_structure(
        "wrought", 96, 96, seed=3, fibres=[(0, 1, 1)], fibre_spread=0.1, scatter=0.0,
        twins_per_grain=3.0, twin_steepness=0.99,
    )  # fmt: skip
    normals = (Rotation(made.orientations[made.twin > 0]) * Vector3d.zvector()).unit.data
    # Half a turn about a normal that lies in the surface keeps the axis across it.
    assert len(normals) > 100
    np.testing.assert_allclose(
        np.sort(np.abs(normals)), np.tile([0, 0.7071, 0.7071], (len(normals), 1)), atol=0.02
    )


def test_neighbouring_cells_differ_by_a_small_rotation(additive):
    """Up to twice the largest rotation of a cell and of a domain, and seldom by less than 0.05°."""
    differences = []
    middle = (additive.wall < 0.05) & (additive.particle == 0)
    middles = {c: np.argwhere(middle & (additive.cell == c)) for c in np.unique(additive.cell)}
    places = {c: p.mean(axis=0) for c, p in middles.items() if len(p) > 3 and c}
    for cell, place in places.items():
        grain = additive.grain[tuple(middles[cell][0])]
        for other, elsewhere in places.items():
            near = np.linalg.norm(place - elsewhere) < 12
            if cell < other and near and additive.grain[tuple(middles[other][0])] == grain:
                pair = [additive.orientations[tuple(middles[c][0])] for c in (cell, other)]
                differences.append(angles(*pair)[0])
    differences = np.array(differences)
    assert len(differences) > 50
    # Cells, domains (0.2 to 1° each) and the gradient over a few µm.
    assert np.percentile(differences, 5) > 0.05
    assert differences.max() < 2 * (0.4 + 1.0) + 0.04 * 10
    assert 0.1 < np.median(differences) < 1.2


def test_cell_rotations_alone_stay_within_their_limits():
    made = make_structure(
        "additive", 64, 64, seed=5, gradient=0.0, domain_rotation=(0.0, 0.0), particle_fraction=0.0
    )
    for grain in np.unique(made.grain):
        members = made.orientations[made.grain == grain]
        spread = angles(members[:1].repeat(len(members), axis=0), members)
        assert spread.max() <= 2 * 0.4 + 1e-3
    assert spread.max() > 0.05


def test_gradient_turns_the_lattice_along_a_grain():
    made = make_structure(
        "additive", 200, 64, seed=5, gradient=0.1, grain_size=(1e4, 1e4),
        domain_rotation=(0.0, 0.0), cell_rotation=(0.0, 0.0), particle_fraction=0.0,
    )  # fmt: skip
    assert made.grain.max() == 1
    corners = made.orientations[[0, -1, 0, -1], [0, -1, -1, 0]]
    across = angles(corners[[0, 2]], corners[[1, 3]]).max()
    # Least if it runs along the short side.
    width, diagonal = 63 * 0.5, np.hypot(199, 63) * 0.5
    assert 0.3 * 0.1 * width * 0.99 < across < 0.1 * diagonal * 1.01


def test_walls_lie_between_cells_and_take_up_their_rotation(additive):
    boundary = np.zeros(additive.map_shape, bool)
    same_grain = additive.grain[:, 1:] == additive.grain[:, :-1]
    matrix = (additive.particle[:, 1:] == 0) & (additive.particle[:, :-1] == 0)
    boundary[:, 1:] = (additive.cell[:, 1:] != additive.cell[:, :-1]) & same_grain & matrix
    inside = (additive.particle == 0) & ~ndimage.binary_dilation(boundary, iterations=3)
    assert additive.wall[boundary].mean() > 0.5 > 0.2 > additive.wall[inside].mean()
    # A wall of 0.8 µm between cells of 4 µm x 8 to 12 µm, and never outside 0 to 1.
    assert 0.1 < (additive.wall > 0.5).mean() < 0.35
    assert additive.wall.min() >= 0
    assert additive.wall.max() <= 1
    np.testing.assert_allclose(additive.blur, 8.0 * additive.wall, rtol=1e-5)
    np.testing.assert_allclose(additive.contrast, 1 - 0.12 * additive.wall, rtol=1e-5)


def test_particles_sit_on_walls_with_orientations_of_their_own(additive):
    inside = additive.particle > 0
    assert inside.mean() == pytest.approx(0.01, rel=0.3)
    assert (additive.cell[inside] == 0).all()
    assert (additive.wall[inside] == 0).all()
    around = ndimage.grey_dilation(additive.wall, size=5)
    assert around[inside].min() > 0.5
    for particle in range(1, additive.particle.max() + 1):
        assert len(np.unique(additive.orientations[additive.particle == particle], axis=0)) == 1


@pytest.mark.parametrize("kind", ["wrought", "additive"])
def test_same_seed_same_structure(kind):
    first, again, other = (make_structure(kind, 24, 30, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.truth.values, again.truth.values)
    assert not np.array_equal(first.truth.values, other.truth.values)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["wrought", "additive"]),
    rows=st.integers(1, 40),
    cols=st.integers(1, 40),
    step=st.floats(0.05, 2.0),
    seed=st.integers(0, 2**32),
)
@example("wrought", 1, 5, 2.0, 268435455)  # The largest radius squared is rounded.
def test_every_map_is_complete(kind, rows, cols, step, seed):
    made = make_structure(kind, rows, cols, step=(step, step / 2), seed=seed)
    truth = made.truth
    assert truth.map_shape == made.map_shape == (rows, cols)
    assert truth.step == (step, step / 2)
    assert np.isfinite(truth.values).all()
    assert made.grain.min() == 1
    norms = np.linalg.norm(made.orientations, axis=-1)
    np.testing.assert_allclose(norms, 1, atol=1e-6)
    for name in ("grain", "cell", "particle", "twin"):
        np.testing.assert_array_equal(truth.map(truth.names.index(name)), getattr(made, name))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("forged", 4, 4), "'forged'; expected 'wrought' or 'additive'"),
        (("wrought", 0, 4), "0 x 4"),
        (("additive", 40, 40), "at most 0.5 µm"),
    ],
)
def test_errors_say_what_was_expected(arguments, words):
    with pytest.raises(ValueError, match=words):
        make_structure(
            *arguments, step=0.6, **({"cell_size": 1.0} if "additive" in arguments else {})
        )
