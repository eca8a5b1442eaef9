"""A thin bar that shows how far a job is."""

from __future__ import annotations

from time import monotonic

from qtpy.QtWidgets import QProgressBar

from napari_kikuchi.jobs import Progress

_PIXELS = 5
# Qt draws a bar as soon as its value is set, and napari its maps with it: some hundred updates a
# second would hold window and job up.
_FRAME_S = 0.1


class JobBar(QProgressBar):
    """Seen only while a job runs."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn = 0.0
        self.setTextVisible(False)
        self.setMaximumHeight(_PIXELS)
        self.hide()

    def begin(self) -> None:
        """A job begins; nobody knows yet how long it is."""
        self.setRange(0, 0)
        self.show()

    def note(self, update: Progress) -> None:
        """Show an update, unless one was shown a moment ago."""
        if monotonic() - self._drawn < _FRAME_S:
            return
        self._drawn = monotonic()
        self.setToolTip(update.message)
        self.setRange(0, update.total)
        self.setValue(update.done)
