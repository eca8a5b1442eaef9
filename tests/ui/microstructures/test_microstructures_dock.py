"""What the pages of the dock share."""

import subprocess
import sys
from dataclasses import replace

from making import add_maps, open_dock
from qtpy.QtCore import Qt

from napari_kikuchi.ui.link import ScanLink


def test_without_orientations_only_what_needs_none_is_offered(windowless, generator_file, qtbot):
    dock = open_dock(windowless, generator_file, qtbot)
    told = "Index a scan, or open its maps of orientations, first"
    for page in (dock.fill_in, dock.interpolate, dock.reconstruct):
        assert not page.button.isEnabled()
        assert page.button.toolTip() == page.another.toolTip() == told
    assert not dock.fill_in.region.draw_button.isEnabled()
    assert dock.generate.button.isEnabled()


def test_maps_without_orientations_are_not_offered(dock, viewer, stack, qtbot):
    assert dock.stacks.count() == 1
    names = [name for name in stack.names if not name.startswith("quaternion")]
    indices = [stack.names.index(name) for name in names]
    others = replace(
        stack, values=stack.values[indices], channels=[stack.channels[i] for i in indices]
    )
    add_maps(viewer, others, ScanLink(record={"name": "other"}))
    qtbot.wait(50)
    assert dock.stacks.count() == 1
    assert dock.stacks.stack is stack


def test_with_the_last_map_its_stack_is_gone(dock, viewer, qtbot):
    viewer.layers.clear()
    qtbot.waitUntil(lambda: dock.stacks.count() == 0)
    assert not dock.fill_in.button.isEnabled()


def test_maps_are_chosen_where_they_are_needed(dock):
    assert dock.stacks.isVisibleTo(dock)
    for index, needed in ((1, False), (2, True), (3, True), (0, True)):
        dock.tabs.setCurrentIndex(index)
        assert dock.stacks.isVisibleTo(dock) == needed


def test_another_begins_anew_after_the_last_seed(dock):
    dock.options.seed.value = 2**31 - 1
    dock.options.take_next_seed()
    assert dock.options.seed.value == 0


def test_an_empty_field_means_the_generator_that_comes_along(dock, generator_file):
    assert dock.options.request().path == generator_file
    dock.options.generator.line_edit.value = ""
    assert dock.options.request().path is None


def test_what_comes_of_maps_that_were_left_is_not_shown(dock, viewer, qtbot):
    page = dock.fill_in
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    viewer.layers.clear()
    qtbot.waitUntil(lambda: not page.row.active)
    qtbot.wait(100)
    assert len(viewer.layers) == 0


def test_the_dock_opens_without_what_takes_long_to_import():
    check = (
        "import sys\n"
        "from napari.components import ViewerModel\n"
        "from qtpy.QtWidgets import QApplication\n"
        "application = QApplication([])\n"
        "from napari_kikuchi.ui.microstructures import Microstructures\n"
        "dock = Microstructures(ViewerModel())\n"
        "heavy = {'torch', 'diffusers', 'orix', 'skimage.metrics'}.intersection(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
