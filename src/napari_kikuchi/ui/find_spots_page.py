"""Finding the spots of a scan: settings, what they find in the pattern shown, and the command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from magicgui.widgets import Container, FloatSpinBox
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from napari_kikuchi.io.origin import unreadable_told
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.orientation.find_spots import default_spots_path
from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.orientation.spot_preview import SpotPreview
from napari_kikuchi.ui.child import COMMAND
from napari_kikuchi.ui.forms import Form, Notice
from napari_kikuchi.ui.latest import Latest
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.resumable_panel import ResumablePanel
from napari_kikuchi.ui.spot_sources import spot_sources_of, spots_in_words
from napari_kikuchi.ui.spots_request import SpotsRequest
from napari_kikuchi.ui.tool_page import ToolPage

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.pattern_feed import Shown
    from napari_kikuchi.ui.session import Session

_TITLE = "Find spots"
_START = (
    "Find the spots of all patterns of the scan, in a process of its own;\n"
    "what was stopped goes on where it was"
)
# Of a choice that nobody has made; the radius depends on the scan.
_USUAL = Detection(1.0)
_WAIT = "Measuring the radius of the spots…"


class FindSpotsPage(ToolPage):
    """While it is seen, circles over the patterns are what its settings find there.

    Parameters
    ----------
    session
        Of the viewer.
    command
        Program that finds the spots, and its first arguments.
    """

    def __init__(self, session: Session, command: Sequence[str] = COMMAND) -> None:
        super().__init__()
        self._scan: Scan | None = None
        self._active = False
        # What runs or ran last: the page may be changed meanwhile.
        self._finding: SpotsRequest | None = None
        self._chosen: WeakKeyDictionary[Scan, Detection] = WeakKeyDictionary()
        self._sources = spot_sources_of(session)
        self._latest = Latest(session, self)
        self.radius = _number("spot radius", 500.0, 0.1, " pixels", "Of a spot, in pixels")
        self.radius.native.setSpecialValueText("unknown")
        self.least = _number(
            "weakest spot", 100.0, 0.1, " % of strongest", "Weaker spots of a pattern are left out"
        )
        self.least_noise = _number(
            "above noise",
            1000.0,
            0.5,
            " × noise",
            "So are those that are weaker than so many standard deviations of the noise around",
        )
        self.spacing = _number(
            "apart by",
            1000.0,
            0.5,
            " pixels apart",
            "Of two spots that are nearer to each other the weaker one is left out",
        )
        self.spacing.native.setSpecialValueText("a diameter apart")
        self.most = _number("most", 10_000.0, 1.0, " at most", "The strongest spots of a pattern")
        self.most.min = 1.0
        self.most.native.setDecimals(0)
        self.fields = (self.radius, self.least, self.least_noise, self.spacing, self.most)
        self.measure_button = QPushButton("measure the radius")
        self.measure_button.setToolTip(
            "As large as the direct beam or the brightest spot is, all over the scan"
        )
        self.notice = Notice()
        self.notice.tell("")
        self.panel = ResumablePanel(
            _TITLE,
            self._arguments,
            self._outputs,
            "the settings are others now",
            _START,
            command=command,
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(
            Form(
                self.radius,
                _pair("weakest", self.least, self.least_noise),
                _pair("spacing, number", self.spacing, self.most),
            )
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.measure_button)
        buttons.addStretch()
        layout.addLayout(buttons)
        layout.addWidget(self.notice)
        layout.addWidget(self.panel)
        for field in self.fields:
            field.changed.connect(self._on_changed)
        self.measure_button.clicked.connect(self._measure)
        self.panel.done.connect(self._show)
        listen(self, [(self._sources.changed, self._on_source)], self._latest.stop)
        self._fill(None)
        self.panel.offer_restart()

    def set_scan(self, scan: Scan | None) -> None:
        """Find the spots of this scan."""
        if scan is self._scan:
            return
        self._leave()
        self._scan = scan
        self._fill(None if scan is None else self._chosen.get(scan))
        self._on_source(scan)
        self.panel.offer_restart()
        if self._active:
            self._enter()

    def set_active(self, active: bool) -> None:
        """Show what would be found, or no longer."""
        self._active = active and self._scan is not None
        if self._active:
            self._enter()
        else:
            self._leave()

    def set_shown(self, shown: Shown) -> None:
        """Say how many spots there are in a pattern."""
        if self._active and self._detection() is not None and not self._latest.active:
            found = shown.spots.found
            self.notice.tell("" if found is None else _count(len(found)))

    def request(self) -> SpotsRequest:
        """What is asked for.

        Raises
        ------
        ValueError
            If something is missing.
        """
        if self._scan is None:
            raise ValueError("Open a 4D-STEM scan to find its spots.")
        detection = self._detection()
        if detection is None:
            raise ValueError("Give the radius of a spot, or measure it.")
        return SpotsRequest(self._scan, detection, _out(self._scan), self.panel.restart.isChecked())

    # ------------------------------------------------------------------ settings

    def _detection(self) -> Detection | None:
        """As the fields say; None while the radius is unknown."""
        if not self.radius.value:
            return None
        return Detection(
            round(self.radius.value, 2),
            least=round(self.least.value / 100, 6),
            least_noise=self.least_noise.value,
            spacing=self.spacing.value or None,
            most=round(self.most.value),
        )

    def _fill(self, detection: Detection | None) -> None:
        shown = detection or _USUAL
        values = (
            0.0 if detection is None else shown.radius,
            100 * shown.least,
            shown.least_noise,
            shown.spacing or 0.0,
            shown.most,
        )
        for field, value in zip(self.fields, values, strict=True):
            with field.changed.blocked():
                field.value = value

    def _on_changed(self) -> None:
        # What is being measured would take the place of what was typed.
        self._latest.stop()
        detection = self._detection()
        if self._scan is not None and detection is not None:
            self._chosen[self._scan] = detection
        self._preview()

    def _on_source(self, scan: Scan | None) -> None:
        """Begin with the settings by which the spots that are there were found."""
        if scan is None or scan is not self._scan:
            return
        found = self._sources.found(scan)
        if isinstance(found, ScanSpots) and scan not in self._chosen:
            self._latest.stop()
            self._chosen[scan] = found.detection
            self._fill(found.detection)
            self._preview()

    def _measure(self) -> None:
        scan = self._scan
        if scan is None:
            return

        def take(radius: float) -> None:
            self.notice.tell("")
            self.radius.value = radius

        self.notice.tell(_WAIT)
        self._latest.start(_radius(scan), take, failed=lambda error: self.notice.tell(str(error)))

    # ------------------------------------------------------------------ what is seen

    def _enter(self) -> None:
        if self._detection() is None:
            self._measure()
        self._preview()
        self.panel.offer_restart()

    def _leave(self) -> None:
        self._latest.stop()
        self.notice.tell("")
        if self._scan is not None:
            self._sources.set_preview(self._scan, None)

    def _preview(self) -> None:
        if self._scan is not None and self._active:
            detection = self._detection()
            preview = None if detection is None else SpotPreview(self._scan, detection)
            self._sources.set_preview(self._scan, preview)

    # ------------------------------------------------------------------ the whole scan

    def _arguments(self) -> list[str]:
        request = self.request()
        arguments = request.arguments()
        self._finding = request
        return arguments

    def _show(self, path: str) -> None:
        assert self._finding is not None
        self._sources.open(self._finding.scan, Path(path), self._tell)

    def _tell(self, spots: ScanSpots) -> None:
        told = f"Wrote {spots_in_words(spots)}. The dock Orientations takes them."
        self.panel.add(" ".join(filter(None, (told, unreadable_told(spots.provenance)))))

    def _outputs(self) -> list[Path]:
        return [] if self._scan is None or self._scan.path is None else [_out(self._scan)]


def _count(spots: int) -> str:
    return f"{spots} {'spot' if spots == 1 else 'spots'} in the pattern shown."


def _out(scan: Scan) -> Path:
    return default_spots_path(scan.path or Path(scan.name), scan.options)


def _radius(scan: Scan) -> Job[float]:
    from napari_kikuchi.orientation.spot_radius import guess_radius

    yield Progress(0, 0, _WAIT)
    return guess_radius(scan)


def _number(name: str, most: float, step: float, suffix: str, tooltip: str) -> FloatSpinBox:
    field = FloatSpinBox(label=name, min=0.0, max=most, step=step, tooltip=tooltip)
    field.native.setDecimals(2)
    field.native.setSuffix(suffix)
    return field


def _pair(label: str, *fields: FloatSpinBox) -> Container:
    pair = Container(
        widgets=fields,
        layout="horizontal",
        labels=False,
        label=label,
        tooltip="\n".join(str(field.tooltip) for field in fields),
    )
    pair.margins = (0, 0, 0, 0)
    for field in fields:
        # Two in a row have no room for arrows; the keys still step.
        field.native.setButtonSymbols(field.native.ButtonSymbols.NoButtons)
        field.native.setStyleSheet("min-width: 60px")
    return pair
