"""Alloys and salts whose patterns are, or are not, those of a higher symmetry."""

import numpy as np
import pytest
from test_phases import known

from napari_kikuchi.symmetry.pseudosymmetry import averages, correlation
from napari_kikuchi.symmetry.sector import NODES
from napari_kikuchi.symmetry.simulated_phase import simulate_phase

IN_EIGHTHS = (0, 0, 0), (0.5, 0.5, 0.5), (0, 0.5, 0.5)
CORNER, CENTRE, FACE = IN_EIGHTHS


@pytest.mark.parametrize(
    ("phase", "shown", "least", "most"),
    [
        (known("FeCo", 221, 2.86, ("Fe", CORNER), ("Co", CENTRE)), 229, 0.999, 1),
        (known("Ni3Fe", 221, 3.55, ("Fe", CORNER), ("Ni", FACE)), 225, 0.998, 1),
        (known("NiAl", 221, 2.88, ("Al", CORNER), ("Ni", CENTRE)), 221, 0.95, 0.985),
        (known("Cu3Au", 221, 3.75, ("Au", CORNER), ("Cu", FACE)), 221, 0.93, 0.98),
        # Carbon scatters so much less than niobium that one might think it could be left out.
        (known("NbC", 225, 4.47, ("Nb", CORNER), ("C", CENTRE)), 225, 0, 0.95),
        (known("Ni", 225, 3.52, ("Ni", CORNER)), 225, 0, 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_patterns_show_the_group_of_the_average_if_they_are_its(phase, shown, least, most):
    found = simulate_phase(phase, 0)
    assert found.shown == shown
    assert least <= found.nearest <= most


def test_averages_are_of_other_groups_and_keep_what_is_in_the_cell():
    phase = known("Ni3Fe", 221, 3.55, ("Fe", CORNER), ("Ni", FACE))
    ((group, settings),) = averages(phase)
    assert group == 225
    assert len(settings["atoms"]) == 8  # Both elements on each of four sites.
    amounts = {
        element: sum(atom[4] for atom in settings["atoms"] if atom[0] == element)
        for element in ("Fe", "Ni")
    }
    assert amounts == pytest.approx({"Fe": 1, "Ni": 3})


def test_correlation_is_over_the_sphere():
    rng = np.random.default_rng(0)
    one = rng.normal(size=NODES)
    assert correlation(one, 3 * one + 2) == pytest.approx(1, abs=1e-6)
    assert abs(correlation(one, rng.normal(size=NODES))) < 0.2
