"""Where the screen stood: as files tell it, or as it is typed."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
from magicgui.widgets import ComboBox, Container, FloatSpinBox
from magicgui.widgets.bases import Widget
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_kikuchi.geometry import Convention, Geometry
from napari_kikuchi.io.known_geometry import KnownGeometry, assumed_geometry, known_geometry
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.forms import Form, Notice

_CONVENTIONS: dict[str, Convention] = {"Bruker": "bruker", "EDAX": "edax", "Oxford": "oxford"}
_DECIMALS = 4
_UNKNOWN = (
    "The projection centre of this scan is not known. Type it in: the one below is that of "
    "kikuchipy's nickel scan."
)
_CENTRE = {
    "x": "From the left, in fractions of the pattern's width",
    "y": "In fractions of the pattern's height; from the top or the bottom: see convention",
    "z": "Distance from sample to screen, in fractions of the pattern's height; EDAX and Oxford "
    "write it their own way",
}


class GeometryOptions(QWidget):
    """Projection centre and tilts, kept for each scan.

    Parameters
    ----------
    *further
        What else is to be known, below them in the same columns.
    unknown
        What to say where nothing tells the projection centre and nobody has typed it.
    """

    def __init__(self, *further: Widget, unknown: str = _UNKNOWN) -> None:
        super().__init__()
        self._unknown = unknown
        # What was found, and in which words.
        self._found: WeakKeyDictionary[Scan, tuple[Geometry, str]] = WeakKeyDictionary()
        self._scan: Scan | None = None
        self._known: KnownGeometry | None = None
        self._geometries: WeakKeyDictionary[Scan, Geometry] = WeakKeyDictionary()
        self.centre = [_share(axis, tooltip) for axis, tooltip in _CENTRE.items()]
        centre = Container(
            widgets=self.centre,
            layout="horizontal",
            labels=False,
            label="PC x, y, z",
            tooltip="Projection centre: the point of the screen nearest to the sample, and how far "
            "it is",
        )
        centre.margins = (0, 0, 0, 0)
        self.convention = ComboBox(
            label="convention",
            choices=list(_CONVENTIONS.items()),
            tooltip="Of the projection centre.\nBruker: y from the top. EDAX, Oxford: y from the "
            "bottom, as their programs write it.",
        )
        self.tilt = angle_field("sample tilt", "Of the sample from the horizontal, in degrees")
        self.detector_tilt = angle_field(
            "screen tilt", "Of the screen from the vertical, in degrees"
        )
        self.notice = Notice()
        self.form = Form(centre, self.convention, self.tilt, self.detector_tilt, *further)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.notice)
        layout.addWidget(self.form)
        for widget in (*self.centre, self.convention, self.tilt, self.detector_tilt):
            widget.changed.connect(self._tell)
        self._fill(assumed_geometry())

    def set_scan(self, scan: Scan | None) -> None:
        """Show the geometry of this scan: as it was typed, else as files tell it."""
        if self._scan is not None:
            self._geometries[self._scan] = self.chosen()
        self._scan = scan
        self._known = None if scan is None else known_geometry(scan)
        if scan is not None:
            told = assumed_geometry() if self._known is None else self._known.geometry
            self._fill(self._geometries.get(scan, told))
        else:
            self._tell()

    def chosen(self) -> Geometry:
        """What is shown."""
        x, y, z = (widget.value for widget in self.centre)
        return Geometry((x, y, z), self.convention.value, self.tilt.value, self.detector_tilt.value)

    @property
    def is_known(self) -> bool:
        """Whether the projection centre was told, found or typed, and is not merely assumed."""
        found = self._scan is not None and self._scan in self._found
        if self._known is not None or found:
            return True
        shown = self.chosen()
        # Whoever has chosen tilts has not told the centre.
        assumed = replace(
            assumed_geometry(), sample_tilt=shown.sample_tilt, detector_tilt=shown.detector_tilt
        )
        return not _alike(shown, assumed)

    def show_found(self, scan: Scan, geometry: Geometry, words: str) -> None:
        """Show the geometry that was found of a scan, and say how as long as it is not changed."""
        self._found[scan] = geometry, words
        self._geometries[scan] = geometry
        if scan is self._scan:
            self._fill(geometry)

    def _fill(self, geometry: Geometry) -> None:
        for widget, value in zip(self.centre, geometry.pc, strict=True):
            widget.value = value
        self.convention.value = geometry.convention
        self.tilt.value = geometry.sample_tilt
        self.detector_tilt.value = geometry.detector_tilt
        self._tell()

    def _tell(self) -> None:
        """Say where the numbers come from, unless the user has typed them."""
        shown, text = self.chosen(), ""
        found = None if self._scan is None else self._found.get(self._scan)
        if found is not None and _alike(shown, found[0]):
            text = found[1]
        elif self._known is not None and _alike(shown, self._known.geometry):
            text = f"The geometry is that of {self._known.told_by.name}."
        elif self._scan is not None and not self.is_known:
            text = self._unknown
        self.notice.tell(text)


def angle_field(label: str, tooltip: str) -> FloatSpinBox:
    """A field for an angle in degrees."""
    field = FloatSpinBox(label=label, min=-90.0, max=90.0, step=1.0, tooltip=tooltip)
    field.native.setDecimals(1)
    field.native.setSuffix("°")
    return field


def _share(axis: str, tooltip: str) -> FloatSpinBox:
    """A field of the projection centre."""
    field = FloatSpinBox(name=axis, min=-9.0, max=9.0, tooltip=tooltip)
    field.native.setDecimals(_DECIMALS)
    field.step = 0.01
    if axis == "z":
        field.min = 10.0**-_DECIMALS
    # Three in a row have no room for arrows; the keys still step.
    field.native.setButtonSymbols(field.native.ButtonSymbols.NoButtons)
    # napari's own least width of a spin box leaves no room for them in a dock.
    field.native.setStyleSheet("min-width: 40px")
    return field


def _alike(one: Geometry, other: Geometry) -> bool:
    """Whether two geometries are the same but for the digits that the fields do not show."""
    return one.convention == other.convention and np.allclose(
        _numbers(one), _numbers(other), rtol=0, atol=10.0**-_DECIMALS
    )


def _numbers(geometry: Geometry) -> list[float]:
    return [*geometry.pc, geometry.sample_tilt, geometry.detector_tilt]
