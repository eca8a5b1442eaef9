"""How settings are written as arguments of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_kikuchi.scan import Scan

if TYPE_CHECKING:
    from napari_kikuchi.geometry import Geometry


def path_argument(scan: Scan) -> str:
    """The file of a scan.

    Raises
    ------
    ValueError
        If it has none, so that another process cannot open it.
    """
    if scan.path is None:
        raise ValueError(
            f"{scan.name}: this scan lives in memory, where another process cannot read it. Save "
            "it as an .up2 file and open that."
        )
    return str(scan.path)


def opening_arguments(scan: Scan) -> list[str]:
    """What reopens a scan: each option of :func:`napari_kikuchi.open_scan` as the flag it has."""
    return flags(
        {
            name: ",".join(map(str, value)) if isinstance(value, list | tuple) else value
            for name, value in scan.options.items()
        }
    )


def geometry_settings(geometry: Geometry) -> dict[str, Any]:
    """A geometry, as :func:`flags` takes settings."""
    return {
        "pc": ",".join(map(str, geometry.pc)),
        "convention": geometry.convention,
        "tilt": geometry.sample_tilt,
        "detector_tilt": geometry.detector_tilt,
    }


def flags(settings: Mapping[str, Any]) -> list[str]:
    """Settings as options: none for what is None or False, one without a value for True."""
    found = []
    for name, value in settings.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            found.append(flag)
        elif value is not None and value is not False:
            found += [flag, str(value)]
    return found
