import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.recipe import Recipe
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.mask_editor import Tool
from napari_kikuchi.ui.preparation import Preparation
from napari_kikuchi.ui.prepare_form import MaskChoice, PrepareForm

MIDDLE = QPoint(60, 60)


class Model:
    """As much of an encoder as the form looks at."""

    def __init__(self, mask):
        self.recipe = Recipe(size=mask.shape, mask=mask)


def scan(name):
    patterns = np.random.default_rng(0).integers(100, 4000, (4, 5, 40, 40), np.uint16)
    return Scan(ArraySource(patterns), name=name)


@pytest.fixture
def form(session, qtbot):
    form = PrepareForm(session)
    qtbot.addWidget(form)
    form.editor.setFixedSize(120, 120)
    return form


@pytest.fixture
def show(form, session, qtbot):
    """Choose a scan, and wait until its mean pattern is there."""

    def choose(scan):
        form.set_scan(scan)
        qtbot.waitUntil(lambda: isinstance(session.preparation(scan), Preparation))
        qtbot.waitUntil(form.editor.isEnabled)

    return choose


@pytest.fixture
def paint(form, qtbot):
    """Leave the middle of the pattern out."""

    def stroke():
        form.mask.value = MaskChoice.PAINTED
        qtbot.mouseClick(form.editor, Qt.MouseButton.RightButton, pos=MIDDLE)

    return stroke


def test_the_choice_of_the_mask_belongs_to_its_scan(form, session, show, paint):
    a, b, c = scan("a"), scan("b"), scan("c")
    show(a)
    paint()
    assert not session.recipe(a).mask[20, 20]
    show(b)
    assert (form.mask.value, form.editor.tool) == (MaskChoice.FOUND, Tool.NONE)
    form.mask.value = MaskChoice.CIRCLE
    show(c)
    form.mask.value = MaskChoice.FRAME
    show(a)
    assert (form.mask.value, form.editor.tool) == (MaskChoice.PAINTED, Tool.BRUSH)
    assert not form.editor.mask[20, 20]
    show(b)
    assert (form.mask.value, form.editor.tool) == (MaskChoice.CIRCLE, Tool.CIRCLE)
    show(c)
    assert form.mask.value == MaskChoice.FRAME
    show(a)
    form.mask.value = MaskChoice.FOUND
    assert session.recipe(a).mask is None
    paint()
    form.reset.click()
    assert form.mask.value == MaskChoice.FOUND


def test_a_mask_of_the_model_is_called_so_at_any_size(form, session, show):
    mask = np.ones((40, 40), bool)
    mask[:10] = False
    session.set_encoder(Model(mask))
    a, b = scan("a"), scan("b")
    show(a)
    form.mask.value = MaskChoice.MODEL
    form.size.value = (30, 30)
    show(b)
    show(a)
    assert form.mask.value == MaskChoice.MODEL
    session.set_encoder(None)
    assert form.mask.value == MaskChoice.PAINTED  # someone's
    np.testing.assert_array_equal(session.recipe(a).mask, form.editor.mask)


def test_a_circle_chosen_before_the_patterns_are_read_has_the_size_chosen(form, session, show):
    a = scan("a")
    form.set_scan(a)
    form.size.value = (30, 30)
    form.mask.value = MaskChoice.CIRCLE
    assert session.recipe(a).mask.shape == (30, 30)
    assert 0.7 < session.recipe(a).mask.mean() < 1
    show(a)
    assert isinstance(session.preparation(a), Preparation)


def test_another_scan_is_not_edited_over_the_picture_of_the_former(
    form, session, show, paint, qtbot
):
    a, b = scan("a"), scan("b")
    show(a)
    paint()
    form.set_scan(b)
    session.set_recipe(b, Recipe(size=(40, 40), mask=np.ones((40, 40), bool)))
    form.mask.value = MaskChoice.PAINTED
    qtbot.mouseClick(form.editor, Qt.MouseButton.RightButton, pos=MIDDLE)
    assert session.recipe(b).mask.all()
    assert form.editor.mask.all()
    show(b)
    paint()
    assert not session.recipe(b).mask.all()
    form.set_scan(None)
    assert form.editor.mask.shape == (1, 1)


def test_a_mask_that_leaves_nothing_can_be_mended(form, session, show, qtbot):
    a = scan("a")
    show(a)
    form.mask.value = MaskChoice.PAINTED
    form.editor.brush = 2
    qtbot.mouseClick(form.editor, Qt.MouseButton.RightButton, pos=MIDDLE)
    assert "empty" in form.hint.text()
    qtbot.mouseClick(form.editor, Qt.MouseButton.LeftButton, pos=MIDDLE)
    assert form.hint.text().endswith("100% of the frame.")
