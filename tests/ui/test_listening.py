"""Who listens hears, and stops when it should."""

import gc
import weakref

from psygnal import Signal
from qtpy.QtWidgets import QWidget

from napari_kikuchi.ui.listening import Following, listen


class Source:
    told = Signal(str)


class Hearer:
    def __init__(self):
        self.heard = []
        self.following = Following(self.hear)

    def hear(self, word):
        self.heard.append(word)


def test_one_is_followed_at_a_time():
    hearer, first, second = Hearer(), Source(), Source()
    hearer.following.follow([first.told])
    first.told.emit("a")
    hearer.following.follow([second.told])
    first.told.emit("b")
    second.told.emit("c")
    hearer.following.stop()
    second.told.emit("d")
    assert hearer.heard == ["a", "c"]


def test_following_keeps_nobody_alive():
    hearer, source = Hearer(), Source()
    following = hearer.following
    following.follow([source.told])
    gone = weakref.ref(hearer)
    del hearer
    gc.collect()
    assert gone() is None
    following.stop()


class Closing:
    """Told when a widget is gone; knows it, as those do who work for it."""

    told = 0

    def __init__(self, widget):
        self.widget = widget
        widget.closing = self

    def close(self):
        Closing.told += 1


def test_a_widget_that_python_takes_for_garbage_before_qt_does_ends_in_order(qtbot):
    window = QWidget()
    inner = QWidget(window)
    widget = QWidget(inner)
    listen(widget, [], Closing(widget).close)
    window.deleteLater()
    del window, inner, widget
    gc.collect()
    assert Closing.told == 0
    qtbot.waitUntil(lambda: Closing.told == 1)
