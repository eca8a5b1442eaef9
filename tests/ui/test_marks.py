"""Maps are starred and hidden in the real browser, and stay so on disk."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication, QStyleOptionViewItem

from napari_kikuchi.io.map_store import read_maps, write_maps
from napari_kikuchi.maps import Channel, MapStack, Mark
from napari_kikuchi.ui import FEATURE_BROWSER, PLUGIN
from napari_kikuchi.ui.link import ScanLink
from napari_kikuchi.ui.marks import marks_of

ALL, STARRED, WITH_HIDDEN = range(3)


@pytest.fixture
def store(tmp_path):
    """A hundred maps on disk, the first the best, as a version without marks wrote them."""
    values = np.random.default_rng(0).normal(size=(100, 6, 8)).astype(np.float32)
    channels = [Channel(f"feature {i + 1}", score=100.0 - i) for i in range(100)]
    write_maps(tmp_path / "maps.zarr", MapStack(values, channels))
    return tmp_path / "maps.zarr"


@pytest.fixture
def stack(store):
    return read_maps(store)


@pytest.fixture
def browser(make_napari_viewer, stack, qtbot):
    _, browser = make_napari_viewer(show=True).window.add_plugin_dock_widget(
        PLUGIN, FEATURE_BROWSER
    )
    browser.show_stack(stack, ScanLink())
    qtbot.waitUntil(lambda: shown(browser) == "feature 1")
    return browser


def shown(browser):
    """The map that the one layer shows."""
    return "".join(layer.name for layer in browser._viewer.layers)


def listed(browser):
    model = browser.table.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def marks(stack):
    """Numbers of the maps that are marked."""
    return {
        int(channel.name.removeprefix("feature ")): channel.mark
        for channel in stack.channels
        if channel.mark
    }


def kept(store):
    return marks(read_maps(store))


def keeps(store, expected):
    return kept(store) == expected


def press(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_keys_star_and_hide_wherever_maps_are_looked_at(browser, store, qtbot):
    canvas = browser._viewer.window._qt_viewer.canvas.native
    choices = (browser.choice, browser.rank_by.choice, browser.list.listed)
    places = (browser.table, browser.gallery, canvas, *choices)
    expected = {}
    for i, place in enumerate(places):
        qtbot.keyClick(place, Qt.Key.Key_K)
        qtbot.keyClick(place, Qt.Key.Key_Period)
        qtbot.waitUntil(lambda i=i: shown(browser) == f"feature {2 * i + 2}")
        qtbot.keyClick(place, Qt.Key.Key_H)  # and on to the next
        qtbot.waitUntil(lambda i=i: shown(browser) == f"feature {2 * i + 3}")
        expected.update({2 * i + 1: Mark.STARRED, 2 * i + 2: Mark.HIDDEN})
        qtbot.waitUntil(partial(keeps, store, expected))
    qtbot.keyClick(browser.table, Qt.Key.Key_Comma)
    assert browser.list.current == 10  # feature 12, which is hidden, is passed over
    qtbot.keyClick(browser.gallery, Qt.Key.Key_K)
    del expected[11]
    qtbot.waitUntil(partial(keeps, store, expected))
    # A key that is held hides one map only.
    held = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_H, Qt.KeyboardModifier.NoModifier, "h", True)
    QApplication.sendEvent(browser.table, held)
    assert browser.list.current == 10
    # Elsewhere they are letters.
    for letter in "khk":
        qtbot.keyClick(browser.filter, letter)
    assert browser.filter.text() == "khk"
    assert kept(store) == expected


def test_keys_work_while_something_is_drawn_or_painted_and_take_none_from_napari(browser, qtbot):
    viewer = browser._viewer
    canvas = viewer.window._qt_viewer.canvas.native
    layers = [viewer.add_image(np.zeros((6, 8))), viewer.add_labels(np.zeros((6, 8), int))]
    layers += [viewer.add_points(), viewer.add_shapes()]
    modes = ("pan_zoom", "paint", "add", "add_line")
    for i, (layer, mode) in enumerate(zip(layers, modes, strict=True)):
        layer.mode = mode
        viewer.layers.selection.active = layer
        before = browser.list.current
        for key in (Qt.Key.Key_K, Qt.Key.Key_Period, Qt.Key.Key_H):
            qtbot.keyClick(canvas, key)
        found = marks_of(browser.current.stack)
        assert (found.of(before), found.of(before + 1)) == (Mark.STARRED, Mark.HIDDEN)
        assert layer.mode == mode
        assert viewer.layers.selection.active is layer
        assert browser.list.current == 2 * i + 2
    qtbot.keyClick(canvas, Qt.Key.Key_S)  # select shapes
    assert layers[-1].mode == "select"


def test_buttons_and_the_menu_tell_what_a_map_is(browser, stack, qtbot):
    star, hide = browser.buttons.star, browser.buttons.hide_map
    assert star.toolTip().endswith("(k)")
    assert hide.toolTip().endswith("(h)")
    assert [action.text() for action in browser.gallery.actions()] == [
        "★ Star\tk",
        "Hide\th",
        "Add as layer\tEnter",
    ]
    press(qtbot, star)
    assert star.isChecked()
    assert star.action.isChecked()
    star.action.trigger()
    assert not star.isChecked()
    assert not star.action.isChecked()
    press(qtbot, star)
    press(qtbot, browser.buttons.next)
    assert not star.isChecked()
    press(qtbot, browser.buttons.previous)
    assert star.isChecked()
    press(qtbot, hide)
    assert marks(marks_of(stack)) == {1: Mark.HIDDEN}  # one or the other
    assert browser.list.listed.currentText() == "1 hidden left out"


def test_the_list_is_narrowed_to_marks(browser, qtbot):
    narrow = browser.list.listed
    assert [narrow.itemText(i) for i in range(3)] == ["all", "★ 0 starred", "0 hidden listed, too"]
    for _ in range(3):
        browser.hide_map()
    browser.star()
    assert listed(browser)[:2] == ["feature 4", "feature 5"]
    assert len(listed(browser)) == 97
    assert [narrow.itemText(i) for i in range(3)] == [
        "3 hidden left out",
        "★ 1 starred",
        "3 hidden listed, too",
    ]
    narrow.setCurrentIndex(STARRED)
    assert listed(browser) == ["feature 4"]
    narrow.setCurrentIndex(WITH_HIDDEN)
    assert len(listed(browser)) == 100
    browser.filter.setText("feature 2")
    assert len(listed(browser)) == 11
    browser.table.selectRow(0)
    assert browser.buttons.hide_map.isChecked()
    browser.hide_map()  # it is shown again, and still looked at
    assert browser.list.current == 1
    narrow.setCurrentIndex(ALL)
    assert listed(browser)[0] == "feature 2"
    # The last of a list gives way to the one before it.
    browser.filter.setText("feature 10")
    browser.table.selectRow(1)
    browser.hide_map()
    assert listed(browser) == ["feature 10"]
    qtbot.waitUntil(lambda: shown(browser) == "feature 10")


def test_stars_are_drawn_and_hidden_maps_are_pale_but_names_stay(browser, qtbot):
    def drawn(row):
        option = QStyleOptionViewItem()
        option.widget = browser.table
        index = browser.table.model().index(row, 0)
        browser.table.itemDelegateForIndex(index).initStyleOption(option, index)
        return option.text

    def gold_and_bright(row):
        cell = browser.gallery.visualRect(browser.gallery.model().index(row, 0))
        image = browser.gallery.viewport().grab(cell).toImage()
        pixels = [
            image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())
        ]
        gold = sum(one.red() > 200 and one.green() > 150 and one.blue() < 60 for one in pixels)
        return gold, np.std([one.lightness() for one in pixels])

    browser.list.listed.setCurrentIndex(WITH_HIDDEN)
    browser.list.gallery_button.click()
    model = browser.gallery.model()
    qtbot.waitUntil(lambda: model.index(3, 0).data(Qt.ItemDataRole.DecorationRole) is not None)
    browser.table.selectRow(3)
    (no_gold, bright), name = gold_and_bright(0), drawn(0)
    assert (no_gold, name) == (0, "feature 1")
    browser.table.selectRow(0)
    browser.star()
    browser.table.selectRow(1)
    browser.hide_map()
    browser.table.selectRow(3)
    assert drawn(0) == "★ feature 1"
    assert listed(browser)[:2] == ["feature 1", "feature 2"]
    assert gold_and_bright(0)[0] > 20
    gold, pale = gold_and_bright(1)
    assert gold == 0
    assert pale < 0.6 * bright


def test_marks_come_back_with_the_store_of_which_nothing_else_has_changed(
    browser, stack, store, tmp_path, make_napari_viewer, qtbot
):
    maps = store / "0" / "c" / "0" / "0" / "0"
    before = maps.stat().st_mtime_ns, sorted(store.rglob("*"))
    browser.star()
    browser.next()
    browser.hide_map()
    browser.rank_by.ranked.emit(browser._table.scores)  # marks do not depend on the ranking
    assert listed(browser)[:2] == ["feature 1", "feature 3"]
    qtbot.waitUntil(lambda: kept(store) == {1: Mark.STARRED, 2: Mark.HIDDEN})
    assert (maps.stat().st_mtime_ns, sorted(store.rglob("*"))) == before
    found = read_maps(store)
    assert [replace(one, mark=Mark.NONE) for one in found.channels] == list(stack.channels)

    again = make_napari_viewer()
    again.open(store, plugin=PLUGIN)
    _, browser = again.window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    qtbot.waitUntil(lambda: "rank 1 of 100" in browser.status.text())
    assert browser.buttons.star.isChecked()
    assert listed(browser)[:2] == ["feature 1", "feature 3"]

    browser.promote()
    layer = again.layers[-1]
    again.layers.selection = {layer}
    again.layers.save(str(tmp_path / "saved.zarr"), selected=True)
    (saved,) = read_maps(tmp_path / "saved.zarr").channels
    assert (saved.name, saved.mark) == (layer.name, Mark.STARRED)


def test_where_marks_cannot_be_kept_they_last_for_the_session(browser, stack, store, qtbot):
    viewer = browser._viewer
    # What is written first cannot be: nothing else keeps root from writing.
    (store / "zarr.json.partial").mkdir()
    assert browser.notice.isHidden()
    browser.star()
    qtbot.waitUntil(lambda: "only as long as these maps are open" in browser.notice.text())
    assert not browser.notice.isHidden()
    assert kept(store) == {}
    # For as long as there is a layer of them, even if the browser is closed.
    browser.promote()
    viewer.window.remove_dock_widget(browser)
    _, browser = viewer.window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    browser.table.selectRow(0)
    assert browser.buttons.star.isChecked()
    assert browser.notice.isHidden()
    assert marks(marks_of(stack)) == {1: Mark.STARRED}
    # Of maps that lie nowhere, nothing is said.
    browser.show_stack(MapStack(np.asarray(stack.values), stack.channels), ScanLink())
    browser.star()
    qtbot.wait(50)
    assert browser.buttons.star.isChecked()
    assert browser.notice.isHidden()
