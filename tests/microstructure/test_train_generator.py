import json
from itertools import islice

import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.noising import PROCESSES
from napari_kikuchi.microstructure.train import GeneratorObjective, train_generator, training_data
from napari_kikuchi.training import TrainingSettings

SMALL = GeneratorArchitecture((8, 16), block=2, rounds=1)


def trained(folder, **changes):
    settings = {"epochs": 2, "batch": 8, "warm_up": 5, "seed": 3}
    settings |= {"learning_rate": 1e-2, "optimizer": "muon"}
    options = {key: changes.pop(key) for key in ("resume", "architecture") if key in changes}
    return train_generator(
        folder,
        TrainingSettings(**{**settings, **changes}),
        **{"architecture": SMALL, **options},
        volumes=22,
        slices=2,
        size=16,
    )


@pytest.mark.parametrize("process", sorted(PROCESSES))
def test_a_network_learns(process, tmp_path):
    architecture = GeneratorArchitecture((8, 16), block=2, rounds=1, process=process)
    path = finish(trained(tmp_path / "run", architecture=architecture, epochs=12))
    log = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    losses = [line["validation"]["loss"] for line in log]
    assert min(losses) < 0.95 * losses[0]
    made = MicrostructureGenerator.load(path, "cpu")
    assert made.network.architecture == architecture
    assert made.provenance["identity"]["pictures"]["volumes"] == 22


def test_a_stopped_training_ends_as_one_that_was_not(tmp_path):
    whole = finish(trained(tmp_path / "whole"))
    job = trained(tmp_path / "parts")
    list(islice(job, 27))
    job.close()
    parts = finish(trained(tmp_path / "parts", resume=True))
    one, other = (
        MicrostructureGenerator.load(path, "cpu").network.state_dict() for path in (whole, parts)
    )
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def test_no_volume_is_learned_from_and_validated_on():
    values = np.arange(45, dtype=np.uint8).reshape(45, 1, 1, 1)
    data = training_data(values, np.arange(45))
    assert data.validation.ravel().tolist() == [0, 1, 2]
    assert len(data.train) == 42
    volumes = np.repeat(np.arange(30), 3)
    data = training_data(np.zeros((90, 1, 1, 1), np.uint8), volumes)
    assert (len(data.validation), len(data.train)) == (6, 84)
    assert data.train.base is not None


class _Told(torch.nn.Module):
    """Tells the same of all pictures."""

    architecture = GeneratorArchitecture(block=2)

    def __init__(self, value):
        super().__init__()
        self.process = PROCESSES["flow"]()
        self.value = value

    def forward(self, noised, unknown, times):
        # Nonsense where pictures are known.
        told = torch.full_like(noised, 7.0)
        told[unknown.repeat(1, 4, 1, 1) > 0] = self.value
        return told


def test_the_loss_asks_for_what_is_unknown_alone():
    rows = torch.full((32, 4, 16, 16), 255.0)
    generator = torch.Generator().manual_seed(0)
    assert float(GeneratorObjective(_Told(1.0))(rows, generator)) == 0
    assert float(GeneratorObjective(_Told(0.5))(rows, generator)) > 0.25


def test_pictures_are_turned_alike_in_all_channels():
    seen = []

    class Looking(torch.nn.Module):
        pass

    objective = GeneratorObjective(Looking())
    objective.loss = lambda pictures, generator: seen.append(pictures) or pictures.sum()
    one = torch.arange(16.0).reshape(1, 1, 4, 4).expand(64, 4, 4, 4)
    objective(one, torch.Generator().manual_seed(0))
    (pictures,) = seen
    assert torch.equal(pictures[:, :1].expand_as(pictures), pictures)
    # All eight ways to lay a square on itself.
    assert len({tuple(one.ravel().tolist()) for one in pictures[:, 0]}) == 8


@pytest.mark.parametrize(("volumes", "size"), [(1, 16), (22, 18)])
def test_what_cannot_be_learned_from_is_told_before_anything_is_made(volumes, size, tmp_path):
    settings = TrainingSettings(epochs=1)
    job = train_generator(
        tmp_path / "run", settings, architecture=SMALL, volumes=volumes, size=size
    )
    with pytest.raises(ValueError, match="expected"):
        finish(job)
    assert not (tmp_path / "run").exists()


def test_a_network_is_as_large_as_its_architecture_says():
    small, large = (GeneratorNetwork(GeneratorArchitecture(w)) for w in ((8, 16), (16, 32)))
    count = [sum(one.numel() for one in some.parameters()) for some in (small, large)]
    assert count[1] > 3 * count[0]
