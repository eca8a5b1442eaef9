"""The tours of the guide, taken by a hand on the mouse in the real window."""

import re
import shlex
from dataclasses import astuple, replace
from pathlib import Path
from time import monotonic

import h5py
import numpy as np
import orix.io
import pandas
import pytest
import tifffile
from PIL import Image
from typer.testing import CliRunner

from napari_kikuchi.cli.commands import app
from napari_kikuchi.explore import paths
from napari_kikuchi.explore.wall_report import in_words, report_walls
from napari_kikuchi.io import open_scan
from napari_kikuchi.io.gathered import choose
from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.jobs import finish
from napari_kikuchi.maps import Mark
from napari_kikuchi.samples import sample_folder
from napari_kikuchi.ui import PATTERN_VIEWER, PLUGIN
from napari_kikuchi.ui.inspector import Inspector
from napari_kikuchi.ui.launch import let_work
from napari_kikuchi.ui.layers import map_layer
from napari_kikuchi.ui.link import ScanLink
from napari_kikuchi.ui.session import session_of
from tour.album import Album
from tour.divide_maps import OF_WALLS, divide_maps
from tour.first_figure import ACROSS_WALL, BESIDE_WALL, ON_WALL, first_figure
from tour.hands import Hands
from tour.latent_vectors import CONTRAST, CONTRAST_FEATURE, explore_vectors
from tour.maps_of_samples import encode_sample
from tour.several_maps import SHOWN, compare_scans
from tour.take_maps_out import TAKEN, take_maps_out

DOCS = Path(__file__).parents[2] / "docs"
LIMIT_S = 180


@pytest.fixture(scope="module")
def truth():
    """What the sample was made of."""
    return read_maps(sample_folder() / "additive.truth.zarr")


@pytest.fixture(scope="module")
def walls(truth):
    """Where the walls of the sample are: 1 in their middle, 0 beside them."""
    return truth.map(truth.names.index("wall"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, truth):
    """The stores that the pages name, but for those which the tours leave."""
    folder = tmp_path_factory.mktemp("guide")
    encode_sample("additive", folder / "additive.zarr")
    wrought = encode_sample("wrought", folder / "all.zarr")
    # A few maps are opened in less time.
    write_maps(folder / "wrought.zarr", choose(wrought, ["feature 1, contrast", SHOWN]))
    indexed = {"phase": {"name": "ni", "space_group": 225, "lattice": [3.52] * 3 + [90.0] * 3}}
    provenance = {"indexing": indexed}
    parts = choose(truth, [f"quaternion {part}" for part in "abcd"])
    write_maps(folder / "additive.physics.zarr", replace(parts, provenance=provenance))
    return folder


def shown_in(page):
    """Names of the pictures of a page of the guide, in order."""
    return re.findall(r"\(images/([\w-]+)\.png\)", (DOCS / page).read_text(encoding="utf-8"))


def test_from_a_scan_to_the_figure_of_a_wall(make_napari_viewer, tmp_path, monkeypatch, walls):
    user = tmp_path / "user"
    monkeypatch.setattr("napari_kikuchi.io.places.user_folder", lambda: user)
    samples = sorted(sample_folder().iterdir())
    began = monotonic()
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    hands = Hands(viewer)
    album = Album(tmp_path, hands.window)
    saved = first_figure(hands, album, tmp_path)
    assert monotonic() - began < LIMIT_S

    # The guide shows each step of this run, and none of them is blank.
    assert [*(step.picture.stem for step in album.steps), "first-14-figure"] == shown_in(
        "first-figure.md"
    )
    pictures = [np.asarray(Image.open(step.picture).convert("L"), float) for step in album.steps]
    for before, after in zip([np.zeros_like(pictures[0]), *pictures], pictures, strict=False):
        assert after.shape == (900, 1400)
        assert after.std() > 10
        assert (before != after).any()

    # The strokes have found the walls, and the values along the line are those of that map.
    (store,) = user.glob("*/additive.*.zarr")
    stack = read_maps(store)
    table = pandas.read_csv(saved.table)
    name = table.columns[1]
    shape = viewer.layers["regions"].data[0] / stack.step
    np.testing.assert_allclose(shape, ACROSS_WALL, atol=0.3)
    along = paths.Path.through(shape, stack.step)
    np.testing.assert_allclose(table["distance (µm)"], along.distances)
    values = stack.map(stack.names.index(name))
    np.testing.assert_allclose(table[name], paths.interpolate(values, along), rtol=1e-4)
    peak = paths.interpolate(walls, along).argmax()
    assert abs(int(np.argmax(table[name])) - int(peak)) <= 1
    assert np.corrcoef(np.abs(values).ravel(), walls.ravel())[0, 1] > 0.5
    assert [channel.mark for channel in stack.channels].count(Mark.STARRED) == 1

    # The figure holds them, too.
    assert np.asarray(Image.open(saved.picture).convert("L")).std() > 10
    drawing = saved.drawing.read_text(encoding="utf-8")
    for told in (name, "distance (µm)", "5 µm"):
        assert told in drawing
    # Beside the samples nothing is left.
    assert sorted(sample_folder().iterdir()) == samples


def test_strokes_of_the_tour_lie_on_a_wall_and_beside_it(walls):
    painted = [paths.Path.through(way, (1, 1)).positions for way in (ON_WALL, BESIDE_WALL)]
    on, beside = (walls[tuple(place.T)] for place in painted)
    assert len(on) >= 20
    assert len(beside) >= 20
    assert on.min() > 0.9
    assert beside.max() < 0.1


def test_the_docks_do_what_their_pages_tell(make_napari_viewer, tmp_path, folder, truth, walls):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1400, 900)
    stack = read_maps(folder / "additive.zarr")
    source = ScanLink(session_of(viewer).known(open_scan(sample_folder() / "additive.up1")))
    # Of 36 layers those that the tours show: the others would only take time.
    for name in (OF_WALLS, CONTRAST_FEATURE, CONTRAST):
        values, attributes, _ = map_layer(stack, stack.names.index(name), source)
        viewer.add_image(values, **attributes)
    let_work(500)  # The window takes its size.
    viewer.window.add_plugin_dock_widget(PLUGIN, PATTERN_VIEWER)
    hands = Hands(viewer)
    album = Album(tmp_path, hands.window)

    # The points encircled are walls of one grain, and those nearest to the pattern of a wall, too.
    found = explore_vectors(hands, album)
    grain = truth.map(truth.names.index("grain"))[tuple(found.encircled.T)]
    assert len(found.encircled) > 50
    assert np.mean(grain == np.bincount(grain.astype(int)).argmax()) > 0.9
    assert np.mean(walls[tuple(found.encircled.T)] > 0.5) > 0.8
    assert len(found.nearest) == 10
    assert walls[tuple(found.nearest.T)].min() > 0.5

    # The figures in the page are those that the tour saves, and those of the map.
    tables = divide_maps(hands, album, tmp_path)
    figures, cells, domains, clusters = map(pandas.read_csv, astuple(tables))
    page = (DOCS / "segment.md").read_text(encoding="utf-8")
    report = finish(report_walls(stack.map(stack.names.index(OF_WALLS)), stack.step))
    for name in ("wall thickness", "wall fraction"):
        (value,) = figures["value"][figures["measure"] == name]
        assert value == pytest.approx(report.figures[name].value)
        assert f"| {name} | {in_words(report.figures[name])} |" in page
    assert f"| cells | {report.count}, of which {report.whole} are whole | {made(truth)} |" in page
    assert f"{report.walls.contrast:.1f}\ndeviations" in page
    assert f"| {np.mean(walls > 0.5):.0%}".replace("%", " %") in page
    assert len(cells) == report.count
    assert len(clusters) == 5
    assert domains["positions"].sum() == clusters["positions"].sum() == walls.size
    numbers = (DOCS / "numbers.md").read_text(encoding="utf-8")
    for table in (figures, cells, domains, clusters):
        assert [name for name in table.columns if f"`{name}`" not in numbers] == []

    taken = take_maps_out(hands, album, tmp_path)
    hands.close_dock(Inspector)
    names = read_maps(taken.store).names
    assert set(names) == set(TAKEN)
    with tifffile.TiffFile(taken.tiff) as file:
        assert file.imagej_metadata["Labels"] == names
    with h5py.File(taken.hdf5) as file:
        assert list(file["maps"]) == names
        expected = stack.map(stack.names.index(OF_WALLS))
        np.testing.assert_array_equal(file[f"maps/{OF_WALLS}"][:], expected)
    assert np.asarray(Image.open(taken.figure).convert("L")).std() > 10
    write_maps(folder / "maps.zarr", read_maps(taken.store))

    compare_scans(hands, album, folder / "wrought.zarr")
    mosaic, *shown = (viewer.layers[f"{SHOWN}{what}"] for what in (", mosaic", " (wrought)", ""))
    for layer in shown:
        assert layer.contrast_limits == mosaic.contrast_limits
        rows, cols = layer.data.shape
        first = round(float(layer.translate[-1]) / stack.step[1])
        np.testing.assert_allclose(mosaic.data[:rows, first : first + cols], layer.data)

    pages = ("latent-space.md", "segment.md", "export.md", "several-scans.md")
    shown = [picture for page in pages for picture in shown_in(page)]
    assert [step.picture.stem for step in album.steps] == [
        name for name in shown if name != "export-02-figure"
    ]
    for step in album.steps:
        assert np.asarray(Image.open(step.picture).convert("L")).std() > 10


def made(truth):
    """How many cells of five positions or more the sample has."""
    numbers = truth.map(truth.names.index("cell")).astype(int)
    return int(np.count_nonzero(np.bincount(numbers.ravel()) >= 5))


@pytest.mark.parametrize("page", ["segment.md", "export.md"])
def test_commands_of_the_guide_do_what_it_says(page, folder, truth, monkeypatch):
    monkeypatch.chdir(folder)
    if not (folder / "maps.zarr").exists():  # The tour leaves it, if it was taken before.
        values = read_maps(folder / "additive.zarr")
        domains = replace(choose(truth, ["grain"]), provenance=values.provenance)
        domains = replace(domains, channels=[replace(domains.channels[0], name="domains")])
        write_maps(folder / "maps.zarr", domains)
    text = (DOCS / page).read_text(encoding="utf-8")
    (block,) = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    for line in block.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "napari-kikuchi"
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    if page == "export.md":
        indexed = orix.io.load("additive.orix.h5")
        expected = read_maps("additive.zarr").map(31).ravel()
        np.testing.assert_allclose(indexed.prop["feature_32"], expected)
        assert "feature_32" in Path("additive.ang").read_text(encoding="utf-8")
        assert h5py.File("maps.h5")["maps/feature 32"].shape == (40, 48)
    else:
        figures = pandas.read_csv("walls.csv").set_index("measure")
        assert f"{figures.value['wall thickness']:.3f} ±" in text


def test_pages_of_the_guide_lead_to_what_is_there():
    pages = [DOCS.parent / "README.md", *DOCS.glob("*.md")]
    linked = set()
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!http)([^)#\s]+)", text):
            linked.add((page.parent / target).resolve())
    assert [path for path in linked if not path.exists()] == []
    pictures = {path.resolve() for path in (DOCS / "images").iterdir()}
    assert pictures - linked == set()
