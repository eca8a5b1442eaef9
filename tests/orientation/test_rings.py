import numpy as np
import pytest

from napari_kikuchi.crystals.crystal import open_crystal
from napari_kikuchi.orientation.rings import crystal_rings, written


def test_rings_of_copper_are_those_of_the_textbook():
    rings = crystal_rings(open_crystal("cu"), 1.4)
    families = [(1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2), (4, 0, 0), (3, 3, 1)]
    assert [ring.hkl for ring in rings] == [*families, (4, 2, 0), (4, 2, 2)]
    lengths = [np.linalg.norm(ring.hkl) / 3.615 for ring in rings]
    np.testing.assert_allclose([ring.length for ring in rings], lengths, rtol=1e-6)
    assert rings[0].strength == 1
    assert rings[0].label == "{111}"
    assert (np.diff([ring.strength for ring in rings]) < 0).all()


def test_rings_of_a_hexagonal_crystal_are_named_with_few_bars():
    a, c = 2.951, 4.684
    rings = {ring.hkl: ring for ring in crystal_rings(open_crystal("ti"), 0.8)}
    assert (0, 0, 1) not in rings  # extinct by the screw axis
    for (h, k, along), ring in rings.items():
        squared = 4 / 3 * (h * h + h * k + k * k) / a**2 + along**2 / c**2
        assert ring.length == pytest.approx(np.sqrt(squared))
    assert [ring.hkl for ring in rings.values()][:5] == [
        (1, 0, 0),
        (0, 0, 2),
        (1, 0, 1),
        (1, 0, 2),
        (1, 1, 0),
    ]


def test_weak_rings_are_left_out():
    crystal = open_crystal("fe")
    every = crystal_rings(crystal, 1.5)
    strong = crystal_rings(crystal, 1.5, weakest=0.1)
    assert strong == [ring for ring in every if ring.strength >= 0.1] != every


@pytest.mark.parametrize(
    ("hkl", "text"), [((1, 1, 1), "111"), ((2, -1, 0), "21̅0"), ((10, 0, -2), "10 0 2̅")]
)
def test_indices_are_written_with_bars(hkl, text):
    assert written(hkl) == text
