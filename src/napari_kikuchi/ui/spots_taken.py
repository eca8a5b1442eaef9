"""Which spots orientations are mapped from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_kikuchi.orientation.scan_spots import ScanSpots
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.spot_sources import spot_sources_of, spots_in_words

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.session import Session

_NONE = (
    "Are found first. To see and choose what is found, use the page Find spots of the pattern "
    "viewer."
)


class SpotsTaken(Notice):
    """Says which spots are taken: those that are drawn over the patterns, or new ones.

    Parameters
    ----------
    session
        Of the viewer, which knows the spots of each scan.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._scan: Scan | None = None
        self._radius: float | None = None
        self._sources = spot_sources_of(session)
        listen(self, [(self._sources.changed, self._on_source)])
        self._say()

    @property
    def file(self) -> Path | None:
        """Of the spots that are taken; None where they are found first."""
        found = self._found()
        if found is None or self._radius not in (None, found.detection.radius):
            return None
        return found.path

    def set_scan(self, scan: Scan | None) -> None:
        """Take spots of this scan."""
        self._scan = scan
        self._say()

    def set_radius(self, radius: float | None) -> None:
        """Take spots of this radius, in pixels; None: of any."""
        self._radius = radius
        self._say()

    def _found(self) -> ScanSpots | None:
        found = None if self._scan is None else self._sources.found(self._scan)
        return found if isinstance(found, ScanSpots) else None

    def _on_source(self, scan: Scan) -> None:
        if scan is self._scan:
            self._say()

    def _say(self) -> None:
        found = self._found()
        if found is None:
            self.tell(_NONE)
        elif self.file is None:
            self.tell(
                f"Are found anew, of {self._radius:g} pixels radius: those of {found.path.name} "
                f"have {found.detection.radius:g}."
            )
        else:
            self.tell(f"Those of {spots_in_words(found)}.")
