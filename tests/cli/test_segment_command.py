"""Walls and cells of a simulated scan from the command line, against its truth."""

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.explore.wall_measures import measure_walls
from napari_kikuchi.explore.walls import find_walls
from napari_kikuchi.io.map_store import write_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.simulate import make_structure

STEP = (0.5, 0.5)


@pytest.fixture(scope="module")
def structure():
    return make_structure("additive", 64, 64, step=STEP[0], seed=3)


@pytest.fixture
def stores(structure, tmp_path):
    """A map on which walls are dark, and the grains in another store of the same scan."""
    noise = 0.05 * np.random.default_rng(0).normal(size=structure.wall.shape)
    scan = {"scan": {"name": "weld", "fingerprint": {"crc": 1}}}
    paths = {}
    walled = 1 - structure.wall + noise
    for name, maps in {
        "contrast": {"contrast": walled, "flat": np.zeros_like(walled)},
        "grain": {"grain": structure.grain},
    }.items():
        paths[name] = tmp_path / f"{name}.zarr"
        values = np.stack(list(maps.values())).astype(np.float32)
        write_maps(paths[name], MapStack(values, [Channel(one) for one in maps], STEP, scan))
    return paths


def run(*arguments, code=0):
    result = CliRunner().invoke(app, ["segment", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_figures_are_printed_and_written(stores, structure, tmp_path):
    table, cells = tmp_path / "walls.csv", tmp_path / "cells.csv"
    grains = ["--with", stores["grain"], "--borders", "grain"]
    asked = [stores["contrast"], "--map", "contrast", *grains, "--out", table, "--cells", cells]
    told = json.loads(run(*asked, "--json").stdout)
    values = 1 - structure.wall + 0.05 * np.random.default_rng(0).normal(size=(64, 64))
    walls = finish(find_walls(np.float32(values), STEP, dark=True, borders=structure.grain))
    measured = measure_walls(walls)
    figures = told["figures"]
    assert figures["walls"] == "dark"
    assert figures["cells"] == walls.cells.max() == len(rows_of(cells))
    assert figures["whole cells"] == sum(row["cut"] == "False" for row in rows_of(cells))
    written = {row["measure"]: float(row["value"]) for row in rows_of(table)}
    for name, measure in {
        "cell diameter": measured.cell_diameter,
        "wall thickness": measured.wall_thickness,
        "wall fraction": measured.wall_fraction,
    }.items():
        assert figures[name]["value"] == pytest.approx(measure.value)
        assert figures[name]["error"] == pytest.approx(measure.error)
        assert written[name] == pytest.approx(measure.value)
    assert figures["wall fraction"]["value"] == pytest.approx(
        np.mean(structure.wall > 0.5), rel=0.15
    )


def test_what_is_amiss_is_told(stores, tmp_path):
    table = tmp_path / "walls.csv"
    maps = [stores["contrast"], "--out", table]
    assert "there is no map 'walls'" in run(*maps, "--map", "walls", code=1).stderr
    alone = run(*maps, "--map", "contrast", "--borders", "grain", code=1).stderr
    assert "there is no map 'grain'" in alone
    assert "no walls stand out" in run(*maps, "--map", "flat", code=1).stderr
    assert not table.exists()
    told = run(*maps, "--map", "contrast").stderr
    assert "cell diameter" in told
    assert "µm" in told
    assert "not overwritten" in run(*maps, "--map", "contrast", code=1).stderr


def test_two_tables_of_one_name_are_refused(stores, tmp_path):
    table = tmp_path / "walls.csv"
    other = tmp_path / "tables" / ".." / "walls.csv"
    asked = [stores["contrast"], "--map", "contrast", "--out", table, "--cells", other]
    assert "are one file" in run(*asked, code=1).stderr
    assert not table.exists()
