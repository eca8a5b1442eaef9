import json
from itertools import islice

import numpy as np
import pytest
import torch

from napari_kikuchi.jobs import finish
from napari_kikuchi.microstructure.control import MicrostructureControl
from napari_kikuchi.microstructure.control_network import ControlArchitecture, ControlNetwork
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.microstructure.noising import USUAL_MEAN, random_times
from napari_kikuchi.microstructure.pictures import Pictures
from napari_kikuchi.microstructure.train import GeneratorObjective
from napari_kikuchi.microstructure.train_control import ControlObjective, train_control
from napari_kikuchi.microstructure.wished_pictures import packed
from napari_kikuchi.training import TrainingSettings


def untrained(block):
    torch.manual_seed(0)
    architecture = GeneratorArchitecture((8, 8), block=block, rounds=0)
    return MicrostructureGenerator(GeneratorNetwork(architecture).eval())


@pytest.fixture
def base():
    return untrained(2)


@pytest.fixture(autouse=True)
def few_pictures(monkeypatch):
    monkeypatch.setattr("napari_kikuchi.microstructure.train_control._MADE", 2)
    monkeypatch.setattr("napari_kikuchi.microstructure.train_control._STEPS", 1)


def trained(folder, base, **changes):
    settings = {"epochs": 2, "batch": 8, "learning_rate": 1e-2, "warm_up": 5, "seed": 3}
    options = {"volumes": 22, "slices": 2, "size": 16}
    for name in ("resume", "wishes", "coercivities", "volumes", "size"):
        if name in changes:
            options[name] = changes.pop(name)
    return train_control(folder, base, TrainingSettings(**{**settings, **changes}), **options)


@pytest.mark.parametrize("block", [1, 2, 4])
def test_a_control_learns_and_its_base_does_not(block, tmp_path):
    base = untrained(block)
    before = {name: one.clone() for name, one in base.network.state_dict().items()}
    path = finish(trained(tmp_path / "run", base, epochs=6))
    for name, one in base.network.state_dict().items():
        assert torch.equal(one, before[name]), name
    assert not any(one.requires_grad or one.grad is not None for one in base.network.parameters())
    log = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    losses = [line["validation"]["loss"] for line in log]
    assert min(losses) < 0.98 * losses[0]
    assert all(0 <= line["validation"]["boundaries"] <= 1 for line in log)
    control = base.controlled(path).control
    assert control.network.architecture.wishes == ("phase", "fraction", "diameter")
    assert control.provenance["identity"]["pictures"]["volumes"] == 22


def test_before_its_first_step_it_tells_what_its_base_tells(base):
    control = ControlNetwork(ControlArchitecture(base.network.architecture, ("phase",)))
    pictures, numbers = torch.rand(4, 4, 16, 16) * 2 - 1, torch.rand(4, 3)
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        # The same noise for both: of wishes none is drawn.
        patch.setattr(
            "napari_kikuchi.microstructure.train_control.random_wishes",
            lambda pictures, *_: seen.append(pictures) or pictures,
        )
        one = ControlObjective(control, base.network).loss(
            pictures, numbers, torch.Generator().manual_seed(0)
        )
    other = GeneratorObjective(base.network).loss(pictures, torch.Generator().manual_seed(0))
    assert torch.equal(one, other)
    assert seen[0] is pictures


@pytest.mark.parametrize(("wish", "ways"), [("fraction", 8), ("coercivity", 4)])
def test_coercivities_hold_for_the_direction_of_their_field(wish, ways, base):
    seen = []
    architecture = ControlArchitecture(base.network.architecture, (wish,))
    objective = ControlObjective(ControlNetwork(architecture, base.network), base.network)
    objective.loss = lambda pictures, numbers, generator: seen.append(pictures) or pictures.sum()
    one = np.arange(64, dtype=np.uint8).reshape(1, 4, 4, 4)
    pictures = Pictures(one, np.zeros(1, np.int64), np.full(1, 8, np.float32))
    rows = torch.from_numpy(packed(pictures, np.full(1, 20.0)))
    objective(rows.expand(64, *rows.shape[1:]), torch.Generator().manual_seed(0))
    assert len({tuple(one.ravel().tolist()) for one in seen[0]}) == ways


def test_numbers_are_learned_where_there_is_much_noise(base, monkeypatch):
    """Unless the phases are wished for, too, which tell more."""
    means = {}

    def told(count, generator, mean):
        means["now"] = mean
        return random_times(count, generator, mean)

    monkeypatch.setattr("napari_kikuchi.microstructure.train.random_times", told)
    pictures = torch.rand(64, 4, 16, 16) * 2 - 1
    numbers = torch.zeros(64, 3)
    for wish, usual in (("phase", True), ("fraction", False)):
        architecture = ControlArchitecture(base.network.architecture, (wish,))
        objective = ControlObjective(ControlNetwork(architecture, base.network), base.network)
        objective.loss(pictures, numbers, torch.Generator().manual_seed(0))
        # A wish for phases in parts of the picture may be one for none.
        assert ((means["now"] == USUAL_MEAN) == usual).float().mean() > 0.9
    times = random_times(64, torch.Generator().manual_seed(0), means["now"])
    assert float(times.median()) > 0.8


def test_a_stopped_training_ends_as_one_that_was_not(base, tmp_path):
    whole = finish(trained(tmp_path / "whole", base))
    job = trained(tmp_path / "parts", base)
    list(islice(job, 30))
    job.close()
    parts = finish(trained(tmp_path / "parts", base, resume=True))
    one, other = (
        MicrostructureControl.load(path, "cpu").network.state_dict() for path in (whole, parts)
    )
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def test_another_generator_does_not_go_on(base, tmp_path):
    finish(trained(tmp_path / "run", base))
    other = MicrostructureGenerator(GeneratorNetwork(base.network.architecture))
    with pytest.raises(ValueError, match="not the training that was stopped: base was"):
        finish(trained(tmp_path / "run", other, resume=True))


def test_coercivities_are_learned_from_a_table(base, tmp_path):
    path = finish(
        trained(tmp_path / "run", base, wishes=["coercivity"], coercivities=np.linspace(0, 40, 44))
    )
    control = MicrostructureControl.load(path, "cpu")
    assert control.network.architecture.wishes == ("coercivity",)
    assert "boundaries" not in control.provenance["metrics"]
    learned = control.provenance["learned"]
    assert learned["coercivity"] == [0, 40]
    assert 0 <= learned["fraction"][0] < learned["fraction"][1] <= 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"wishes": ["colour"]}, "found colour"),
        ({"wishes": []}, "found none"),
        ({"volumes": 1}, "to validate on, not 1"),
        ({"size": 17}, "multiples of"),
        ({"wishes": ["coercivity"]}, "if, and only if"),
        ({"coercivities": np.ones(44)}, "if, and only if"),
        ({"wishes": ["coercivity"], "coercivities": np.ones(43)}, "44 slices, 2 of each of 22"),
    ],
)
def test_what_cannot_be_learned_is_told_before_anything_is_made(base, changes, told, tmp_path):
    with pytest.raises(ValueError, match=told):
        finish(trained(tmp_path / "run", base, **changes))
    assert not (tmp_path / "run").exists()


def test_blocks_that_cannot_be_halved_are_told(tmp_path):
    odd = MicrostructureGenerator(GeneratorNetwork(GeneratorArchitecture((8, 8), block=3)))
    with pytest.raises(ValueError, match="cannot be controlled"):
        finish(trained(tmp_path / "run", odd))
