"""All patterns of a scan as one plain layer, for those who want to work on them in napari."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_kikuchi.maps import contrast_limits
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.messages import tell_error

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

    active = viewer.layers.selection.active
    link = None if active is None else link_of(active)
    if link is None or link.source.scan is None:
        tell_error(ValueError("Select a layer that belongs to an open scan."))
        return
    data, attributes, _ = pattern_stack(link.source.scan)
    NewViewer(title=f"Patterns of {link.source.scan.name}").add_image(data, **attributes)


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
