"""Finished maps come into the viewer: as layers, or in the feature browser if they are many."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from qtpy.QtCore import QTimer

from napari_kikuchi.maps import MapStack
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.arrivals import FEATURE_BROWSER, PLUGIN
from napari_kikuchi.ui.layers import MAX_LAYERS, map_layer, regions_layer, telling_suffix
from napari_kikuchi.ui.link import ScanLink, link_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_kikuchi.ui.feature_browser import FeatureBrowser
    from napari_kikuchi.ui.session import Session


# Lets the window answer between two layers.
_PAUSE_MS = 15

# Where maps were read from: those that are written anew must not be shown under their old names.
_stores: weakref.WeakKeyDictionary[MapStack, Path] = weakref.WeakKeyDictionary()


def show_store(session: Session, path: Path, scan: Scan) -> None:
    """Show a map store that was made from an open scan, instead of what lay there before.

    Parameters
    ----------
    session
        Of the viewer.
    path
        The store.
    scan
        Whose layers the maps are tied to.
    """
    from napari_kikuchi.io.map_store import read_maps

    _remove_former(session.viewer, path)
    stack = read_maps(path)
    _stores[stack] = path
    links = (link.source for _, link in session.links())
    source = next((known for known in links if known.scan is scan), None) or ScanLink(scan)
    show_stack(session, stack, source)


def show_stack(session: Session, stack: MapStack, source: ScanLink) -> None:
    """Show a stack: up to 64 maps as layers, one after another so that the window stays live."""
    if len(stack) > MAX_LAYERS:
        open_browser(session).show_stack(stack, source)
        return
    adding = _layers_one_by_one(session.viewer, stack, source)
    next(adding)
    _continue(adding)


def open_browser(session: Session) -> FeatureBrowser:
    """The feature browser of a viewer, opened if it is not."""
    _, browser = session.viewer.window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    return cast("FeatureBrowser", browser)


def _remove_former(viewer: ViewerModel, path: Path) -> None:
    """Remove the layers of maps that a store held before it was written anew."""
    for layer in list(viewer.layers):
        link = link_of(layer)
        if link is None or link.stack is None:
            continue
        opened = layer.source.path and Path(layer.source.path)
        if path in (_stores.get(link.stack), opened):
            viewer.layers.remove(layer)


def _layers_one_by_one(viewer: ViewerModel, stack: MapStack, source: ScanLink) -> Iterator[None]:
    """Add the best map, which is shown, on top; then each next one below the one before."""
    from napari.layers import Image

    suffix = telling_suffix(stack, {layer.name for layer in viewer.layers})
    above: Layer | None = None
    for channel in stack.ranking():
        data, attributes, _ = map_layer(stack, channel, source, above is None, suffix)
        layer = Image(data, **attributes)
        selected = set(viewer.layers.selection)
        if above is None:
            viewer.layers.append(layer)
        elif above in viewer.layers:
            viewer.layers.insert(viewer.layers.index(above), layer)
            # Whoever has begun to work on a layer goes on with it.
            viewer.layers.selection = selected
        else:  # removed meanwhile: the user does not want them
            return
        above = layer
        yield
    if stack.regions:
        data, attributes, _ = regions_layer(stack)
        viewer.add_shapes(data, **attributes)


def _continue(adding: Iterator[None]) -> None:
    def go_on() -> None:
        if next(adding, adding) is None:
            QTimer.singleShot(_PAUSE_MS, go_on)

    QTimer.singleShot(_PAUSE_MS, go_on)
