"""What the page that finds spots asks of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from napari_kikuchi.orientation.detection_settings import Detection
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.arguments import flags, opening_arguments, path_argument


@dataclass(frozen=True)
class SpotsRequest:
    """Spots of a scan, as ``napari-kikuchi spots`` takes them.

    Attributes
    ----------
    scan
        Whose spots.
    detection
        How they are found.
    out
        File to write.
    restart
        Begin anew instead of going on with what was stopped.
    """

    scan: Scan
    detection: Detection
    out: Path
    restart: bool = False

    def arguments(self) -> list[str]:
        """The command line, without the program.

        Raises
        ------
        ValueError
            If the scan cannot be opened by another process.
        """
        return [
            "spots",
            path_argument(self.scan),
            *flags({**self.detection.settings(), "out": self.out, "restart": self.restart}),
            *opening_arguments(self.scan),
        ]
