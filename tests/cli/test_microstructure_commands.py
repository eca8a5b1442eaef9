"""Microstructures as a user makes and fills them without a screen."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.io.indexed import read_indexed
from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork
from napari_kikuchi.samples import shipped_encoder


def run(*arguments):
    return CliRunner().invoke(app, ["microstructure", *map(str, arguments)])


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "model.safetensors"
    MicrostructureGenerator(GeneratorNetwork(GeneratorArchitecture((8, 16), block=2))).save(path)
    return path


@pytest.fixture
def maps(tmp_path):
    path = tmp_path / "slice.zarr"
    result = run("polycrystal", path, "--grains", "rolled", "--size", 24, "--diameter", 6)
    assert result.exit_code == 0, result.output
    return path


def test_a_polycrystal_is_as_asked_for(maps, tmp_path):
    made = read_maps(maps)
    assert made.map_shape == (24, 24)
    assert made.provenance["settings"]["kind"] == "rolled"
    assert {*np.unique(read_indexed(made).numbers)} == {1, 2}
    result = run("polycrystal", tmp_path / "one.zarr", "--size", 16, "--fraction", 0, "--json")
    assert json.loads(result.stdout)["result"] == str(tmp_path / "one.zarr")
    assert {*np.unique(read_indexed(read_maps(tmp_path / "one.zarr")).numbers)} == {1}


def test_maps_go_on_past_their_edges(maps, model):
    result = run(
        "extend", maps, "--by", "2,0,1,4", "--model", model, "--steps", 2, "--device", "cpu"
    )
    assert result.exit_code == 0, result.output
    extended = maps.with_name("slice.extended.zarr")
    found, known = read_indexed(read_maps(extended)), read_indexed(read_maps(maps))
    assert found.numbers.shape == (26, 29)
    np.testing.assert_allclose(found.quaternions[2:, 1:25], known.quaternions, atol=1e-6)
    again = run("extend", maps, "--by", "2", "--model", model)
    assert again.exit_code != 0
    assert "exists and is not overwritten" in again.output
    wrong = run("extend", maps, "--by", "2,3", "--model", model, "--out", maps.with_name("no.zarr"))
    assert wrong.exit_code != 0
    assert "four separated by commas" in wrong.output


def test_holes_are_filled_in(maps, model, monkeypatch):
    stack = read_maps(maps)
    values = np.array(stack.values)
    values[1:5, 4:9, 6:12] = np.nan
    write_maps(maps, replace(stack, values=values))
    # Inside the store, as someone may stand there.
    monkeypatch.chdir(maps)
    result = run("fill", ".", "--model", model, "--steps", 2, "--device", "cpu")
    assert result.exit_code == 0, result.output
    known, found = (
        read_indexed(read_maps(path)) for path in (maps, maps.with_name("slice.filled.zarr"))
    )
    there = known.numbers > 0
    assert (~there).sum() == 30
    assert (found.numbers > 0).all()
    np.testing.assert_allclose(found.quaternions[there], known.quaternions[there], atol=1e-6)
    again = run("fill", maps, "--model", model)
    assert "exists and is not overwritten" in again.output


def test_a_model_of_another_kind_is_named(maps):
    result = run("fill", maps, "--model", shipped_encoder(), "--device", "cpu")
    assert result.exit_code != 0
    assert "nickel-principal-32" in result.output


def test_microstructures_are_generated(model, tmp_path):
    out = tmp_path / "made.zarr"
    options = ["--shape", "8x12", "--model", model, "--steps", 2, "--device", "cpu"]
    result = run("generate", out, *options, "--tileable", "--step", 0.5, "--json")
    assert result.exit_code == 0, result.output
    made = read_maps(out)
    assert made.map_shape == (8, 12)
    assert made.step == (0.5, 0.5)
    assert (read_indexed(made).numbers > 0).all()
    result = run("generate", tmp_path / "no.zarr", *options, "--shape", "7x12", "--tileable")
    assert result.exit_code != 0
    assert "multiples of 4" in result.output


def test_a_generator_is_trained(tmp_path):
    small = [
        "--volumes",
        21,
        "--size",
        16,
        "--widths",
        "8,16",
        "--block",
        2,
        "--batch",
        4,
        "--device",
        "cpu",
    ]
    run_folder = tmp_path / "run"
    result = run("train", "--out", run_folder, "--minutes", 0.03, *small, "--json")
    assert result.exit_code == 0, result.output
    made = MicrostructureGenerator.load(json.loads(result.stdout)["result"], "cpu")
    assert made.network.architecture.widths == (8, 16)
    assert made.provenance["identity"]["pictures"]["volumes"] == 21
    result = run("train", "--out", tmp_path / "odd", *small, "--widths", "9")
    assert result.exit_code != 0
    assert "multiples of 8" in result.output
