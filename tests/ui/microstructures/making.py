"""Maps with a hole, and hands that let the real dock make others."""

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_kikuchi.ui.layers import layers_of
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.microstructures import Microstructures

ROWS, COLS, STEP = 16, 24, (0.5, 0.25)
HOLE = np.s_[5:9, 14:19]


def hole():
    holed = np.zeros((ROWS, COLS), bool)
    holed[HOLE] = True
    return holed


def add_maps(viewer, stack, source):
    """The layers that these tests look at; each takes its time."""
    for data, attributes, kind in layers_of(stack, source):
        if attributes["name"].startswith(("phase", "IPF")):
            viewer.layers.append(Layer.create(data, attributes, kind))


def open_dock(viewer, generator_file, qtbot):
    """The dock, with a generator that takes next to no time."""
    dock = Microstructures(viewer)
    qtbot.addWidget(dock)
    dock.options.generator.value = generator_file
    dock.options.steps.value = 2
    return dock


def make(page, qtbot, button=None):
    """Press a button, and wait until all is shown."""
    button = button or page.button
    assert button.isEnabled(), button.toolTip()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert page.button.toolTip() == "This is being done"
    assert not page.another.isEnabled()
    assert page.row.cancel_button.isVisibleTo(page)
    qtbot.waitUntil(lambda: not page.row.active)
    assert page.row.notice.text() == ""
    settle(page, qtbot)


def settle(page, qtbot):
    """Wait until no more layers come one after another."""
    layers, before = page.session.viewer.layers, -1
    while before != len(layers):
        before = len(layers)
        qtbot.wait(60)


def stacks_in(viewer):
    """The stacks behind the layers, in the order in which they came."""
    links = [link_of(layer) for layer in viewer.layers]
    return list({id(one.stack): one.stack for one in links if one is not None}.values())


def layer_of(viewer, stack, name):
    """The layer of a map."""
    return next(
        layer
        for layer in viewer.layers
        if (link := link_of(layer)) is not None
        and link.stack is stack
        and stack.names[link.channel] == name
    )


def named(stack, name):
    return stack.map(stack.names.index(name))
