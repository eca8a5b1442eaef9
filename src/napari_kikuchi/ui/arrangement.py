"""Where scans lie in the viewer: side by side, and back."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Points, Shapes
from numpy.typing import NDArray

from napari_kikuchi.explore.mosaics import side_by_side
from napari_kikuchi.figures.scale_bar import round_length
from napari_kikuchi.ui.link import ScanLink, same_scan, source_of, step_of
from napari_kikuchi.ui.pointer import MARKER
from napari_kikuchi.ui.scan_maps import ScanMaps
from napari_kikuchi.ui.session import Point

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_kikuchi.ui.session import Session

# Of the widest scan: what is made of that lies between a twentieth and an eighth of it.
_GAP = 0.4
# Part of a step below which two places are one: µm have no exact binary fractions.
_ALIKE = 1e-6

# Down and right, in µm; lowest and highest of such.
Shift = NDArray[np.float64]
Box = NDArray[np.float64]

_arrangements: weakref.WeakKeyDictionary[Session, Arrangement] = weakref.WeakKeyDictionary()


class Arrangement:
    """Moves scans with all that lies on them; get it with :func:`arrangement_of`.

    Parameters
    ----------
    session
        Of the viewer.
    """

    def __init__(self, session: Session) -> None:
        self._session = weakref.proxy(session)
        # How far each scan has been moved, and each layer that was there at the time.
        self._moved: dict[ScanLink, Shift] = {}
        self._layers: weakref.WeakKeyDictionary[Layer, Shift] = weakref.WeakKeyDictionary()
        session.viewer.layers.events.inserted.connect(self._on_inserted)
        session.viewer.layers.events.removed.connect(self._on_removed)

    @property
    def changed(self) -> bool:
        """Whether a scan lies elsewhere than it did."""
        return any(shift.any() for shift in self._moved.values())

    def lay(self, scans: Sequence[ScanMaps]) -> float:
        """Lay scans in a row from left to right; the first stays where it is.

        Returns
        -------
        float
            The gap between two of them, in µm.
        """
        maps = self._maps()
        found = (_among(maps, one.source) for one in scans)
        chosen = list(dict.fromkeys(source for source in found if source is not None))
        boxes = [_box(maps[source]) for source in chosen]
        steps = [step_of(maps[source]) for source in chosen]
        # A scan that is turned takes the room of the rectangle around it.
        shapes = [_shape(box, step) for box, step in zip(boxes, steps, strict=True)]
        widths = [cols * right for (_, cols), (_, right) in zip(shapes, steps, strict=True)]
        gap = round_length(_GAP * max(widths))
        places = side_by_side(shapes, steps, gap)
        self._move(
            {
                source: boxes[0][0] + place - box[0]
                for source, place, box in zip(chosen, places, boxes, strict=True)
            }
        )
        return gap

    def back(self) -> None:
        """Move each scan back to where it was."""
        for layer, shift in self._shifts():
            _shift(layer, -shift)
        self._moved.clear()
        self._layers.clear()
        self._tell()

    def _move(self, shifts: dict[ScanLink, Shift]) -> None:
        # Once a scan has moved, it is another on which a shape would lie.
        belonging = [self._scan_of(layer) for layer in self._session.viewer.layers]
        for (layer, before), scan in zip(self._shifts(), belonging, strict=True):
            shift = _of(shifts, scan)
            _shift(layer, shift)
            self._layers[layer] = before + shift
        self._moved |= {source: _of(self._moved, source) + by for source, by in shifts.items()}
        self._tell()

    def _shifts(self) -> list[tuple[Layer, Shift]]:
        """How far each layer lies from where it would be had its scan not been moved."""
        return [
            # What has come since lies where its scan does now.
            (layer, self._layers[layer] if layer in self._layers else self._shift_of_scan(layer))
            for layer in self._session.viewer.layers
        ]

    def _shift_of_scan(self, layer: Layer) -> Shift:
        return _of(self._moved, self._scan_of(layer))

    def _tell(self) -> None:
        subject = self._session.subject
        if self._session.held and isinstance(subject, Point):
            self._session.hold(subject)  # Its mark lies elsewhere now.
        self._session.viewer.reset_view()

    def _maps(self) -> dict[ScanLink, Image]:
        """A map of each scan: one that is visible, if there is one."""
        found: dict[ScanLink, Image] = {}
        for layer, link in self._session.links():
            if isinstance(layer, Image) and layer.ndim == 2:
                source = _among(found, link.source) or link.source
                if source not in found or (layer.visible and not found[source].visible):
                    found[source] = layer
        return found

    def _scan_of(self, layer: Layer) -> ScanLink | None:
        """The scan to which a layer belongs; None if it cannot be told."""
        source = source_of(layer)
        if source is not None:
            return source
        if not isinstance(layer, Labels | Points | Shapes) or layer.name == MARKER:
            return None
        below = {source: one for source, one in self._maps().items() if _lies_on(layer, one)}
        if len(below) > 1:
            below = {source: one for source, one in below.items() if one.visible}
        return next(iter(below)) if len(below) == 1 else None

    def _on_inserted(self, event: Any) -> None:
        """A layer that has come lies with the others of its scan."""
        source = source_of(event.value)
        if source is not None and not event.value.translate.any():
            _shift(event.value, _of(self._moved, source))

    def _on_removed(self, _: Any) -> None:
        left = [link.source for _, link in self._session.links()]
        self._moved = {one: by for one, by in self._moved.items() if _among(left, one) is not None}


def arrangement_of(session: Session) -> Arrangement:
    """The arrangement of a viewer, which outlives the widgets that change it."""
    if session not in _arrangements:
        _arrangements[session] = Arrangement(session)
    return _arrangements[session]


def _among(sources: Iterable[ScanLink], wanted: ScanLink) -> ScanLink | None:
    """The one that leads to the same scan, if there is one."""
    return next((source for source in sources if same_scan(source, wanted)), None)


def _of(shifts: Mapping[ScanLink, Shift], scan: ScanLink | None) -> Shift:
    """How far a scan is moved: not at all if nothing is said of it."""
    source = None if scan is None else _among(shifts, scan)
    return np.zeros(2) if source is None else shifts[source]


def _box(layer: Layer) -> Box:
    """Lowest and highest y and x of a layer, in µm: of a map, of the centres of its positions."""
    return np.asarray(layer.extent.world)[:, -2:]


def _shape(box: Box, step: tuple[float, float]) -> tuple[int, int]:
    """Rows and columns of a map that fills a box."""
    rows, cols = np.ceil(np.ptp(box, axis=0) / step - _ALIKE) + 1
    return int(rows), int(cols)


def _lies_on(layer: Layer, below: Image) -> bool:
    """Whether what is drawn touches a map, or labels cover it."""
    box, ground = _box(layer), _box(below)
    if isinstance(layer, Labels):
        return np.allclose(box, ground)
    # Not so, either, where nothing is drawn: the box of that is NaN.
    return bool((box[0] <= ground[1]).all() and (box[1] >= ground[0]).all())


def _shift(layer: Layer, shift: Shift) -> None:
    if not shift.any():
        return
    whole = np.zeros(layer.ndim)
    whole[-2:] = shift
    # What napari calls the affine transform comes after the translation.
    layer.translate = layer.translate + np.linalg.solve(layer.affine.linear_matrix, whole)
