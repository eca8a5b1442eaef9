import numpy as np
import pytest
import torch
from orix.quaternion.symmetry import Oh

from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.grains import no_orientations
from napari_kikuchi.microstructure.maps import polycrystal_orientations
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.polycrystal import PolycrystalSettings, Volume
from napari_kikuchi.microstructure.scales import suitable_scale


def generator(**told):
    torch.manual_seed(0)
    network = GeneratorNetwork(GeneratorArchitecture((8,), block=1))
    return MicrostructureGenerator(network, told)


def grains_of(diameter):
    settings = PolycrystalSettings(kind="equiaxed", diameter=diameter, spread=0.2)
    return polycrystal_orientations(Volume(settings, 96, 1).slice(0, 0.5))


@pytest.mark.parametrize(("diameter", "scale"), [(6, 1), (12, 1), (24, 2), (40, 3)])
def test_grains_are_brought_to_the_size_of_those_learned_from(diameter, scale):
    found = grains_of(diameter)
    assert suitable_scale(generator(), found) == scale
    # Badly indexed points are no small grains.
    rng = np.random.default_rng(0)
    bad = rng.random(found.map_shape) < 0.03
    spoilt = found.quaternions.copy()
    spoilt[bad] = spoilt[bad][rng.permutation(bad.sum())]
    assert suitable_scale(generator(), OrientationMap(spoilt, found.symmetries)) == scale


def test_a_generator_of_larger_pictures_knows_larger_grains():
    told = {"identity": {"pictures": {"size": 128}}}
    assert suitable_scale(generator(**told), grains_of(24)) == 1


@pytest.mark.parametrize("told", [{}, {"identity": 3}, {"identity": {"pictures": {"size": "64"}}}])
def test_the_usual_size_is_taken_where_none_is_told(told):
    assert generator(**told).picture_size == 64


def test_where_nothing_is_known_nothing_is_changed():
    assert suitable_scale(generator(), no_orientations((8, 8), [Oh])) == 1
