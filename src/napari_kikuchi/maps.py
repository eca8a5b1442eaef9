"""A map stack: what a method says about a scan."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Enough values for percentiles that do not visibly move, few enough to take no time.
_CONTRAST_SAMPLE = 100_000
_COLOURS = ("red", "green", "blue")


class Mark(StrEnum):
    """What a person thinks of a map."""

    NONE = ""
    STARRED = "starred"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Channel:
    """One map of a stack.

    Attributes
    ----------
    name
        Shown as the layer's name.
    unit
        Of the values; empty for latent features, which have none.
    colormap
        A napari colormap that suits the values.
    score
        What the stack is ranked by; None where it is not ranked.
    limits
        Values between which it is shown, where others would mislead; None: see
        :func:`contrast_limits`. Maps with limits in red, green and blue are one picture.
    mark
        Whether someone has starred the map, or hidden it from lists.
    """

    name: str
    unit: str = ""
    colormap: str = "gray"
    score: float | None = None
    limits: tuple[float, float] | None = None
    mark: Mark = Mark.NONE

    def contrast(self, values: ArrayLike) -> tuple[float, float]:
        """Limits between which the map is shown if these are its values."""
        return contrast_limits(values) if self.limits is None else self.limits


@dataclass(frozen=True)
class Region:
    """A region drawn on a map.

    Attributes
    ----------
    name
        What a person calls it.
    shape_type
        ``"polygon"``, ``"rectangle"``, ``"ellipse"``, ``"line"`` or ``"path"``.
    vertices
        y and x of each vertex in µm from the centre of the scan's first position.
    """

    name: str
    shape_type: str
    vertices: tuple[tuple[float, float], ...]


@dataclass(frozen=True, eq=False)
class MapStack:
    """Named maps of one scan.

    Attributes
    ----------
    values
        Of shape (channels, rows, columns); NaN where a position has no pattern. Anything that
        slices like a numpy array, so that a stack on disk need not be loaded.
    channels
        One for each map.
    step
        Distance between rows and between columns, in µm.
    provenance
        Which scan (``"scan"``), which model (``"model"``), which settings and which version made
        the maps; all of it fit for JSON.
    regions
        What was drawn on the maps.
    arrays
        Small arrays that belong to the provenance, by name, such as the static background that
        was subtracted.
    path
        Store that was opened; None for a stack that lives in memory.

    Raises
    ------
    ValueError
        If values and channels do not match.
    """

    values: Any
    channels: Sequence[Channel]
    step: tuple[float, float] = (1.0, 1.0)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    regions: Sequence[Region] = ()
    arrays: Mapping[str, NDArray] = field(default_factory=dict)
    path: Path | None = None

    def __post_init__(self) -> None:
        if len(self.values.shape) != 3 or self.values.shape[0] != len(self.channels):
            raise ValueError(
                f"a map stack of {len(self.channels)} channels needs values of shape "
                f"({len(self.channels)}, rows, columns), not {tuple(self.values.shape)}"
            )

    def __len__(self) -> int:
        return len(self.channels)

    @property
    def map_shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return tuple(self.values.shape[1:])

    @property
    def names(self) -> list[str]:
        """Names of the channels, in order."""
        return [channel.name for channel in self.channels]

    def map(self, index: int) -> NDArray:
        """One map in memory, of shape (rows, columns)."""
        return np.asarray(self.values[index])

    @property
    def scores(self) -> NDArray[np.float64]:
        """Scores of the channels; NaN for one without."""
        return np.array([np.nan if one.score is None else one.score for one in self.channels])

    def ranking(self) -> list[int]:
        """Indices of the channels, highest score first; those without a score last, in order."""
        return best_first(self.scores)

    def listed(self) -> list[int]:
        """The same without those that are hidden, unless all are."""
        ranking = self.ranking()
        return [i for i in ranking if self.channels[i].mark is not Mark.HIDDEN] or ranking

    def picture(self) -> tuple[int, ...]:
        """Indices of the channels that are the red, green and blue of a picture, if there is one.

        Shown by itself, or between limits of its own, each of them would mislead.
        """
        parts = {one.colormap: i for i, one in enumerate(self.channels) if one.limits is not None}
        return tuple(parts[colour] for colour in _COLOURS) if parts.keys() >= {*_COLOURS} else ()

    def shown_first(self) -> tuple[int, ...]:
        """Indices of the channels to be seen before any is chosen: a picture, or the best map.

        One that was hidden is not the best, unless all were.
        """
        return self.picture() or tuple(self.listed()[:1])


def best_first(scores: NDArray[np.floating]) -> list[int]:
    """Indices of scores, the highest first; NaN last, in order."""
    return np.argsort(-scores, kind="stable").tolist()


def contrast_limits(
    values: ArrayLike, percentiles: tuple[float, float] = (1.0, 99.0)
) -> tuple[float, float]:
    """Limits between which a map is shown.

    Parameters
    ----------
    values
        A map; NaN and infinite values do not count.
    percentiles
        Shares of the values, in percent, that lie below the lower and below the upper limit.

    Returns
    -------
    tuple of float
        Lower and upper limit, always apart.
    """
    values = np.asarray(values)
    flat = values.ravel()
    stride = max(1, flat.size // _CONTRAST_SAMPLE)
    # A stride that shares a factor with the columns would see only some of them.
    while values.ndim and math.gcd(stride, values.shape[-1]) > 1:
        stride += 1
    flat = flat[::stride]
    flat = flat[np.isfinite(flat)]
    if flat.size == 0:
        return 0.0, 1.0
    low, high = (float(limit) for limit in np.percentile(flat, percentiles))
    if high <= low:
        low, high = float(flat.min()), float(flat.max())
    if high <= low:
        margin = max(abs(low) * 1e-3, 1e-6)
        low, high = low - margin, high + margin
    return low, high
