from types import SimpleNamespace

import pytest
from qtpy.QtWidgets import QLabel, QWidget

from napari_kikuchi.jobs import Progress
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.work import start


@pytest.fixture
def session():
    """Stands in for a viewer's: its jobs end with nothing but themselves."""
    return SimpleNamespace(start=start)


def telling(word):
    yield Progress(1, 1)
    return word


def test_only_the_latest_job_is_heard_of(qtbot, session):
    label, told = QLabel(), []
    latest = Latest(session, label)
    latest.start(telling("first"), told.append)
    latest.start(telling("second"), told.append)
    qtbot.waitUntil(lambda: not latest.active)
    assert told == ["second"]


def test_what_a_job_tells_a_widget_that_is_gone_is_not_heard(qtbot, session):
    window, told = QWidget(), []
    label = QLabel(window)
    latest = Latest(session, label)

    def tell(word):
        told.append(word)
        label.setText(word)

    latest.start(telling("too late"), tell, progressed=lambda _: label.setText("on its way"))
    work = latest._work
    # What it has told waits for the window, which takes the widget apart first.
    work._thread.join()
    del window
    qtbot.waitUntil(lambda: not work.active)
    qtbot.wait(50)
    assert told == []
