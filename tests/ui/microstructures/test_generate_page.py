"""Maps out of nothing, by the real dock."""

import numpy as np
import pytest
from making import make, named, stacks_in
from qtpy.QtCore import Qt

from napari_kikuchi.ui.link import link_of


@pytest.fixture
def viewer(windowless):
    """Without any maps."""
    return windowless


@pytest.fixture
def page(dock):
    page = dock.generate
    page.rows.value, page.cols.value, page.step.value = 12, 20, 0.5
    return page


def test_maps_of_any_size_are_made_without_a_scan(page, qtbot):
    make(page, qtbot)
    viewer = page.session.viewer
    (stack,) = stacks_in(viewer)
    assert stack.map_shape == (12, 20)
    assert stack.step == (0.5, 0.5)
    assert np.isfinite(named(stack, "quaternion a")).all()
    for layer in viewer.layers:
        np.testing.assert_array_equal(layer.scale, (0.5, 0.5))
        assert link_of(layer).source.scan is None
    grains = int(named(stack, "grain").max())
    assert page.words.text().startswith(f"12 × 20 points, with seed 0: {grains:,} grain")
    second = (named(stack, "phase") == 2).mean()
    assert f"{second:.0%} of the points in the second phase" in page.words.text()
    # They are maps like any others: one goes on from them.
    make(page, qtbot, page.another)
    assert len(stacks_in(viewer)) == 2
    assert not np.array_equal(*(named(one, "grain") for one in stacks_in(viewer)))


def test_tiles_are_asked_for_and_what_makes_none_is_told(page, qtbot):
    page.tileable.setChecked(True)
    make(page, qtbot)
    (stack,) = stacks_in(page.session.viewer)
    assert stack.provenance["microstructure"]["tileable"]
    page.rows.value = 13
    qtbot.mouseClick(page.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "multiples of 4 pixels" in page.row.notice.text())
