"""Reads and prepares patterns as fast as they can be shown, away from the window's thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Signal

from napari_kikuchi.ui.pattern_views import (
    Limits,
    Shift,
    Tone,
    View,
    tone,
    view_limits,
    view_pattern,
)
from napari_kikuchi.ui.preparation import Model, Preparation
from napari_kikuchi.ui.session import Point, RegionMean
from napari_kikuchi.ui.spot_sources import FoundSpots, Simulation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.orientation.solution_spots import SimulatedSpots
    from napari_kikuchi.symmetry.best_match import BestMatches, MatchedPattern
    from napari_kikuchi.symmetry.references import Match

# Between the limits of a logarithmic scale. Weak spots are a thousandth of the direct beam.
_DECADES, _DECADES_OF_SPOTS = 2, 3
_NO_MATCH, _NOT_COMPARED = "no known phase", "not compared"


@dataclass(frozen=True, eq=False)
class Request:
    """What to show, and how.

    Attributes
    ----------
    subject
        Whose pattern.
    views
        Which views of it.
    preparation, model
        What the views are made with.
    limits
        Limits to keep; views without are scaled to the pattern.
    tone
        How intensities become grey levels.
    shift
        Of the traversal.
    found, simulated
        Whence to read spots to be drawn over the pattern; None: no such spots.
    matches
        Whence the simulated pattern comes; None: none is simulated.
    """

    subject: Point | RegionMean
    views: tuple[View, ...]
    preparation: Preparation | None = None
    model: Model | None = None
    limits: Mapping[View, Limits] | None = None
    tone: Tone = Tone.LINEAR
    shift: Shift | None = None
    found: FoundSpots | None = None
    simulated: Simulation | None = None
    matches: BestMatches | None = None


@dataclass(frozen=True, eq=False)
class PatternSpots:
    """Spots to be drawn over a pattern.

    Attributes
    ----------
    found
        Column, row and intensity of each in pixels, of shape (n, 3).
    simulated
        Those of the crystal that was found there.
    """

    found: NDArray | None = None
    simulated: SimulatedSpots | None = None


@dataclass(frozen=True, eq=False)
class Shown:
    """A pattern, ready to be drawn.

    Attributes
    ----------
    request
        What was asked for.
    images
        Each view within [0, 1].
    limits
        The limits that became 0 and 1.
    pattern
        As recorded, of shape (height, width); None where there is none.
    spots
        To be drawn over it.
    match
        Whose pattern is simulated; None: none is.
    words
        What stands in panes without an image.
    problem
        Why something of it could not be read; empty if all could.
    """

    request: Request
    images: Mapping[View, NDArray[np.float32]]
    limits: Mapping[View, Limits]
    pattern: NDArray | None = None
    spots: PatternSpots = field(default_factory=PatternSpots)
    match: Match | None = None
    words: Mapping[View, str] = field(default_factory=dict)
    problem: str = ""


class PatternFeed(QObject):
    """A thread that answers the latest request and forgets those that came too fast for it."""

    ready = Signal()
    """There is something to :meth:`take`."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted: Request | None = None
        self._result: Shown | Exception | None = None
        self._closed = False
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="pattern feed", daemon=True).start()

    def request(self, request: Request) -> None:
        """Ask for a pattern; an earlier request that has not been begun is forgotten."""
        with self._changed:
            self._wanted = request
            self._changed.notify()

    def take(self) -> Shown | Exception | None:
        """The latest answer, once; None if it has been taken. An exception says why there is none.

        A window that is slower than the feed misses answers and is never behind.
        """
        with self._changed:
            result, self._result = self._result, None
            return result

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._wanted is not None)
                if self._closed or self._wanted is None:
                    return
                request, self._wanted = self._wanted, None
            try:
                result: Shown | Exception = answer(request)
            except Exception as error:  # Whatever a file or a model raises is told in the window.
                result = error
            with self._changed:
                announced = self._result is not None
                self._result = result
            if not announced:
                # The window may be gone meanwhile, and with it the receiving half of this object.
                with suppress(RuntimeError):
                    self.ready.emit()


def answer(request: Request) -> Shown:
    """Read a pattern and make the views of it that are wanted; none where there is no pattern."""
    subject = request.subject
    if isinstance(subject, Point):
        if not subject.recorded:
            return Shown(request, {}, dict(request.limits or {}))
        pattern = subject.scan.read(subject.row, subject.col)
    else:
        pattern = subject.pattern
    views = view_pattern(pattern, request.views, request.preparation, request.model, request.shift)
    wanted = View.SIMULATED in request.views and isinstance(subject, Point)
    matches = request.matches if wanted else None
    matched, unmatched = _matched(matches, subject)
    if matched is not None:
        views[View.SIMULATED] = matched.image
    kept = request.limits or {}
    has_spots = subject.scan.technique == "4D-STEM"
    limits = {
        view: kept.get(view) or view_limits(view, image, has_spots) for view, image in views.items()
    }
    if View.TRAVERSAL in limits and View.RECONSTRUCTED in limits:
        limits[View.TRAVERSAL] = limits[View.RECONSTRUCTED]  # to be compared with it
    decades = _DECADES_OF_SPOTS if has_spots else _DECADES
    images = {
        view: tone(image, limits[view], request.tone, decades) for view, image in views.items()
    }
    words = {}
    if matches is not None and matched is None:
        # An empty pane: those beside it stay where they are.
        images[View.SIMULATED] = np.full(matches.size, np.nan, np.float32)
        words[View.SIMULATED] = _NOT_COMPARED if unmatched else _NO_MATCH
    spots, unread = _spots(request)
    match = None if matched is None else matched.match
    problem = "\n".join(filter(None, (unread, unmatched)))
    return Shown(request, images, limits, pattern, spots, match, words, problem)


def _matched(
    matches: BestMatches | None, subject: Point | RegionMean
) -> tuple[MatchedPattern | None, str]:
    """The best match of the position that is shown; and why there is none."""
    if matches is None or not isinstance(subject, Point):
        return None, ""
    try:
        return matches.at(subject.row, subject.col), ""
    except (OSError, ValueError) as error:
        return None, f"No known phase can be compared with this pattern: {error}"


def _spots(request: Request) -> tuple[PatternSpots, str]:
    """Spots of the position that is shown, and why some are not: a mean of several has none."""
    point = request.subject
    if not isinstance(point, Point):
        return PatternSpots(), ""
    try:
        found = None if request.found is None else request.found.at(point.row, point.col)
        simulation = request.simulated
        simulated = None if simulation is None else simulation.at(point.row, point.col)
    except (OSError, ValueError, LookupError) as error:
        # The pattern itself is there to be seen.
        return PatternSpots(), f"The spots of this pattern cannot be shown: {error}"
    return PatternSpots(found, simulated), ""
