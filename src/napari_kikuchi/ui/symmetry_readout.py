"""Which symmetry the pattern that is shown has, in words below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget
from superqt import QElidingLabel

from napari_kikuchi.symmetry.map_readings import CONFIDENCE, SYMMETRY
from napari_kikuchi.symmetry.summary import (
    class_told,
    match_told,
    partners_told,
    reading_told,
)
from napari_kikuchi.ui.listening import listen
from napari_kikuchi.ui.session import Point
from napari_kikuchi.ui.swatch import SWATCH, swatch
from napari_kikuchi.ui.symmetries import symmetries_of
from napari_kikuchi.ui.symmetry_colours import group_colour

if TYPE_CHECKING:
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.symmetry.references import Match
    from napari_kikuchi.ui.link import LayerLink
    from napari_kikuchi.ui.session import Session

_TIP = (
    "Space group that the patterns of this grain show together, how sure that is, and which\n"
    "others go with what was seen"
)
_MATCH_TIP = (
    "Of the known phases of these groups, the one whose simulated pattern is most like those of\n"
    "this grain; that of another phase may be as much like them"
)


class SymmetryReadout(QWidget):
    """Seen while the maps of the scan tell the symmetry of its patterns.

    Parameters
    ----------
    session
        Of the viewer, whose subject is told of.

    Attributes
    ----------
    group, match
        Labels that tell the space group, and the phase that is most like it.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._symmetries = symmetries_of(session)
        self._swatch = QLabel()
        self._swatch.setFixedWidth(SWATCH)
        self.group, self.match = QElidingLabel(), QElidingLabel()
        for label in (self.group, self.match):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.match.setToolTip(_MATCH_TIP)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(4)
        layout.setColumnStretch(1, 1)
        layout.addWidget(self._swatch, 0, 0)
        layout.addWidget(self.group, 0, 1)
        layout.addWidget(self.match, 1, 1)
        listen(self, [(session.subject_changed, self._tell)])
        listen(self, [(self._symmetries.changed, self._on_symmetry)])
        self._tell()

    def set_match(self, match: Match | None) -> None:
        """Tell whose pattern is shown beside the measured one."""
        self.match.setText("" if match is None else match_told(match))

    def tells(self, link: LayerLink) -> bool:
        """Whether the values of a layer are told here."""
        scan, stack = link.source.scan, link.stack
        known = None if scan is None else self._symmetries.of(scan)
        if known is None or stack is not known.stack or link.channel is None:
            return False
        return known.stack.names[link.channel] in (SYMMETRY, CONFIDENCE)

    def _on_symmetry(self, scan: Scan) -> None:
        subject = self._session.subject
        if subject is not None and subject.scan is scan:
            self._tell()

    def _tell(self, *_: object) -> None:
        subject = self._session.subject
        known = None if subject is None else self._symmetries.of(subject.scan)
        self.setVisible(known is not None)
        if known is None:
            self.set_match(None)
            return
        reading = None
        if isinstance(subject, Point):
            reading = known.readings.at(subject.row, subject.col)
        # Empty lines stay: the patterns above would jump.
        self.group.setText("" if reading is None else reading_told(reading))
        colour = "transparent" if reading is None else group_colour(reading.group)
        self._swatch.setPixmap(swatch(colour).pixmap(SWATCH, SWATCH))
        lines = [self.group.text()]
        if reading is not None:
            lines += [
                class_told(reading.group),
                partners_told(known.stack.provenance, reading.group),
            ]
        # The dock may be too narrow for all of it. What stands alone is told once.
        self.group.setToolTip("\n".join(filter(None, dict.fromkeys([*lines, _TIP]))))
