"""What a line drawn across maps says: profiles, features that change, patterns along it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QComboBox

from napari_kikuchi.explore.paths import (
    Path,
    feature_profiles,
    profile,
    shared_by_neighbours,
)
from napari_kikuchi.figures.content import PatternPanel, ProfileCurve
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import best_first
from napari_kikuchi.ui.inspector_page import Found, InspectorPage, Means
from napari_kikuchi.ui.line_plot import Curve, FeatureRows, LinePlot
from napari_kikuchi.ui.pattern_strip import Less, Strip, read_strip
from napari_kikuchi.ui.remarks import remarks
from napari_kikuchi.ui.session import Point, Session

if TYPE_CHECKING:
    from napari_kikuchi.ui.inspected import Inspected, MapBelow
    from napari_kikuchi.ui.saving import Table

_FEATURES = 12
_LESS = "What is subtracted from each pattern in the lower strip"
_NO_PATTERNS = "The patterns behind these maps are not open"


class LinePage(InspectorPage):
    """Shows one line or path, or several on average.

    Parameters
    ----------
    session
        Of the viewer.

    Attributes
    ----------
    curves, features, strip
        What is known so far.
    """

    def __init__(self, session: Session) -> None:
        self.line_plot = LinePlot(session)
        super().__init__(session, self.line_plot)
        self.curves: list[Curve] = []
        self.features: FeatureRows | None = None
        self.strip: Strip | None = None
        self.less = QComboBox()
        self.less.addItems(list(Less))
        self.less.currentIndexChanged.connect(self._draw)
        self.heading.addWidget(self.less)
        self.line_plot.chosen.connect(self._hold)
        self.line_plot.setToolTip("A click holds the pattern there")

    def begin(self, inspected: Inspected) -> None:
        """Draw the profiles."""
        self.features = self.strip = None
        self.curves = []
        self.title.setText("")
        _check(inspected)
        self.curves = [_curve(below) for below in inspected.maps]
        self.title.setText(_title(inspected))
        self.notice.tell(remarks(inspected))
        self.less.setEnabled(inspected.scan is not None)
        self.less.setToolTip(_LESS if inspected.scan is not None else _NO_PATTERNS)
        self._draw()

    def measure(self, inspected: Inspected, means: Means) -> Job[None]:
        """Read the patterns along the lines, then the maps of the stack."""
        paths = _paths(inspected.ground)
        if inspected.scan is not None and means.preparation is not None:
            strip = yield from read_strip(inspected.scan, means.preparation.preprocessor, paths)
            yield Found(0, 0, part=strip)
        stack = inspected.stack
        if stack is not None and stack.map_shape == inspected.ground.values.shape:
            found = yield from feature_profiles(stack, paths)
            chosen = best_first(shared_by_neighbours(found))[:_FEATURES]
            rows = FeatureRows([stack.names[i] for i in chosen], found[chosen])
            yield Found(0, 0, part=rows)

    def take(self, part: Any) -> None:
        """Draw features, or patterns, too."""
        if isinstance(part, Strip):
            self.strip = part
        else:
            self.features = part
        self._draw()

    def patterns(self) -> list[PatternPanel]:
        """The first pattern, the one that differs most from it, and the difference."""
        if self.strip is None or len(self.strip.distances) < 2:
            return []
        changes = self.strip.less(Less.FIRST)
        most = int(np.nanmean(changes**2, axis=(1, 2)).argmax())
        at = [f"at {self.strip.distances[i]:.2g} µm" for i in (0, most)]
        line = self._only_line
        return [
            PatternPanel(self.strip.patterns[0], at[0], region=line),
            PatternPanel(self.strip.patterns[most], at[1], region=line),
            PatternPanel(changes[most], "difference", diverging=True),
        ]

    def profiles(self) -> list[ProfileCurve]:
        """Those of the maps that are shown."""
        line = self._only_line
        return [
            ProfileCurve(
                curve.profile.distances,
                curve.profile.values,
                curve.name,
                curve.unit,
                None if line is not None else curve.profile.deviation,
                line,
            )
            for curve in self.curves
        ]

    def table(self) -> Table:
        """Profiles against distance."""
        if not self.curves:
            return {}
        columns: dict[str, Any] = {"distance (µm)": self.curves[0].profile.distances}
        for curve in self.curves:
            unit = f" ({curve.unit})" if curve.unit else ""
            columns[f"{curve.name}{unit}"] = curve.profile.values
            if self._only_line is None:
                columns[f"{curve.name}, deviation{unit}"] = curve.profile.deviation
        return columns

    @property
    def _only_line(self) -> int | None:
        """Index of the line if there is one alone."""
        return 0 if self.inspected is not None and len(self.inspected.shapes) == 1 else None

    def _draw(self, *_: object) -> None:
        if self.curves:
            less = list(Less)[self.less.currentIndex()]
            self.line_plot.show_line(self.curves, self.features, self.strip, less)

    def _hold(self, distance: float) -> None:
        """Hold the pattern at a distance along the line; of several, along the first."""
        inspected = self.inspected
        if inspected is None or inspected.scan is None:
            return
        path = _paths(inspected.ground)[0]
        along = path.distances if len(inspected.shapes) == 1 else path.from_middle
        row, col = np.rint(path.points[np.abs(along - distance).argmin()]).astype(int)
        rows, cols = inspected.scan.map_shape
        if 0 <= row < rows and 0 <= col < cols:
            self.session.hold(Point(inspected.scan, int(row), int(col), inspected.ground.layer))


def _paths(below: MapBelow) -> list[Path]:
    """The paths of some lines on a map; a ValueError says if one of them has no length."""
    return [Path.through(outline.vertices, below.step) for outline in below.outlines]


def _check(inspected: Inspected) -> None:
    """A ValueError says if one of the lines is too short to have a profile, or on no map."""
    which = "The line" if len(inspected.shapes) == 1 else "One of the lines"
    for path, place in zip(_paths(inspected.ground), inspected.ground.places(), strict=True):
        if path.length < path.spacing:
            raise ValueError(
                f"{which} is {path.length:.2g} µm long, and a step of the map {path.spacing:.2g} "
                "µm: press, drag and release to draw a line across the map."
            )
        if not len(place):
            raise ValueError(
                f"{which} lies outside the map of {inspected.source.name}: draw it across the map."
            )


def _curve(below: MapBelow) -> Curve:
    return Curve(below.name, below.title, below.unit, profile(below.values, _paths(below)))


def _title(inspected: Inspected) -> str:
    lengths = [path.length for path in _paths(inspected.ground)]
    count = len(lengths)
    about = f"{lengths[0]:.3g} µm" if count == 1 else f"mean of {count} lines"
    return f"{inspected.source.name}: {about}"
