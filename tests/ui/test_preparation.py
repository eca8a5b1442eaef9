"""What a session knows of its scans before a pattern of theirs can be corrected."""

from dataclasses import replace

import numpy as np
import pytest

from napari_kikuchi.pattern_source import ArraySource
from napari_kikuchi.recipe import RecipeMismatchError
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.preparation import Preparation
from napari_kikuchi.unreadable import UnreadableScanError


class Counting(ArraySource):
    """Patterns in memory, counted as they are read; a disk that may be pulled out."""

    read = 0
    gone = False

    def read_run(self, row, start, stop, out=None):
        """See PatternSource."""
        if self.gone:
            raise OSError("the disk is gone")
        type(self).read += stop - start
        return super().read_run(row, start, stop, out)


@pytest.fixture
def source():
    class Fresh(Counting):
        pass

    return Fresh(np.random.default_rng(0).integers(0, 4000, (40, 40, 12, 12), np.uint16))


def prepared(session, scan, qtbot):
    qtbot.waitUntil(lambda: session.preparation(scan) is not None)
    return session.preparation(scan)


def test_a_scan_is_read_once_whatever_becomes_of_its_recipe(session, source, qtbot):
    scan = Scan(source)
    first = prepared(session, scan, qtbot)
    read = source.read
    assert 256 <= read < 300
    for side in (12, 6, 4, 3):
        session.set_recipe(scan, replace(session.recipe(scan), size=(side, side)))
        found = session.preparation(scan)  # there at once
        assert found.preprocessor.mask.shape == (side, side)
        assert found.background is first.background
    assert session.preparation(scan) is found
    assert source.read == read
    # None but the last is kept.
    assert [recipe for recipe, _ in session._preparations[scan].values()] == [session.recipe(scan)]


def test_a_recipe_that_does_not_fit_says_so_and_another_may(session, source, qtbot):
    scan = Scan(source)
    session.set_recipe(scan, replace(session.recipe(scan), size=(24, 24)))
    assert isinstance(prepared(session, scan, qtbot), RecipeMismatchError)
    session.set_recipe(scan, replace(session.recipe(scan), size=(6, 6)))
    assert isinstance(session.preparation(scan), Preparation)


def test_what_could_not_be_read_is_read_again_later_and_not_in_a_circle(
    session, source, qtbot, monkeypatch
):
    now = 100.0
    monkeypatch.setattr("napari_kikuchi.ui.session.monotonic", lambda: now)
    scan = Scan(source)
    told = []
    session.prepared.connect(lambda of: told.append(session.preparation(of)))
    type(source).gone = True
    assert "none of 256 patterns could be read" in str(prepared(session, scan, qtbot))
    type(source).gone = False
    assert isinstance(session.preparation(scan), UnreadableScanError)
    qtbot.wait(50)
    assert len(told) == 1
    now = 103.0
    assert isinstance(session.preparation(scan), UnreadableScanError)  # until it is read
    qtbot.waitUntil(lambda: len(told) == 2)
    assert isinstance(told[1], Preparation)
