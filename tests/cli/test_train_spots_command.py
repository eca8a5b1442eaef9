"""Training a spot transformer as a user does it."""

import json

from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.orientation.spot_model import SpotModel


def run(*arguments):
    return CliRunner().invoke(app, ["train-spots", *map(str, arguments)])


def test_a_model_is_trained_and_told(tmp_path):
    small = ["--axes", 10, "--width", 16, "--layers", 1, "--batch", 16, "--k-max", 1.2]
    result = run("cu", "--out", tmp_path / "run", "--minutes", 0.01, *small, "--json")
    assert result.exit_code == 0, result.output
    path = json.loads(result.stdout)["result"]
    model = SpotModel.load(path, device="cpu")
    assert model.crystal == "Cu"
    assert model.network.architecture.k_max == 1.2


def test_an_unknown_phase_is_told(tmp_path):
    result = run("kryptonite", "--out", tmp_path / "run")
    assert result.exit_code != 0
    assert "cu, ni, al, fe, ti" in result.output
    assert not (tmp_path / "run").exists()
