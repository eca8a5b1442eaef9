"""The first tour of the guide, taken by a hand on the mouse in the real window."""

import re
from pathlib import Path
from time import monotonic

import numpy as np
import pandas
import pytest
from PIL import Image

from napari_kikuchi.explore import paths
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.maps import Mark
from napari_kikuchi.samples import sample_folder
from tour.album import Album
from tour.first_figure import ACROSS_WALL, BESIDE_WALL, ON_WALL, first_figure
from tour.hands import Hands

DOCS = Path(__file__).parents[2] / "docs"
LIMIT_S = 180


@pytest.fixture
def walls():
    """Where the walls of the sample are: 1 in their middle, 0 beside them."""
    truth = read_maps(sample_folder() / "additive.truth.zarr")
    return truth.map(truth.names.index("wall"))


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
