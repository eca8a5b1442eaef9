"""The plot of a line across a map: profiles, features, and the patterns along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal

from napari_kikuchi.ui.pattern_strip import Less, Strip, side_by_side
from napari_kikuchi.ui.plot import COLOURS, Plot, entitle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import MouseEvent
    from napari.components import ViewerModel
    from numpy.typing import NDArray

    from napari_kikuchi.explore.paths import PathProfile

# Heights in pixels: of one profile, of one feature's row, of a strip of patterns, of titles.
_PROFILE, _FEATURE, _STRIP, _GAP = 78, 12, 62, 34
_LEFT, _EDGE, _TITLE = 62, 8, 24
_HEIGHT = 420
_NAME_POINTS = 6.5
# What is drawn of a feature: two and a half deviations to each side of its mean.
_DEVIATIONS = 2.5
_DIVERGING = "RdBu_r"


@dataclass(frozen=True, eq=False)
class Curve:
    """A profile with the name of its map and the unit of its values."""

    name: str
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
    viewer
        Whose theme is worn.
    """

    pointed = Signal(float)
    """A distance along the line in µm that was clicked."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer, _HEIGHT)
        self._distances: list[Axes] = []
        self._tiles: list[Axes] = []
        self._strip: Strip | None = None
        self.mpl_connect("button_press_event", self._on_press)

    def show_line(
        self,
        curves: Sequence[Curve],
        features: FeatureRows | None = None,
        strip: Strip | None = None,
        less: Less = Less.FIRST,
    ) -> None:
        """Draw profiles, and features and patterns if they are known already."""
        self.figure.clear()
        self._strip = strip
        heights = [_PROFILE] * len(curves)
        if features is not None:
            heights.append(_GAP + _FEATURE * len(features.names))
        self._distances, self._tiles = self._axes(heights, 0 if strip is None else 2)
        for axes, curve, colour in zip(self._distances, curves, COLOURS, strict=False):
            _draw_curve(axes, curve, colour, strip)
        if features is not None:
            _draw_features(self._distances[-1], features, curves[0].profile.distances)
        if strip is not None:
            _draw_strip(self._tiles, strip, less)
        self._label_last()
        self.dress()

    def clear(self) -> None:
        """Draw nothing."""
        self._distances, self._tiles, self._strip = [], [], None
        super().clear()

    def _axes(self, heights: list[int], strips: int) -> tuple[list[Axes], list[Axes]]:
        """Axes below each other, of these heights in pixels; the strips come last."""
        total = sum(heights) + _GAP + strips * (_STRIP + _TITLE)
        self.setMinimumHeight(total)
        width = self.width()
        left, right, edge = _LEFT / width, 1 - _EDGE / width, _EDGE / width
        top = 1.0
        axes: list[Axes] = []
        for height in heights:
            box = (left, top - height / total, right - left, (height - _TITLE) / total)
            axes.append(self.add_axes(box, sharex=axes[0] if axes else None))
            top -= height / total
        top -= (_GAP - _TITLE + _EDGE) / total
        tiles = []
        for _ in range(strips):
            top -= (_TITLE + _STRIP) / total
            tiles.append(self.add_axes((edge, top, right - edge, _STRIP / total)))
        return axes, tiles

    def _label_last(self) -> None:
        for axes in self._distances[:-1]:
            axes.tick_params(labelbottom=False)
        if self._distances:
            self._distances[-1].set_xlabel("distance (µm)", labelpad=1, loc="right")

    def _on_press(self, event: MouseEvent) -> None:
        if event.inaxes in self._distances and event.xdata is not None:
            self.pointed.emit(float(event.xdata))
        elif event.inaxes in self._tiles and self._strip is not None and event.xdata is not None:
            count = len(self._strip.distances)
            self.pointed.emit(
                float(self._strip.distances[min(int(event.xdata * count), count - 1)])
            )


def _draw_curve(axes: Axes, curve: Curve, colour: str, strip: Strip | None) -> None:
    at, values = curve.profile.distances, curve.profile.values
    if curve.profile.count.max(initial=0) > 1:
        low, high = values - curve.profile.deviation, values + curve.profile.deviation
        axes.fill_between(at, low, high, color=colour, alpha=0.25, linewidth=0)
    axes.plot(at, values, color=colour, linewidth=1.4)
    title = f"{curve.name} ({curve.unit})" if curve.unit else curve.name
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
    axes.set_yticks(range(len(features.names)), features.names, fontsize=_NAME_POINTS)
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
