"""Cell walls of a map: where they run, how thick they are, and the cells between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.cells import divide_into_cells
from napari_kikuchi.explore.ridges import distances, find_ridges, least_height
from napari_kikuchi.explore.surroundings import LOCAL_SIZE, less_surroundings
from napari_kikuchi.explore.wall_profile import ProfileError, WallProfile
from napari_kikuchi.jobs import Job

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Of a wall that is one or two steps thick: the smoothing, in means of the two steps, since more of
# it thickens what is thin along the larger one; in the larger step, how far from the middle of a
# wall its profile is looked at, and the greatest thickness.
_SIGMA = 1.0
_REACH = 2.5
_THIN = 2.0
# Thicker walls are looked at on a coarser scale.
_SCALES = (1.0, 1.5, 2.0, 3.0)
# Values beyond so many thresholds between wall and interior are particles and pores.
_OUTLYING = 2.0
# The ridges of noise alone stand out by some two deviations; of smoothed noise, by nearly three.
LEAST_CONTRAST = 3.0


class NoWallsError(ValueError):
    """A map on which no walls stand out."""


@dataclass(frozen=True, eq=False)
class Walls:
    """The walls of a map. Arrays have its shape.

    Attributes
    ----------
    strength
        The map less its surroundings, as a share of the depth of the walls: about 0 in the
        interior of cells, 1 in the middle of a typical wall; NaN where the map has no value.
    distance
        To the middle of the nearest wall in µm; infinite where that is far, NaN where the map has
        no value. Known to a fraction of the step.
    cells
        Number of the cell of each position, from 1, up to the middle of its walls; 0 where the map
        has no value.
    profile
        The mean profile across walls, of the strength.
    thickness
        Full width of the mean wall at half of its depth, in µm.
    contrast
        Depth of the walls over the standard deviation in interiors. Simulated walls have 8 to 12 at
        medium noise; with less, some figures are off by more than a tenth.
    step
        Distance between rows and between columns, in µm.
    """

    strength: NDArray[np.float32]
    distance: NDArray[np.float32]
    cells: NDArray[np.int32]
    profile: WallProfile
    thickness: float
    contrast: float
    step: tuple[float, float]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where there is a wall: no farther from its middle than half of the thickness."""
        return self.distance <= self.thickness / 2


def walls_are_dark(values: ArrayLike, step: tuple[float, float]) -> Job[bool]:
    """Guess whether walls are darker than the interior of cells.

    Walls take the lesser part of a map. Less its local median, the map reaches farther from its
    median on their side: the sign of Kelly's coefficient of skewness, of the deciles. Particles and
    pores lie beyond these.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.
    step
        Distance between rows and between columns in µm.

    Yields
    ------
    Progress
        Rows of the map.
    """
    local = yield from _less_square(values, step)
    local = local[np.isfinite(local)]
    if not local.size:
        return False
    low, middle, high = np.percentile(local, (10, 50, 90))
    return bool(low + high < 2 * middle)


def find_walls(
    values: ArrayLike,
    step: tuple[float, float],
    *,
    dark: bool,
    borders: ArrayLike | None = None,
) -> Job[Walls]:
    """Find the cell walls of a map on which they stand out.

    A wall runs along a ridge of the smoothed map that is higher than those of noise. Its thickness
    is the full width at half maximum of a Gaussian fitted to the map itself, not smoothed, by the
    distance from the middle of the wall; with that thickness it is drawn into :attr:`Walls.mask`.
    Noise widens neither, as it would a threshold of the map.

    Parameters
    ----------
    values
        Of shape (rows, columns); NaN where there is no value.
    step
        Distance between rows and between columns in µm. Walls need to be one to six steps thick,
        the larger one of the two, and cells four times as wide as their walls.
    dark
        Whether walls are darker than the interior of cells, see :func:`walls_are_dark`.
    borders
        Labels of grains or domains, of the shape of the map, at whose borders cells end, too.
        Without them, cells of two grains are one where no wall is between them. They make no wall.

    Yields
    ------
    Progress
        Stages, and rows of the map; over again on a coarser scale if the walls are thick.

    Returns
    -------
    Walls
        Of the map as it is, see the notes.

    Raises
    ------
    NoWallsError
        If no walls stand out on the map.
    ValueError
        If the borders have another shape than the map.

    Notes
    -----
    The overlap of neighbouring patterns thickens the walls of a contrast by some five percent, and
    draws grain boundaries like walls; a contrast without overlap does neither. The blur of patterns
    grows with the square of the strength of a weak wall, which makes it look thinner. Walls less
    than 1.2 steps thick come out too thick.
    """
    values = np.asarray(values, np.float32)
    if borders is not None and np.shape(borders) != values.shape:
        raise ValueError(
            f"borders of shape {np.shape(borders)} do not fit a map of shape {values.shape}: give "
            "a label for each position of the map"
        )
    if min(values.shape) < LOCAL_SIZE:
        raise _no_walls(f"{values.shape[0]} x {values.shape[1]} positions are too few")
    bright = -values if dark else values
    found: list[Walls] = []
    refused: list[NoWallsError] = []
    for scale in _SCALES:
        local = yield from _less_square(bright, step, scale)
        try:
            found.append((yield from _find(local, step, scale, borders)))
        except NoWallsError as error:  # Noise hides thick walls on too fine a scale.
            refused.append(error)
        else:
            if found[-1].thickness < _THIN * scale * max(step):
                break
    if not found:
        raise refused[0]
    return found[-1]


def _less_square(
    values: ArrayLike, step: tuple[float, float], scale: float = 1.0
) -> Job[NDArray[np.float32]]:
    """A map less its median over a square, which has more positions along the smaller step."""
    rows, cols = (2 * int(LOCAL_SIZE * scale * (max(step) / one) / 2) + 1 for one in step)
    return (yield from less_surroundings(values, (rows, cols)))


def _find(
    local: NDArray[np.float32], step: tuple[float, float], scale: float, borders: ArrayLike | None
) -> Job[Walls]:
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    known = np.isfinite(local)
    if not (local > 0).any():
        raise _no_walls("it is the same everywhere")
    # Particles and pores would be the highest ridges and the deepest cells.
    excess = np.where(known, np.maximum(local, 0), 0)
    height = np.minimum(excess, _OUTLYING * threshold_otsu(excess))
    sigma = _SIGMA * scale * (step[0] + step[1]) / 2
    ridges = yield from find_ridges(height, step, sigma)
    if len(ridges):
        ridges = ridges[ridges.heights > least_height(ridges.heights)]
    if not len(ridges):
        raise _no_walls("it has no ridges")
    reach = _REACH * scale * max(step)
    distance = yield from distances(ridges, local.shape, step, reach)
    try:
        fitted = WallProfile.of(distance, local, reach).fit()
    except ProfileError as error:
        raise _no_walls(str(error)) from error
    interior = local[known & (distance > fitted.width)]
    if not interior.size:
        raise _no_walls("its ridges leave no interior")
    low, high = np.percentile(interior, (16, 84))
    contrast = 2 * fitted.height / max(high - low, np.finfo(np.float32).tiny)
    if contrast < LEAST_CONTRAST:
        raise _no_walls(f"its ridges stand out by {contrast:.1f} deviations, as those of noise do")
    smooth = ndimage.gaussian_filter(height, sigma / np.array(step), mode="nearest")
    cells = yield from divide_into_cells(smooth, known, borders)
    strength = ((local - fitted.base) / fitted.height).astype(np.float32)
    return Walls(
        strength=strength,
        distance=np.where(known, distance, np.nan),
        cells=cells,
        profile=WallProfile.of(distance, strength, reach),
        thickness=fitted.width,
        contrast=contrast,
        step=step,
    )


def _no_walls(reason: str) -> NoWallsError:
    return NoWallsError(
        f"no walls stand out on this map: {reason}. Choose a map that shows walls, and whether "
        "they are dark or bright on it"
    )
