"""Microstructures between others and made anew without a screen."""

import json

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.microstructure.generator import MicrostructureGenerator
from napari_kikuchi.microstructure.grains import picture_of
from napari_kikuchi.microstructure.measured import read_measured
from napari_kikuchi.microstructure.network import GeneratorArchitecture, GeneratorNetwork


def run(*arguments):
    return CliRunner().invoke(app, ["microstructure", *map(str, arguments)])


def told(result):
    """What a person reads, without frames and line breaks."""
    return " ".join(result.output.replace("│", " ").split())


@pytest.fixture(autouse=True)
def coarse_figures(monkeypatch):
    monkeypatch.setattr("napari_kikuchi.figures.save._DOTS_PER_INCH", 50)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    MicrostructureGenerator(
        GeneratorNetwork(GeneratorArchitecture((8, 8), block=2)), {"made": "here"}
    ).save(path)
    return ("--model", path, "--steps", 1, "--device", "cpu")


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    for number, size in enumerate((16, 20)):
        target = folder / f"{number}.zarr"
        made = run("polycrystal", target, "--size", size, "--seed", number, "--step", 0.5)
        assert made.exit_code == 0, made.output
    return folder / "0.zarr", folder / "1.zarr"


def picture(path, along="z"):
    return picture_of(read_measured(read_maps(path)).orientations, along)


def test_a_row_of_pictures_opens_anywhere(maps, quick, tmp_path):
    out = tmp_path / "way.tif"
    options = ["--weights", 3, "--time", 0, "--along", "x", *quick]
    result = run("interpolate", *maps, out, *options, "--json")
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout)
    assert content["result"] == str(out)
    assert content["weights"] == [0, 0.5, 1]
    assert content["shape"] == [16, 16]
    assert {path.name for path in tmp_path.iterdir()} == {
        "way.tif",
        "way.phase.tif",
        "way.png",
        "way.svg",
    }
    ends = picture(maps[0], "x"), picture(maps[1], "x")[:, :16, :16]
    expected = np.stack([ends[0], (ends[0] + ends[1]) / 2, ends[1]])
    with tifffile.TiffFile(out) as file:
        colours, about = file.asarray(), file.imagej_metadata
    np.testing.assert_allclose(colours / 255, np.moveaxis(expected[:, :3], 1, -1), atol=0.003)
    assert about["Labels"] == ["weight 0", "weight 0.5", "weight 1"]
    of_making = json.loads(about["Info"])["provenance"]["microstructure"]
    assert of_making["generator"] == {"made": "here"}
    assert (of_making["made"], of_making["along"], of_making["time"]) == ("interpolated", "x", 0)
    phases = tifffile.imread(content["files"]["phase"])
    np.testing.assert_allclose(phases, expected[:, 3], atol=1e-6)
    # Any program sees a page for each.
    with Image.open(out) as opened:
        assert opened.n_frames == 3
    again = run("interpolate", *maps, out, *quick)
    assert again.exit_code == 1
    assert "exists and is not overwritten" in again.output


def test_noise_and_seed_make_other_grains(maps, quick, tmp_path):
    made = []
    for number, options in enumerate((("--time", 0), ("--time", 0.5), (), ("--seed", 1))):
        out = tmp_path / f"{number}.tif"
        result = run("interpolate", *maps, out, "--weights", 2, *options, *quick)
        assert result.exit_code == 0, result.output
        made.append(tifffile.imread(out))
    assert "were cut to 16 × 16" in told(result)
    assert f"{tmp_path / '3.phase.tif'}, {tmp_path / '3.png'}" in told(result)
    assert not np.array_equal(made[0], made[1])
    np.testing.assert_array_equal(made[1], made[2])
    assert not np.array_equal(made[1], made[3])


def test_a_row_that_cannot_be_written_is_told_first(maps, quick, tmp_path):
    result = run("interpolate", *maps, tmp_path / "way.png", *quick)
    assert result.exit_code == 1
    assert "ends with .tif or .tiff" in told(result)
    (tmp_path / "way.svg").write_text("mine")
    result = run("interpolate", *maps, tmp_path / "way.tif", *quick, "--events")
    assert result.exit_code == 1
    event = json.loads(result.stdout)
    assert event["event"] == "error"
    assert event["message"].startswith(f"{tmp_path / 'way.svg'}: this exists")
    assert run("interpolate", *maps, tmp_path / "way.tif", "--time", 2).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["way.svg"]


def test_a_map_tells_where_what_was_made_anew_differs(maps, quick, tmp_path):
    out = tmp_path / "error.zarr"
    result = run("reconstruct", maps[0], out, "--time", 0.7, *quick, "--json")
    assert result.exit_code == 0, result.output
    content, error = json.loads(result.stdout), read_maps(out)
    assert content["result"] == str(out)
    assert error.names == ["reconstruction error"]
    assert error.step == (0.5, 0.5)
    assert error.provenance["microstructure"]["time"] == 0.7
    worst = error.map(0)
    assert worst.shape == (16, 16)
    # No channel differs more than the one that differs most.
    least = -10 * np.log10((worst.astype(float) ** 2).mean())
    assert min(content["colours"]["psnr_db"], content["phase"]["psnr_db"]) >= least - 1e-6
    assert content["colours"]["ssim"] < 1
    again = run("reconstruct", maps[0], out, *quick)
    assert again.exit_code == 1
    assert "exists and is not overwritten" in again.output


def test_without_noise_nothing_differs(maps, quick, tmp_path):
    result = run("reconstruct", maps[0], tmp_path / "error.zarr", *quick)
    assert result.exit_code == 0, result.output
    assert "Colours of the orientations: no difference at all." in told(result)
    result = run("reconstruct", maps[0], tmp_path / "again.zarr", *quick, "--json")
    assert json.loads(result.stdout)["phase"] == {"psnr_db": None, "ssim": 1}
    assert not read_maps(tmp_path / "again.zarr").map(0).any()
