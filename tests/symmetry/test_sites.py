"""Orbits against the multiplicities of the International Tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_kikuchi.symmetry.sites import Sites, sites_of


@pytest.mark.parametrize(
    ("space_group", "position", "multiplicity"),
    [
        (195, (0.1, 0.2, 0.3), 12),
        (196, (0.25, 0.25, 0.25), 4),
        (197, (0.5, 0, 0), 6),
        (198, (0.1, 0.1, 0.1), 4),
        (199, (0.1, 0, 0.25), 12),
        (200, (0.5, 0.1, 0.2), 12),
        # Of two choices the one whose origin is not at a centre of inversion.
        (201, (0, 0, 0), 2),
        (201, (0.25, 0.25, 0.25), 4),
        (202, (0.25, 0.25, 0.25), 8),
        (202, (0, 0.25, 0.25), 24),
        (203, (0, 0, 0), 8),
        (203, (0.125, 0.125, 0.125), 16),
        (204, (0, 0.34, 0.16), 24),
        (205, (0, 0, 0), 4),
        (206, (0.25, 0.25, 0.25), 8),
        (206, (0.1, 0, 0.25), 24),
        (207, (0.5, 0.5, 0.5), 1),
        (208, (0.25, 0, 0.5), 6),
        (209, (0, 0.25, 0.25), 24),
        (210, (0, 0, 0), 8),
        (210, (0.125, 0.125, 0.125), 16),
        (211, (0.25, 0.5, 0), 12),
        (212, (0.125, 0.125, 0.125), 4),
        (212, (0.125, 0.3, 0.95), 12),
        (213, (0.375, 0.375, 0.375), 4),
        (213, (0.125, 0.2, 0.45), 12),
        (214, (0.125, 0.125, 0.125), 8),
        (214, (0.125, 0, 0.25), 12),
        (215, (0.5, 0, 0), 3),
        (216, (0.625, 0.625, 0.625), 16),
        (217, (0.1, 0.1, 0.3), 24),
        (218, (0.25, 0, 0.5), 6),
        (219, (0.25, 0, 0), 24),
        (220, (0.375, 0, 0.25), 12),
        (221, (0, 0, 0), 1),
        (221, (0, 0.5, 0.5), 3),
        (222, (0.5, 0, 0), 6),
        (222, (0.25, 0.25, 0.25), 8),
        (223, (0.25, 0, 0.5), 6),
        (224, (0, 0, 0), 2),
        (224, (0.25, 0.25, 0.25), 4),
        (225, (0.25, 0.25, 0.25), 8),
        (225, (0.3, 0, 0), 24),
        (226, (0.25, 0.25, 0.25), 8),
        (226, (0, 0.18, 0.12), 96),
        (227, (0, 0, 0), 8),
        (227, (0.625, 0.625, 0.625), 16),
        (228, (0, 0, 0), 16),
        (228, (0.125, 0.125, 0.125), 32),
        (229, (0, 0.5, 0.5), 6),
        (230, (0.125, 0, 0.25), 24),
        (230, (0.035, 0.048, 0.652), 96),
    ],
)
def test_multiplicities_are_those_of_the_tables(space_group, position, multiplicity):
    orbit = Sites(space_group).orbit(position)
    assert orbit.shape == (multiplicity, 3)
    assert ((orbit >= 0) & (orbit < 1)).all()


@given(st.integers(195, 230), st.integers(0, 2**32 - 1))
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
