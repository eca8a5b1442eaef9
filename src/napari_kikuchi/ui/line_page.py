"""What a line drawn across maps says: profiles, features that change, patterns along it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QComboBox

from napari_kikuchi.explore.paths import (
    Path,
    feature_profiles,
    profile,
    shared_by_neighbours,
)
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import best_first
from napari_kikuchi.ui.inspector_page import Found, InspectorPage, Means
from napari_kikuchi.ui.line_plot import Curve, FeatureRows, LinePlot
from napari_kikuchi.ui.link import step_of, unit_of
from napari_kikuchi.ui.pattern_strip import Less, Strip, read_strip
from napari_kikuchi.ui.session import Point, Session

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_kikuchi.ui.inspected import Inspected
    from napari_kikuchi.ui.regions import Drawn

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
        self.line_plot = LinePlot(session.viewer)
        super().__init__(session, self.line_plot)
        self.curves: list[Curve] = []
        self.features: FeatureRows | None = None
        self.strip: Strip | None = None
        self.less = QComboBox()
        self.less.addItems(list(Less))
        self.less.currentIndexChanged.connect(self._draw)
        self.heading.addWidget(self.less)
        self.line_plot.pointed.connect(self._hold)
        self.line_plot.setToolTip("A click holds the pattern there")

    def begin(self, inspected: Inspected) -> None:
        """Draw the profiles."""
        self.features = self.strip = None
        self.curves = []
        self.curves = [_curve(layer, inspected.shapes) for layer in inspected.maps]
        self.title.setText(_title(inspected))
        self.less.setEnabled(inspected.scan is not None)
        self.less.setToolTip(_LESS if inspected.scan is not None else _NO_PATTERNS)
        self._draw()

    def measure(self, inspected: Inspected, means: Means) -> Job[None]:
        """Read the patterns along the lines, then the maps of the stack."""
        layer = inspected.ground.layer
        paths = paths_on(layer, inspected.shapes)
        if inspected.scan is not None and means.preparation is not None:
            strip = yield from read_strip(inspected.scan, means.preparation.preprocessor, paths)
            yield Found(0, 0, inspected=inspected, part=strip)
        stack = inspected.stack
        if stack is not None and stack.map_shape == layer.data.shape:
            found = yield from feature_profiles(stack, paths)
            chosen = best_first(shared_by_neighbours(found))[:_FEATURES]
            rows = FeatureRows([stack.names[i] for i in chosen], found[chosen])
            yield Found(0, 0, inspected=inspected, part=rows)

    def take(self, part: Any) -> None:
        """Draw features, or patterns, too."""
        if isinstance(part, Strip):
            self.strip = part
        else:
            self.features = part
        self._draw()

    def _draw(self, *_: object) -> None:
        if self.curves:
            less = list(Less)[self.less.currentIndex()]
            self.line_plot.show_line(self.curves, self.features, self.strip, less)

    def _hold(self, distance: float) -> None:
        """Hold the pattern at a distance along the line; of several, along the first."""
        inspected = self.inspected
        if inspected is None or inspected.scan is None:
            return
        layer = inspected.ground.layer
        path = paths_on(layer, inspected.shapes)[0]
        along = path.distances if len(inspected.shapes) == 1 else path.from_middle
        row, col = np.rint(path.points[np.abs(along - distance).argmin()]).astype(int)
        rows, cols = inspected.scan.map_shape
        if 0 <= row < rows and 0 <= col < cols:
            self.session.hold(Point(inspected.scan, int(row), int(col), layer))


def paths_on(layer: Image, shapes: Sequence[Drawn]) -> list[Path]:
    """The paths of some lines on a map.

    Raises
    ------
    ValueError
        If one of them has no length.
    """
    return [Path.through(shape.vertices(layer), step_of(layer)) for shape in shapes]


def _curve(layer: Image, shapes: Sequence[Drawn]) -> Curve:
    return Curve(layer.name, unit_of(layer), profile(layer.data, paths_on(layer, shapes)))


def _title(inspected: Inspected) -> str:
    lengths = [path.length for path in paths_on(inspected.ground.layer, inspected.shapes)]
    name, count = inspected.ground.link.source.name, len(lengths)
    about = f"{lengths[0]:.3g} µm" if count == 1 else f"mean of {count} lines"
    return f"{name}: {about}"
