"""Orbits against the multiplicities of the International Tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.symmetry.sites import Sites, sites_of


@pytest.mark.parametrize(
    ("space_group", "position", "multiplicity"),
    [
        (221, (0, 0, 0), 1),
        (221, (0, 0.5, 0.5), 3),
        (223, (0.25, 0, 0.5), 6),
        (225, (0.25, 0.25, 0.25), 8),
        (225, (0.3, 0, 0), 24),
        (227, (0, 0, 0), 8),
        (227, (0.625, 0.625, 0.625), 16),
        (229, (0, 0.5, 0.5), 6),
        (230, (0.125, 0, 0.25), 24),
        (230, (0.035, 0.048, 0.652), 96),
    ],
)
def test_multiplicities_are_those_of_the_tables(space_group, position, multiplicity):
    orbit = Sites(space_group).orbit(position)
    assert orbit.shape == (multiplicity, 3)
    assert ((orbit >= 0) & (orbit < 1)).all()


@given(st.sampled_from([221, 223, 225, 227, 229, 230]), st.integers(0, 2**32 - 1))
def test_what_may_move_keeps_its_symmetry(space_group, seed):
    sites, rng = sites_of(space_group), np.random.default_rng(seed)
    position = sites.random(rng)
    moved = sites.moved(position, rng.uniform(-0.01, 0.01, 3))
    assert len(sites.orbit(moved)) == len(sites.orbit(position))
    # An orbit is the same wherever in it one begins.
    orbit = sites.orbit(position)
    again = sites.orbit(orbit[rng.integers(len(orbit))])
    apart = orbit[:, None] - again
    apart -= np.rint(apart)
    assert (np.abs(apart).max(axis=-1).min(axis=1) < 1e-3).all()
