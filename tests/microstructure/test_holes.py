import pytest
import torch

from napari_kikuchi.microstructure.holes import random_holes


@pytest.fixture(scope="module")
def holes():
    return random_holes(800, 32, torch.Generator().manual_seed(0))[:, 0]


def test_holes_are_holes(holes):
    assert holes.shape == (800, 32, 32)
    assert {*holes.unique().tolist()} == {0.0, 1.0}
    assert holes.flatten(1).sum(dim=1).min() > 0


def test_of_many_maps_nothing_is_known(holes):
    shares = holes.flatten(1).mean(dim=1)
    assert float((shares == 1).float().mean()) == pytest.approx(0.4, abs=0.08)
    # Of the others any part is unknown.
    others = shares[shares < 1]
    assert float(others.min()) < 0.1
    assert float(others.max()) > 0.9


def test_some_holes_are_one_and_others_many(holes):
    crossings = holes.diff(dim=2).abs().flatten(1).sum(dim=1)
    assert float((crossings <= 64).float().mean()) > 0.6
    # Single pixels all over the map.
    assert float((crossings > 200).float().mean()) > 0.03


def test_the_same_generator_draws_the_same():
    one, same, other = (
        random_holes(8, 16, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
