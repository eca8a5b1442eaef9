import itertools
import json
import math
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from drawn import DPI, at, longest_run, pixels
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from PIL import Image

from napari_kikuchi.figures.colours import NO_VALUE, band_colour, colormap_of, region_colour
from napari_kikuchi.figures.content import (
    CompositePanel,
    DirectionKey,
    FigureContent,
    MapPanel,
    PatternPanel,
    ProfileCurve,
    letters,
)
from napari_kikuchi.figures.figure import map_figure
from napari_kikuchi.figures.layout import lay_out
from napari_kikuchi.figures.map_key import numbers_text
from napari_kikuchi.figures.regions import outline
from napari_kikuchi.figures.save import figure_files, save_figure
from napari_kikuchi.maps import Region

RNG = np.random.default_rng(0)
SQUARE = Region("cell", "rectangle", ((4.0, 4.0), (4.0, 12.0), (8.0, 12.0), (8.0, 4.0)))
LINE = Region("wall", "line", ((1.0, 1.0), (9.0, 3.0)))


def a_map(rows=20, cols=30, step=(0.5, 0.5), **options):
    return MapPanel(RNG.normal(size=(rows, cols)), step, "contrast", "%", **options)


def a_pattern(title, **options):
    return PatternPanel(RNG.normal(size=(24, 24)), title, **options)


def a_profile(name="contrast", unit="%", **options):
    distance = np.linspace(0, 8.2, 40)
    return ProfileCurve(distance, np.sin(distance), name, unit, np.full(40, 0.2), **options)


def test_scale_bar_and_map_are_as_long_as_they_say():
    # 40 µm wide and 24 µm high; of one colour that nothing else has.
    table = [(0, 1, 0), (1, 0, 1), (0, 1, 1)]
    panel = MapPanel(
        np.zeros((60, 50)), (0.4, 0.8), "", limits=(-1.0, 1.0), colormap=np.array(table)
    )
    picture = pixels(map_figure(FigureContent([panel], columns=1)))
    inside = (abs(picture - (255, 0, 255)) < 4).all(axis=-1)
    width, height = longest_run(inside), longest_run(inside.T)
    assert height / width == pytest.approx(24 / 40, abs=0.005)
    assert longest_run((picture == 0).all(axis=-1)) / width == pytest.approx(10 / 40, abs=0.005)


def test_each_position_has_the_colour_of_its_value():
    values = RNG.normal(size=(4, 7))
    values[1, 2] = np.nan
    panel = MapPanel(values, (1.0, 2.5), "v", limits=(-1.0, 1.0), colormap="viridis")
    content = FigureContent([panel])
    picture, box = pixels(map_figure(content)), lay_out(content).maps[0]
    for row, col in itertools.product(range(4), range(7)):
        colour = matplotlib.colormaps["viridis"]((values[row, col] + 1) / 2)[:3]
        if (row, col) == (1, 2):
            colour = to_rgb(NO_VALUE)
        found = at(
            picture,
            box.left + (col + 0.5) / 7 * box.width,
            box.top + (row + 0.5) / 4 * box.height,
        )
        np.testing.assert_allclose(found, np.multiply(colour, 255), atol=1.5)


def test_three_maps_are_red_green_and_blue_of_one_picture():
    values = np.array([[[0.0, 10.0]], [[5.0, 0.0]], [[np.nan, 2.0]]])
    panel = CompositePanel(values, (1.0, 1.0), limits=[(0, 10), (0, 10), (0, 4)])
    content = FigureContent([panel])
    picture, box = pixels(map_figure(content)), lay_out(content).maps[0]
    left, right = (at(picture, box.left + x * box.width, box.top + 3) for x in (0.25, 0.75))
    np.testing.assert_allclose(left, np.multiply(to_rgb(NO_VALUE), 255), atol=1)
    np.testing.assert_allclose(right, (255, 0, 128), atol=1)


def test_a_region_lies_where_it_was_drawn():
    step = (0.5, 0.25)
    content = FigureContent([a_map(40, 80, step)], [LINE, SQUARE])
    picture, box = pixels(map_figure(content)), lay_out(content).maps[0]
    for y, x in [(4.0, 8.0), (8.0, 8.0), (6.0, 4.0), (6.0, 12.0)]:  # The middle of each side.
        # Counted from the middle of the first position.
        left = box.left + (x / step[1] + 0.5) / 80 * box.width
        top = box.top + (y / step[0] + 0.5) / 40 * box.height
        expected = np.multiply(to_rgb(region_colour(1)), 255)
        np.testing.assert_allclose(at(picture, left, top), expected, atol=2)


def test_an_ellipse_fills_the_rectangle_around_it_whichever_way_it_is_turned():
    axes = np.array([[3.0, 4.0], [-0.8, 0.6]])  # At right angles, half as long and 1.
    corners = [(-1, -1), (-1, 1), (1, 1), (1, -1)]
    vertices = tuple((5 + a * axes[0] + b * axes[1]) for a, b in corners)
    ellipse = Region("e", "ellipse", tuple((float(y), float(x)) for y, x in vertices))
    points = (outline(ellipse) - 5) @ np.linalg.inv(axes)
    np.testing.assert_allclose(np.hypot(*points.T), 1)


def test_the_difference_is_white_where_nothing_differs():
    values = np.zeros((8, 8))
    values[:, :4] = -1
    values[:, 6:] = 2
    content = FigureContent([a_map()], patterns=[PatternPanel(values, "d", diverging=True)])
    picture, box = pixels(map_figure(content)), lay_out(content).patterns[0]
    left, middle, right = (
        at(picture, box.left + x * box.width, box.top + 5) for x in (0.2, 0.62, 0.9)
    )
    assert middle.min() > 240
    assert left[2] > left[0] + 30  # Blue.
    assert right[0] > right[2] + 60  # Red.
    assert content.patterns[0].caption() == "d (±2)"


def test_a_band_lies_where_it_was_found_with_its_number_in_it():
    # From the left border of the pattern to its right one, along the middle of row 2.
    bands = [np.array([[2.0, -0.5], [2.0, 7.5]])]
    content = FigureContent([a_map()], patterns=[PatternPanel(np.zeros((8, 8)), bands=bands)])
    figure, box = map_figure(content), lay_out(content).patterns[0]
    picture, down = pixels(figure), box.top + 2.5 / 8 * box.height
    colour = np.multiply(to_rgb(band_colour(1)), 255)
    for x in (0.02, 0.5, 0.98):
        np.testing.assert_allclose(at(picture, box.left + x * box.width, down), colour, atol=2)
    (number,) = figure.axes[-1].texts
    assert (number.get_text(), *number.get_position()) == ("1", 1.1, 2.0)


def a_key(name, *corners, colour=(1, 0, 1)):
    """A quarter of a circle of one colour, so many units wide and high."""
    angles = np.linspace(0, np.pi / 2, 20)
    y, x = np.mgrid[0:1:30j, 0:1:30j]
    colours = np.zeros((30, 30, 4))
    colours[np.hypot(x, y) <= 1] = (*colour, 1)
    edge = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return DirectionKey(name, colours, (0, 1, 0, 1), np.vstack([[[0, 0]], edge]), corners)


CORNERS = [((0.0, 0.0), (0, 0, 1)), ((1.0, 0.0), (1, 0, 0)), ((0.7, 0.7), (-1, -2, 0))]


def directions(*keys, shape=(20, 30)):
    values = RNG.random((3, *shape))
    return CompositePanel(values, (0.5, 0.5), keys=keys, heading="crystal direction along z")


def test_the_colours_of_directions_are_told_for_each_phase():
    keys = a_key("Cu", *CORNERS), a_key("Ti", colour=(0, 0.4, 1))
    content = FigureContent([directions(*keys)])
    figure = map_figure(content)
    assert {"crystal direction along z", "Cu", "Ti", "[001]", "[120]"} <= {
        text.get_text() for text in figure.texts
    }
    # Over the digits below zero of one direction.
    assert [one.get_gid() for one in figure.artists].count("bar") == 2
    picture, (box,) = pixels(figure), lay_out(content).maps
    below = picture[int(box.bottom * DPI / 25.4) :]
    for colour in ((255, 0, 255), (0, 102, 255)):
        rows, cols = np.nonzero(np.abs(below - colour).max(axis=2) <= 2)
        high, wide = (np.ptp(each) * 25.4 / DPI for each in (rows, cols))
        assert high == pytest.approx(9, abs=0.6)
        assert wide == pytest.approx(9, abs=0.6)
        assert len(rows) / (high * wide) * (25.4 / DPI) ** 2 == pytest.approx(np.pi / 4, abs=0.06)


def contents():
    titles = ["a, mean of 212 patterns", "b, mean of 17 patterns", "difference", "e", "f"]
    counts = [(1, 1, 3, 1), (1, 3, 5, 3), (2, 1, 0, 0), (2, 1, 3, 1), (2, 1, 5, 3), (2, 3, 5, 1)]
    for columns, maps, patterns, profiles in counts:
        panels = [
            CompositePanel(RNG.normal(size=(3, 20, 30)), (0.5, 0.5), names=("one", "two", "three")),
            a_map(title="A title that is rather long for a map of a single column: it is broken"),
            MapPanel(
                RNG.normal(size=(20, 30)),
                (0.5, 0.5),
                "a name of some length that is broken, too",
                "cost of $5",
            ),
        ]
        yield FigureContent(
            panels[-maps:],
            [SQUARE, LINE],
            [a_pattern(title, region=0) for title in titles[:patterns]],
            [a_profile(f"contrast without any overlap {i}", region=i % 2) for i in range(profiles)],
            columns,
        )
    # So narrow that its key is wider.
    names = ("contrast without overlap", "two", "three")
    yield FigureContent([CompositePanel(RNG.normal(size=(3, 200, 30)), (0.5, 0.5), names=names)])
    yield FigureContent([MapPanel(RNG.normal(size=(200, 30)), (0.5, 0.5), "unlike its neighbours")])
    # Keys of directions: beside the scale bar, in rows, and wider than their map.
    keys = [a_key(name, *CORNERS) for name in ("Cu", "an oxide of a long name", "Ti", "Fe", "Al")]
    middle = a_key("Bi", ((0.0, 0.5), (0, -1, 1)), ((1.0, 0.5), (0, 0, 1)))
    yield FigureContent([directions(keys[0])], patterns=[a_pattern(one) for one in titles])
    yield FigureContent([directions(*keys, middle)], columns=1)
    yield FigureContent([directions(*keys[:3]), a_map()], columns=2)
    yield FigureContent([directions(*keys[:2], middle, shape=(200, 20))])


@pytest.mark.parametrize("content", list(contents()))
def test_nothing_overlaps_and_nothing_is_cut(content):
    figure = map_figure(content)
    figure.set_dpi(DPI)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [text.get_window_extent(renderer) for text in figure.texts]
    pictures = [axes.bbox for axes in figure.axes if axes.get_label() != "profile"]
    profiles = [
        axes.get_tightbbox(renderer) for axes in figure.axes if axes.get_label() == "profile"
    ]
    letter_of_profile = [
        any(axes.contains(*text.min) or axes.overlaps(text) for axes in profiles) for text in texts
    ]
    outside = [text for text, inside in zip(texts, letter_of_profile, strict=True) if not inside]
    assert len(texts) - len(outside) == len(content.profiles)
    for one, other in itertools.combinations([*outside, *pictures, *profiles], 2):
        assert not _overlap(one, other)
    for box in [*outside, *pictures, *profiles]:
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= figure.bbox.x1 + 1
        assert box.y1 <= figure.bbox.y1 + 1


def _overlap(one, other):
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    along = min(one.y1, other.y1) - max(one.y0, other.y0)
    return across > 1 and along > 1


def test_a_map_and_its_patterns_are_flush():
    patterns = [a_pattern(f"{letter}, mean") for letter in "abc"]
    layout = lay_out(FigureContent([a_map(50, 50)], patterns=patterns))
    assert layout.patterns[0].top == pytest.approx(layout.maps[0].top)
    assert layout.patterns[-1].bottom == pytest.approx(layout.maps[0].bottom)
    assert layout.patterns[0].right == pytest.approx(layout.width - 0.5)


@pytest.mark.parametrize(("rows", "cols"), [(40, 48), (90, 50), (20, 60)])
def test_a_map_alone_fills_its_figure_from_the_left_to_the_right(rows, cols):
    alone = CompositePanel(RNG.uniform(0.1, 0.9, (3, rows, cols)), (0.5, 0.5), names="abc")
    content = FigureContent([alone])
    picture, box = pixels(map_figure(content)), lay_out(content).maps[0]
    assert box.width / box.height == pytest.approx(cols / rows)
    dark = np.flatnonzero((picture[100] < 240).any(axis=-1))
    edge = 0.7 / 25.4 * DPI
    assert dark[0] < edge
    assert dark[-1] > picture.shape[1] - edge


def test_svg_has_its_text_as_text_and_both_files_tell_where_they_come_from(tmp_path):
    content = FigureContent(
        [a_map(title="Weld $1", limits=(-2.0, 2.0))],
        [SQUARE, LINE],
        [a_pattern("a, mean of 212 patterns", region=0)],
        [a_profile(region=1)],
    )
    figure = map_figure(content)
    provenance = {"scan": {"name": "Nähte"}, "model": "vae"}
    png, svg = save_figure(figure, tmp_path / "figure 1.v2", provenance)
    assert (png.name, svg.name) == ("figure 1.v2.png", "figure 1.v2.svg")
    root = ElementTree.fromstring(svg.read_text(encoding="utf-8"))
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    expected = ["Weld $1", "contrast (%)", "2 µm", "a", "b", "−2.0", "distance (µm)"]
    assert {*expected, "a, mean of 212 patterns"} <= set(texts)
    told = next(root.iter("{http://purl.org/dc/elements/1.1/}description")).text
    with Image.open(png) as image:
        assert json.loads(told) == json.loads(image.text["Description"]) == provenance
        assert image.width == math.floor(170 / 25.4 * 600)
    before = svg.read_bytes()
    save_figure(figure, png, provenance)
    assert svg.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_figures_saved_at_once_leave_the_settings_of_the_process_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    figures = [map_figure(FigureContent([a_map(title=name)])) for name in ("one", "other")]
    with ThreadPoolExecutor(2) as threads:
        saved = list(threads.map(save_figure, figures, [tmp_path / "a.png", tmp_path / "b.png"]))
    assert dict(matplotlib.rcParams) == before
    for name, (_, svg) in zip(("one", "other"), saved, strict=True):
        assert f">{name}</text>" in svg.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["a.v2", "a.v2.png", "a.v2.SVG"])
def test_a_figure_tells_its_files(name, tmp_path):
    assert [file.name for file in figure_files(tmp_path / name)] == ["a.v2.png", "a.v2.svg"]


def test_a_table_of_colours_is_what_is_drawn():
    table = RNG.random((256, 4))
    table[:, 3] = 1
    np.testing.assert_allclose(colormap_of(table)(np.arange(256)), table, atol=1e-6)
    np.testing.assert_allclose(colormap_of("green")([0.0, 1.0])[:, :3], [[0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize("wrong", ["nonsense", np.zeros(3), np.zeros((4, 2))])
def test_what_is_no_colormap_is_refused(wrong):
    with pytest.raises(ValueError, match="colo"):
        map_figure(FigureContent([a_map(colormap=wrong)]))


@pytest.mark.parametrize(
    "content",
    [
        {"maps": []},
        {"maps": [MapPanel(np.zeros((3, 4, 5)), (1, 1), "rgb")]},
        {"maps": [CompositePanel(np.zeros((2, 4, 5)), (1, 1))]},
        {"maps": [a_map(limits=(2.0, 2.0))]},
        {"maps": [a_map()], "patterns": [PatternPanel(np.zeros(4))]},
        {"maps": [a_map()], "regions": [SQUARE], "profiles": [a_profile(region=1)]},
    ],
)
def test_content_that_cannot_be_drawn_is_refused(content):
    with pytest.raises(ValueError, match=r"a map|a pattern|no region"):
        FigureContent(**content)


def test_limits_are_written_as_exactly_as_they_differ():
    assert numbers_text(0.3189, 0.36301) == ("0.319", "0.363")
    assert numbers_text(-3.21, 6.3) == ("−3.2", "6.3")
    assert numbers_text(0, 255) == ("0", "255")
    assert numbers_text(-2e-5, 3e-5) == ("−2e−05", "3e−05")


def test_regions_beyond_the_alphabet_have_letters():
    assert letters(28)[-3:] == ["z", "aa", "ab"]
