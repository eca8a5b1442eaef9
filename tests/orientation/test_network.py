"""The transformer over spots: what it reads, what it proposes, what it learns."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from napari_kikuchi.crystals.crystal import Crystal
from napari_kikuchi.io.weights import ModelFileError, read_tensors, write_tensors
from napari_kikuchi.jobs import finish
from napari_kikuchi.orientation.degrade import Degradation
from napari_kikuchi.orientation.hypotheses import judge
from napari_kikuchi.orientation.in_plane import turned
from napari_kikuchi.orientation.kinematical import KinematicalSpots
from napari_kikuchi.orientation.network import SpotArchitecture, SpotTransformer
from napari_kikuchi.orientation.spot_model import SpotModel
from napari_kikuchi.orientation.symmetry import disorientation_angles, proper_operators
from napari_kikuchi.orientation.tokens import described, frame_angles, strongest
from napari_kikuchi.orientation.train import SpotTask, train_spot_model, training_rows
from napari_kikuchi.training import TrainingData, TrainingSettings, train

SMALL = SpotArchitecture(width=16, layers=1, heads=2, hypotheses=3, spots=12)


@pytest.fixture(scope="module")
def copper():
    return Crystal.built_in("cu")


@pytest.fixture(scope="module")
def patterns(copper, random_rotations):
    rotations = torch.from_numpy(random_rotations(40)).float()
    return KinematicalSpots(copper, most_spots=40)(rotations), rotations


@pytest.fixture
def network():
    torch.manual_seed(0)
    return SpotTransformer(SMALL).eval()


def test_the_strongest_spots_come_first_whatever_their_order(patterns):
    spots, _ = patterns
    shuffled = spots[:, torch.randperm(spots.shape[1], generator=torch.Generator().manual_seed(0))]
    torch.testing.assert_close(strongest(shuffled, 12), spots[:, :12])
    few = strongest(spots[:, :3], 5)
    torch.testing.assert_close(few[:, :3], spots[:, :3])
    assert (few[:, 3:] == 0).all()


def test_what_is_told_of_a_spot_repeats_with_a_turn_and_not_with_the_brightness(patterns):
    spots, _ = patterns
    radius, angle, intensity = described(spots, 2.0)
    around = turned(spots, torch.eye(3).expand(40, 3, 3), torch.full((40,), 2 * math.pi))[0]
    brighter = around * torch.tensor([1.0, 1.0, 7.0])
    there = spots[..., 2] > 0
    for first, second in zip((radius, angle, intensity), described(brighter, 2.0), strict=True):
        torch.testing.assert_close(first[there], second[there], atol=1e-3, rtol=0)
    assert all(torch.isfinite(part).all() for part in described(torch.zeros(1, 4, 3), 2.0))


def test_one_spot_lies_along_x_in_each_frame(patterns):
    spots, rotations = patterns
    angles = frame_angles(spots, 4)
    for frame in range(4):
        there, _ = turned(spots, rotations, -angles[:, frame])
        assert (there[:, frame, 0] > 0.1).all()
        torch.testing.assert_close(there[:, frame, 1], torch.zeros(40), atol=1e-6, rtol=0)


def test_proposals_turn_with_the_pattern(network, patterns):
    spots, _ = patterns
    rotations, scores = network.propose(spots, 4)
    assert rotations.shape == (40, 12, 3, 3)
    assert scores.shape == (40, 12)
    unit = rotations @ rotations.mT
    torch.testing.assert_close(unit, torch.eye(3).expand_as(unit), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(rotations), torch.ones(40, 12))
    angles = torch.linspace(0, 6, 40)
    expected = turned(spots, rotations[:, 0], angles)[1]
    found, again = network.propose(turned(spots, rotations[:, 0], angles)[0], 4)
    torch.testing.assert_close(found[:, 0], expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(again, scores, atol=1e-4, rtol=0)


def test_neither_padding_nor_order_changes_proposals(network, patterns):
    spots, _ = patterns
    expected, scores = network(spots[:, :12])
    padded = torch.nn.functional.pad(spots[:, :12], (0, 0, 0, 5)).flip(1)
    found, again = network(padded)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(again, scores, atol=1e-5, rtol=0)


def test_an_empty_pattern_spoils_no_gradient(network, patterns):
    spots, truth = patterns
    spots = spots.clone()
    spots[3] = 0
    rotations, scores = network(spots)
    judge(rotations, scores, truth, torch.eye(3)[None]).loss.backward()
    assert all(torch.isfinite(weight.grad).all() for weight in network.parameters())


def test_the_best_hypothesis_learns_and_the_scores_learn_which_it_is(copper, random_rotations):
    operators = proper_operators(copper.laue_group, dtype=torch.float32)
    truth, wrong = (torch.from_numpy(random_rotations(6, seed)).float() for seed in (1, 2))
    # The second hypothesis is the truth, by another of its names.
    rotations = torch.stack([wrong, operators[5] @ truth], dim=1).requires_grad_()
    scores = torch.zeros(6, 2, requires_grad=True)
    found = judge(rotations, scores, truth, operators)
    torch.testing.assert_close(found.angles[:, 1], torch.zeros(6), atol=1e-3, rtol=0)
    np.testing.assert_allclose(
        found.angles[:, 0].detach(), disorientation_angles(wrong, truth, operators), atol=1e-6
    )
    expected = 0.05 * found.angles.detach().mean() + 0.1 * math.log(2)
    assert float(found.loss.detach()) == pytest.approx(float(expected), abs=1e-3)
    found.loss.backward()
    assert (scores.grad[:, 1] < 0).all()


def make_task(copper, network):
    nothing = Degradation(**dict.fromkeys(asdict(Degradation()), 0.0))
    return SpotTask(network, copper, 300.0, replace(nothing, jitter=0.005))


def test_a_training_learns_and_leaves_a_model(copper, patterns, tmp_path):
    spots, rotations = patterns
    rows = training_rows(spots.numpy(), rotations.numpy())
    assert rows.shape == (40, 43, 3)
    torch.manual_seed(0)
    task = make_task(copper, SpotTransformer(SMALL))
    settings = TrainingSettings(
        epochs=300, batch=40, learning_rate=1e-2, validate_every=100, device="cpu"
    )
    losses = []
    path = finish(
        train(task, TrainingData(rows, rows), settings, tmp_path / "run"),
        lambda update: losses.append(getattr(update, "validation_loss", None)),
    )
    losses = [loss for loss in losses if loss is not None]
    assert min(losses) < 0.75 * losses[0]
    model = SpotModel.load(path, device="cpu")
    assert (model.crystal, model.voltage) == (copper.name, 300.0)
    assert model.network.architecture == SMALL
    assert model.provenance["metrics"]["best within 5"] >= 0
    found, scores = model.propose(spots, frames=2)
    assert found.shape == (40, 6, 3, 3)
    truth = model.network.propose(spots, 2)
    torch.testing.assert_close(found, truth[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(scores, truth[1], atol=1e-5, rtol=0)


def test_a_whole_training_from_simulation_to_model_goes_on_where_it_was(copper, tmp_path):
    settings = TrainingSettings(
        epochs=2, batch=16, validate_every=2, learning_rate=1e-3, device="cpu"
    )
    small = {"architecture": SMALL, "axes": 10, "voltage": 200.0}
    job = train_spot_model(copper, tmp_path / "run", settings, **small)
    for update in job:
        if getattr(update, "step", 0) == 3:
            job.close()
    path = finish(train_spot_model(copper, tmp_path / "run", settings, resume=True, **small))
    whole = finish(train_spot_model(copper, tmp_path / "whole", settings, **small))
    first, second = (SpotModel.load(file, device="cpu") for file in (path, whole))
    assert (first.crystal, first.voltage) == ("Cu", 200.0)
    assert first.checksum == second.checksum
    with pytest.raises(FileExistsError, match="Resume it"):
        finish(train_spot_model(copper, tmp_path / "run", settings, **small))


@pytest.mark.parametrize("broken", ["width", "missing", "crystal", "hypotheses"])
def test_a_file_of_another_model_is_refused(copper, network, tmp_path, broken):
    path = tmp_path / "model.safetensors"
    SpotModel(network, copper.name, 300.0).save(path)
    tensors, header = read_tensors(path, "spot model")
    header = dict(header, architecture=dict(header["architecture"]))
    if broken == "missing":
        tensors.popitem()
    elif broken == "crystal":
        header["crystal"] = 7
    else:
        header["architecture"][broken] *= 2
    write_tensors(path, tensors, header)
    with pytest.raises(ModelFileError, match=str(path)):
        SpotModel.load(path, device="cpu")


def test_heads_share_the_width():
    with pytest.raises(ValueError, match="3 heads cannot share a width of 64"):
        SpotArchitecture(heads=3)
