"""Who listens hears, and stops when it should."""

import gc
import weakref

from psygnal import Signal

from napari_kikuchi.ui.listening import Following


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
