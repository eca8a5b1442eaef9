"""Orientation maps of which the truth is known, as they are when a store of them is opened."""

import numpy as np

from napari_kikuchi.explore.inverse_pole_figures import ipf_colours
from napari_kikuchi.explore.orientation_channels import ipf_channels
from napari_kikuchi.explore.orientations import OrientationMap
from napari_kikuchi.maps import Channel, MapStack
from napari_kikuchi.orientation.map_solutions import quaternions_of


def true_orientations(truth):
    symmetries = [one.laue_group for one in truth.crystals]
    return OrientationMap(quaternions_of(truth.rotations), symmetries, truth.phases + 1)


def true_maps(truth, scan, **indexing):
    """The maps that a perfect indexing would make."""
    found = true_orientations(truth)
    known = truth.phases >= 0
    maps = [
        truth.phases + 1.0,
        np.where(known, 0.9, 0.1),
        *np.moveaxis(found.quaternions, -1, 0),
        *ipf_colours(found),
        known * 1.0,
    ]
    channels = [
        Channel("phase"),
        Channel("confidence"),
        *(Channel(f"quaternion {part}") for part in "abcd"),
        *ipf_channels("IPF z"),
        Channel("grain"),
    ]
    told = {
        "phases": [one.settings() for one in truth.crystals],
        "calibration": truth.calibration.settings(),
        "library": {"voltage": truth.voltage},
    }
    record = {
        "path": scan.path and str(scan.path),
        "name": scan.name,
        "options": dict(scan.options),
    }
    provenance = {"method": "orientations", "scan": record, "indexing": told | indexing}
    return MapStack(np.stack(maps), channels, scan.step, provenance)


def hough_maps(truth, scan):
    """The same, of the first phase alone, as indexed Kikuchi patterns have them."""
    stack = true_maps(truth, scan)
    values = np.asarray(stack.values)[1:6].copy()
    values[1:, truth.phases != 0] = np.nan
    told = {"method": "physics", "indexing": {"phase": truth.crystals[0].settings()}}
    return MapStack(values, stack.channels[1:6], scan.step, told)
