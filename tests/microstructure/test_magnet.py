import numpy as np
import pytest
import torch
from scipy.constants import mu_0

from napari_kikuchi.microstructure.magnet import SM2CO17, SMCO5, Magnets, Material
from napari_kikuchi.microstructure.stray_field import demagnetising_tensor

CELL = 1e-9


@pytest.fixture
def phases():
    return np.random.default_rng(1).integers(0, 2, (2, 3, 4))


@pytest.fixture
def axes():
    return unit(np.random.default_rng(2).normal(size=(2, 3, 3, 4)))


@pytest.fixture
def state():
    return torch.from_numpy(unit(np.random.default_rng(3).normal(size=(2, 3, 3, 4))))


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def energy_in_joule(phases, axes, state, applied):
    """Of one magnet, written down term by term as in the textbooks."""
    of = {name: torch.tensor([getattr(one, name) for one in (SMCO5, SM2CO17)])[phases]
          for name in ("anisotropy", "magnetisation", "exchange")}  # fmt: skip
    rows, columns = phases.shape
    tensor = torch.from_numpy(demagnetising_tensor(phases.shape))
    energy = torch.zeros((), dtype=torch.float64)
    for y in range(rows):
        for x in range(columns):
            m, ms = state[:, y, x], of["magnetisation"][y, x]
            energy = energy - of["anisotropy"][y, x] * (m @ axes[:, y, x]) ** 2 * CELL**3
            energy = energy - ms * (m @ applied) * CELL**3
            for other_y in range(rows):
                for other_x in range(columns):
                    other = of["magnetisation"][other_y, other_x] * state[:, other_y, other_x]
                    field = -tensor[:, :, y - other_y, x - other_x] @ other
                    energy = energy - mu_0 / 2 * ms * (m @ field) * CELL**3
            for other_y, other_x in ((y + 1, x), (y, x + 1)):
                if other_y < rows and other_x < columns:
                    pair = of["exchange"][y, x], of["exchange"][other_y, other_x]
                    mean = 2 / (1 / pair[0] + 1 / pair[1])
                    turned = state[:, other_y, other_x] - m
                    energy = energy + mean * (turned @ turned) / CELL**2 * CELL**3
    return energy


def test_pull_is_minus_the_gradient_of_the_energy(phases, axes, state):
    applied = torch.tensor([[-3.0, 1.0, 0.5], [0.0, 2.0, -1.0]], dtype=torch.float64)
    magnets = Magnets.of(phases, axes, cell=CELL)
    pull = magnets.pull(state, applied)
    other = state.flip(0)
    energies = magnets.energy(state, applied, pull)
    changes = energies - magnets.energy(other, applied, magnets.pull(other, applied))
    for index in range(2):
        # What one T of the package's energies per cell is in J.
        moments = np.array([SMCO5.magnetisation, SM2CO17.magnetisation])[phases[index]]
        joule = moments.mean() * CELL**3
        given = torch.from_numpy(axes[index])
        free = state[index].clone().requires_grad_()
        energy = energy_in_joule(phases[index], given, free, applied[index])
        (gradient,) = torch.autograd.grad(energy / joule, free)
        torch.testing.assert_close(pull[index], -gradient)
        change = energy - energy_in_joule(phases[index], given, other[index], applied[index])
        cells = phases[index].size
        assert float(changes[index]) == pytest.approx(float(change.detach()) / joule / cells)


def test_pull_is_the_gradient_of_its_own_energy(phases, axes, state):
    applied = torch.tensor([[-3.0, 1.0, 0.5]] * 2, dtype=torch.float64)
    magnets = Magnets.of(phases, axes)
    free = state.clone().requires_grad_()
    energy = magnets.energy(free, applied, magnets.pull(free, applied)).sum()
    (gradient,) = torch.autograd.grad(energy * phases[0].size, free)
    torch.testing.assert_close(magnets.pull(state, applied), -gradient)


def test_some_magnets_are_what_they_are_among_all(phases, axes, state):
    applied = torch.zeros(2, 3, dtype=torch.float64)
    magnets = Magnets.of(phases, axes)
    alone = magnets.taken(torch.tensor([1]))
    torch.testing.assert_close(alone.pull(state[1:], applied[1:]), magnets.pull(state, applied)[1:])
    assert len(alone) == 1


def test_one_axis_is_that_of_all_cells(phases, state):
    axis = np.array([0.6, 0.0, 0.8])
    each = np.broadcast_to(axis[:, None, None], (2, 3, 3, 4))
    applied = torch.zeros(2, 3, dtype=torch.float64)
    pulls = [Magnets.of(phases, axes).pull(state, applied) for axes in (axis, each)]
    torch.testing.assert_close(*pulls)


def test_a_mask_is_a_map_of_two_phases(phases, state):
    applied = torch.zeros(2, 3, dtype=torch.float64)
    pulls = [Magnets.of(of).pull(state, applied) for of in (phases, phases == 1)]
    torch.testing.assert_close(*pulls)


def test_saturated_is_one_along_the_field(phases):
    magnets = Magnets.of(phases)
    direction = torch.tensor([0.6, 0.8, 0.0], dtype=torch.float64)
    along = magnets.along(magnets.saturated(direction), direction)
    torch.testing.assert_close(along, torch.ones(2, dtype=torch.float64))


def test_materials_have_the_published_anisotropy_fields():
    assert SMCO5.anisotropy_field == pytest.approx(41, abs=0.5)
    assert SM2CO17.anisotropy_field == pytest.approx(6.4, abs=0.05)


@pytest.mark.parametrize(
    ("phases", "axes", "words"),
    [
        (np.zeros((4, 4), int), (1, 0, 0), "phases\\[None\\]"),
        (np.zeros((1, 4, 4)), (1, 0, 0), "float64"),
        (np.full((1, 4, 4), 2), (1, 0, 0), "2 to 2.*2 materials"),
        (np.full((1, 4, 4), -1), (1, 0, 0), "-1 to -1"),
        (np.zeros((1, 4, 4), int), (1, 0), "shape \\(2,\\)"),
        (np.zeros((1, 4, 4), int), (1, 1, 0), "length of 1.41421"),
    ],
)
def test_what_does_not_fit_is_named(phases, axes, words):
    with pytest.raises(ValueError, match=words):
        Magnets.of(phases, axes)


def test_phases_without_exchange_have_no_bonds():
    loose = Material(anisotropy=1e6, magnetisation=1e6, exchange=0.0)
    magnets = Magnets.of([[[0, 1, 1]]], materials=(SMCO5, loose))
    assert magnets.right.tolist() == [[[[0.0, 0.0]]]]


@pytest.mark.parametrize("changed", [{"magnetisation": 0.0}, {"anisotropy": -1.0}])
def test_materials_that_are_none_are_refused(changed):
    settings = {"anisotropy": 1e6, "magnetisation": 1e6, "exchange": 1e-11, **changed}
    with pytest.raises(ValueError, match="expected a magnetisation above 0"):
        Material(**settings)


def test_cells_have_a_length():
    with pytest.raises(ValueError, match="cells longer than 0 m"):
        Magnets.of([[[0]]], cell=0.0)
