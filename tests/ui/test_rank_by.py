"""Maps come to the top of the list for what is painted, drawn or chosen, in the real browser."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.ui import FEATURE_BROWSER, PLUGIN
from napari_kikuchi.ui.link import ScanLink
from napari_kikuchi.ui.rank_by import Ranking
from napari_kikuchi.ui.strokes import Stroke

ROWS, COLS, STEP = 40, 60, (0.5, 0.25)
WALLED, GRAINED = 70, 30


@pytest.fixture
def stack():
    """A hundred maps of noise; one shows a wall in column 20, one a grain from column 40 on."""
    values = np.random.default_rng(0).normal(size=(100, ROWS, COLS)).astype(np.float32)
    values[WALLED, :, 20] -= 5
    values[GRAINED, :, 40:] += 5
    channels = [Channel(f"feature {i + 1}", score=100.0 - i) for i in range(100)]
    return MapStack(values, channels, STEP)


@pytest.fixture
def browser(make_napari_viewer, stack, qtbot):
    viewer = make_napari_viewer()
    _, browser = viewer.window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    browser.show_stack(stack, ScanLink(record={"name": "weld"}))
    qtbot.waitUntil(lambda: layer_names(browser) == ["feature 1"])
    return browser


def layer_names(browser):
    return [layer.name for layer in browser._viewer.layers]


def choose(browser, ranking):
    browser.rank_by.choice.setCurrentText(str(ranking))


def press(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def paint(browser, qtbot, stroke, col, rows=range(10, 30)):
    """Paint down a column, as a drag with the mouse does."""
    press(qtbot, browser.rank_by.painting.buttons[stroke])
    layer = browser._viewer.layers.selection.active
    assert (layer.name, layer.mode, layer.brush_size) == ("strokes", "paint", 1)
    for row in rows:
        layer.paint((row, col), layer.selected_label)
    return layer


def top(browser):
    """Name and score in the first row, and whether it is the map that is shown."""
    first = [browser.table.model().index(0, column).data() for column in (0, 1)]
    shown = browser.current.layer.name == first[0]
    return (*first, shown)


def test_the_brush_is_put_away_with_the_strokes(browser, qtbot):
    viewer = browser._viewer
    choose(browser, Ranking.STROKES)
    layer = paint(browser, qtbot, Stroke.THIS, 20)
    assert viewer.cursor.style == "circle"
    choose(browser, Ranking.STRUCTURE)
    # The mouse over the map moves it, and holds patterns, again.
    assert layer.mode == "pan_zoom"
    assert viewer.cursor.style == "standard"
    assert layer in viewer.layers


def test_strokes_bring_the_wall_to_the_top(browser, stack, qtbot):
    choose(browser, Ranking.STROKES)
    ranking = browser.rank_by
    assert "Press This" in ranking.notice.text()
    assert not ranking.painting.clear_button.isEnabled()
    layer = paint(browser, qtbot, Stroke.THIS, 20)
    np.testing.assert_allclose(layer.scale, STEP)
    qtbot.waitUntil(lambda: "Press Not this" in ranking.notice.text())
    assert top(browser)[0] == "feature 1"
    paint(browser, qtbot, Stroke.OTHER, 23)
    qtbot.waitUntil(lambda: top(browser)[0::2] == (f"feature {WALLED + 1}", True))
    assert float(top(browser)[1]) < -2  # darker there
    assert ranking.notice.text() == ""
    assert f"rank 1 of 100, apart {top(browser)[1]}"[:-1] in browser.status.text()
    # Strokes do not change another ranking.
    choose(browser, Ranking.STRUCTURE)
    browser.next()
    layer.paint((35, 20), Stroke.THIS)
    qtbot.wait(300)
    assert browser.table.currentIndex().row() == 1
    choose(browser, Ranking.STROKES)
    qtbot.waitUntil(lambda: top(browser)[0] == f"feature {WALLED + 1}")
    # Both kinds of stroke lie on one layer, and undoing is a change, too.
    assert layer_names(browser).count("strokes") == 1
    press(qtbot, ranking.painting.clear_button)
    qtbot.waitUntil(lambda: "Press This" in ranking.notice.text())
    choose(browser, Ranking.STRUCTURE)
    assert top(browser)[0] == "feature 1"


def test_undone_strokes_do_not_count(browser, qtbot):
    choose(browser, Ranking.STROKES)
    layer = paint(browser, qtbot, Stroke.THIS, 20)
    paint(browser, qtbot, Stroke.OTHER, 23)
    qtbot.waitUntil(lambda: top(browser)[0] == f"feature {WALLED + 1}")
    for _ in range(40):
        layer.undo()
    qtbot.waitUntil(lambda: "Press This" in browser.rank_by.notice.text())


def test_two_regions_bring_the_grain_to_the_top(browser, qtbot):
    choose(browser, Ranking.REGIONS)
    assert "draw two regions" in browser.rank_by.notice.text()
    shapes = browser._viewer.add_shapes(
        [np.array([[2, 2], [2, 6], [16, 6], [16, 2]])],  # µm: columns 8 to 24
        shape_type="rectangle",
    )
    shapes.add_lines(np.array([[2, 11], [16, 11]]))
    button = browser.rank_by.regions.button
    assert not button.isEnabled()
    assert "There is 1 so far; a line is no region" in button.toolTip()
    shapes.add_rectangles(np.array([[2, 11], [2, 14], [16, 14], [16, 11]]))
    press(qtbot, browser.rank_by.regions.button)
    qtbot.waitUntil(lambda: top(browser)[0::2] == (f"feature {GRAINED + 1}", True))
    assert float(top(browser)[1]) < -2
    assert browser.rank_by.notice.text() == ""
    # The shapes that are selected come before those drawn last.
    shapes.add_rectangles(np.array([[2, 2], [2, 3], [16, 3], [16, 2]]))
    shapes.selected_data = {0, 2}
    press(qtbot, browser.rank_by.regions.button)
    qtbot.waitUntil(lambda: top(browser)[0] == f"feature {GRAINED + 1}")


def test_a_ranking_that_lacks_its_places_shows_the_order_and_the_scores_of_the_stack(
    browser, qtbot
):
    choose(browser, Ranking.STROKES)
    paint(browser, qtbot, Stroke.THIS, 20)
    paint(browser, qtbot, Stroke.OTHER, 23)
    qtbot.waitUntil(lambda: top(browser)[0::2] == (f"feature {WALLED + 1}", True))
    for ranking in (Ranking.REGIONS, Ranking.LIKENESS):
        choose(browser, ranking)
        assert top(browser)[:2] == ("feature 1", "100.00")
        # The map that is looked at stays.
        assert browser.list.current == WALLED
        assert browser.status.text() == f"feature {WALLED + 1}: rank {WALLED + 1} of 100, score 30"
        choose(browser, Ranking.STROKES)
        qtbot.waitUntil(lambda: top(browser)[0::2] == (f"feature {WALLED + 1}", True))
    press(qtbot, browser.rank_by.painting.clear_button)
    qtbot.waitUntil(lambda: "score 30" in browser.status.text())


def test_a_map_is_not_found_to_be_like_itself(browser, stack, qtbot):
    browser.list.choose(GRAINED)
    qtbot.waitUntil(lambda: browser.current.shown == GRAINED)
    browser.promote()
    choose(browser, Ranking.LIKENESS)

    def last():
        return [browser.table.model().index(99, column).data() for column in (0, 1)]

    qtbot.waitUntil(lambda: last() == [f"feature {GRAINED + 1}", ""])


def test_maps_that_are_like_another_come_to_the_top(browser, stack, qtbot):
    choose(browser, Ranking.LIKENESS)
    assert "Add a map" in browser.rank_by.notice.text()
    assert not browser.rank_by.reference.isEnabled()
    other = np.random.default_rng(5).normal(size=(ROWS, COLS))
    browser._viewer.add_image(other, name="noise", scale=STEP)
    browser._viewer.add_image(np.zeros((3, 4)), name="of another shape")
    browser._viewer.add_image(np.exp(-stack.map(GRAINED)), name="confidence", scale=STEP)
    choices = [browser.rank_by.reference.itemText(i) for i in range(2)]
    assert choices == ["confidence", "noise"]
    browser.rank_by.reference.setCurrentText("confidence")
    qtbot.waitUntil(lambda: top(browser) == (f"feature {GRAINED + 1}", "-1.00", True))
    assert "alike for that alone" in browser.rank_by.notice.text()


def test_where_there_are_no_maps_there_is_nothing_to_rank(make_napari_viewer):
    _, browser = make_napari_viewer().window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    assert not browser.rank_by.choice.isEnabled()
    assert browser.rank_by.pages.isHidden()
