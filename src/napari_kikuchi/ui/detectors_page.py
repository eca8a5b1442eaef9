"""Virtual detectors: drawn over the patterns, mapped in a child process, shown as layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from napari_kikuchi.io.origin import unreadable_told
from napari_kikuchi.orientation.detectors import DirectBeam
from napari_kikuchi.orientation.round_detectors import (
    BRIGHT_FIELD,
    DARK_FIELD,
    RoundDetector,
    default_detectors_path,
    usual_detectors,
    without_dark_field_told,
)
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.detector_drawing import DetectorDrawing
from napari_kikuchi.ui.detector_list import DetectorList
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.pattern_scale import pattern_scales_of
from napari_kikuchi.ui.requests import VirtualRequest
from napari_kikuchi.ui.resumable_panel import ResumablePanel
from napari_kikuchi.ui.show_maps import show_store
from napari_kikuchi.ui.tool_page import ToolPage

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.pattern_frame import Place
    from napari_kikuchi.ui.pattern_overlay import PatternOverlay
    from napari_kikuchi.ui.session import Session

_DARK = "A ring from outside the direct beam to the edge of the pattern"
_HINT = "Drag edges and middles on the pattern; double-click a name."


class DetectorsPage(ToolPage):
    """A list of detectors, buttons that add to it, and one that maps them all.

    Parameters
    ----------
    session
        Of the viewer that shows the maps.
    overlay
        Of the pattern viewer, on which the detectors are drawn while the page is seen.
    command
        Program that makes the maps, and its first arguments.

    Attributes
    ----------
    drawing
        What is drawn.
    """

    def __init__(
        self, session: Session, overlay: PatternOverlay, command: Sequence[str] = COMMAND
    ) -> None:
        super().__init__()
        self._session = session
        self._overlay = overlay
        self._scan: Scan | None = None
        # What runs or ran last.
        self._mapped: Scan | None = None
        self._of_scans: WeakKeyDictionary[Scan, list[RoundDetector]] = WeakKeyDictionary()
        self._scales = pattern_scales_of(session)
        self.drawing = DetectorDrawing()
        self.bright = QPushButton("bright field")
        self.bright.setToolTip("A disc around the direct beam")
        self.dark = QPushButton("dark field")
        # With the inner radius of what they draw, over the outer one.
        self.pencils = {QPushButton("draw disc"): 0.0, QPushButton("draw ring"): 0.5}
        for pencil in self.pencils:
            pencil.setCheckable(True)
            pencil.setToolTip("Press in the middle, on the pattern, and drag outwards")
            pencil.toggled.connect(self._on_pencil)
        self.remove = QPushButton("remove")
        self.remove.setToolTip("Remove the selected detector")
        self.list = DetectorList()
        self.panel = ResumablePanel(
            "Make maps",
            self._arguments,
            self._outputs,
            "the detectors are others now",
            "Sum each pattern over each detector, in a process of its own",
            _HINT,
            command,
        )
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for button in (self.bright, self.dark, *self.pencils, self.remove):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self.list)
        layout.addWidget(self.panel)
        for button in (self.bright, self.dark):
            button.clicked.connect(self._on_usual)
        self.remove.clicked.connect(self._on_remove)
        self.list.chosen.connect(self._on_chosen)
        self.list.renamed.connect(self._on_renamed)
        self.drawing.changed.connect(self._on_changed)
        self.drawing.drawn.connect(self._on_drawn)
        self.panel.done.connect(self._show)
        listen(self, [(self._scales.changed, self._on_scale)])

    @property
    def detectors(self) -> list[RoundDetector]:
        """Those of the scan."""
        return [] if self._scan is None else self._of_scans.get(self._scan, [])

    def set_scan(self, scan: Scan | None) -> None:
        """Map this scan."""
        if scan is self._scan:
            return
        self._scan = scan
        self._put_pencils_down()
        self._on_scale(scan)
        self.panel.offer_restart()

    def set_active(self, active: bool) -> None:
        """Draw the detectors, or no longer."""
        self._overlay.show_drawing(self.drawing, active)
        if active:
            self._overlay.take_keys()
        else:
            self._put_pencils_down()

    def request(self) -> VirtualRequest:
        """What is asked for.

        Raises
        ------
        ValueError
            If something is missing.
        """
        scale = None if self._scan is None else self._scales.of(self._scan)
        if self._scan is None or scale is None:
            raise ValueError("Open a 4D-STEM scan to map it.")
        if not self.detectors:
            raise ValueError("Add a detector first: bright field, dark field, or draw one.")
        placed = [replace(one, centre=one.centre or scale.centre) for one in self.detectors]
        restart = self.panel.restart.isChecked()
        return VirtualRequest(self._scan, placed, self._out(self._scan), restart)

    # ------------------------------------------------------------------ detectors

    def _on_scale(self, scan: Scan | None) -> None:
        """The direct beam is known now, or is elsewhere."""
        if scan is not self._scan:
            return
        scale = None if scan is None else self._scales.of(scan)
        self.drawing.scale = scale
        for button in (self.bright, self.dark, *self.pencils, self.panel.button):
            button.setEnabled(scale is not None)
        self._offer_dark_field()
        if scan is not None and scale is not None and scan not in self._of_scans:
            # The usual ones are there at once: one click maps them.
            self._of_scans[scan] = self._usual()
        self._fill(max(0, self.drawing.chosen))

    def _usual(self) -> list[RoundDetector]:
        assert self._scan is not None
        # They stay around the beam, wherever the calibration finds it.
        found = usual_detectors(self._scan.pattern_shape, self._beam())
        return [replace(one, centre=None) for one in found]

    def _beam(self) -> DirectBeam:
        scale = self.drawing.scale
        assert scale is not None
        return DirectBeam(scale.centre, scale.beam)

    def _offer_dark_field(self) -> None:
        """Say why where there is no room for one."""
        missing = ""
        if self._scan is not None and self.drawing.scale is not None:
            shape = self._scan.pattern_shape
            missing = without_dark_field_told(self._usual(), shape, self._beam())
            self.dark.setEnabled(not missing)
        self.dark.setToolTip(missing or _DARK)

    def _on_usual(self) -> None:
        wanted = BRIGHT_FIELD if self.sender() is self.bright else DARK_FIELD
        usual = next(one for one in self._usual() if one.name == wanted)
        same = [i for i, one in enumerate(self.detectors) if one.name == usual.name]
        if same:
            self._on_changed(same[0], usual)
        else:
            self.detectors.append(usual)
        self._fill(same[0] if same else len(self.detectors) - 1)

    def _on_pencil(self, taken: bool) -> None:
        if taken:
            self._put_pencils_down(but=self.sender())
        taken_up = (share for pencil, share in self.pencils.items() if pencil.isChecked())
        self.drawing.pencil = next(taken_up, None)

    def _put_pencils_down(self, but: QObject | None = None) -> None:
        for pencil in self.pencils:
            if pencil is not but:
                pencil.setChecked(False)

    def _on_drawn(self, drawn: tuple[Place, float, float]) -> None:
        centre, inner, outer = drawn
        assert self.drawing.scale is not None
        names = {one.name for one in self.detectors}
        numbers = range(1, len(names) + 2)
        name = next(name for i in numbers if (name := f"detector {i}") not in names)
        around_beam = centre == self.drawing.scale.centre
        new = RoundDetector(name, inner, outer, None if around_beam else centre)
        self.detectors.append(new)
        self._put_pencils_down()
        self._fill(len(self.detectors) - 1)

    def _on_changed(self, index: int, detector: RoundDetector) -> None:
        self.detectors[index] = detector
        self._fill(index)

    def _on_remove(self) -> None:
        chosen = self.list.currentRow()
        if 0 <= chosen < len(self.detectors):
            del self.detectors[chosen]
            self._fill(min(chosen, len(self.detectors) - 1))

    def _on_chosen(self, index: int) -> None:
        self.drawing.chosen = index
        self._overlay.update()

    def _on_renamed(self, index: int, name: str) -> None:
        others = {one.name for i, one in enumerate(self.detectors) if i != index}
        # A map is known by its name.
        if name and name not in others:
            self.detectors[index] = replace(self.detectors[index], name=name)
        self._fill(index)

    def _fill(self, chosen: int) -> None:
        """List the detectors of the scan, and draw them."""
        self.drawing.detectors = self.detectors
        self.drawing.chosen = chosen
        told = [self.drawing.told(index) for index in range(len(self.detectors))]
        self.list.show_detectors(self.detectors, told, chosen)
        self.remove.setEnabled(bool(self.detectors))
        self._overlay.update()

    # ------------------------------------------------------------------ maps

    def _arguments(self) -> list[str]:
        request = self.request()
        arguments = request.arguments()
        self._mapped = request.scan
        return arguments

    def _show(self, path: str) -> None:
        assert self._mapped is not None
        stack = show_store(self._session, Path(path), self._mapped)
        self.panel.add(unreadable_told(stack))

    def _outputs(self) -> list[Path]:
        return [] if self._scan is None or self._scan.path is None else [self._out(self._scan)]

    def _out(self, scan: Scan) -> Path:
        return default_detectors_path(scan.path or Path(scan.name), scan.options)
