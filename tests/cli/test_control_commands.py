"""Microstructures as a user wishes for them without a screen."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.microstructure.control import MicrostructureControl, base_checksum
from napari_kikuchi.microstructure.control_network import ControlArchitecture, ControlNetwork
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork

QUICK = ("--steps", 1, "--device", "cpu")


def run(*arguments):
    return CliRunner().invoke(app, ["microstructure", *map(str, arguments)])


def told(result):
    """What a person reads, without frames and line breaks."""
    return " ".join(result.output.replace("│", " ").split())


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return MicrostructureGenerator(
        GeneratorNetwork(GeneratorArchitecture((8, 8), block=2)).eval(), {"made": "here"}
    )


@pytest.fixture
def model(generator, tmp_path):
    path = tmp_path / "model.safetensors"
    generator.save(path)
    return path


@pytest.fixture
def control(generator, tmp_path):
    architecture = ControlArchitecture(generator.network.architecture, ("phase", "fraction"))
    network = ControlNetwork(architecture, generator.network)
    control = MicrostructureControl(network, base_checksum(generator.network), {"learned": "here"})
    path = tmp_path / "control.safetensors"
    control.save(path)
    return path


def test_a_map_is_as_large_as_the_wished_phase_and_tells_all_wishes(model, control, tmp_path):
    Image.fromarray(255 * np.eye(8, 12, dtype=np.uint8)).save(tmp_path / "phase.png")
    options = ["--model", model, "--control", control, "--phase", tmp_path / "phase.png", *QUICK]
    result = run("generate", tmp_path / "made.zarr", *options, "--fraction", 0.25)
    assert result.exit_code == 0, result.output
    made = read_maps(tmp_path / "made.zarr")
    assert made.map_shape == (8, 12)
    found = made.provenance["microstructure"]
    assert found["wished"] == {"phase": [8, 12], "fraction": 0.25}
    assert (found["generator"], found["control"]) == ({"made": "here"}, {"learned": "here"})
    result = run("generate", tmp_path / "no.zarr", *options, "--shape", "16x12")
    assert result.exit_code != 0
    assert "16 x 12 pixels, found 8 x 12" in told(result)


def test_wishes_that_cannot_be_are_told(model, control, generator, tmp_path):
    others = tmp_path / "others.safetensors"
    other = MicrostructureGenerator(GeneratorNetwork(generator.network.architecture))
    replace(MicrostructureControl.load(control), base=base_checksum(other.network)).save(others)
    for options, expected in (
        (["--control", control, "--diameter", 8], "found one for diameter"),
        (["--control", control], "nothing is wished for: leave out --control"),
        (["--control", control, "--fraction", 2], "from 0 to 1, found 2"),
        (["--fraction", 0.5], "does not fit one with weights"),
        (["--control", model, "--fraction", 0.5], "expected a microstructure control"),
        (["--control", others, "--fraction", 0.5], "does not fit one with weights"),
        (["--control", control, "--phase", tmp_path / "none.png"], "there is no picture"),
    ):
        result = run("generate", tmp_path / "no.zarr", "--model", model, *options, *QUICK)
        assert result.exit_code != 0
        assert expected in told(result)
        assert not (tmp_path / "no.zarr").exists()


@pytest.fixture
def small(model, monkeypatch):
    monkeypatch.setattr("napari_kikuchi.microstructure.train_control._MADE", 1)
    return [
        *("--base", model, "--volumes", 2, "--size", 16, "--batch", 4),
        *("--minutes", 0.01, "--device", "cpu"),
    ]


def test_a_control_is_trained(small, generator, tmp_path):
    folder = tmp_path / "run"
    result = run("train-control", "--out", folder, "--wishes", "fraction, phase", *small, "--json")
    assert result.exit_code == 0, result.output
    trained = generator.controlled(json.loads(result.stdout)["result"]).control
    assert trained.network.architecture.wishes == ("phase", "fraction")
    assert trained.provenance["identity"]["pictures"]["volumes"] == 2
    again = run("train-control", "--out", folder, *small)
    assert "holds a training already" in told(again)


def test_a_control_learns_from_a_table_of_coercivities(small, tmp_path):
    table = tmp_path / "coercivities.npy"
    options = ["--wishes", "coercivity", "--coercivities", table, *small]
    np.save(table, np.linspace(0, 40, 12))
    result = run("train-control", "--out", tmp_path / "run", *options)
    assert result.exit_code == 0, result.output
    np.save(table, np.ones(3))
    result = run("train-control", "--out", tmp_path / "odd", *options)
    assert "12 slices, 6 of each of 2 volumes" in told(result)
    table.write_text("1, 2")
    result = run("train-control", "--out", tmp_path / "odd", *options)
    assert "coercivities.npy: expected numbers" in told(result)
    result = run("train-control", "--out", tmp_path / "odd", "--wishes", "colour", *small)
    assert "found colour" in told(result)
