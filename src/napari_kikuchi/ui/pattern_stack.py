"""Other ways to see a scan, in the menu of its layers: all its patterns, or square ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_kikuchi.io import open_scan
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import contrast_limits
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.messages import explain, tell_error
from napari_kikuchi.ui.reader import navigator_layer
from napari_kikuchi.ui.session import session_of

if TYPE_CHECKING:
    from napari import Viewer

    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.layers import LayerData

_SAMPLE = 16
_CROPPING = "Opening square patterns"


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
    if height == width:
        tell_error(ValueError(f"{scan.name}: its patterns of {height} x {width} are squares."))
        return
    if scan.path is None:
        tell_error(
            ValueError(f"{scan.name} is in memory only, and only a file can be opened again.")
        )
        return
    session = session_of(viewer)

    def explain_failure(error: Exception) -> None:
        explain(session.window, "This file cannot be opened", error)

    def show(cropped: Scan) -> None:
        session.start(
            _navigator(session.known(cropped)),
            title=_CROPPING,
            done=lambda layer: viewer.add_image(layer[0], **layer[1]),
            failed=explain_failure,
        )

    session.start(_cropped(scan), title=_CROPPING, done=show, failed=explain_failure)


def _cropped(scan: Scan) -> Job[Scan]:
    yield Progress(0, 0, _CROPPING)
    assert scan.path is not None
    return open_scan(scan.path, **{**scan.options, "crop": True})


def _navigator(scan: Scan) -> Job[LayerData]:
    yield Progress(0, 0, _CROPPING)
    return navigator_layer(scan)


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
