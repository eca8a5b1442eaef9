"""What a figure shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_kikuchi.maps import Region, contrast_limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PATTERN_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True, eq=False)
class MapPanel:
    """A map in the colours of a colormap, with scale bar and colour bar.

    Attributes
    ----------
    values
        Of shape (rows, columns); NaN where there is none.
    step
        Distance between rows and between columns, in µm.
    name, unit
        Of the values, for the colour bar; the unit may be empty.
    limits
        Values at the two ends of the colormap; None: those between which napari shows the map.
    colormap
        A name that matplotlib knows, one of napari's single colours such as ``"magenta"``, or a
        table of colours (n, 3) or (n, 4) between 0 and 1, as any napari colormap has.
    title
        Stands above the map.
    """

    values: NDArray
    step: tuple[float, float]
    name: str
    unit: str = ""
    limits: tuple[float, float] | None = None
    colormap: str | NDArray = "gray"
    title: str = ""

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, cols = self.values.shape
        return rows, cols

    def shown_limits(self) -> tuple[float, float]:
        """The limits, given or not."""
        return contrast_limits(self.values) if self.limits is None else self.limits


@dataclass(frozen=True, eq=False)
class DirectionKey:
    """The colours of the crystal directions of a phase, in stereographic projection.

    Attributes
    ----------
    name
        Of the phase.
    colours
        Red, green, blue and opacity of shape (height, width, 4), the lowest row first.
    extent
        Left, right, bottom and top of the picture in the projection.
    outline
        Places around the directions that differ by symmetry, of shape (n, 2).
    corners
        Place and indices of each direction between which the others lie.
    """

    name: str
    colours: NDArray
    extent: tuple[float, float, float, float]
    outline: NDArray
    corners: Sequence[tuple[tuple[float, float], tuple[int, int, int]]] = ()


@dataclass(frozen=True, eq=False)
class CompositePanel:
    """Three maps as the red, green and blue of one picture, with scale bar.

    Attributes
    ----------
    values
        Of shape (3, rows, columns); NaN in any of them where there is none.
    step
        Distance between rows and between columns, in µm.
    limits
        Values at which each colour is absent, and full; None: those between which napari shows
        each map.
    names
        Of the three maps, for the key; none for a picture without one.
    title
        Stands above the map.
    keys
        What the colours mean if they are those of crystal directions: one for each phase, instead
        of the names.
    heading
        Of these: which direction.
    """

    values: NDArray
    step: tuple[float, float]
    limits: Sequence[tuple[float, float]] | None = None
    names: Sequence[str] = ()
    title: str = ""
    keys: Sequence[DirectionKey] = ()
    heading: str = ""

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        _, rows, cols = self.values.shape
        return rows, cols


@dataclass(frozen=True, eq=False)
class PatternPanel:
    """A pattern, or the difference of two.

    Attributes
    ----------
    values
        Of shape (height, width); NaN where there is none.
    title
        Stands above the pattern, such as ``"a, mean of 212 patterns"``.
    diverging
        Blue below 0, white at 0 and red above, as suits a difference; else gray.
    region
        Index of the region whose colour frames it.
    bands
        Row and column of both ends of each band that is drawn over it, of shape (2, 2), in its
        pixels; numbered in this order.
    """

    values: NDArray
    title: str = ""
    diverging: bool = False
    region: int | None = None
    bands: Sequence[NDArray] = ()

    def limits(self) -> tuple[float, float]:
        """Values between which it is shown."""
        low, high = contrast_limits(self.values, _PATTERN_PERCENTILES)
        if not self.diverging:
            return low, high
        largest = max(abs(low), abs(high))
        return -largest, largest

    def caption(self) -> str:
        """The title; of a difference with what its colours mean."""
        return f"{self.title} (±{self.limits()[1]:.2g})" if self.diverging else self.title


@dataclass(frozen=True, eq=False)
class ProfileCurve:
    """Values along a line. Profiles of one name and unit are drawn over each other.

    Attributes
    ----------
    distance
        From the beginning of the line, in µm, of shape (n,).
    value
        Of shape (n,); NaN interrupts the line.
    name, unit
        Of the values; the unit may be empty.
    deviation
        Of each value, drawn as a band to both sides; None: no band.
    region
        Index of the line among the regions, whose colour and letter it gets.
    """

    distance: NDArray
    value: NDArray
    name: str
    unit: str = ""
    deviation: NDArray | None = None
    region: int | None = None


@dataclass(frozen=True, eq=False)
class FigureContent:
    """All of a figure.

    Attributes
    ----------
    maps
        One at least.
    regions
        Drawn on every map, with the letters of :func:`letters`.
    patterns
        In the order in which they are read.
    profiles
        Below maps and patterns.
    columns
        Of the journal that the figure may be wide: 1 is 85 mm, 2 is 170 mm. It is less wide where
        its maps would be too high.

    Raises
    ------
    ValueError
        If there is no map, a map or a pattern has another shape, limits are not apart, or there is
        no region of an index.
    """

    maps: Sequence[MapPanel | CompositePanel]
    regions: Sequence[Region] = ()
    patterns: Sequence[PatternPanel] = ()
    profiles: Sequence[ProfileCurve] = ()
    columns: Literal[1, 2] = 2

    def __post_init__(self) -> None:
        if not self.maps:
            raise ValueError("a figure needs a map at least: choose one")
        for panel in self.maps:
            _check_map(panel)
        for pattern in self.patterns:
            if np.ndim(pattern.values) != 2:
                raise ValueError(
                    f"a pattern has the shape (height, width), not {np.shape(pattern.values)}"
                )
        used = [pattern.region for pattern in self.patterns]
        used += [profile.region for profile in self.profiles]
        for region in used:
            if region is not None and not 0 <= region < len(self.regions):
                raise ValueError(
                    f"there is no region {region}: counted from 0, the figure has "
                    f"{len(self.regions)} regions"
                )


def _check_map(panel: MapPanel | CompositePanel) -> None:
    shape = np.shape(panel.values)
    wanted = 2 if isinstance(panel, MapPanel) else 3
    if len(shape) != wanted or (wanted == 3 and shape[0] != 3) or 0 in shape:
        raise ValueError(
            "a map has the shape (rows, columns), a picture of three maps (3, rows, columns), not "
            f"{shape}"
        )
    if isinstance(panel, MapPanel) and panel.limits is not None:
        low, high = panel.limits
        if not low < high:
            raise ValueError(f"the lower limit of a map lies below the upper one, not {low, high}")


def letters(count: int) -> list[str]:
    """Letters of regions: a to z, then aa, ab and so on."""
    found = list(ascii_lowercase)
    found += [first + second for first in ascii_lowercase for second in ascii_lowercase]
    return found[:count]
