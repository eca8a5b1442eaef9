import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.microstructure.stray_field import StrayField, demagnetising_tensor

CELLS = [(1.0, 1.0, 1.0), (1.0, 0.7, 0.5), (2e-9, 2e-9, 5e-9)]


def test_a_cube_demagnetises_itself_by_a_third():
    itself = demagnetising_tensor((2, 2))[:, :, 0, 0]
    np.testing.assert_allclose(itself, np.eye(3) / 3, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_the_trace_is_one_inside_and_zero_outside(cell):
    tensor = demagnetising_tensor((40, 30), cell)
    trace = np.trace(tensor)
    assert trace[0, 0] == pytest.approx(1, abs=1e-10)
    trace[0, 0] = 0
    np.testing.assert_allclose(trace, 0, atol=1e-9)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("place", [(0, 2), (2, 0), (2, 3), (-2, 3), (3, -4)])
def test_cells_act_on_each_other_as_their_charges_do(cell, place):
    """Charges on faces and their fields, integrated by Gauss and Legendre."""
    tensor = demagnetising_tensor((5, 5), cell)[:, :, place[0], place[1]]
    apart = np.array([place[1] * cell[0], place[0] * cell[1], 0.0])
    np.testing.assert_allclose(tensor, of_charges(np.array(cell), apart), atol=1e-6)


def of_charges(cell, apart):
    nodes, weights = np.polynomial.legendre.leggauss(10)
    nodes, weights = nodes / 2, weights / 2
    x, y, z = np.meshgrid(nodes, nodes, nodes, indexing="ij")
    inside = np.stack([x, y, z], axis=-1).reshape(-1, 3) * cell + apart
    share = np.einsum("i,j,k->ijk", weights, weights, weights).ravel()
    across = np.einsum("i,j->ij", weights, weights).ravel()
    tensor = np.zeros((3, 3))
    for j in range(3):
        others = [axis for axis in range(3) if axis != j]
        for side in (-0.5, 0.5):
            face = np.full((len(nodes) ** 2, 3), side)
            face[:, others] = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)
            to = inside[:, None] - (face * cell)[None]
            field = to / (4 * np.pi * np.linalg.norm(to, axis=-1, keepdims=True) ** 3)
            charge = np.sign(side) * np.prod(cell[others]) * across
            tensor[:, j] -= np.einsum("p,q,pqi->i", share, charge, field)
    return tensor


@pytest.mark.parametrize("cell", CELLS)
def test_far_cells_are_dipoles(cell):
    rows, columns = 60, 50
    tensor = demagnetising_tensor((rows, columns), cell)
    apart = np.array([40 * cell[0], 30 * cell[1], 0.0])
    distance = np.linalg.norm(apart)
    outer = np.outer(apart, apart) / distance**2
    dipole = np.prod(cell) * (np.eye(3) - 3 * outer) / (4 * np.pi * distance**3)
    np.testing.assert_allclose(tensor[:, :, 30, 40], dipole, rtol=2e-3, atol=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_it_does_not_jump_where_dipoles_begin(cell):
    along = demagnetising_tensor((2, 80), cell)[0, 0, 0, 10:79] * np.arange(10, 79) ** 3
    assert np.abs(np.diff(along)).max() < 0.01 * np.abs(along).max()


@given(
    rows=st.integers(1, 6),
    columns=st.integers(1, 6),
    cell=st.tuples(*[st.floats(0.2, 5)] * 3),
)
def test_cells_of_one_block_make_up_the_block(rows, columns, cell):
    """The mean field in a block of cells is that of one cell as large as the block."""
    cells = StrayField((rows, columns), cell)
    whole = demagnetising_tensor((1, 1), (columns * cell[0], rows * cell[1], cell[2]))
    for axis in range(3):
        magnetisation = torch.zeros(3, rows, columns, dtype=torch.float64)
        magnetisation[axis] = 1
        mean = cells(magnetisation).mean((1, 2)).numpy()
        np.testing.assert_allclose(mean, -whole[:, axis, 0, 0], atol=1e-8)


def test_fields_are_sums_over_all_cells_and_nothing_is_repeated():
    rng = np.random.default_rng(0)
    rows, columns = 3, 5
    tensor = demagnetising_tensor((rows, columns), CELLS[1])
    magnetisation = rng.normal(size=(2, 3, rows, columns))
    field = StrayField((rows, columns), CELLS[1])(torch.from_numpy(magnetisation)).numpy()
    places = np.array(list(np.ndindex(rows, columns)))
    for at in places:
        down, right = (at - places).T
        expected = -np.einsum(
            "ijp,njp->ni", tensor[:, :, down, right], magnetisation[..., places[:, 0], places[:, 1]]
        )
        np.testing.assert_allclose(field[:, :, at[0], at[1]], expected, atol=1e-12)


def test_cells_act_on_each_other_alike():
    rng = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 3, 7, 4, dtype=torch.float64, generator=rng)
    field = StrayField((7, 4))
    assert float((one * field(other)).sum()) == pytest.approx(float((other * field(one)).sum()))


def test_single_precision_is_near_double():
    magnetisation = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(0))
    single = StrayField((64, 64), dtype=torch.float32)(magnetisation)
    double = StrayField((64, 64))(magnetisation.double())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), double, rtol=0, atol=1e-5)
