"""The pattern viewer: the pattern behind the point of the map that is meant."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_kikuchi.explore.features import feature_number
from napari_kikuchi.io.places import model_name
from napari_kikuchi.ui.docking import share_height
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.link import LayerLink, ScanLink, link_of
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.orientation_readout import OrientationReadout
from napari_kikuchi.ui.pattern_controls import PatternControls
from napari_kikuchi.ui.pattern_feed import PatternFeed, Request
from napari_kikuchi.ui.pattern_panes import PatternPanes
from napari_kikuchi.ui.pattern_views import MODEL_VIEWS, Limits, View
from napari_kikuchi.ui.pointer import Pointer, bind_steps
from napari_kikuchi.ui.preparation import Model, Preparation
from napari_kikuchi.ui.region_mean import RegionAverager
from napari_kikuchi.ui.session import Point, RegionMean, Session, session_of
from napari_kikuchi.ui.spot_tools import SpotTools
from napari_kikuchi.ui.symmetries import symmetries_of
from napari_kikuchi.ui.symmetry_readout import SymmetryReadout

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QHideEvent, QShowEvent

    from napari_kikuchi.scan import Scan

_WIDTH = 380
_INVITATION = "Move the cursor over a map"
# As many latent values as fit a line or two.
_VALUES = 4


class PatternViewer(QWidget):
    """Dock widget that shows the pattern under the cursor, or one that is held.

    Parameters
    ----------
    napari_viewer
        Over whose maps the cursor is followed.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.session: Session = session_of(napari_viewer)
        self.panes = PatternPanes()
        self.controls = PatternControls()
        self.tools = SpotTools(self.session, self.panes, self.controls)
        self._symmetries = symmetries_of(self.session)
        self._feed = PatternFeed()
        self._pointer = Pointer(self.session)
        self._limits: dict[View, Limits] = {}
        self._suited: Scan | None = None
        self._unavailable: ScanLink | None = None
        # Why patterns cannot be prepared, and why the last one could not be shown.
        self._unprepared = self._unreadable = ""
        self._build()
        self._connect()
        self._on_encoder()
        self._on_links()
        share_height(self)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Follow the cursor."""
        super().showEvent(event)
        self._pointer.open()
        self._request()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Let the cursor go: napari hides and forgets a dock that is closed."""
        super().hideEvent(event)
        self._pointer.close()

    # ------------------------------------------------------------------ appearance

    def _build(self) -> None:
        self.setMinimumWidth(_WIDTH)
        self.scan_label = QElidingLabel()
        self.scan_label.setToolTip("The scan whose pattern is shown, and the size of its patterns")
        self.position = QElidingLabel(_INVITATION)
        self.position.setToolTip(
            "Position of the pattern shown, counted from 0, and how far it lies from the first one"
        )
        self.orientation = OrientationReadout(self.session)
        self.symmetry = SymmetryReadout(self.session)
        self.values = QElidingLabel()
        self.values.hide()
        self.values.setToolTip("Values of the first maps at this position")
        for label in (self.scan_label, self.position, self.values):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.hold_button = QPushButton("hold")
        self.hold_button.setCheckable(True)
        self.hold_button.setToolTip(
            "Keep this pattern while the cursor moves on.\n"
            "A click on the map holds and releases, too; arrow keys step, with Shift by ten."
        )
        self._averager = RegionAverager(self.session)
        self.region_button = self._averager.button
        self.notice = Notice()
        self.locate_button = QPushButton("Locate…")
        self.locate_button.setToolTip("Say where the scan is now")

        where = QHBoxLayout()
        where.addWidget(self.position, 1)
        where.addWidget(self.region_button)
        where.addWidget(self.hold_button)
        notice = QHBoxLayout()
        notice.addWidget(self.notice, 1)
        notice.addWidget(self.locate_button, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(6)
        layout.addWidget(self.scan_label)
        layout.addWidget(self.panes, 1)
        layout.addWidget(self._averager.bar)
        layout.addWidget(self.tools.readout)
        layout.addLayout(where)
        layout.addWidget(self.symmetry)
        layout.addWidget(self.orientation)
        layout.addWidget(self.values)
        layout.addLayout(notice)
        layout.addWidget(self.tools)
        layout.addWidget(self.controls)
        self.notice.tell("")
        self._tell()

    def _connect(self) -> None:
        session, viewer = self.session, self.session.viewer
        self._feed.ready.connect(self._draw)
        self.controls.changed.connect(self._request)
        self.tools.spots.wanted.connect(self._request)
        self.controls.colormap_changed.connect(self.panes.set_colormap)
        self.controls.gamma_changed.connect(self.panes.set_gamma)
        self.controls.rescale.connect(self._rescale)
        self.controls.model_button.clicked.connect(self._ask_for_model)
        self.hold_button.clicked.connect(self._on_hold_clicked)
        self.locate_button.clicked.connect(self._ask_for_scan)
        bind_steps(self.panes.model, session)
        handlers = [
            (session.subject_changed, self._request),
            (session.held_changed, self._on_held),
            (session.recipe_changed, self._on_prepared),
            (session.prepared, self._on_prepared),
            (session.encoder_changed, self._on_encoder),
            (session.link_changed, self._on_links),
            (self._symmetries.changed, self._on_prepared),
            (viewer.layers.events.inserted, self._on_links),
            (viewer.layers.events.inserted, self._show_values),
            (viewer.layers.events.removed, self._on_links),
            (viewer.layers.events.removed, self._show_values),
            # A browsed layer is renamed whenever it shows another map.
            (viewer.layers.events.renamed, self._show_values),
            (viewer.layers.selection.events.active, self._on_links),
        ]
        listen(self, handlers, self._feed.close, self._pointer.close)

    def _tell(self) -> None:
        """Say all that is wrong now, and nothing that was."""
        missing = "" if self._unavailable is None else self._unavailable.problem
        problems = (missing, self._unprepared, self._unreadable)
        text = "\n".join(dict.fromkeys(filter(None, problems)))
        if text != self.notice.text():  # this is asked at every move of the cursor
            self.notice.tell(text)
        self.locate_button.setVisible(self._unavailable is not None)

    # ------------------------------------------------------------------ patterns

    def _request(self, *_: Any) -> None:
        subject = self.session.subject
        if not self.isVisible():
            return
        self._unprepared = ""
        self._suit(None if subject is None else subject.scan)
        if subject is None:
            self._unreadable = ""
            self._show_nothing()
            self._tell()
            return
        known = self._symmetries.of(subject.scan)
        matches = None if known is None else known.matches
        self.controls.offer_simulated(matches is not None)
        views = self.controls.views
        preparation: Preparation | None = None
        model: Model | None = None
        if {View.CORRECTED, View.PREPROCESSED}.intersection(views):
            preparation = self._prepared(subject.scan)
        if MODEL_VIEWS.intersection(views):
            self.session.need_encoder()
        if MODEL_VIEWS.intersection(views) and self.session.encoder is not None:
            fitted = self._prepared(subject.scan, model=True)
            model = None if fitted is None else Model(self.session.encoder, fitted.preprocessor)
        self._tell()
        always = self.controls.autoscale_always.isChecked()
        found, simulated = self.tools.spots.sources
        self._feed.request(
            Request(
                subject,
                views,
                preparation,
                model,
                limits=None if always else self._limits,
                tone=self.controls.tone,
                shift=self.controls.traversal.shift,
                found=found,
                simulated=simulated,
                matches=matches,
            )
        )

    def _suit(self, scan: Scan | None) -> None:
        """Be a viewer for patterns of this scan's technique."""
        if scan is self._suited:
            return
        self._suited = scan
        self.tools.set_scan(scan)
        if scan is not None:
            self._limits = {}
            self.controls.suit(scan.technique)

    def _show_nothing(self) -> None:
        self.panes.show_images({}, (1, 1))
        self.scan_label.clear()
        self.position.setText(_INVITATION)
        self.values.hide()

    def _prepared(self, scan: Scan, model: bool = False) -> Preparation | None:
        encoder = self.session.encoder
        recipe = encoder.recipe if model and encoder is not None else None
        found = self.session.preparation(scan, recipe)
        if isinstance(found, Exception):
            self._unprepared = str(found)
            return None
        return found

    def _draw(self) -> None:
        shown = self._feed.take()
        if self.session.subject is None:
            return
        if isinstance(shown, Exception):
            self._unreadable = f"This pattern cannot be shown: {shown}"
            self._tell()
        elif shown is not None:
            if self._unreadable != shown.problem:
                self._unreadable = shown.problem
                self._tell()
            self._limits = dict(shown.limits)
            subject = shown.request.subject
            self.panes.show_images(shown.images, subject.scan.pattern_shape, shown.words)
            self.tools.set_shown(shown)
            self.symmetry.set_match(shown.match)
            self.scan_label.setText(_description(subject.scan))
            self.position.setText(_place(subject))
            self._show_values()

    def _show_values(self, *_: Any) -> None:
        subject = self.session.subject
        values = "" if subject is None else self._map_values(subject)
        self.values.setText(values)
        self.values.setVisible(bool(values))

    def _map_values(self, subject: Point | RegionMean) -> str:
        if not isinstance(subject, Point):
            return ""
        links = [
            (layer, link)
            for layer, link in self.session.links()
            if link.stack is not None and not self.symmetry.tells(link)
        ]
        links.sort(key=lambda found: found[0] is not subject.layer)
        texts = (
            f"{layer.name} {float(layer.data[subject.row, subject.col]):.3g}"
            for layer, link in links
            if link.source.scan is subject.scan and layer.data.shape == subject.scan.map_shape
        )
        return "  ·  ".join(islice(texts, _VALUES))

    def _rescale(self) -> None:
        self._limits = {}
        self._request()

    def _on_prepared(self, scan: Scan) -> None:
        if self.session.subject is not None and self.session.subject.scan is scan:
            self._request()

    def _on_encoder(self, *_: Any) -> None:
        path = self.session.encoder_path
        encoder = self.session.encoder
        kind = "" if encoder is None else encoder.kind
        latent = None if encoder is None else encoder.latent
        name = kind if path is None else model_name(path)
        self.controls.set_model(name, latent, self.session.encoder_missing)
        self._limits = {}
        self._request()

    def _ask_for_model(self) -> None:
        dialog = QFileDialog(self, "Choose a model", "", "Models (*.safetensors)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.session.load_encoder(Path(path)))
        dialog.open()

    # ------------------------------------------------------------------ holding

    def _on_hold_clicked(self, hold: bool) -> None:
        if hold and self.session.subject is not None:
            self.session.hold(self.session.subject)
        else:
            self.session.release()
            self.hold_button.setChecked(False)

    def _on_held(self, held: bool) -> None:
        self.hold_button.setChecked(held)

    # ------------------------------------------------------------------ scans that have moved

    def _on_links(self, *_: Any) -> None:
        link = self._current_link()
        self._unavailable = None
        if link is not None and link.source.scan is None and link.source.problem:
            self._unavailable = link.source
        self._tell()
        if link is not None and link.stack is not None and link.channel is not None:
            # Maps that were saved may be some of the features, and others among them.
            number = feature_number(link.stack.names[link.channel])
            feature = self.controls.traversal.feature
            if number is not None and number <= feature.maximum():
                feature.setValue(number)

    def _current_link(self) -> LayerLink | None:
        active = self.session.viewer.layers.selection.active
        link = None if active is None else link_of(active)
        return link or next((link for _, link in self.session.links()), None)

    def _ask_for_scan(self) -> None:
        from napari_kikuchi.io import EXTENSIONS

        if self._unavailable is None:
            return
        patterns = " ".join(f"*{extension}" for extension in EXTENSIONS)
        dialog = QFileDialog(
            self, f"Where is {self._unavailable.name}?", "", f"Patterns ({patterns})"
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        source = self._unavailable
        dialog.fileSelected.connect(lambda path: self.session.open_link(source, Path(path)))
        dialog.open()


def _description(scan: Scan) -> str:
    height, width = scan.pattern_shape
    return f"{scan.name}  ·  {height} × {width} pixels"


def _place(subject: Point | RegionMean) -> str:
    if isinstance(subject, RegionMean):
        return f"mean of {subject.count} patterns"
    step_y, step_x = subject.scan.step
    y, x = subject.row * step_y, subject.col * step_x
    where = "no pattern here" if not subject.recorded else f"{y:.4g}, {x:.4g} µm"
    return f"row {subject.row}, column {subject.col}  ·  {where}"
