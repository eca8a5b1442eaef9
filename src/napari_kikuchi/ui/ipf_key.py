"""What the colours of inverse pole figures mean: one triangle for each phase."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.colour_keys import ColourKey, colour_key
from napari_kikuchi.orientation.rings import written
from napari_kikuchi.ui.plot import Plot, Sheet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.solutions import Solution

_HEIGHT = 130
_POINTS = 8
# In pixels: around the triangles, for the indices of their corners and the name below.
_SIDE, _ABOVE, _BELOW = 26, 16, 36


class IpfKey(Plot):
    """Draws the keys beside each other.

    Parameters
    ----------
    session
        Of the viewer whose theme is worn.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session, _HEIGHT)
        self.setToolTip(
            "Colour of the crystal direction along an axis of the sample, in the pictures IPF x, "
            "y and z"
        )

    def set_solution(self, solution: Solution | None) -> None:
        """Draw the keys of the phases of some maps."""
        if solution is None:
            self.clear()
        else:
            phases = solution.readings.phases
            symmetries = solution.readings.orientations.symmetries
            self.show_figure(partial(_draw, phases, symmetries))


def _draw(phases: Sequence[Any], symmetries: Sequence[Any], sheet: Sheet) -> None:
    keys = [colour_key(*one) for one in zip(symmetries, phases, strict=True)]
    room = sheet.width / len(keys)
    for i, (key, phase) in enumerate(zip(keys, phases, strict=True)):
        box = (
            i * room + _SIDE,
            _BELOW,
            max(room - 2 * _SIDE, 1),
            sheet.height - _ABOVE - _BELOW,
        )
        axes = sheet.axes(box)
        axes.axis("off")
        left, right, bottom, top = key.extent
        axes.imshow(key.colours, extent=key.extent, origin="lower", interpolation="bilinear")
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        _name_corners(axes, key)
        axes.text(
            0.5,
            -0.24,
            phase.name,
            transform=axes.transAxes,
            ha="center",
            va="top",
            fontsize=_POINTS,
        )


def _name_corners(axes: Any, key: ColourKey) -> None:
    middle = np.mean([place for place, _ in key.corners], axis=0)
    for place, axis in key.corners:
        x, y = place
        outward = np.sign(np.round(np.subtract(place, middle), 3))
        axes.annotate(
            f"[{written(axis)}]",
            (x, y),
            xytext=(3 * outward[0], 3 * outward[1]),
            textcoords="offset points",
            ha="left" if outward[0] > 0 else "right",
            va="bottom" if outward[1] > 0 else "top",
            fontsize=_POINTS,
            annotation_clip=False,
        )
