"""Finished maps come into the viewer: as layers, or in the feature browser if they are many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtCore import QTimer

from napari_kikuchi.maps import MapStack
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui import FEATURE_BROWSER, PLUGIN
from napari_kikuchi.ui.layers import (
    MAX_LAYERS,
    own_layer,
    regions_layer,
    seen_first,
    telling_suffix,
    top_down,
)
from napari_kikuchi.ui.link import ScanLink, link_of
from napari_kikuchi.ui.symmetry_layer import shows_symmetry

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_kikuchi.ui.feature_browser import FeatureBrowser
    from napari_kikuchi.ui.session import Session


# Lets the window answer between two layers: napari takes a fifth of a second for each.
_PAUSE_MS = 15


def show_store(session: Session, path: Path, scan: Scan) -> MapStack:
    """Show a map store that was made from an open scan, instead of what lay there before.

    Parameters
    ----------
    session
        Of the viewer.
    path
        The store.
    scan
        Whose layers the maps are tied to.

    Returns
    -------
    MapStack
        What the store holds; its layers come one after another.
    """
    from napari_kikuchi.io.map_store import read_maps

    stack = read_maps(path)
    links = (link.source for _, link in session.links())
    source = next((known for known in links if known.scan is scan), None) or ScanLink(scan)

    def exchange() -> Iterator[None]:
        # The new ones last: napari would number their names while others bear these.
        yield from _remove_former(session.viewer, path)
        yield from _show(session, stack, source, {})

    step_by_step(exchange())
    return stack


def show_stack(
    session: Session, stack: MapStack, source: ScanLink, place: Mapping[str, Any] | None = None
) -> None:
    """Show a stack: up to 64 maps as layers, one after another so that the window stays live.

    Parameters
    ----------
    session
        Of the viewer.
    stack
        The maps.
    source
        The scan behind them.
    place
        Attributes that put the layers where they belong; None: where scans lie that nobody moved.
    """
    step_by_step(_show(session, stack, source, place or {}))


def open_browser(session: Session) -> FeatureBrowser:
    """The feature browser of a viewer, opened if it is not."""
    _, browser = session.viewer.window.add_plugin_dock_widget(PLUGIN, FEATURE_BROWSER)
    return cast("FeatureBrowser", browser)


def _remove_former(viewer: ViewerModel, path: Path) -> Iterator[None]:
    """Remove the layers of maps that a store held before it was written anew, one by one."""
    while (layer := _former(viewer, path)) is not None:
        viewer.layers.remove(layer)
        yield


def _former(viewer: ViewerModel, path: Path) -> Layer | None:
    """The lowest map of a store: where maps are still being added, that is the one to come last."""
    from napari.layers import Image

    for layer in viewer.layers:
        link = link_of(layer)
        # What the user has made of a map, such as labels, is the user's.
        if link is None or link.stack is None:
            continue
        if not isinstance(layer, Image) and not shows_symmetry(link):
            continue
        if link.stack.path == path.absolute():
            return layer
    return None


def _show(
    session: Session, stack: MapStack, source: ScanLink, place: Mapping[str, Any]
) -> Iterator[None]:
    if len(stack) > MAX_LAYERS:
        open_browser(session).show_stack(stack, source)
    else:
        yield from _layers_one_by_one(session.viewer, stack, source, place)


def _layers_one_by_one(
    viewer: ViewerModel, stack: MapStack, source: ScanLink, place: Mapping[str, Any]
) -> Iterator[None]:
    """Add the map that goes on top; then each next one below the one before."""
    from napari.layers import Layer

    suffix = telling_suffix(stack, viewer.layers)
    above: Layer | None = None
    shown = seen_first(stack)
    for channel in top_down(stack):
        data, attributes, kind = own_layer(stack, channel, source, channel in shown, suffix)
        layer = Layer.create(data, {**attributes, **place}, kind)
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
        data, attributes, _ = regions_layer(stack, source)
        viewer.add_shapes(data, **attributes)


def step_by_step(steps: Iterator[None]) -> None:
    """Take the first step now, and each other once the window has answered."""
    for _ in steps:
        QTimer.singleShot(_PAUSE_MS, lambda: step_by_step(steps))
        return
