import numpy as np

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.typical import most_typical


def test_the_most_typical_map_is_neither_the_emptiest_nor_the_fullest():
    rng = np.random.default_rng(0)
    pixels = rng.random((24, 24))
    maps = np.stack([pixels < share for share in (0.1, 0.9, 0.4, 0.35, 0.6)])
    assert finish(most_typical(maps)) == 2


def test_it_is_told_by_how_the_phase_lies_too():
    """Stripes of equal fractions: most lie down, one across."""
    stripes = np.indices((16, 16))[0] % 8 < 4
    maps = [np.roll(stripes, shift, axis=0) for shift in range(4)]
    assert finish(most_typical(np.stack([stripes.T, *maps]))) != 0
