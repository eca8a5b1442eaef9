import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_kikuchi.ui.mask_editor import MaskEditor, Tool

SIDE, ZOOM = 60, 5
PATTERN = np.random.default_rng(0).random((SIDE, SIDE))
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
MIDDLE = QPoint(SIDE * ZOOM // 2, SIDE * ZOOM // 2)


@pytest.fixture
def editor(qtbot):
    editor = MaskEditor()
    qtbot.addWidget(editor)
    editor.resize(SIDE * ZOOM, SIDE * ZOOM)
    editor.edited.connect(lambda: editor.tellings.append(editor.mask.copy()))
    editor.tellings = []
    return editor


def disc(radius):
    rows, cols = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    return np.hypot(rows, cols) <= radius


def test_a_circle_larger_than_the_frame_keeps_its_size(editor, qtbot):
    editor.show_pattern(PATTERN, disc(36))  # only its corners are left out
    editor.tool = Tool.CIRCLE
    editor.set_circle()
    circle = editor.mask.copy()
    for _ in range(3):
        qtbot.mouseClick(editor, LEFT, pos=MIDDLE)
        editor.show_pattern(PATTERN, editor.mask)  # as a preparation does that it has led to
    np.testing.assert_array_equal(editor.mask, circle)


def test_a_preparation_that_arrives_in_a_stroke_leaves_the_stroke(editor, qtbot):
    full = np.ones((SIDE, SIDE), bool)
    editor.show_pattern(PATTERN, full)
    editor.tool = Tool.BRUSH
    qtbot.mousePress(editor, RIGHT, pos=MIDDLE)
    editor.show_pattern(PATTERN, full)
    assert not editor.mask[SIDE // 2, SIDE // 2]
    qtbot.mouseRelease(editor, RIGHT, pos=MIDDLE)
    assert not editor.tellings[0][SIDE // 2, SIDE // 2]
    editor.show_pattern(PATTERN, full)
    assert editor.mask.all()


def test_a_stroke_ends_with_the_picture_that_it_was_drawn_on(editor, qtbot):
    editor.show_pattern(PATTERN, disc(20))
    editor.tool = Tool.BRUSH
    qtbot.mousePress(editor, RIGHT, pos=MIDDLE)
    editor.clear((30, 30))
    qtbot.mouseMove(editor, MIDDLE + QPoint(20, 20))
    qtbot.mouseRelease(editor, RIGHT, pos=MIDDLE)
    assert editor.tellings == []
    assert editor.mask.shape == (30, 30)
    assert editor.mask.all()
