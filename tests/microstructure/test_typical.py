import numpy as np
import pytest

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.typical import most_typical


def pictures(phases):
    """Of the same colours everywhere."""
    phases = np.asarray(phases, float)
    return np.stack([*[np.full_like(phases, 0.5)] * 3, phases], axis=1)


def test_the_most_typical_map_is_neither_the_emptiest_nor_the_fullest():
    rng = np.random.default_rng(0)
    pixels = rng.random((24, 24))
    maps = np.stack([pixels < share for share in (0.1, 0.9, 0.4, 0.35, 0.6)])
    assert finish(most_typical(pictures(maps))) == 2


def test_it_is_told_by_how_the_phase_lies_too():
    """Stripes of equal fractions: most lie down, one across."""
    stripes = np.indices((16, 16))[0] % 8 < 4
    maps = [np.roll(stripes, shift, axis=0) for shift in range(4)]
    assert finish(most_typical(pictures([stripes.T, *maps]))) != 0


@pytest.mark.parametrize("phase", [0.0, 1.0])
def test_of_one_phase_it_is_told_by_the_grains(phase):
    """Bands of two colours: most are six pixels wide, some far narrower or wider."""
    made = pictures(np.full((5, 24, 24), phase))
    for picture, width in zip(made, (2, 6, 12, 6, 6), strict=True):
        picture[:3, np.arange(24) // width % 2 == 1] = 0.1
    # One that has hardly any of another phase.
    made[2, 3, 5, 5] = 1 - phase
    made[3] = np.roll(made[3], 3, axis=1)
    assert finish(most_typical(made)) in {1, 3, 4}
