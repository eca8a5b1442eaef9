"""Other ways to see a scan, in the menu of its layers: all its patterns, or square ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_kikuchi.io import open_scan
from napari_kikuchi.maps import contrast_limits
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.messages import tell_error
from napari_kikuchi.ui.reader import navigator_layer
from napari_kikuchi.ui.session import session_of

if TYPE_CHECKING:
    from napari import Viewer

    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.layers import LayerData

_SAMPLE = 16


def add_pattern_stack(viewer: Viewer) -> None:
    """Show the patterns behind the selected layer as a 4-D layer, in a viewer of its own.

    napari aligns layers on their last axes: among the maps, the patterns would lie on them.
    """
    from napari import Viewer as NewViewer

    scan = _selected_scan(viewer)
    if scan is not None:
        data, attributes, _ = pattern_stack(scan)
        NewViewer(title=f"Patterns of {scan.name}").add_image(data, **attributes)


def open_cropped(viewer: Viewer) -> None:
    """Open the scan of the selected layer again, with the central square of each pattern only.

    Networks read square patterns.
    """
    scan = _selected_scan(viewer)
    if scan is None:
        return
    height, width = scan.pattern_shape
    if height == width or scan.path is None:
        tell_error(
            ValueError(f"{scan.name}: patterns of {height} x {width} pixels stay as they are.")
        )
        return
    cropped = session_of(viewer).known(open_scan(scan.path, **{**scan.options, "crop": True}))
    data, attributes, _ = navigator_layer(cropped)
    viewer.add_image(data, **attributes)


def _selected_scan(viewer: Viewer) -> Scan | None:
    """The open scan behind the selected layer; the user is told if there is none."""
    active = viewer.layers.selection.active
    link = None if active is None else link_of(active)
    if link is None or link.source.scan is None:
        tell_error(ValueError("Select a layer that belongs to an open scan."))
        return None
    return link.source.scan


def pattern_stack(scan: Scan) -> LayerData:
    """The patterns of a scan as a lazy layer of shape (rows, columns, height, width)."""
    sample = scan.read_positions(scan.draw(_SAMPLE))
    attributes = {
        "name": f"{scan.name}: patterns",
        "contrast_limits": contrast_limits(sample, (0.5, 99.5)),
        # napari's cache would take a quarter of the memory for patterns seen once.
        "cache": False,
        "scale": (*scan.step, 1.0, 1.0),
        "units": ("um", "um", "pixel", "pixel"),
        "axis_labels": ("y", "x", "detector y", "detector x"),
    }
    return scan.patterns, attributes, "image"
