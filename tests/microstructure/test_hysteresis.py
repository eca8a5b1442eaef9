import math

import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import JobWarning, finish
from napari_kikuchi.microstructure.descent import Descent
from napari_kikuchi.microstructure.hysteresis import Walk, hysteresis
from napari_kikuchi.microstructure.magnet import SM2CO17, SMCO5, Magnets
from napari_kikuchi.microstructure.stray_field import demagnetising_tensor

GRAIN = np.zeros((1, 2, 2), int)
FIELD = SMCO5.anisotropy_field


def found(magnets, **walk):
    return finish(hysteresis(magnets, Walk(**walk)))


def two_phases(seed=0):
    """Two magnets of blocks of both phases."""
    blocks = np.random.default_rng(seed).permuted([[0, 0, 1, 1], [0, 1, 1, 1]], axis=1)
    return blocks.reshape(2, 2, 2).repeat(4, axis=1).repeat(4, axis=2)


@pytest.mark.parametrize("degrees", [0.1, 1, 10, 30, 44])
def test_a_single_grain_turns_over_on_stoner_and_wohlfarths_astroid(degrees):
    result = found(Magnets.of(GRAIN, stray=False), tilt=degrees, precision=0.002)
    angle = math.radians(degrees)
    astroid = (math.cos(angle) ** (2 / 3) + math.sin(angle) ** (2 / 3)) ** -1.5
    assert result.coercivity[0] == pytest.approx(FIELD * astroid, rel=0.003)
    assert result.error[0] <= 0.001 * result.coercivity[0]
    assert result.remanence[0] == pytest.approx(math.cos(angle), abs=1e-4)


@pytest.mark.parametrize("degrees", [50, 70, 85])
def test_a_grain_across_the_field_loses_its_magnetisation_before_it_turns_over(degrees):
    result = found(Magnets.of(GRAIN, stray=False), tilt=degrees, precision=0.002)
    expected = FIELD * math.sin(2 * math.radians(degrees)) / 2
    assert result.coercivity[0] == pytest.approx(expected, rel=0.003)


def test_the_stray_field_of_a_cube_changes_nothing():
    alone = np.zeros((1, 1, 1), int)
    with_stray, without = (
        found(Magnets.of(alone, stray=stray), precision=0.002) for stray in (True, False)
    )
    assert with_stray.coercivity == pytest.approx(without.coercivity, rel=1e-3)


def test_a_long_layer_turns_over_as_its_shape_says():
    """A block so small that it turns as one: the anisotropy of its shape comes on top."""
    phases = np.ones((1, 2, 6), int)
    shape = demagnetising_tensor((1, 1), (6, 2, 1))[:, :, 0, 0]
    field = SM2CO17.anisotropy_field + 1.29 * (shape[1, 1] - shape[0, 0])
    tilt = 10
    result = found(Magnets.of(phases), tilt=tilt, precision=0.002)
    angle = math.radians(tilt)
    astroid = (math.cos(angle) ** (2 / 3) + math.sin(angle) ** (2 / 3)) ** -1.5
    assert result.coercivity[0] == pytest.approx(field * astroid, rel=0.02)


def test_a_soft_inclusion_turns_a_hard_magnet_over_earlier():
    phases = np.zeros((3, 12, 12), int)
    phases[1, 4:8, 4:8] = 1
    phases[2, 2:10, 2:10] = 1
    hard, small, large = found(Magnets.of(phases)).coercivity
    assert hard > 1.2 * small
    assert small > 1.2 * large
    assert large > SM2CO17.anisotropy_field


def test_a_batch_is_what_its_magnets_are_one_by_one():
    phases = two_phases()
    together, one_by_one = (found(Magnets.of(phases), together=count) for count in (2, 1))
    np.testing.assert_allclose(one_by_one.coercivity, together.coercivity, rtol=1e-6)
    for alone, among in zip(one_by_one.curves, together.curves, strict=True):
        np.testing.assert_allclose(alone, among, atol=1e-6)


@pytest.mark.parametrize("careful", [{"torque": 2e-4, "most_steps": 8000}, {"first_step": 0.025}])
def test_more_care_changes_little(careful):
    phases = two_phases(seed=1)
    usual, careful = (found(Magnets.of(phases), **walk) for walk in ({}, careful))
    np.testing.assert_allclose(careful.coercivity, usual.coercivity, rtol=0.02)


def test_single_precision_is_enough():
    phases = two_phases(seed=1)
    precisions = (torch.float32, torch.float64)
    single, double = (found(Magnets.of(phases, dtype=dtype)) for dtype in precisions)
    np.testing.assert_allclose(single.coercivity, double.coercivity, rtol=0.02)


def test_what_is_turned_with_the_field_is_the_same():
    """Transposed, with the axis down and the field along it, is the magnet in a mirror."""
    phases = two_phases(seed=2)
    ways = [(phases, (1, 0, 0), 5), (phases.transpose(0, 2, 1), (0, 1, 0), 85)]
    one, other = (found(Magnets.of(of, axis), tilt=tilt) for of, axis, tilt in ways)
    np.testing.assert_allclose(other.coercivity, one.coercivity, rtol=1e-6)


def test_curves_fall_from_remanence_to_coercivity():
    result = found(Magnets.of(two_phases()))
    for index, curve in enumerate(result.curves):
        fields, magnetisations = curve.T
        assert fields[0] == 0
        assert magnetisations[0] == result.remanence[index]
        assert (np.diff(fields) > 0).all()
        assert (np.diff(magnetisations) < 1e-3).all()
        assert magnetisations[-1] >= 0
        assert fields[-1] == pytest.approx(result.coercivity[index] - result.error[index])


def test_axes_in_space_have_a_smaller_remanence():
    rng = np.random.default_rng(0)
    axes = rng.normal(size=(1, 3, 6, 6))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    result = found(Magnets.of(np.zeros((1, 6, 6), int), axes))
    assert 0.3 < result.remanence[0] < 0.95
    assert 0 < result.coercivity[0] < 0.6 * FIELD


def test_progress_counts_magnets():
    magnets = Magnets.of(np.zeros((3, 2, 2), int))
    updates = list(hysteresis(magnets, Walk(together=2)))
    assert {update.total for update in updates} == {3}
    done = [update.done for update in updates]
    assert done == sorted(done)
    assert done[-1] == 3


def test_magnets_that_no_field_turns_over_are_told_and_others_found():
    along, tilted = (np.broadcast_to(one, (2, 2, 3)) for one in ((1, 0, 0), (0.8, 0.6, 0)))
    axes = np.moveaxis(np.stack([along, tilted]), -1, 1)
    magnets = Magnets.of(np.zeros((2, 2, 2), int), axes, stray=False)
    with pytest.warns(JobWarning, match=r"1 of 2 magnets do not turn over .* number 0"):
        result = found(magnets, tilt=0)
    assert np.isnan(result.coercivity[0])
    alone = found(magnets.taken(slice(1, 2)), tilt=0)
    assert result.coercivity[1] == alone.coercivity[0]


@pytest.mark.parametrize("name", ["first_step", "precision", "torque", "most_steps", "together"])
def test_walks_that_would_not_end_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be more than 0"):
        Walk(**{name: 0})


def test_states_that_are_not_at_rest_are_told():
    with pytest.warns(JobWarning, match="not at rest after 4 steps"):
        found(Magnets.of(two_phases()), most_steps=4, torque=1e-9)


def test_descent_goes_down_to_where_nothing_turns():
    magnets = Magnets.of(two_phases(seed=3))
    rng = torch.Generator().manual_seed(0)
    state = torch.randn(2, 3, 8, 8, dtype=torch.float64, generator=rng)
    state /= state.norm(dim=1, keepdim=True)
    applied = torch.tensor([[2.0, 0.5, 0.0]] * 2, dtype=torch.float64)
    before = magnets.energy(state, applied, magnets.pull(state, applied))
    descent = Descent(magnets, state, applied)
    for _ in range(400):
        descent.step()
    after = magnets.energy(descent.state, applied, magnets.pull(descent.state, applied))
    assert (after < before).all()
    assert (descent.torque() < 1e-6).all()
    torch.testing.assert_close(descent.state.norm(dim=1), torch.ones(2, 8, 8, dtype=torch.float64))
