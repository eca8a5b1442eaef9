"""What happens when a layer that has to do with a scan arrives in a viewer."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from qtpy.QtCore import QTimer

from napari_kikuchi.jobs import Progress
from napari_kikuchi.maps import contrast_limits
from napari_kikuchi.ui import FEATURE_BROWSER, PATTERN_VIEWER, PLUGIN, SYMMETRY
from napari_kikuchi.ui.layers import thumbnail
from napari_kikuchi.ui.link import LayerLink, ScanLink, link_of
from napari_kikuchi.ui.models import find_model, model_of, not_found
from napari_kikuchi.ui.session import Point
from napari_kikuchi.ui.symmetry_layer import shows_symmetry, tell_confidence

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.navigator import Navigator
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.work import Work


# A navigator that is being refined is redrawn so often.
_REDRAW_S = 0.25


class Arrivals:
    """Opens scans and the pattern viewer, and refines navigators, as layers come.

    Parameters
    ----------
    session
        Of the viewer to watch; layers that are there already have arrived too.
    """

    def __init__(self, session: Session) -> None:
        self._session = weakref.proxy(session)
        self._viewer_opened = self._scaled = False
        # By the digest of their weights; None for those that are not found, or not yet.
        self._models_sought: dict[str | None, Path | None] = {}
        self._refinements: weakref.WeakKeyDictionary[Layer, Work] = weakref.WeakKeyDictionary()
        session.link_changed.connect(self._glance)
        layers = session.viewer.layers
        layers.events.inserted.connect(self._on_inserted)
        layers.events.removed.connect(self._on_removed)
        for layer in layers:
            self._welcome(layer)

    def _on_inserted(self, event: Any) -> None:
        self._welcome(event.value)

    def _on_removed(self, event: Any) -> None:
        work = self._refinements.pop(event.value, None)
        if work is not None:
            work.cancel()
        self._session.forget(event.value)

    def _welcome(self, layer: Layer) -> None:
        link = link_of(layer)
        if link is None:
            return
        source = link.source
        # napari copies a layer's metadata to the labels that it makes of it.
        is_map = isinstance(layer, Image)
        if is_map and link.channel is not None and not layer.visible:
            layer.thumbnail = thumbnail(layer)
        if source.scan is None and not source.opening and not source.problem:
            self._session.open_link(source)
        self._glance(source, anew=self._is_first(layer, source))
        self._offer_model(link)
        self._open_pattern_viewer()
        self._show_scale_bar()
        if link.browsed:
            self._open(FEATURE_BROWSER)
        if isinstance(layer, Labels) and link.stack is not None and shows_symmetry(link):
            self._explain_colours()
            tell_confidence(layer, link.stack)
        if is_map and link.navigator is not None and self._to_refine(layer, link.navigator):
            self._refine(layer, link.navigator)

    def _to_refine(self, layer: Image, navigator: Navigator) -> bool:
        """Whether a layer shows the values that refining changes, and nothing refines them yet."""
        known = (link_of(other) for other in self._refinements)
        return (
            navigator.stride > 1
            and layer.data is navigator.values
            and all(link is None or link.navigator is not navigator for link in known)
        )

    def _is_first(self, arrived: Layer, source: ScanLink) -> bool:
        """Whether no other layer belongs to the same scan."""
        return all(
            layer is arrived or link.source.scan is not source.scan
            for layer, link in self._session.links()
        )

    def _glance(self, source: ScanLink, anew: bool = False) -> None:
        """Show the pattern in the middle of a scan, rather than nothing or that of another scan."""
        if source.scan is None or (self._session.subject is not None and not anew):
            return
        layers = (layer for layer, link in self._session.links() if link.source is source)
        layer = next(layers, None)
        if layer is None:  # removed before its scan was open
            return
        self._session.point_at(Point(source.scan, *_middle(source.scan), layer))

    def _offer_model(self, link: LayerLink) -> None:
        """Maps know which model made them: it can reconstruct their patterns."""
        model = {} if link.stack is None else model_of(link.stack)
        if not model:
            return
        weights = model.get("weights")
        path = Path(model["path"]) if model.get("path") else None
        if path is None or not path.is_file():
            path = self._models_sought.get(weights)
        if path is not None:
            self._session.offer_encoder(path)
        elif weights not in self._models_sought:
            # Once, however many maps it made.
            self._models_sought[weights] = None
            self._session.start(find_model(model), done=partial(self._on_sought, model))

    def _on_sought(self, model: Mapping[str, Any], found: Path | None) -> None:
        self._models_sought[model.get("weights")] = found
        # The session of a window that has just been closed is gone before the window is.
        with suppress(ReferenceError):
            if found is None:
                self._session.miss_encoder(not_found(model))
            else:
                self._session.offer_encoder(found)

    def _open_pattern_viewer(self) -> None:
        # Once: whoever closes it opens it again from the menu.
        if not self._viewer_opened and self._open(PATTERN_VIEWER):
            self._viewer_opened = True
            # The new dock has taken room from the maps: once it is laid out, show them whole.
            QTimer.singleShot(0, self._session.viewer.reset_view)

    def _show_scale_bar(self) -> None:
        # Once: whoever hides it has no use for it.
        if not self._scaled:
            self._scaled = True
            self._session.viewer.canvas.overlays.scale_bar.visible = True

    def _explain_colours(self) -> None:
        """The legend of space groups, and what the map says under the cursor."""
        self._open(SYMMETRY)
        self._session.viewer.tooltip.visible = True

    def _open(self, widget: str) -> bool:
        """Open a dock, if the viewer has a window."""
        window = getattr(self._session.viewer, "window", None)
        if window is None:
            return False
        window.add_plugin_dock_widget(PLUGIN, widget)
        return True

    def _refine(self, layer: Image, navigator: Navigator) -> None:
        drawn = monotonic()
        limits = tuple(layer.contrast_limits)

        def redraw() -> None:
            nonlocal drawn, limits
            drawn = monotonic()
            # Limits that the user has set are the user's.
            if np.allclose(layer.contrast_limits, limits):
                limits = contrast_limits(navigator.values)
                layer.contrast_limits_range = limits
                layer.contrast_limits = limits
            layer.refresh(extent=False)

        def on_progress(_: Progress) -> None:
            if monotonic() - drawn > _REDRAW_S:
                redraw()

        self._refinements[layer] = self._session.start(
            navigator.refine(),
            title="Refining the navigator",
            progressed=on_progress,
            done=lambda _: redraw(),
        )


def _middle(scan: Scan) -> tuple[int, int]:
    """The position in the middle of a scan, or the nearest one that has a pattern."""
    rows, cols = scan.map_shape
    middle = rows // 2, cols // 2
    if scan.present is None or scan.present[middle] or not scan.present.any():
        return middle
    recorded = np.argwhere(scan.present)
    row, col = recorded[np.hypot(*(recorded - middle).T).argmin()]
    return int(row), int(col)
