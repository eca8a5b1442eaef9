"""Where a job is done, chosen in the form and told while it runs."""

import sys
from pathlib import Path

import pytest

from napari_kikuchi.ui import work_place
from napari_kikuchi.ui.job_panel import JobPanel
from napari_kikuchi.ui.requests import WorkPlace
from napari_kikuchi.ui.work_place import WorkPlaceChoice

FAKE = Path(__file__).with_name("fake_child.py")


@pytest.fixture
def choice(qtbot):
    made = WorkPlaceChoice()
    qtbot.addWidget(made)
    made.expand(animate=False)
    made.show()
    return made


def test_rows_are_those_that_the_choice_needs(choice):
    workers, address = choice.workers.native, choice.address.native
    assert choice.chosen == WorkPlace()
    assert not workers.isVisible()
    choice.place.value = "local"
    choice.workers.value = 3
    assert workers.isVisible()
    assert not address.isVisible()
    assert choice.chosen == WorkPlace("local", 3)
    choice.place.value = "scheduler"
    assert address.isVisible()
    assert not workers.isVisible()
    with pytest.raises(ValueError, match="address of the dask scheduler"):
        _ = choice.chosen
    choice.address.value = " tcp://node1:8786 "
    assert choice.chosen == WorkPlace("tcp://node1:8786")


def test_without_dask_the_choice_says_what_to_install(qtbot, monkeypatch):
    monkeypatch.setattr(work_place, "find_spec", lambda name: None)
    choice = WorkPlaceChoice()
    qtbot.addWidget(choice)
    assert not choice.place.enabled
    assert "napari-kikuchi[cluster]" in choice.place.tooltip
    assert choice.chosen == WorkPlace()


def test_the_page_of_a_cluster_is_a_link_for_as_long_as_it_is_there(qtbot):
    panel = JobPanel("Encode", list, "", command=(sys.executable, str(FAKE), "clusters"))
    qtbot.addWidget(panel)
    panel.show()
    panel.button.click()
    qtbot.waitUntil(panel.cluster.isVisible)
    assert panel.cluster.text().startswith('3 workers: <a href="http://127.0.0.1:8787/status"')
    panel.button.click()
    qtbot.waitUntil(lambda: not panel.job.active)
    assert not panel.cluster.isVisible()
