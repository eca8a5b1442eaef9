"""What a line drawn across maps says: profiles, features that change, patterns along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from napari_kikuchi.explore.paths import (
    Path,
    feature_profiles,
    profile,
    shared_by_neighbours,
)
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import best_first
from napari_kikuchi.ui.forms import Notice
from napari_kikuchi.ui.line_plot import Curve, FeatureRows, LinePlot
from napari_kikuchi.ui.link import link_of
from napari_kikuchi.ui.pattern_strip import Less, Strip, read_strip
from napari_kikuchi.ui.session import Point, Session

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_kikuchi.preprocess import Preprocessor
    from napari_kikuchi.scan import Scan
    from napari_kikuchi.ui.inspected import Inspected
    from napari_kikuchi.ui.regions import Drawn
    from napari_kikuchi.ui.work import Work

_FEATURES = 12
_LESS = "What is subtracted from each pattern in the lower strip"
_NO_PATTERNS = "The patterns behind these maps are not open"


class LinePage(QWidget):
    """Shows one line or path, or several on average.

    Parameters
    ----------
    session
        Of the viewer.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._inspected: Inspected | None = None
        self._work: Work | None = None
        self.features: FeatureRows | None = None
        self.strip: Strip | None = None
        self.curves: list[Curve] = []
        self.title = QElidingLabel()
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.less = QComboBox()
        self.less.addItems(list(Less))
        self.less.setToolTip(_LESS)
        self.less.currentIndexChanged.connect(self._draw)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(4)
        self.notice = Notice()
        self.plot = LinePlot(session.viewer)
        self.plot.pointed.connect(self._hold)
        self.plot.setToolTip("A click holds the pattern there")
        heading = QHBoxLayout()
        heading.addWidget(self.title, 1)
        heading.addWidget(self.less)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(heading)
        layout.addWidget(self.bar)
        layout.addWidget(self.notice)
        layout.addWidget(self.plot)
        layout.addStretch()
        session.prepared.connect(self._on_prepared)

    def close_down(self) -> None:
        """Stop working and listening; the widget may be gone."""
        self._cancel()
        self._session.prepared.disconnect(self._on_prepared)

    def inspect(self, inspected: Inspected | None) -> None:
        """Follow these lines, or none."""
        self._cancel()
        self._inspected = inspected
        self.features = self.strip = None
        self.curves = []
        self.notice.tell("")
        if inspected is None:
            return
        try:
            self.curves = [_curve(layer, inspected.shapes) for layer in inspected.maps]
        except ValueError as error:
            self.plot.clear()
            self.notice.tell(str(error))
            return
        self.title.setText(_title(inspected))
        self._draw()

        self._start(inspected)

    def _start(self, inspected: Inspected) -> None:
        """Read what takes longer than to draw it."""
        scan, layer = inspected.scan, inspected.ground.layer
        preprocessor = None
        if scan is not None and scan.map_shape == layer.data.shape:
            preparation = self._session.preparation(scan)
            if isinstance(preparation, Exception):
                self.notice.tell(str(preparation))
            elif preparation is not None:  # Else it will be told when there is one.
                preprocessor = preparation.preprocessor
        self.less.setEnabled(scan is not None)
        self.less.setToolTip(_LESS if scan is not None else _NO_PATTERNS)
        self.bar.setRange(0, 0)
        self.bar.show()
        self._work = self._session.start(
            _follow(inspected, preprocessor),
            done=self._on_end,
            failed=self._on_end,
            progressed=self._on_progress,
        )

    def _on_progress(self, update: Progress) -> None:
        if not isinstance(update, _Found):
            self.bar.setRange(0, update.total)
            self.bar.setValue(update.done)
        elif update.inspected is self._inspected:  # Else it was still on its way.
            self.features = update.features or self.features
            self.strip = update.strip or self.strip
            self._draw()

    def _on_end(self, outcome: Exception | None) -> None:
        self.bar.hide()
        if isinstance(outcome, Exception):
            self.notice.tell(str(outcome))

    def _on_prepared(self, scan: Scan) -> None:
        """The patterns of a scan can be prepared from now on."""
        inspected = self._inspected
        if inspected is not None and inspected.scan is scan and self.strip is None:
            self._cancel()
            self._start(inspected)

    def _cancel(self) -> None:
        self.bar.hide()
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def _draw(self, *_: object) -> None:
        if self.curves:
            self.plot.show_line(
                self.curves, self.features, self.strip, list(Less)[self.less.currentIndex()]
            )

    def _hold(self, distance: float) -> None:
        """Hold the pattern at a distance along the line; of several, along the first."""
        inspected = self._inspected
        if inspected is None or inspected.scan is None:
            return
        layer = inspected.ground.layer
        path = paths_on(layer, inspected.shapes)[0]
        along = path.distances if len(inspected.shapes) == 1 else path.from_middle
        row, col = np.rint(path.points[np.abs(along - distance).argmin()]).astype(int)
        rows, cols = inspected.scan.map_shape
        if 0 <= row < rows and 0 <= col < cols:
            self._session.hold(Point(inspected.scan, int(row), int(col), layer))


@dataclass(frozen=True, eq=False)
class _Found(Progress):
    """A part of what is to be drawn is ready."""

    inspected: Inspected | None = None
    features: FeatureRows | None = None
    strip: Strip | None = None


def _follow(inspected: Inspected, preprocessor: Preprocessor | None) -> Job[None]:
    """Read the patterns along some lines, then the maps of the stack."""
    paths = paths_on(inspected.ground.layer, inspected.shapes)
    if inspected.scan is not None and preprocessor is not None:
        strip = yield from read_strip(inspected.scan, preprocessor, paths)
        yield _Found(0, 0, inspected=inspected, strip=strip)
    stack = inspected.stack
    if stack is not None and stack.map_shape == inspected.ground.layer.data.shape:
        found = yield from feature_profiles(stack, paths)
        chosen = best_first(shared_by_neighbours(found))[:_FEATURES]
        rows = FeatureRows([stack.names[i] for i in chosen], found[chosen])
        yield _Found(0, 0, inspected=inspected, features=rows)


def paths_on(layer: Image, shapes: Sequence[Drawn]) -> list[Path]:
    """The paths of some lines on a map.

    Raises
    ------
    ValueError
        If one of them has no length.
    """
    y, x = (float(step) for step in layer.scale[-2:])
    return [Path.through(shape.vertices(layer), (y, x)) for shape in shapes]


def _curve(layer: Image, shapes: Sequence[Drawn]) -> Curve:
    link = link_of(layer)
    unit = ""
    if link is not None and link.stack is not None and link.channel is not None:
        unit = link.stack.channels[link.channel].unit
    return Curve(layer.name, unit, profile(layer.data, paths_on(layer, shapes)))


def _title(inspected: Inspected) -> str:
    lengths = [path.length for path in paths_on(inspected.ground.layer, inspected.shapes)]
    name, count = inspected.ground.link.source.name, len(lengths)
    about = f"{lengths[0]:.3g} µm" if count == 1 else f"mean of {count} lines"
    return f"{name}: {about}"
