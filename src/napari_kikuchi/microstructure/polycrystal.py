"""Two-phase polycrystals whose truth is known: slices of volumes of grains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from napari_kikuchi.simulate.grains import Laguerre

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["equiaxed", "rolled", "recrystallised"]
KINDS: tuple[Kind, ...] = ("equiaxed", "rolled", "recrystallised")
# Grains of a rolled volume that recrystallised ones replace are larger than these by this factor.
_OLD = 1.5
_MOST_SPREAD = 0.5
# More would not fit into the memory of a laptop.
_MOST_GRAINS = 5_000_000


@dataclass(frozen=True)
class PolycrystalSettings:
    """What a volume of grains is like.

    Attributes
    ----------
    kind
        ``"equiaxed"``; ``"rolled"``, long along x and thin along z; or ``"recrystallised"``, rolled
        grains some of which have made way for smaller equiaxed ones.
    diameter
        Edge of a cube as large as a grain in the mean, in pixels; of recrystallised volumes, of the
        new grains.
    spread
        Standard deviation of the logarithm of the radii, at most 0.5: the more they differ, the
        more of the small grains vanish among the large ones.
    fraction
        Share of the grains that are of the second phase, 0 to 1.
    components
        Of the texture: preferred orientations; 0 for none.
    scatter
        About these, in degrees.
    elongation
        Of rolled grains: length over thickness.
    new
        Share of the old grains that have recrystallised.
    """

    kind: Kind = "equiaxed"
    diameter: float = 10.0
    spread: float = 0.3
    fraction: float = 0.3
    components: int = 0
    scatter: float = 12.0
    elongation: float = 4.0
    new: float = 0.5

    def __post_init__(self) -> None:
        if self.diameter < 1 or not 0 <= self.spread <= _MOST_SPREAD:
            raise ValueError(
                f"expected grains of a diameter of 1 pixel or more and a spread from 0 to "
                f"{_MOST_SPREAD}, found {self.diameter} and {self.spread}"
            )


def random_settings(rng: np.random.Generator, least: float, most: float) -> PolycrystalSettings:
    """Settings drawn at random, half of them with a texture.

    Parameters
    ----------
    rng
        Source of chance.
    least, most
        Of the diameters, in pixels; their logarithms are drawn evenly between.
    """
    return PolycrystalSettings(
        kind=KINDS[rng.integers(len(KINDS))],
        diameter=float(np.exp(rng.uniform(math.log(least), math.log(most)))),
        spread=float(rng.uniform(0.1, 0.4)),
        fraction=float(rng.uniform(0, 1)),
        components=int(rng.integers(1, 4)) if rng.random() < 0.5 else 0,
        scatter=float(rng.uniform(5, 20)),
        elongation=float(rng.uniform(2, 5)),
        new=float(rng.uniform(0.2, 0.9)),
    )


@dataclass(frozen=True, eq=False)
class Polycrystal:
    """A map of grains.

    Attributes
    ----------
    grains
        Number of the grain of each pixel, from 0 without gaps, int32 of shape (rows, columns).
    phases
        Of each grain, 1 or 2, int32 of shape (grains,).
    quaternions
        Orientation of each grain, from the sample's frame into the crystal's, float64 of shape
        (grains, 4).
    """

    grains: NDArray[np.int32]
    phases: NDArray[np.int32]
    quaternions: NDArray[np.float64]


class Volume:
    """A cube of grains, of which slices are taken.

    Parameters
    ----------
    settings
        What it is like.
    size
        Of an edge, in pixels.
    seed
        The same seed makes the same volume.

    Raises
    ------
    ValueError
        If there would be too many grains.
    """

    def __init__(self, settings: PolycrystalSettings, size: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.settings, self.size = settings, size
        stretch = settings.elongation ** np.array([0.5, 0.0, -0.5])
        if settings.kind == "equiaxed":
            self._levels = [_Cells(settings, size, settings.diameter * np.ones(3), rng)]
            self._replaced = np.zeros(0, bool)
        else:
            old = settings.kind == "recrystallised"
            edges = settings.diameter * (_OLD if old else 1.0) * stretch
            self._levels = [_Cells(settings, size, edges, rng)]
            self._replaced = rng.random(self._levels[0].count) < (settings.new if old else 0.0)
            if old:
                self._levels.append(_Cells(settings, size, settings.diameter * np.ones(3), rng))
        count = sum(level.count for level in self._levels)
        self._phases = (1 + (rng.random(count) < settings.fraction)).astype(np.int32)
        self._quaternions = _orientations(count, settings, rng)

    def slice(self, axis: int, depth: float) -> Polycrystal:
        """The grains on a plane.

        Parameters
        ----------
        axis
            Its normal: 0, 1 or 2 for x, y or z.
        depth
            Of the plane, 0 to 1 from one face of the cube to the other.

        Raises
        ------
        ValueError
            If there is no such plane.
        """
        if axis not in (0, 1, 2) or not 0 <= depth <= 1:
            raise ValueError(
                f"expected an axis 0, 1 or 2 and a depth from 0 to 1, found {axis} and {depth}"
            )
        first, second = np.indices((self.size, self.size)).reshape(2, -1) + 0.5
        points = np.insert(np.stack([first, second], axis=1), axis, depth * self.size, axis=1)
        cells = self._levels[0].cells(points)
        if self._replaced.any():
            inside = self._replaced[cells]
            cells[inside] = self._levels[0].count + self._levels[1].cells(points[inside])
        found, grains = np.unique(cells, return_inverse=True)
        return Polycrystal(
            grains.reshape(self.size, self.size).astype(np.int32),
            self._phases[found],
            self._quaternions[found],
        )


class _Cells:
    """A tessellation of a cube into cells of given mean edges."""

    def __init__(
        self,
        settings: PolycrystalSettings,
        size: int,
        edges: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> None:
        self._edges = edges
        # In units of the edges, with a margin so that the faces see no fewer seeds.
        low, high = np.full(3, -2.0), size / edges + 2
        self.count = max(1, round(float(np.prod(high - low))))
        if self.count > _MOST_GRAINS:
            raise ValueError(
                f"a cube of {size} pixels would have {self.count:,} grains, more than "
                f"{_MOST_GRAINS:,}: make it smaller, or its grains larger"
            )
        seeds = rng.uniform(low, high, (self.count, 3))
        self._cells = Laguerre(seeds, 0.5 * rng.lognormal(0, settings.spread, self.count))

    def cells(self, points: NDArray[np.float64]) -> NDArray[np.intp]:
        return self._cells.cells(points / self._edges)


def _orientations(
    count: int, settings: PolycrystalSettings, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Unit quaternions: any alike, or about some preferred ones."""
    from scipy.spatial.transform import Rotation

    if not settings.components:
        turned = Rotation.random(count, rng)
    else:
        preferred = Rotation.random(settings.components, rng)
        vectors = rng.normal(0, math.radians(settings.scatter) / math.sqrt(3), (count, 3))
        chosen = rng.integers(settings.components, size=count)
        turned = Rotation.from_rotvec(vectors) * preferred[chosen]
    return turned.as_quat(scalar_first=True)
