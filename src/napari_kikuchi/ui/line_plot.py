"""The plot of a line across a map: profiles, features, and the patterns along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal

from napari_kikuchi.ui.pattern_strip import Less, Strip, side_by_side
from napari_kikuchi.ui.plot import COLOURS, Plot, entitle, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray
    from qtpy.QtGui import QMouseEvent

    from napari_kikuchi.explore.paths import PathProfile
    from napari_kikuchi.ui.plot import Sheet
    from napari_kikuchi.ui.session import Session

# Heights in pixels: of one profile, of one feature's row, of a strip of patterns, of titles.
_PROFILE, _FEATURE, _STRIP, _GAP = 78, 12, 62, 34
_LEFT, _EDGE, _TITLE = 62, 8, 24
_HEIGHT = 420
_NAME_POINTS = 6.5
# For more letters there is no room beside the rows.
_NAME_LETTERS = 11
# What is drawn of a feature: two and a half deviations to each side of its mean.
_DEVIATIONS = 2.5
_DIVERGING = "RdBu_r"


@dataclass(frozen=True, eq=False)
class Curve:
    """A profile with the name and the title of its map and the unit of its values."""

    name: str
    title: str
    unit: str
    profile: PathProfile


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """Profiles of some features.

    Attributes
    ----------
    names
        Of the features, from top to bottom.
    values
        Of shape (features, points), in deviations of each map from its mean.
    """

    names: Sequence[str]
    values: NDArray[np.floating]


class LinePlot(Plot):
    """Draws what is known of a line so far; parts of it may come later.

    Parameters
    ----------
    session
        Of the viewer whose theme is worn.
    """

    chosen = Signal(float)
    """A distance along the line in µm that was clicked."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _HEIGHT)

    def show_line(
        self,
        curves: Sequence[Curve],
        features: FeatureRows | None = None,
        strip: Strip | None = None,
        less: Less = Less.FIRST,
    ) -> None:
        """Draw profiles, and features and patterns if they are known already."""
        heights = [_PROFILE] * len(curves)
        if features is not None:
            heights.append(_GAP + _FEATURE * len(features.names))
        strips = 0 if strip is None else 2
        self.set_height(sum(heights) + _GAP + strips * (_STRIP + _TITLE))
        self.show_figure(partial(_draw_line, curves, features, strip, less, heights))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Tell the distance that is meant."""
        found = None if event is None else self.pointed(event.position())
        if found is None:
            return
        axes, x, _ = found
        distances, tiles, strip = self.parts
        if axes in distances:
            self.chosen.emit(x)
        elif axes in tiles:
            count = len(strip.distances)
            self.chosen.emit(float(strip.distances[min(int(x * count), count - 1)]))


def _draw_line(
    curves: Sequence[Curve],
    features: FeatureRows | None,
    strip: Strip | None,
    less: Less,
    heights: Sequence[int],
    sheet: Sheet,
) -> tuple[list[Axes], list[Axes], Strip | None]:
    """Draw a line's axes below each other, of these heights in pixels; the strips come last."""
    top = sheet.height
    distances: list[Axes] = []
    for height in heights:
        box = (_LEFT, top - height, sheet.width - _LEFT - _EDGE, height - _TITLE)
        distances.append(sheet.axes(box, sharex=distances[0] if distances else None))
        top -= height
    for axes, curve, colour in zip(distances, curves, COLOURS, strict=False):
        _draw_curve(axes, curve, colour, strip)
    if features is not None:
        _draw_features(distances[-1], features, curves[0].profile.distances)
    for axes in distances[:-1]:
        axes.tick_params(labelbottom=False)
    distances[-1].set_xlabel("distance (µm)", labelpad=1, loc="right")
    tiles = []
    if strip is not None:
        top -= _GAP - _TITLE + _EDGE
        for _ in range(2):
            top -= _TITLE + _STRIP
            tiles.append(sheet.axes((_EDGE, top, sheet.width - 2 * _EDGE, _STRIP)))
        _draw_strip(tiles, strip, less)
    return distances, tiles, strip


def _draw_curve(axes: Axes, curve: Curve, colour: str, strip: Strip | None) -> None:
    at, values = curve.profile.distances, curve.profile.values
    if curve.profile.count.max(initial=0) > 1:
        low, high = values - curve.profile.deviation, values + curve.profile.deviation
        axes.fill_between(at, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(at, values, color=colour, linewidth=1.4)
    title = f"{curve.title} ({curve.unit})" if curve.unit else curve.title
    entitle(axes, title)
    axes.set_xlim(at[0], max(at[-1], at[0] + 1e-9))
    axes.locator_params(axis="y", nbins=3)
    if strip is not None:
        for distance in strip.distances:
            axes.axvline(distance, color=colour, alpha=0.25, linewidth=0.6)


def _draw_features(axes: Axes, features: FeatureRows, distances: NDArray[np.floating]) -> None:
    half = (distances[1] - distances[0]) / 2 if len(distances) > 1 else 0.5
    axes.imshow(
        features.values,
        aspect="auto",
        interpolation="nearest",
        cmap=_DIVERGING,
        vmin=-_DEVIATIONS,
        vmax=_DEVIATIONS,
        extent=(distances[0] - half, distances[-1] + half, len(features.names) - 0.5, -0.5),
    )
    axes.set_xlim(distances[0], max(distances[-1], distances[0] + 1e-9))
    names = [shortened(name, _NAME_LETTERS) for name in features.names]
    axes.set_yticks(range(len(names)), names, fontsize=_NAME_POINTS)
    entitle(axes, "features that change most (deviations)")


def _draw_strip(tiles: Sequence[Axes], strip: Strip, less: Less) -> None:
    changes = strip.less(less)
    limit = float(np.nanpercentile(np.abs(changes), 99.5)) or 1.0
    low, high = np.nanpercentile(strip.patterns, (0.5, 99.5))
    for axes, shown, cmap, limits, title in (
        (tiles[0], strip.patterns, "gray", (low, high), "patterns"),
        (tiles[1], changes, _DIVERGING, (-limit, limit), str(less)),
    ):
        picture = side_by_side(shown)
        axes.imshow(
            picture,
            cmap=cmap,
            vmin=limits[0],
            vmax=limits[1],
            extent=(0, 1, 0, picture.shape[0] / picture.shape[1]),
            interpolation="nearest",
        )
        entitle(axes, title)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_frame_on(False)
        axes.set_anchor("W")
