"""Searches for garbage that would halt the window."""

import gc
import threading
import weakref

import numpy as np
import pytest

from napari_kikuchi.jobs import Progress
from napari_kikuchi.ui import garbage
from napari_kikuchi.ui.session import session_of
from napari_kikuchi.ui.work import start


@pytest.fixture
def every_search_is_long(monkeypatch):
    monkeypatch.setattr(garbage, "LONG_S", 0)
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_survives_a_long_search_is_not_searched_again(every_search_is_long, windowless):
    session_of(windowless)
    assert gc.get_freeze_count() == 0
    gc.collect()
    apart = gc.get_freeze_count()
    assert apart > 10_000
    # What is left to search is what has come since.
    assert len(gc.get_objects()) < apart / 10


def test_a_short_search_sets_nothing_apart(windowless):
    gc.unfreeze()
    session_of(windowless)
    gc.collect()
    assert gc.get_freeze_count() == 0


def test_a_layer_that_was_set_apart_gives_its_memory_back_when_removed(
    every_search_is_long, windowless
):
    session_of(windowless)
    layer, other = (windowless.add_image(np.zeros((4, 4))) for _ in range(2))
    layer.itself = layer  # Garbage that only a search can find.
    found = weakref.ref(layer)
    gc.collect()
    assert gc.get_freeze_count()
    # Of what was selected last, napari itself keeps hold.
    windowless.layers.selection = {other}
    windowless.layers.remove(layer)
    del layer
    gc.collect()
    assert found() is None


class Round:
    """Garbage that only a search can find; tells in which thread it ends."""

    def __init__(self, ends):
        self.itself, self.ends = self, ends

    def __del__(self):
        self.ends.append(threading.current_thread())


def test_while_a_thread_works_garbage_ends_in_that_of_the_window(qtbot):
    ends, done = [], []

    def litter():
        for count in range(40):
            # More than Python would leave lying.
            for _ in range(2_000):
                Round(ends)
            yield Progress(count, 40)

    start(litter(), done=done.append)
    qtbot.waitUntil(lambda: bool(done) and gc.isenabled())
    gc.collect()
    assert len(ends) == 80_000
    assert set(ends) == {threading.main_thread()}
