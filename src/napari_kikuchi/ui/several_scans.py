"""Several scans: the same map of each, shown alike, side by side, or as one mosaic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_kikuchi.explore.several_scans import IncomparableError, comparable
from napari_kikuchi.maps import Mark
from napari_kikuchi.ui.alike import Alike, ReadMaps, read_alike
from napari_kikuchi.ui.arrangement import arrangement_of
from napari_kikuchi.ui.docking import share_height
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.job_row import JobRow
from napari_kikuchi.ui.link import same_scan
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.marks import marks_of
from napari_kikuchi.ui.mosaic_layer import PlaceError, mosaic_layer
from napari_kikuchi.ui.narrow_choice import may_be_narrow
from napari_kikuchi.ui.scan_maps import OneMap, ScanMaps, one_map, scan_maps
from napari_kikuchi.ui.scan_table import ScanTable
from napari_kikuchi.ui.session import session_of

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QShowEvent

    from napari_kikuchi.ui.layers import LayerData

_WIDTH = 380
_INVITATION = (
    "Encode two scans or more with one model, or open their maps, to see a feature of all of them."
)
_SIDE = "Side by side"
_TOO_FEW = "Tick two scans or more."
_ONE_SCAN = "These are maps of one scan: tick another scan."
_NOT_MOVED = "No scan has been moved"
_BUSY = "Wait until this is done, or cancel it"
_MAP_TIP = "Maps that mean the same in all ticked scans: starred ones first, then the best"
_SHOW_TIP = (
    "Show this map of all ticked scans between the same limits in the same colours, and hide their "
    "other maps"
)
_KEEP_TIP = "A change of contrast or colours of one of these maps changes the others, too"
_SIDE_TIP = "Lay the ticked scans in a row, with all that lies on them; the first stays where it is"
_BACK_TIP = "Put all scans back where they were"
_MOSAIC_TIP = (
    "Make one layer of this map of all ticked scans, at the places where they lie now, on the "
    "finest step"
)


class SeveralScans(QWidget):
    """Dock widget that shows the same map of several scans.

    Parameters
    ----------
    napari_viewer
        Whose layers are maps of the scans.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.session = session_of(napari_viewer)
        self.alike = Alike(self.session)
        self.arrangement = arrangement_of(self.session)
        # Why there is no map to show, and what was told last.
        self._problem = self._told = ""
        self._build()
        events = self.session.viewer.layers.events
        handlers = [
            (_AfterOthers(events.inserted), self._collect),
            (_AfterOthers(events.removed), self._collect),
            (self.session.link_changed, self._on_link),
        ]
        listen(self, handlers, self.alike.close)
        self._collect()
        share_height(self)

    def _build(self) -> None:
        self.scans = ScanTable()
        self.scans.changed.connect(self._on_ticked)
        self.map_choice = _MapChoice()
        self.map_choice.asked.connect(self._list_maps)
        self.show_button = QPushButton("Show alike")
        self.show_button.clicked.connect(self._show_alike)
        self.keep_box = QCheckBox("keep alike")
        self.keep_box.toggled.connect(self.alike.keep)
        self.side_button = QPushButton(_SIDE)
        self.side_button.clicked.connect(self._lay)
        self.back_button = QPushButton("Back")
        self.back_button.clicked.connect(self._back)
        self.mosaic_button = QPushButton("Mosaic")
        self.mosaic_button.clicked.connect(self._make_mosaic)
        self.work = JobRow(self.session, self._enable)
        self.notice = Notice()
        choice = QHBoxLayout()
        choice.addWidget(QLabel("map"))
        choice.addWidget(self.map_choice, 1)
        buttons = QGridLayout()
        for row, pair in enumerate(
            (
                (self.show_button, self.keep_box),
                (self.side_button, self.back_button),
                (self.mosaic_button,),
            )
        ):
            for column, widget in enumerate(pair):
                buttons.addWidget(widget, row, column)
        for column in range(2):
            buttons.setColumnStretch(column, 1)
        self.setMinimumWidth(_WIDTH)
        layout = QVBoxLayout(self)
        layout.addWidget(self.scans)
        layout.addLayout(choice)
        layout.addLayout(buttons)
        layout.addWidget(self.work)
        layout.addWidget(self.notice)
        layout.addStretch()

    def showEvent(self, event: QShowEvent | None) -> None:
        """See what has been starred meanwhile."""
        super().showEvent(event)
        self._list_maps()

    # ------------------------------------------------------------------ what can be chosen

    def _collect(self, *_: Any) -> None:
        found = scan_maps(self.session)
        if [one.stack for one in found] != [one.stack for one in self.scans.listed]:
            self.scans.list_scans(found)
        else:
            self._enable()

    def _on_link(self, *_: Any) -> None:
        """A scan has been opened: it may have another name than its maps know."""
        self.scans.list_scans(scan_maps(self.session))

    def _on_ticked(self) -> None:
        self._told = ""
        self._list_maps()

    def _list_maps(self) -> None:
        """Offer the maps that mean the same in all ticked scans, or say why there is none."""
        chosen = self.map_choice.currentData() or self._seen()
        ticked = self.scans.ticked
        names: list[str] = []
        self._problem = ""
        if len(ticked) < 2:
            self._problem = _TOO_FEW if len(self.scans.listed) > 1 else _INVITATION
        else:
            try:
                names = comparable([one.stack for one in ticked])
            except IncomparableError as error:
                self._problem = str(error)
        self.map_choice.blockSignals(True)
        self.map_choice.clear()
        for name in sorted(names, key=partial(_rank, ticked)):
            starred = Mark.STARRED in _marks(ticked, name)
            self.map_choice.addItem(f"★ {name}" if starred else name, name)
        self.map_choice.setCurrentIndex(max(self.map_choice.findData(chosen), 0))
        self.map_choice.blockSignals(False)
        self._enable()

    def _seen(self) -> str | None:
        """The map of the first ticked scan that is visible."""
        for layer, link in self.session.links():
            for one in self.scans.ticked[:1]:
                if layer.visible and link.stack is one.stack and link.channel is not None:
                    return one.stack.names[link.channel]
        return None

    def _enable(self) -> None:
        """Offer what can be done, and say of the rest why it cannot."""
        incomparable = self._problem and "There is no map to show: see below"
        sources = [one.source for one in self.scans.ticked]
        several = any(not same_scan(sources[0], other) for other in sources[1:])
        one_scan = _ONE_SCAN if len(sources) > 1 else _TOO_FEW
        busy = _BUSY if self.work.active else ""
        for widget, tip, why_not in (
            (self.map_choice, _MAP_TIP, incomparable),
            (self.show_button, _SHOW_TIP, incomparable or busy),
            (self.keep_box, _KEEP_TIP, incomparable),
            (self.mosaic_button, _MOSAIC_TIP, incomparable or busy),
            (self.side_button, _SIDE_TIP, "" if several else one_scan),
            (self.back_button, _BACK_TIP, "" if self.arrangement.changed else _NOT_MOVED),
        ):
            widget.setEnabled(not why_not)
            widget.setToolTip(why_not or tip)
        self.notice.tell(self._problem or self._told)

    def _tell(self, text: str) -> None:
        self._told = text
        self._enable()

    # ------------------------------------------------------------------ what is done

    def _maps(self) -> list[OneMap]:
        name = self.map_choice.currentData()
        return [one_map(self.session, one, name) for one in self.scans.ticked]

    def _show_alike(self) -> None:
        self._tell("")
        self.work.start(read_alike(self._maps()), self._on_read)
        self._enable()

    def _on_read(self, found: ReadMaps) -> None:
        self.alike.show(found)
        low, high = found.limits
        told = f"Shown from {low:.3g} to {high:.3g}."
        apart = self.arrangement.changed or not self.side_button.isEnabled()
        self._tell(told if apart else f"{told} They lie on each other: {_SIDE} shows both.")

    def _lay(self) -> None:
        gap = self.arrangement.lay(self.scans.ticked)
        self._tell(f"Side by side, about {gap:g} µm apart.")

    def _back(self) -> None:
        self.arrangement.back()
        self._tell("")

    def _make_mosaic(self) -> None:
        self._tell("")
        try:
            job = mosaic_layer(self._maps())
        except PlaceError as error:
            self._tell(str(error))
            return
        self.work.start(job, self._on_mosaic)
        self._enable()

    def _on_mosaic(self, made: LayerData) -> None:
        values, attributes, _ = made
        layer = self.session.viewer.add_image(values, **attributes)
        rows, cols = values.shape
        self._tell(
            f"{layer.name}: {rows} × {cols} positions. File > Save Selected Layers keeps it."
        )


class _AfterOthers:
    """An event of which those who listen already are told first."""

    def __init__(self, event: Any) -> None:
        self._event = event
        self.disconnect = event.disconnect

    def connect(self, handler: Callable[..., Any]) -> None:
        """Call a handler after all others."""
        self._event.connect(handler, position="last")


class _MapChoice(QComboBox):
    """A choice that is brought up to date when it is opened: marks change unheard."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        may_be_narrow(self)

    def showPopup(self) -> None:
        """Open the list."""
        self.asked.emit()
        super().showPopup()


def _marks(ticked: Sequence[ScanMaps], name: str) -> set[Mark]:
    """What is thought of a map in any of the scans."""
    return {marks_of(one.stack).of(one.stack.names.index(name)) for one in ticked}


def _rank(ticked: Sequence[ScanMaps], name: str) -> tuple[int, int]:
    """Starred maps come first, hidden ones last; else as they rank in the first scan."""
    marks, first = _marks(ticked, name), ticked[0].stack
    group = 0 if Mark.STARRED in marks else 2 if Mark.HIDDEN in marks else 1
    return group, first.ranking().index(first.names.index(name))
