"""The patterns along a line, side by side, and what changes from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.explore.paths import Path
    from napari_kikuchi.preprocess import Preprocessor
    from napari_kikuchi.scan import Scan

TILES = 6


class Less(StrEnum):
    """What is subtracted from the patterns along a line."""

    FIRST = "less the first"
    MEAN = "less their mean"


@dataclass(frozen=True, eq=False)
class Strip:
    """Patterns at some distances along a path, or means of those along several.

    Attributes
    ----------
    distances
        In µm, of shape (n,), as those of the profiles.
    places
        Row and column of each pattern of the first path, of shape (n, 2).
    patterns
        Preprocessed, NaN outside the signal mask, of shape (n, height, width).
    """

    distances: NDArray[np.floating]
    places: NDArray[np.intp]
    patterns: NDArray[np.float32]

    def less(self, what: Less) -> NDArray[np.float32]:
        """The patterns less one of them or their mean; of their shape."""
        first = self.patterns[0] if what is Less.FIRST else self.patterns.mean(axis=0)
        return self.patterns - first


def read_strip(scan: Scan, preprocessor: Preprocessor, paths: Sequence[Path]) -> Job[Strip]:
    """Read patterns at even distances along some paths.

    Parameters
    ----------
    scan
        Of the patterns.
    preprocessor
        Prepares them.
    paths
        In positions of the scan; several are laid over each other by their middles.

    Raises
    ------
    ValueError
        If no position along the paths has a pattern.
    """
    single = len(paths) == 1
    half = min(path.length for path in paths) / 2
    count = min(TILES, min(len(path.points) for path in paths))
    offsets = np.linspace(-half, half, count) if count > 1 else np.zeros(1)
    total = np.zeros((count, *preprocessor.mask.shape), np.float64)
    number = np.zeros(count, np.intp)
    places = np.zeros((count, 2), np.intp)
    for done, path in enumerate(paths):
        at = [np.interp(offsets, path.from_middle, path.points[:, axis]) for axis in (0, 1)]
        nearest = np.rint(np.stack(at, axis=1)).astype(np.intp)
        places = nearest if done == 0 else places
        there = _recorded(scan, nearest)
        total[there] += preprocessor(scan.read_positions(nearest[there]))
        number[there] += 1
        yield Progress(done + 1, len(paths), "Reading patterns")
    kept = number > 0
    if not kept.any():
        raise ValueError(f"{scan.name}: the line crosses no position that has a pattern")
    means = total[kept] / number[kept, None, None]
    masked = np.where(preprocessor.mask, means, np.nan).astype(np.float32)
    return Strip(offsets[kept] + (half if single else 0), places[kept], masked)


def _recorded(scan: Scan, places: NDArray[np.intp]) -> NDArray[np.bool_]:
    there: NDArray[np.bool_] = np.all((places >= 0) & (places < scan.map_shape), axis=1)
    if scan.present is not None:
        there[there] = scan.present[tuple(places[there].T)]
    return there


def side_by_side(tiles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Tiles (n, height, width) as one picture, a gap of NaN between them."""
    gap = max(1, tiles.shape[2] // 20)
    padded = np.pad(tiles, ((0, 0), (0, 0), (0, gap)), constant_values=np.nan)
    return padded.transpose(1, 0, 2).reshape(tiles.shape[1], -1)[:, :-gap]
