"""From the mouse and the keys over the maps to the pattern that is meant."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Points
from qtpy.QtCore import QTimer

from napari_kikuchi.ui.link import position_in
from napari_kikuchi.ui.session import Point, Session

if TYPE_CHECKING:
    from napari.components import ViewerModel

MARKER = "held position"
# Keys and the rows and columns they step by.
STEPS = {
    "Up": (-1, 0),
    "Down": (1, 0),
    "Left": (0, -1),
    "Right": (0, 1),
    "Shift-Up": (-10, 0),
    "Shift-Down": (10, 0),
    "Shift-Left": (0, -10),
    "Shift-Right": (0, 10),
}
# A hand that clicks moves the mouse by so many screen pixels at most.
_CLICK_PIXELS = 3
_MARKER_PIXELS = 20


class Pointer:
    """Follows the cursor over maps; holds on click; steps by arrow keys; marks what is held.

    Does so between :meth:`open` and :meth:`close`.

    Parameters
    ----------
    session
        Is told what is pointed at.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._viewer = session.viewer
        self._marker: Points | None = None
        self._active = False

    def open(self) -> None:
        """Begin to follow the viewer."""
        if self._active:
            return
        self._active = True
        self._viewer.mouse_move_callbacks.append(self._on_move)
        self._viewer.mouse_drag_callbacks.append(self._on_press)
        bind_steps(self._viewer, self._session)
        self._session.subject_changed.connect(self._mark)
        self._session.held_changed.connect(self._mark)
        self._viewer.scene.camera.events.zoom.connect(self._size_marker)
        self._viewer.layers.events.inserted.connect(self._on_inserted)
        self._mark()

    def close(self) -> None:
        """Let go of the viewer."""
        if not self._active:
            return
        self._active = False
        self._session.subject_changed.disconnect(self._mark)
        self._session.held_changed.disconnect(self._mark)
        self._viewer.scene.camera.events.zoom.disconnect(self._size_marker)
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._viewer.mouse_move_callbacks.remove(self._on_move)
        self._viewer.mouse_drag_callbacks.remove(self._on_press)
        for key in STEPS:
            self._viewer.bind_key(key, None)
        self._remove_marker()

    def point_at(self, world: tuple[float, ...]) -> Point | None:
        """The scan position at a place of the viewer.

        On the selected layer if it has one there, else on the topmost visible layer that has.
        """
        active = self._viewer.layers.selection.active
        links = sorted(self._session.links(), key=lambda found: found[0] is not active)
        for layer, link in links:
            scan = link.source.scan
            if scan is None or not layer.visible:
                continue
            position = position_in(layer, world)
            if position is not None and layer.data.shape[-2:] == scan.map_shape:
                return Point(scan, *position, layer)
        return None

    def _on_move(self, viewer: ViewerModel, event: Any) -> None:
        point = None if self._session.held else self.point_at(event.position)
        if point is not None:
            self._session.point_at(point)

    def _on_press(self, viewer: ViewerModel, event: Any) -> Generator[None, None, None]:
        active = viewer.layers.selection.active
        # Who draws or paints does not mean the pattern.
        if event.button != 1 or (active is not None and str(active.mode) != "pan_zoom"):
            return
        pressed, place = np.array(event.pos), event.position
        yield
        while event.type == "mouse_move":
            yield
        if np.abs(np.array(event.pos) - pressed).max() > _CLICK_PIXELS:
            return
        point = self.point_at(place)
        if self._session.held:
            self._session.release()
            if point is not None:
                self._session.point_at(point)
        elif point is not None:
            self._session.hold(point)

    def _mark(self, *_: Any) -> None:
        subject = self._session.subject
        if not self._session.held or not isinstance(subject, Point):
            self._remove_marker()
            return
        place = subject.layer.data_to_world((subject.row, subject.col))[-2:]
        if self._marker is None:
            self._add_marker(subject)
        else:
            self._marker.data = np.array([place])

    def _add_marker(self, subject: Point) -> None:
        layers = self._viewer.layers
        selected = set(layers.selection)
        self._marker = Points(
            np.array([subject.layer.data_to_world((subject.row, subject.col))[-2:]]),
            name=MARKER,
            units=subject.layer.units[-2:],
            axis_labels=subject.layer.axis_labels[-2:],
            symbol="disc",
            face_color="transparent",
            border_color="yellow",
            border_width=0.12,
        )
        self._size_marker()
        layers.append(self._marker)
        # The user's selection stays what it was.
        layers.selection = selected

    def _size_marker(self, _: Any = None) -> None:
        """Keep the marker as large on the screen, whatever the zoom."""
        if self._marker is not None:
            self._marker.size = _MARKER_PIXELS / self._viewer.scene.camera.zoom

    def _on_inserted(self, _: Any) -> None:
        # Others are still being told of the layer at its place.
        QTimer.singleShot(0, self._raise_marker)

    def _raise_marker(self) -> None:
        """Put the marker above layers that came after it."""
        layers = self._viewer.layers
        if self._marker in layers and layers[-1] is not self._marker:
            layers.move(layers.index(self._marker), len(layers))

    def _remove_marker(self) -> None:
        if self._marker is not None and self._marker in self._viewer.layers:
            self._viewer.layers.remove(self._marker)
        self._marker = None


def bind_steps(viewer: ViewerModel, session: Session) -> None:
    """Let the arrow keys of a viewer step through the patterns."""
    for key, (rows, cols) in STEPS.items():

        def step(model: ViewerModel, rows: int = rows, cols: int = cols) -> None:
            if model.dims.ndim > 2 and not rows and not session.held:
                # The keys' usual meaning where there is a slider.
                axis = model.dims.last_used
                model.dims.set_current_step(axis, model.dims.current_step[axis] + cols)
            else:
                session.step(rows, cols)

        viewer.bind_key(key, step, overwrite=True)
