"""The projection centre of a scan, from patterns of cubic crystals that nobody has named.

Where the projection centre is wrong the bands of a pattern do not meet as a crystal's do, and modes
of cubic crystals explain less of it, in whatever orientation.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_kikuchi.geometry import Geometry
from napari_kikuchi.images import bin_to
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.preprocess import prepare
from napari_kikuchi.scan import Scan
from napari_kikuchi.shared_cores import in_threads
from napari_kikuchi.simulate.detector import Detector
from napari_kikuchi.symmetry.frames import FrameFinder
from napari_kikuchi.symmetry.levelled import Levelling
from napari_kikuchi.symmetry.screen import recipe_for, screen_of
from napari_kikuchi.unreadable import read_patterns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.symmetry.modes import Modes

# Patterns of a scan that tell its centre.
_DRAWN = 12
# Where centres are tried, in Bruker's convention.
_X, _Y = (0.35, 0.65), (0.05, 0.95)
_Z = (0.4, 0.5, 0.6, 0.72, 0.87, 1.05, 1.25)
# They are so far apart, at this distance of the screen; at larger ones more so, by this power. The
# farther it stands, the less of a sphere it sees, which a wrong centre distorts the less.
_STEP, _AT, _POWER = 0.1, 0.5, 2.0
# What is refined of orientations at each of them, less than where the centre is known: those that
# fit are among the best where it is right, and where it is wrong none has to be found.
_MANY, _FEW = 12, 2
# Centres that are refined.
_CANDIDATES = 4
# Patterns of which modes explain most tell more than all others: this share of them.
_BEST = 1 / 3
# Of the first steps of a refinement, once with the best patterns and once with all that count.
_FIRST = (0.03, 0.01)
_LAST, _MOST_STEPS = 2e-4, 120
# Closer no screen stands, in fractions of its height.
_NEAREST = 0.1


class FoundCentre(NamedTuple):
    """A projection centre and how well patterns go with it.

    Attributes
    ----------
    geometry
        Of the screen, in Bruker's convention.
    explained
        Share of the patterns that modes of cubic crystals explain: the mean of the third of which
        they explain most.
    """

    geometry: Geometry
    explained: float


def find_centre(
    patterns: NDArray,
    mask: NDArray[np.bool_],
    modes: Modes,
    *,
    sample_tilt: float = 70.0,
    detector_tilt: float = 0.0,
    workers: int | None = None,
) -> Job[FoundCentre]:
    """Find the projection centre.

    Parameters
    ----------
    patterns
        As recorded, less what all of them share, of shape (n, height, width): some of a scan, of
        whatever crystals; about a dozen are enough.
    mask
        Where they have a signal, of their shape.
    modes
        Of patterns of cubic crystals.
    sample_tilt, detector_tilt
        See :class:`~napari_kikuchi.geometry.Geometry`; the centre does not depend on them.
    workers
        Threads; None: as many as this machine has cores.

    Yields
    ------
    Progress
        In centres tried.
    """
    levelled = Levelling(mask)(patterns)

    def tried(centre: tuple[float, float, float]) -> float:
        finder = FrameFinder(modes, Detector(centre).directions, mask, many=_MANY, few=_FEW)
        explained = np.sort(finder(levelled).explained)
        return float(explained[-_best(len(levelled)) :].mean())

    centres = _tried_centres()
    told = partial(_told, len(centres))
    found = yield from in_threads(tried, centres, told, name="centres", workers=workers)
    best = np.argsort(found)[::-1][:_CANDIDATES]
    yield Progress(len(centres), len(centres), "Refining the projection centre")
    refined = yield from in_threads(
        lambda number: _refined(centres[number], levelled, mask, modes),
        best.tolist(),
        lambda done: Progress(done, len(best), "Refining the projection centre"),
        name="centres",
        workers=workers,
    )
    explained, centre = max(refined)
    geometry = Geometry(centre, sample_tilt=sample_tilt, detector_tilt=detector_tilt)
    return FoundCentre(geometry, explained)


def find_scan_centre(
    scan: Scan,
    modes: Modes,
    *,
    sample_tilt: float = 70.0,
    detector_tilt: float = 0.0,
    workers: int | None = None,
) -> Job[FoundCentre]:
    """Find the projection centre of a scan that tells none, of some of its patterns.

    Parameters, yields and returns as :func:`find_centre`.

    Raises
    ------
    UnreadableScanError
        If none of the patterns that are drawn can be read.
    """
    preprocessor = yield from prepare(scan, recipe_for(scan))
    light = (yield from screen_of(scan, preprocessor)).light
    patterns = bin_to(read_patterns(scan, scan.draw(_DRAWN)), light.shape) / light
    return (
        yield from find_centre(
            patterns,
            preprocessor.mask,
            modes,
            sample_tilt=sample_tilt,
            detector_tilt=detector_tilt,
            workers=workers,
        )
    )


def _tried_centres() -> list[tuple[float, float, float]]:
    """Centres among which one is near enough to be refined, wherever the screen stood."""
    centres: list[tuple[float, float, float]] = []
    for z in _Z:
        apart = _STEP * max(1.0, (z / _AT) ** _POWER)
        centres += product(_middles(*_X, apart), _middles(*_Y, apart), (z,))
    return centres


def _middles(least: float, most: float, apart: float) -> list[float]:
    """Of as few equal parts as are no larger than that."""
    count = math.ceil(round((most - least) / apart, 6))
    return [round(least + (most - least) * (part + 0.5) / count, 4) for part in range(count)]


def _told(total: int, done: int) -> Progress:
    return Progress(done, total, "Looking for the projection centre")


def _best(count: int) -> int:
    return max(1, round(_BEST * count))


def _refined(
    centre: tuple[float, float, float],
    levelled: NDArray[np.float32],
    mask: NDArray[np.bool_],
    modes: Modes,
) -> tuple[float, tuple[float, float, float]]:
    """Move a centre until the modes explain most; their share of the best patterns, and it."""
    best = _best(len(levelled))
    for first in _FIRST:
        frames = FrameFinder(modes, Detector(centre).directions, mask)(levelled)
        order = np.argsort(-frames.explained)
        chosen = order[:best] if first == _FIRST[0] else order[frames.clear[order]]
        chosen = chosen if len(chosen) >= best else order[:best]
        centre = _moved(centre, levelled[chosen], frames.rotations[chosen], mask, modes, first)
    frames = FrameFinder(modes, Detector(centre).directions, mask)(levelled)
    return float(np.sort(frames.explained)[-best:].mean()), centre


def _moved(
    centre: tuple[float, float, float],
    levelled: NDArray[np.float32],
    rotations: NDArray[np.float32],
    mask: NDArray[np.bool_],
    modes: Modes,
    first: float,
) -> tuple[float, float, float]:
    """Move a centre, and turn the crystals with it, until the modes explain most."""
    from scipy.optimize import minimize

    most = 0.0

    def lacking(trial: NDArray[np.float64]) -> float:
        nonlocal rotations, most
        if trial[2] <= _NEAREST:
            return 1.0
        finder = FrameFinder(modes, Detector(tuple(trial)).directions, mask)
        found = finder.refined(levelled, rotations)
        share = float(found.explained.mean())
        if share > most:
            most, rotations = share, found.rotations
        return 1 - share

    start = np.array(centre)
    simplex = np.vstack([start, start + first * np.eye(3)])
    options = {"initial_simplex": simplex, "xatol": _LAST, "fatol": 1e-5, "maxfev": _MOST_STEPS}
    found = minimize(lacking, start, method="Nelder-Mead", options=options)
    x, y, z = (round(float(one), 5) for one in found.x)
    return x, y, z
