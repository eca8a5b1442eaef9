"""Matching against known orientations."""

import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.in_plane import mirrored, turned
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.matching import Matcher
from napari_kikuchi.orientation.spots import Spots
from napari_kikuchi.orientation.symmetry import disorientation_angles
from napari_kikuchi.orientation.templates import kinematical_library

# Longest vector in 1/Å and distance of cells in degrees: enough spots, and not too many templates.
SETTINGS = {
    "cu": (2.1, 2.0),
    "ti": (1.6, 2.5),
    "trigonal": (1.2, 3.0),
    "monoclinic": (1.0, 3.0),
    "triclinic": (1.0, 4.0),
}


@pytest.fixture(scope="module")
def known(crystals):
    """A matcher for a crystal, and simulated spots of given orientations."""
    made = {}

    def get(name):
        if name not in made:
            k_max, step = SETTINGS[name]
            library = finish(
                kinematical_library(crystals[name], k_max=k_max, step=step, fine_step=step / 4)
            )
            made[name] = Matcher(library), KinematicalSpots(crystals[name], k_max=k_max)
        return made[name]

    return get


def errors(hypotheses, rotations, operators):
    """In degrees, of shape (patterns, hypotheses)."""
    truth = torch.as_tensor(rotations)[:, None].expand_as(hypotheses.rotations)
    return torch.rad2deg(disorientation_angles(hypotheses.rotations, truth, operators))


@pytest.mark.parametrize("name", list(SETTINGS))
def test_orientations_are_found(name, known, random_rotations):
    matcher, simulate = known(name)
    rotations = random_rotations(300, 21)
    found = matcher(Spots(simulate(rotations).numpy()))
    apart = errors(found, rotations, matcher.templates.operators)
    # Where all spots are of one zone, two orientations have the same pattern.
    assert (apart.amin(1) < SETTINGS[name][1]).float().mean() > 0.93
    assert (apart[:, 0] < 5).float().mean() > 0.8
    assert apart[:, 0].median() < 0.6 * SETTINGS[name][1]


def test_only_the_symmetries_of_the_crystal_are_forgiven(known, random_rotations):
    """The pattern of a monoclinic crystal turned by what is a symmetry of cubic ones is another."""
    matcher, simulate = known("monoclinic")
    rotations = random_rotations(100, 22)
    found = matcher(Spots(simulate(rotations).numpy()))
    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]], dtype=torch.float64)
    apart = errors(found, quarter @ torch.as_tensor(rotations), matcher.templates.operators)
    assert (apart[:, 0] > 10).float().mean() > 0.9


def test_the_middle_of_a_cell_is_found_at_any_angle_and_from_behind(known):
    matcher, simulate = known("cu")
    library = matcher.templates
    cells = torch.arange(0, len(library.rotations), 3)
    n = len(cells)
    angles = torch.linspace(-3, 3, n, dtype=torch.float64)
    rotations, spots = library.rotations[cells], simulate(library.rotations[cells])
    for flip in (False, True):
        if flip:
            spots, rotations = mirrored(spots, rotations)
        spots_turned, expected = turned(spots, rotations, angles)
        found = matcher(Spots(spots_turned.float().numpy()))
        apart = errors(found, expected, library.operators)
        assert (apart.amin(1) < 1).float().mean() > 0.9
        nearest = apart.argmin(1, keepdim=True)
        away = found.angles.gather(1, nearest)[:, 0] - angles
        same = found.cells.gather(1, nearest)[:, 0] == cells
        same &= found.mirrored.gather(1, nearest)[:, 0] == flip
        assert same.float().mean() > 0.7
        assert np.rad2deg(np.abs(np.angle(np.exp(1j * away[same].numpy())))).max() < 1.5


def test_hypotheses_are_sorted_and_scores_are_shares(known, random_rotations):
    matcher, simulate = known("cu")
    found = matcher(Spots(simulate(random_rotations(50, 23)).numpy()))
    assert found.scores.shape == (50, 8)
    assert found.scores.dtype == torch.float32
    assert (found.scores.diff(dim=1) <= 0).all()
    assert 0 < found.scores.min() < found.scores.max() <= 1
    # As strong a pattern may be.
    spots = simulate(random_rotations(50, 23))
    spots[..., 2] *= 1000
    torch.testing.assert_close(matcher(Spots(spots.numpy())).scores, found.scores)


def test_patterns_without_spots_have_no_orientation(known, random_rotations):
    matcher, simulate = known("cu")
    spots = simulate(random_rotations(3, 24))
    spots[1] = 0
    found = matcher(Spots(spots.numpy()))
    assert (found.scores[1] == 0).all()
    assert found.rotations[1].isnan().all()
    assert found.rotations[[0, 2]].isfinite().all()
    nothing = matcher(Spots(np.zeros((2, 0, 3), np.float32)))
    assert (nothing.scores == 0).all()
    assert len(matcher(Spots(np.zeros((0, 5, 3), np.float32)))) == 0


def test_batches_do_not_change_what_is_found(known, random_rotations, monkeypatch):
    matcher, simulate = known("cu")
    spots = Spots(simulate(random_rotations(70, 25)).numpy())
    expected = matcher(spots)
    largest = []
    correlate = Matcher._correlate
    monkeypatch.setattr("napari_kikuchi.orientation.matching._BATCH", {"cpu": 2**19})

    def watched(self, series):
        found = correlate(self, series)
        largest.append(found.numel())
        return found

    monkeypatch.setattr(Matcher, "_correlate", watched)
    found = matcher(spots)
    torch.testing.assert_close(found.scores, expected.scores)
    # Memory stays what a batch takes, however many patterns there are.
    assert len(largest) > 3
    assert max(largest) <= 2**19


@pytest.mark.parametrize("count", [0, 10**6])
def test_as_many_hypotheses_as_there_are(known, count):
    matcher, _ = known("cu")
    with pytest.raises(ValueError, match=rf"hypotheses, found {count}"):
        Matcher(matcher.templates, hypotheses=count)
