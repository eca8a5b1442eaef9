"""Where scans lie in the viewer: side by side, and back."""

from __future__ import annotations

import weakref
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Points, Shapes

from napari_kikuchi.explore.mosaics import side_by_side
from napari_kikuchi.figures.scale_bar import round_length
from napari_kikuchi.ui.link import source_of, step_of
from napari_kikuchi.ui.pointer import MARKER
from napari_kikuchi.ui.scan_maps import ScanMaps, scan_key
from napari_kikuchi.ui.session import Point

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

    from napari_kikuchi.ui.session import Session

# Of the widest scan: what is made of that lies between a twentieth and an eighth of it.
_GAP = 0.4

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
        # By scan: how far it has been moved, in µm down and right.
        self._moved: dict[Hashable, NDArray[np.float64]] = {}
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
        chosen = {key: maps[key] for key in map(_key, scans)}
        boxes = [_box(layer) for layer in chosen.values()]
        steps = [step_of(layer) for layer in chosen.values()]
        # A scan that is turned takes the room of the rectangle around it.
        shapes = [
            (int(rows), int(cols))
            for rows, cols in (
                np.ceil(np.ptp(box, axis=0) / step - 1e-6) + 1
                for box, step in zip(boxes, steps, strict=True)
            )
        ]
        gap = round_length(_GAP * max(np.ptp(box[:, 1]) for box in boxes))
        places = side_by_side(shapes, steps, gap)
        self._move(
            {
                key: boxes[0][0] + place - box[0]
                for key, place, box in zip(chosen, places, boxes, strict=True)
            }
        )
        return gap

    def back(self) -> None:
        """Move each scan back to where it was."""
        self._move({key: -shift for key, shift in self._moved.items()})
        self._moved.clear()

    def _move(self, shifts: dict[Hashable, NDArray[np.float64]]) -> None:
        # Once a scan has moved, it is another on which a shape would lie.
        belonging = [(layer, self._scan_of(layer)) for layer in self._session.viewer.layers]
        for layer, key in belonging:
            if key in shifts:
                _shift(layer, shifts[key])
        for key, shift in shifts.items():
            self._moved[key] = self._moved.get(key, np.zeros(2)) + shift
        subject = self._session.subject
        if self._session.held and isinstance(subject, Point):
            self._session.hold(subject)  # Its mark lies elsewhere now.
        self._session.viewer.reset_view()

    def _maps(self) -> dict[Hashable, Image]:
        """A map of each scan: one that is visible, if there is one."""
        found: dict[Hashable, Image] = {}
        for layer, link in self._session.links():
            if isinstance(layer, Image) and layer.ndim == 2:
                key = scan_key(link.source)
                if key not in found or (layer.visible and not found[key].visible):
                    found[key] = layer
        return found

    def _scan_of(self, layer: Layer) -> Hashable | None:
        """The scan to which a layer belongs; None if it cannot be told."""
        source = source_of(layer)
        if source is not None:
            return scan_key(source)
        if not isinstance(layer, Labels | Points | Shapes) or layer.name == MARKER:
            return None
        below = {key: one for key, one in self._maps().items() if _lies_on(layer, one)}
        if len(below) > 1:
            below = {key: one for key, one in below.items() if one.visible}
        return next(iter(below)) if len(below) == 1 else None

    def _on_inserted(self, event: Any) -> None:
        """A layer that has come lies with the others of its scan."""
        source = source_of(event.value)
        shift = None if source is None else self._moved.get(scan_key(source))
        if shift is not None and not event.value.translate.any():
            _shift(event.value, shift)

    def _on_removed(self, _: Any) -> None:
        there = {scan_key(link.source) for _, link in self._session.links()}
        self._moved = {key: shift for key, shift in self._moved.items() if key in there}


def arrangement_of(session: Session) -> Arrangement:
    """The arrangement of a viewer, which outlives the widgets that change it."""
    if session not in _arrangements:
        _arrangements[session] = Arrangement(session)
    return _arrangements[session]


def _key(maps: ScanMaps) -> Hashable:
    return scan_key(maps.source)


def _box(layer: Layer) -> NDArray[np.float64]:
    """Lowest and highest y and x of a layer, in µm: of a map, of the centres of its positions."""
    return np.asarray(layer.extent.world)[:, -2:]


def _lies_on(layer: Layer, below: Image) -> bool:
    """Whether what is drawn touches a map, or labels cover it."""
    box, ground = _box(layer), _box(below)
    if isinstance(layer, Labels):
        return np.allclose(box, ground)
    # Not so, either, where nothing is drawn: the box of that is NaN.
    return bool((box[0] <= ground[1]).all() and (box[1] >= ground[0]).all())


def _shift(layer: Layer, shift: NDArray[np.float64]) -> None:
    whole = np.zeros(layer.ndim)
    whole[-2:] = shift
    # What napari calls the affine transform comes after the translation.
    layer.translate = layer.translate + np.linalg.solve(layer.affine.linear_matrix, whole)
