"""Where orientations lie in a library."""

import pytest
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.network import SpotArchitecture, SpotTransformer
from napari_kikuchi.orientation.placing import Places, Proposer
from napari_kikuchi.orientation.spot_model import SpotModel
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.symmetry import disorientation_angles
from napari_kikuchi.orientation.templates import kinematical_library

STEP = 5.0


@pytest.fixture(scope="module", params=["cu", "ti", "trigonal"])
def library(request, crystals):
    return finish(kinematical_library(crystals[request.param], k_max=1.0, step=STEP, fine_step=2))


def test_the_nearest_cell_turned_is_near_the_orientation(library, random_rotations):
    """Of cells and their mirror images, turned: what remains is a tilt within a cell."""
    truth = torch.as_tensor(random_rotations(200, 2)).reshape(50, 4, 3, 3)
    found = Places(library)(truth, torch.ones(50, 4))
    apart = disorientation_angles(found.rotations, truth, library.operators).rad2deg()
    assert apart.max() < 0.8 * STEP
    assert found.mirrored.any()
    assert (~found.mirrored).any()


def test_templates_lie_where_they_are(library):
    """An orientation of a library is found without any error."""
    cells = torch.arange(len(library.rotations))
    mirrored = cells % 2 == 0
    angles = torch.linspace(-3, 3, len(cells))
    tilts = torch.zeros(len(cells), 2, dtype=torch.float64)
    truth = library.orientations(cells, mirrored, angles, tilts)
    found = Places(library)(truth[:, None], torch.ones(len(cells), 1))
    apart = disorientation_angles(found.rotations[:, 0], truth, library.operators).rad2deg()
    assert apart.max() < 1e-4


def test_a_network_proposes_hypotheses(crystals, library):
    network = SpotTransformer(SpotArchitecture(width=16, layers=1, heads=2, hypotheses=3, spots=8))
    proposer = Proposer(library, SpotModel(network.eval(), "cu", 300.0), frames=2)
    values = torch.rand(5, 9, 3)
    values[3] = 0
    found = proposer(Spots(values.numpy()))
    assert found.scores.shape == (5, 6)
    assert (found.scores[3] == 0).all()
    assert found.rotations[3].isnan().all()
    expected, _ = proposer.model.propose(values, 2)
    expected = expected.double()
    apart = disorientation_angles(found.rotations, expected, library.operators).rad2deg()
    assert apart[[0, 1, 2, 4]].max() < 0.8 * STEP
    assert proposer(Spots.from_lists([[]])).rotations.isnan().all()
