"""Random phases: what spglib says of them, and what patterns show."""

from itertools import islice

import numpy as np
import pytest

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.symmetry.phases import Phase, random_phases
from napari_kikuchi.symmetry.prototypes import PROTOTYPES
from napari_kikuchi.symmetry.radii import RADII
from napari_kikuchi.symmetry.sites import sites_of


def known(name, space_group, cell, *orbits):
    atoms = tuple(
        (element, tuple(map(float, place)))
        for element, position in orbits
        for place in sites_of(space_group).orbit(position)
    )
    return Phase(name, space_group, cell, atoms, {element: 0.5 for element, _ in orbits})


@pytest.mark.parametrize("space_group", range(195, 231))
def test_phases_are_crystals_of_their_group(space_group):
    spglib = pytest.importorskip("spglib")
    phases = list(islice(random_phases(space_group, 3), 6))
    assert len({phase.name for phase in phases}) == 6
    for phase in phases:
        crystal = Crystal.from_settings(phase.settings())
        numbers = np.unique(crystal.elements, return_inverse=True)[1]
        lattice = np.eye(3) * phase.cell
        found = spglib.get_symmetry_dataset((lattice, crystal.positions, numbers), 1e-3)
        assert found.number == space_group
        # The cell is the conventional one: the patterns' axes are the crystal's.
        np.testing.assert_allclose(found.std_lattice.diagonal(), phase.cell, rtol=1e-3)
        apart = crystal.positions[:, None] - crystal.positions
        lengths = np.linalg.norm(apart - np.rint(apart), axis=-1) * phase.cell
        np.fill_diagonal(lengths, phase.cell)
        sums = np.add.outer(*[[RADII[one] for one in crystal.elements]] * 2)
        assert 0.9 < (lengths / sums).min() < 1.2


def test_phases_are_the_same_for_the_same_seed():
    one, again, other = (
        [phase.settings() for phase in islice(random_phases(225, seed), 4)] for seed in (0, 0, 1)
    )
    assert one == again
    assert one != other


def test_known_types_and_random_ones_are_both_there():
    names = [phase.name for phase in islice(random_phases(227, 0), 40)]
    types = [one.name for one in PROTOTYPES if one.space_group == 227]
    from_types = sum(any(f"({one})" in name for one in types) for name in names)
    assert 10 < from_types < 35
