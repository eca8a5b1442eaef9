"""Where the blocks of a scan are worked on: in this machine's threads, or by a dask cluster."""

from __future__ import annotations

import os
from importlib.util import find_spec

from magicgui.widgets import ComboBox, LineEdit, SpinBox
from superqt import QCollapsible

from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.requests import WorkPlace

_THREADS, _LOCAL, _SCHEDULER = "threads", "local", "scheduler"
_CHOICES = [
    ("this process", _THREADS),
    ("a cluster on this machine", _LOCAL),
    ("a cluster elsewhere", _SCHEDULER),
]
_TIP = (
    "this process: as many threads as there are cores; right for one machine.\n"
    "a cluster on this machine: processes of dask, with a page that shows what they do.\n"
    "a cluster elsewhere: the workers of a dask scheduler, which reach the files of scan and maps."
)


class WorkPlaceChoice(QCollapsible):
    """What only few jobs need to change, out of the way until it is asked for."""

    def __init__(self) -> None:
        super().__init__("Where it is done")
        self.place = ComboBox(label="by", choices=_CHOICES, tooltip=_TIP)
        self.workers = SpinBox(
            label="workers",
            min=1,
            max=1024,
            value=os.cpu_count() or 1,
            tooltip="Processes on this machine; each holds a model and a block of patterns",
        )
        self.address = LineEdit(
            label="address", tooltip="Of the dask scheduler, such as tcp://node1:8786"
        )
        self.form = Form(self.place, self.workers, self.address)
        self.addWidget(self.form)
        self.place.changed.connect(self._show_rows)
        if find_spec("distributed") is None:
            self.place.enabled = False
            self.place.tooltip = (
                'Clusters need: python -m pip install "napari-kikuchi[cluster]", then start napari '
                "again"
            )
        self._show_rows()

    @property
    def chosen(self) -> WorkPlace:
        """What was chosen.

        Raises
        ------
        ValueError
            If there is no address of the cluster.
        """
        if self.place.value == _THREADS:
            return WorkPlace()
        if self.place.value == _LOCAL:
            return WorkPlace(_LOCAL, self.workers.value)
        address = self.address.value.strip()
        if not address:
            raise ValueError("Give the address of the dask scheduler, such as tcp://node1:8786.")
        return WorkPlace(address)

    def _show_rows(self) -> None:
        self.form.show_row(self.workers, self.place.value == _LOCAL)
        self.form.show_row(self.address, self.place.value == _SCHEDULER)
