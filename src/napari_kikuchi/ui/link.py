"""What ties a napari layer to the patterns behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Layer

    from napari_kikuchi.maps import MapStack
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.navigator import Navigator

# Our entry in a layer's metadata.
KEY = "napari-kikuchi"


class OtherScanError(ValueError):
    """A scan that is not the one from which some maps were made."""


class ScanLink:
    """The scan behind some layers: open, still to be opened, or not found.

    One link is shared by all layers of one scan, so that a scan that has moved is located once.

    Parameters
    ----------
    scan
        The scan, if it is open.
    record
        What the maps' provenance says of their scan: ``"path"``, ``"name"``, ``"options"`` and
        ``"fingerprint"``.
    folder
        Where the maps lie: a scan that has moved together with its maps is found there.

    Attributes
    ----------
    scan
        None until it is open.
    opening
        Whether someone is about to open it.
    problem
        Why the scan could not be opened; empty if nothing went wrong.
    """

    def __init__(
        self,
        scan: Scan | None = None,
        record: Mapping[str, Any] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.scan = scan
        self.opening = False
        self.problem = ""
        self._record = dict(record or {})
        self._folder = folder

    @property
    def name(self) -> str:
        """What a person calls the scan."""
        if self.scan is not None:
            return self.scan.name
        return str(self._record.get("name") or "scan")

    @property
    def path(self) -> Path | None:
        """Where the scan is or was; None for one that was never on disk."""
        if self.scan is not None:
            return self.scan.path
        path = self._record.get("path")
        return Path(path) if path else None

    def find(self) -> Scan:
        """Open the scan that the provenance names, or the one of its name beside the maps.

        Raises
        ------
        FileNotFoundError
            If neither is there.
        OtherScanError
            If what is there is another scan.
        PatternFileError
            If it cannot be read.
        """
        if self.path is None:
            raise FileNotFoundError(f"{self.name}: the maps do not say which file they came from")
        beside = [self._folder / self.path.name] if self._folder else []
        for place in [self.path, *beside]:
            if place.exists():
                return self.open_at(place)
        raise FileNotFoundError(f"{self.name}: scan not found at {self.path}")

    def open_at(self, path: Path) -> Scan:
        """Open the scan at a place and check that it is the one the maps were made from.

        Raises
        ------
        OtherScanError
            If it is another scan, or was opened in a way that this version does not know.
        PatternFileError
            If it cannot be read.
        """
        from napari_kikuchi.io import open_scan

        options = self._record.get("options") or {}
        known = signature(open_scan).parameters.keys() - {"path"}
        if unknown := options.keys() - known:
            raise OtherScanError(
                f"{path}: the maps were made from this scan, opened with "
                f"{', '.join(sorted(unknown))}, which this version of napari-kikuchi does not "
                "know. Update it."
            )
        scan = open_scan(path, **options)
        expected = self._record.get("fingerprint")
        found = scan.fingerprint() if expected else None
        if expected and found != expected:
            raise OtherScanError(f"{path} is another scan: {_difference(expected, found)}")
        return scan

    def settle(self, scan: Scan | None, problem: str = "") -> None:
        """Take note of the scan, or of why there is none."""
        self.scan, self.problem, self.opening = scan, problem, False

    def __deepcopy__(self, memo: Any) -> ScanLink:
        # A duplicated layer stays tied to the same scan.
        return self


@dataclass(frozen=True, eq=False)
class LayerLink:
    """What a layer shows of a scan.

    Attributes
    ----------
    source
        The scan.
    stack
        The maps to which the layer belongs; None for a navigator.
    channel
        Which of them it shows; None for a navigator or for a layer that shows several in turn.
    navigator
        Refines the layer's map; None for a layer of maps.
    """

    source: ScanLink
    stack: MapStack | None = None
    channel: int | None = None
    navigator: Navigator | None = None

    @property
    def browsed(self) -> bool:
        """Whether the layer stands for all the maps of its stack, which it shows in turn."""
        return self.stack is not None and self.channel is None

    def metadata(self) -> dict[str, LayerLink]:
        """The link as a layer's metadata."""
        return {KEY: self}

    def __deepcopy__(self, memo: Any) -> LayerLink:
        # A duplicated layer needs no second copy of a whole stack of maps.
        return self


def link_of(layer: Layer) -> LayerLink | None:
    """The link of a layer; None for layers that have nothing to do with a scan."""
    link = layer.metadata.get(KEY)
    return link if isinstance(link, LayerLink) else None


def source_of(layer: Layer) -> ScanLink | None:
    """The scan behind a layer, or that on which its regions were drawn; None if it is not known."""
    link = layer.metadata.get(KEY)
    if isinstance(link, LayerLink):
        return link.source
    return link if isinstance(link, ScanLink) else None


def scan_of(layer: Layer) -> Scan | None:
    """The open scan behind a layer, if there is one."""
    link = link_of(layer)
    return None if link is None else link.source.scan


def map_name(layer: Layer) -> str:
    """Name of the map that a layer shows; its own if it shows none.

    A layer that shows several in turn is called by the one it shows.
    """
    link = link_of(layer)
    if link is None or link.stack is None or link.channel is None:
        return layer.name
    return link.stack.names[link.channel]


def unit_of(layer: Layer) -> str:
    """Unit of the values that a layer shows; empty for those that have none."""
    link = link_of(layer)
    if link is None or link.stack is None or link.channel is None:
        return ""
    return link.stack.channels[link.channel].unit


def step_of(layer: Layer) -> tuple[float, float]:
    """Distance between the rows and between the columns of a layer's map, in µm."""
    y, x = (float(step) for step in layer.scale[-2:])
    return y, x


def position_in(layer: Layer, world: tuple[float, ...]) -> tuple[int, int] | None:
    """Row and column of a layer's map at a position in world coordinates; None outside it."""
    row, col = (int(index) for index in np.rint(layer.world_to_data(world)[-2:]))
    rows, cols = layer.data.shape[-2:]
    return (row, col) if 0 <= row < rows and 0 <= col < cols else None


def unmeasured(name: str) -> ScanLink:
    """The link of maps behind which there are no patterns, and which say so.

    Parameters
    ----------
    name
        What to call them.
    """
    link = ScanLink(record={"name": name})
    link.settle(None, f"{name}: there are no patterns behind maps that nobody has measured")
    return link


def same_scan(one: ScanLink, other: ScanLink) -> bool:
    """Whether two links, as each store of maps has its own, lead to the same scan.

    Of scans that are not open, as far as the maps tell.
    """
    if one is other or (one.scan is not None and one.scan is other.scan):
        return True
    return one.path is not None and (one.path, one.name) == (other.path, other.name)


def _difference(expected: Mapping[str, Any], found: Mapping[str, Any] | None) -> str:
    found = found or {}
    for key, what in (("shape", "scan and patterns of shape"), ("dtype", "pixels of type")):
        if expected.get(key) != found.get(key):
            return f"the maps were made from {what} {expected.get(key)}, this has {found.get(key)}"
    return "of the same shape, but its patterns differ"
