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

    from matplotlib.axes import Axes

    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.solutions import Solution

_HEIGHT = 150
# Size of letters, height of a line of them, and distance from what they name.
_POINTS, _LINE, _GAP = 8, 12, 2
# In pixels: around the triangles, for the indices of their corners and the name below.
_SIDE, _ABOVE, _BELOW = 20, 20, 40


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
        _write(axes, phase.name, ((left + right) / 2, bottom), -2 * _LINE)


def _name_corners(axes: Axes, key: ColourKey) -> None:
    middle = np.mean([place for place, _ in key.corners] or [(0, 0)], axis=0)
    for place, axis in key.corners:
        # Above or below the picture, whichever is nearer.
        _write(axes, f"[{written(axis)}]", place, _GAP if place[1] > middle[1] else -_LINE)


def _write(axes: Axes, text: str, place: tuple[float, float], up: float) -> None:
    """Write with the lower edge of the letters so many points above a place."""
    axes.annotate(
        text,
        place,
        xytext=(0, up),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=_POINTS,
        annotation_clip=False,
    )
