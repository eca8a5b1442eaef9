import gc
import threading
import weakref

import numpy as np
import pytest
from qtpy.QtCore import QRect, Qt
from qtpy.QtWidgets import QStyle, QStyleOptionViewItem

from napari_kikuchi.io import open_scan
from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui import FEATURE_BROWSER, PLUGIN
from napari_kikuchi.ui.feature_table import Scores
from napari_kikuchi.ui.layers import layers_of, map_layer
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.show_maps import show_store
from napari_kikuchi.ui.stack_choice import StackChoice
from napari_kikuchi.ui.thumbnails import SIDE


@pytest.fixture
def stack(tmp_path):
    """A hundred maps on disk: map i holds values about i, and odd ones have the higher scores."""
    values = np.arange(100, dtype=np.float32)[:, None, None] + np.random.default_rng(0).normal(
        size=(100, 6, 8)
    ).astype(np.float32)
    channels = [Channel(f"feature {i + 1}", score=i % 2 + i / 1000) for i in range(100)]
    write_maps(tmp_path / "maps.zarr", MapStack(values, channels, step=(0.5, 0.25)))
    return read_maps(tmp_path / "maps.zarr")


@pytest.fixture
def browser(make_napari_viewer, stack):
    _, browser = make_napari_viewer().window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    return browser


def shown(browser):
    """The layers of the viewer, by the map that each holds."""
    return {layer.name: round(float(layer.data.mean())) for layer in browser._viewer.layers}


def test_one_layer_shows_the_maps_in_order_of_rank(browser, stack, qtbot):
    browser.show_stack(stack, ScanLink())
    qtbot.waitUntil(lambda: shown(browser) == {"feature 100": 99})
    (layer,) = browser._viewer.layers
    np.testing.assert_allclose(layer.scale, (0.5, 0.25))
    browser.next()
    qtbot.waitUntil(lambda: shown(browser) == {"feature 98": 97})
    # The percentiles of this map, not of the one before.
    assert 93 < layer.contrast_limits[0] < 97 < layer.contrast_limits[1] < 101
    np.testing.assert_array_equal(layer.data, stack.map(97))
    browser.previous()
    qtbot.waitUntil(lambda: shown(browser) == {"feature 100": 99})
    browser.previous()
    assert shown(browser) == {"feature 100": 99}
    assert link_of(layer).stack is stack


def test_only_what_can_be_done_is_offered(browser, stack, qtbot):
    def offered():
        buttons = (browser.buttons.previous, browser.buttons.next, browser.buttons.add)
        return [button.isEnabled() for button in buttons]

    def tips():
        buttons = browser.buttons
        every = (buttons.previous, buttons.next, buttons.star, buttons.hide_map, buttons.add)
        return [button.toolTip() for button in every if not button.isEnabled()]

    assert offered() == [False, False, False]
    assert tips() == ["Choose a map first"] * 5
    browser.show_stack(stack, ScanLink())
    qtbot.waitUntil(lambda: shown(browser) == {"feature 100": 99})
    assert offered() == [False, True, True]
    assert tips() == ["This is the first map"]
    browser.next()
    assert offered() == [True, True, True]
    browser.filter.setText("feature 98")
    assert offered() == [False, False, True]
    assert tips() == ["This is the first map", "This is the last map"]


def test_an_empty_list_says_why(browser, stack, qtbot):
    browser.show_stack(stack, ScanLink())
    qtbot.waitUntil(lambda: "rank 1 of 100" in browser.status.text())
    browser.filter.setText("no such")
    assert browser.status.text() == "No map has this in its name"
    browser.list.listed.setCurrentIndex(1)
    assert browser.status.text() == "No starred map has this in its name"
    browser.filter.clear()
    assert browser.status.text() == "No map is starred"
    browser.list.listed.setCurrentIndex(0)
    assert "rank 1 of 100" in browser.status.text()


def test_a_picture_in_colours_is_not_taken_for_one_of_its_maps(browser, stack, qtbot):
    few = MapStack(np.asarray(stack.values)[:4], stack.channels[:4])
    viewer = browser._viewer
    for data, attributes, _ in layers_of(few):
        viewer.add_image(data, **attributes)
    viewer.layers["feature 3"].colormap = "viridis"
    for channel, colour in enumerate(("red", "green", "blue")):
        data, attributes, _ = map_layer(few, channel, ScanLink(), suffix=f" ({colour})")
        viewer.add_image(data, **attributes | {"colormap": colour, "blending": "additive"})
    for channel in (0, 2, 1):
        browser.list.choose(channel)
        visible = [layer.name for layer in viewer.layers if layer.visible]
        assert visible == [f"feature {channel + 1}"]


def test_keys_step_through_what_the_filter_leaves(make_napari_viewer, stack, qtbot):
    viewer = make_napari_viewer(show=True)
    _, browser = viewer.window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    browser.show_stack(stack, ScanLink())
    browser.filter.setText("feature 1")
    ranked = [name for i in stack.ranking() if (name := stack.names[i]).startswith("feature 1")]
    assert len(ranked) == 12
    # The best, feature 100, passes the filter and stays selected.
    qtbot.waitUntil(lambda: list(shown(browser)) == ["feature 100"])
    canvas = viewer.window._qt_viewer.canvas.native
    for place, name in zip((canvas, browser.table, browser.choice), ranked[1:], strict=False):
        qtbot.keyClick(place, Qt.Key.Key_Period)
        qtbot.waitUntil(lambda name=name: list(shown(browser)) == [name])
    for place, name in ((browser.table, ranked[2]), (canvas, ranked[1])):
        qtbot.keyClick(place, Qt.Key.Key_Comma)
        qtbot.waitUntil(lambda name=name: list(shown(browser)) == [name])
    # Elsewhere the keys are letters.
    qtbot.keyClick(browser.filter, Qt.Key.Key_Period)
    assert browser.filter.text() == "feature 1."


def test_contrast_set_by_hand_is_remembered_and_kept_by_a_promoted_layer(browser, stack, qtbot):
    browser.show_stack(stack, ScanLink())
    qtbot.waitUntil(lambda: shown(browser) == {"feature 100": 99})
    (layer,) = browser._viewer.layers
    layer.contrast_limits = (98.0, 99.0)
    browser.promote()
    assert list(browser._viewer.layers[1].contrast_limits) == [98.0, 99.0]
    browser.next()
    qtbot.waitUntil(lambda: layer.name == "feature 98")
    assert list(layer.contrast_limits) != [98.0, 99.0]
    browser.previous()
    qtbot.waitUntil(lambda: layer.name.startswith("feature 100"))
    assert list(layer.contrast_limits) == [98.0, 99.0]
    promoted = link_of(browser._viewer.layers[1])
    assert (promoted.stack, promoted.channel) == (stack, 99)


def test_stacks_behind_layers_are_offered_and_a_removed_layer_comes_back(browser, stack, qtbot):
    data, attributes, _ = map_layer(stack, 3, ScanLink(record={"name": "weld"}))
    browser._viewer.add_image(data, **attributes)
    assert browser.choice.currentText() == "weld: 100 maps"
    assert len(browser._viewer.layers) == 1  # nothing is shown unasked
    browser.next()
    qtbot.waitUntil(lambda: len(browser._viewer.layers) == 2)
    del browser._viewer.layers[1]
    browser.next()
    qtbot.waitUntil(lambda: len(browser._viewer.layers) == 2)
    assert browser._viewer.layers[1].name == "feature 98"


def test_a_store_of_many_maps_opens_as_one_layer_with_the_browser(
    make_napari_viewer, stack, tmp_path, qtbot
):
    viewer = make_napari_viewer()
    viewer.open(tmp_path / "maps.zarr", plugin="napari-kikuchi")
    assert [layer.name for layer in viewer.layers] == ["feature 100"]
    assert any("Feature browser" in name for name in viewer.window.dock_widgets)
    _, browser = viewer.window.add_plugin_dock_widget("napari-kikuchi", "Feature browser")
    qtbot.waitUntil(lambda: "rank 1 of 100" in browser.status.text())
    browser.next()
    qtbot.waitUntil(lambda: shown(browser) == {"feature 98": 97})


def test_stacks_are_named_after_what_made_them(browser):
    source = ScanLink(record={"name": "weld"})
    model = {"path": "/runs/weld.quick-32/model.safetensors"}
    for provenance in ({"method": "physics"}, {"method": "walls", "scan": None}, {"model": model}):
        few = MapStack(np.zeros((2, 6, 8)), [Channel("a"), Channel("b")], provenance=provenance)
        data, attributes, _ = map_layer(few, 0, source)
        browser._viewer.add_image(data, **attributes)
    labels = [browser.choice.itemText(i) for i in range(3)]
    made_by = ("physics", "walls", "weld.quick-32")
    assert labels == [f"weld ({maker}): 2 maps" for maker in made_by]
    # In walls there is nothing to explore.
    choice = StackChoice(browser.session)
    assert {choice.itemText(i) for i in range(choice.count())} == {labels[0], labels[2]}


def test_the_features_of_the_selected_scan_are_what_is_meant_first(session):
    def add(scan, provenance):
        few = MapStack(np.zeros((2, 6, 8)), [Channel("a"), Channel("b")], provenance=provenance)
        data, attributes, _ = map_layer(few, 0, ScanLink(record={"name": scan}))
        return session.viewer.add_image(data, **attributes)

    first, second = (add(scan, {"model": {"kind": "vae"}}) for scan in ("weld", "blade"))
    for active, named in ((first, "weld"), (second, "blade")):
        above = add(named, {"method": "physics"})
        session.viewer.layers.selection.active = active
        assert StackChoice(session).currentText() == f"{named} (vae): 2 maps"
        session.viewer.layers.remove(above)


def test_a_map_that_cannot_be_read_is_told_in_the_browser(browser, stack, tmp_path, qtbot):
    (tmp_path / "maps.zarr" / "0" / "c" / "0" / "0" / "0").write_bytes(b"damaged")
    browser.show_stack(stack, ScanLink())
    qtbot.waitUntil(lambda: "feature 100 could not be read" in browser.status.text())
    assert len(browser._viewer.layers) == 0


def test_an_answer_that_comes_late_is_not_shown_for_another_stack(browser, stack, qtbot):
    few = MapStack(np.zeros((2, 6, 8), np.float32), [Channel("one"), Channel("two")])
    for maps in (stack, few):
        data, attributes, _ = map_layer(maps, 0, ScanLink())
        browser._viewer.add_image(data, **attributes)
    browser.choice.setCurrentIndex(0)
    browser.table.selectRow(0)  # the last of a hundred: there is none of this number among the two
    browser.choice.setCurrentIndex(1)
    first = browser.choice.stacks[0]
    qtbot.waitUntil(lambda: first._cache.get(99) is not None)
    qtbot.wait(50)
    assert len(browser._viewer.layers) == 2
    assert browser.status.text() == "Choose a map to show it."
    browser.table.selectRow(0)
    qtbot.waitUntil(lambda: browser.status.text() == "one: rank 1 of 2")


def test_a_store_that_is_written_anew_takes_the_place_of_what_it_held(
    make_napari_viewer, stack, scan_file, tmp_path, qtbot
):
    def readers():
        return [one for one in threading.enumerate() if one.name.startswith("maps")]

    viewer = make_napari_viewer()
    session, scan, store = session_of(viewer), open_scan(scan_file), tmp_path / "maps.zarr"
    before = len(readers())
    show_store(session, store, scan)
    _, browser = viewer.window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    qtbot.waitUntil(lambda: shown(browser) == {"feature 100": 99})
    channels = [Channel(f"feature {i + 1}", score=-i) for i in range(100)]
    values = np.asarray(stack.values) + 1000
    model = {"path": str(tmp_path / "weld.quick-32" / "model.safetensors")}
    write_maps(
        store, MapStack(values, channels, provenance={"model": model, "scan": {"name": "weld"}})
    )
    show_store(session, store, scan)
    qtbot.waitUntil(lambda: shown(browser) == {"feature 1": 1000})
    assert [browser.choice.itemText(i) for i in range(browser.choice.count())] == [
        "weld (quick-32): 100 maps"
    ]
    assert len(readers()) == before + 1
    browser.next()
    qtbot.waitUntil(lambda: shown(browser) == {"feature 2": 1001})
    # Nor are maps offered whose layer the user has removed.
    viewer.layers.clear()
    assert browser.choice.count() == browser.table.model().rowCount() == 0
    assert not browser.buttons.next.isEnabled()
    assert len(readers()) == before


def test_a_closed_browser_leaves_the_viewer_as_it_was(make_napari_viewer, stack, tmp_path, qtbot):
    viewer = make_napari_viewer(show=True)
    dock, browser = viewer.window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    viewer.open(tmp_path / "maps.zarr", plugin=PLUGIN)
    qtbot.waitUntil(lambda status=browser.status: "rank 1 of 100" in status.text())
    keys = {key: act for key, act in viewer.keymap.items() if str(key) in (",", ".", "K", "H")}
    assert len(keys) == 4
    gone = weakref.ref(browser)
    # The x of the dock.
    dock.title.close_button.click()
    assert not keys.keys() & viewer.keymap.keys()
    for act in keys.values():  # as a key that is still pressed
        act(viewer)
    del dock, browser

    def is_gone():
        gc.collect()
        return gone() is None

    qtbot.waitUntil(is_gone)
    viewer.layers.clear()
    viewer.add_image(np.zeros((4, 4)))


@pytest.mark.parametrize(
    "name", ["contrast without overlap", "unlike its neighbours", "reconstruction error"]
)
def test_names_are_whole_in_the_gallery(make_napari_viewer, name):
    viewer = make_napari_viewer(show=True)
    _, browser = viewer.window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    # Qt measures the first name and would have it stand for all.
    channels = [Channel("x", score=2), Channel(name, score=1)]
    browser.show_stack(MapStack(np.random.default_rng(0).random((2, 6, 8)), channels), ScanLink())
    browser.list.gallery_button.click()
    gallery, model = browser.gallery, browser.gallery.model()
    cell = model.index(1, 0)
    assert cell.data(Qt.ItemDataRole.ToolTipRole).startswith(name)
    option = QStyleOptionViewItem()
    gallery.initViewItemOption(option)
    gallery.itemDelegate().initStyleOption(option, cell)
    margin = gallery.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1
    place = gallery.visualRect(cell)
    room = QRect(0, 0, place.width() - 2 * margin, place.height() - SIDE)
    needed = option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, option.text)
    assert gallery.wordWrap()
    assert room.contains(needed)


def test_the_gallery_shows_pictures_of_all_maps_in_the_same_order(browser, stack, qtbot):
    browser.show_stack(stack, ScanLink())
    assert browser.list.views.currentWidget() is browser.table
    qtbot.mouseClick(browser.list.gallery_button, Qt.MouseButton.LeftButton)
    assert browser.list.views.currentWidget() is browser.gallery
    model = browser.gallery.model()

    def picture(row):
        return model.index(row, 0).data(Qt.ItemDataRole.DecorationRole)

    qtbot.waitUntil(lambda: all(picture(row) is not None for row in range(100)))
    assert model.index(0, 0).data() == "feature 100"
    drawn = picture(0).toImage()
    assert (drawn.width(), drawn.height()) == (72, 54)
    # Bright where the map is: gray, between the limits that the map is shown with.
    values = stack.map(99)
    low, high = stack.channels[99].contrast(values)
    toned = 255 * np.clip((values - low) / (high - low), 0, 1)
    found = [[drawn.pixelColor(9 * x + 4, 9 * y + 4).red() for x in range(8)] for y in range(6)]
    np.testing.assert_allclose(found, toned, atol=2)
    # What is chosen in one view is chosen in the other.
    browser.gallery.setCurrentIndex(model.index(2, 0))
    qtbot.waitUntil(lambda: list(shown(browser)) == ["feature 96"])
    assert browser.table.currentIndex().row() == 2
    qtbot.keyClick(browser.gallery, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: list(shown(browser)) == ["feature 94"])
    # Ranked anew, they keep their pictures.
    browser.rank_by.ranked.emit(Scores("score", np.arange(100.0), ""))
    assert model.index(0, 0).data() == "feature 100"
    assert picture(0).toImage() == drawn


def test_maps_that_are_layers_are_shown_as_such_one_at_a_time(browser, stack, qtbot):
    few = MapStack(np.asarray(stack.values)[:4], stack.channels[:4])  # best first: 4, 2, 3, 1
    viewer = browser._viewer
    for data, attributes, _ in layers_of(few):
        viewer.add_image(data, **attributes)
    layers = list(viewer.layers)

    def visible():
        return [layer.name for layer in viewer.layers if layer.visible]

    def active():
        return viewer.layers.selection.active.name

    for name in ("feature 4", "feature 2", "feature 3"):
        browser.next()
        assert (visible(), active()) == ([name], name)
        assert name in browser.status.text()
        assert not browser.buttons.add.isEnabled()
        assert browser.buttons.add.toolTip() == "This map is a layer already"
    assert browser.current.layer is viewer.layers["feature 3"]
    browser.promote()
    assert list(viewer.layers) == layers
    # What the user lets be seen stays, and work on another layer goes on.
    viewer.layers["feature 4"].visible = True
    labels = viewer.add_labels(np.zeros((6, 8), int))
    browser.next()
    assert visible() == ["feature 1", "feature 4", "Labels"]
    assert viewer.layers.selection.active is labels
    # A map whose layer was removed is seen all the same, for as long as it is looked at.
    del viewer.layers["feature 3"]
    viewer.layers["feature 4"].visible = False
    browser.previous()
    qtbot.waitUntil(lambda: visible() == ["Labels", "feature 3"])
    assert browser.buttons.add.isEnabled()
    assert link_of(viewer.layers["feature 3"]).browsed
    browser.previous()
    assert visible() == ["feature 2", "Labels"]
    assert len(viewer.layers) == 4
