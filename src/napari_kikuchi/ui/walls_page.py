"""Walls and cells of a map: how large cells are, how thick walls."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from magicgui.widgets import ComboBox
from napari.layers import Image

from napari_kikuchi.explore.segmentation import Segmentation, numbered, segmented
from napari_kikuchi.explore.wall_report import WallReport, in_words, report_walls
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import MapStack
from napari_kikuchi.ui.forms import Form
from napari_kikuchi.ui.label_layer import few_colours
from napari_kikuchi.ui.label_maps import LabelMap, label_maps
from napari_kikuchi.ui.link import map_name
from napari_kikuchi.ui.segment_page import SegmentPage
from napari_kikuchi.ui.walls_plot import WallsPlot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.ui.saving import Table
    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.stack_choice import StackChoice

_DARKNESS = {"find out": None, "dark": True, "bright": False}
_NOTHING = "nothing else"
_MAP = "On which walls stand out; the visible one comes first"
_SHADE = "Darker or brighter than the interior of cells"
_BORDERS = "Borders of grains or domains, where cells end without a wall, too"
_HOLDS = "The figures are those of the walls drawn on the map: look whether any are missed."
_CHANNELS = (numbered("cells"), numbered("walls"))
_WALL_COLOUR = "#ffb000"
_FIGURES, _CELLS = "figures", "cells"
_FIRST = ("diameter (µm)", "area (µm²)", "aspect ratio")


class WallsPage(SegmentPage):
    """Finds the walls of one map and the cells between them.

    Parameters
    ----------
    session
        Of the viewer.
    stacks
        Whose maps are offered.
    """

    numbers = "cells"

    def __init__(self, session: Session, stacks: StackChoice) -> None:
        self._borders: list[LabelMap] = []
        self._by_hand = False
        self._of: tuple[MapStack, str] | None = None
        self.map = ComboBox(label="map", choices=(), tooltip=_MAP)
        self.map.native.activated.connect(self._on_hand)
        self.darkness = ComboBox(label="walls are", choices=list(_DARKNESS), tooltip=_SHADE)
        self.borders = ComboBox(label="cells also end at", choices=[_NOTHING], tooltip=_BORDERS)
        self.walls_plot = WallsPlot(session)
        super().__init__(
            session,
            stacks,
            Form(self.map, self.darkness, self.borders),
            "Find walls and cells",
            "Find the walls, divide the map into cells, and measure both",
            (_FIGURES, _CELLS),
            self.walls_plot,
            {"walls": {"colormap": few_colours({1: _WALL_COLOUR}), "opacity": 0.7}},
        )

    def set_stack(self) -> None:
        """Offer the maps of another stack."""
        self._by_hand = False
        super().set_stack()
        self.collect()

    def collect(self) -> None:
        """Offer the maps and borders that there are now: layers came, went or were shown."""
        _offer(self.map, self._maps(), keep=self._by_hand)
        there = [] if self.over is None else label_maps(self.session, self.over)
        own = [self.layers.layer(name) for name in ("cells", "walls")]
        self._borders = [one for one in there if one.layer is None or one.layer not in own]
        _offer(self.borders, [_NOTHING, *(one.name for one in self._borders)])
        self.enable()

    def enable(self) -> None:
        """Offer what can be done now."""
        super().enable()
        why = self.obstacle()
        for choice, tip in ((self.map, _MAP), (self.darkness, _SHADE)):
            choice.enabled = not why
            choice.tooltip = why or tip
        none = "" if self._borders else "There are no labels, grains or domains on these maps"
        self.borders.enabled = not (why or none)
        self.borders.tooltip = why or none or _BORDERS

    def job(self, stack: MapStack) -> Job[tuple[WallReport, dict[str, Any]]]:
        """Find walls and cells."""
        name = self.map.value
        if self._of != (stack, name):
            self.layers.forget()
        self._of = stack, name
        dark = _DARKNESS[self.darkness.value]
        borders = next((one for one in self._borders if one.name == self.borders.value), None)
        return _find(stack, name, dark, borders and borders.fixed())

    def take(self, result: tuple[WallReport, dict[str, Any]]) -> None:
        """Show walls and cells, and tell their figures."""
        report, provenance = result
        maps: dict[str, NDArray] = {
            "cells": report.walls.cells,
            "walls": report.walls.mask.astype(np.uint8),
        }
        assert self.over is not None
        self.layers.show(Segmentation(_CHANNELS, maps, provenance), self.over, self.source)
        self.walls_plot.show_report(report)
        self.walls_plot.show()
        tables: dict[str, Table] = {_FIGURES: report.table(), _CELLS: report.cells}
        self.tell(_told(report, provenance["settings"]["map"]), _sizes_first(report), tables)

    def _on_hand(self, *_: Any) -> None:
        """A map that was chosen stays chosen whatever is shown."""
        self._by_hand = True

    def _maps(self) -> list[str]:
        """Names of the maps of the stack: those that are visible, then by rank."""
        stack = self.stacks.stack
        if stack is None:
            return []
        visible = [
            map_name(layer)
            for layer, link in self.session.links()
            if link.stack is stack and isinstance(layer, Image) and layer.visible
        ]
        order = [*visible, *(stack.names[index] for index in stack.ranking())]
        return list(dict.fromkeys(name for name in order if name in stack.names))


def _offer(choice: ComboBox, names: Sequence[str], keep: bool = True) -> None:
    """Offer names; the one that was chosen stays chosen if it is there, else it is the first."""
    chosen = choice.value
    choice.choices = ()  # Else those that stay would stay where they are.
    choice.choices = names
    if names:
        choice.value = chosen if keep and chosen in names else names[0]


def _sizes_first(report: WallReport) -> Table:
    """The cells, with what is looked at first in front, for there is no room for all columns."""
    cells = dict(report.cells)
    return {"cell": cells.pop("cell"), **{name: cells.pop(name) for name in _FIRST}, **cells}


def _find(
    stack: MapStack, name: str, dark: bool | None, borders: LabelMap | None
) -> Job[tuple[WallReport, dict[str, Any]]]:
    yield Progress(0, 0, "Reading the map")
    values = stack.map(stack.names.index(name))
    given = None if borders is None else borders.read()
    report = yield from report_walls(values, stack.step, dark=dark, borders=given)
    limit = None if borders is None else borders.name
    return report, segmented("walls", stack, map=name, dark=report.dark, borders=limit)


def _told(report: WallReport, name: str) -> str:
    shade = "Dark" if report.dark else "Bright"
    rows = "".join(
        f"<tr><td>{what}&nbsp;&nbsp;</td><td><b>{in_words(measure)}</b></td></tr>"
        for what, measure in report.figures.items()
    )
    return (
        f"{shade} walls on {escape(name)} stand out by {report.walls.contrast:.1f} deviations; "
        f"{report.counted}.<table>{rows}</table>{_HOLDS}"
    )
