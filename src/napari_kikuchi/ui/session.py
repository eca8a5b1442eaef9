"""What the windows of one napari viewer share.

Forms, the pattern viewer and the mouse do not know each other: they change the session and listen
to it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_kikuchi.compiled import own_compilation_cache
from napari_kikuchi.io.places import is_there
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.recipe import RecipeMismatchError
from napari_kikuchi.scan import Scan
from napari_kikuchi.ui.garbage import keep_pauses_short
from napari_kikuchi.ui.link import LayerLink, ScanLink, link_of
from napari_kikuchi.ui.preparation import Average, Preparation, average, default_recipe, fit
from napari_kikuchi.ui.work import Work, start

if TYPE_CHECKING:
    import numpy as np
    from napari import Viewer
    from napari.layers import Layer
    from numpy.typing import NDArray
    from qtpy.QtWidgets import QWidget

    from napari_kikuchi.latent.encoder import Encoder
    from napari_kikuchi.recipe import Recipe
    from napari_kikuchi.ui.arrivals import Arrivals

# After a failure a scan is read again when it is needed, but not at every move of the mouse.
_RETRY_S = 2.0

_sessions: weakref.WeakKeyDictionary[Viewer, Session] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Point:
    """A scan position.

    Attributes
    ----------
    scan
        The scan.
    row, col
        The position.
    layer
        The layer on which it was pointed at.
    """

    scan: Scan
    row: int
    col: int
    layer: Layer

    @property
    def recorded(self) -> bool:
        """Whether there is a pattern: a scan that was stopped early lacks some."""
        return self.scan.present is None or bool(self.scan.present[self.row, self.col])


@dataclass(frozen=True, eq=False)
class RegionMean:
    """The mean pattern of a region.

    Attributes
    ----------
    scan
        The scan.
    count
        How many patterns were averaged.
    pattern
        Their mean, of shape (height, width).
    """

    scan: Scan
    count: int
    pattern: NDArray[np.float32]


class Session:
    """Shared state of one napari viewer; get it with :func:`session_of`.

    Attributes
    ----------
    subject
        Whose pattern is shown: a scan position, the mean of a region, or None.
    held
        Whether the subject stays when the cursor moves on.
    encoder
        The model with which patterns are reconstructed; None before one is chosen.
    encoder_path
        Where it was read from, or will be when it is needed.
    encoder_missing
        Which model made the maps that came last, if no file of it was found; empty else.
    """

    subject_changed = Signal(object)
    """The new subject."""
    held_changed = Signal(bool)
    """Whether the subject is held now."""
    encoder_changed = Signal(object)
    """The new encoder, or None."""
    recipe_changed = Signal(object)
    """The scan whose recipe has changed."""
    prepared = Signal(object)
    """The scan of which a preparation is ready or has failed."""
    link_changed = Signal(object)
    """The link whose scan has been opened or not been found."""

    def __init__(self, viewer: Viewer) -> None:
        own_compilation_cache()  # There may be other windows, and commands.
        self._viewer = weakref.ref(viewer)
        self.subject: Point | RegionMean | None = None
        self.held = False
        self.encoder: Encoder | None = None
        self.encoder_path: Path | None = None
        self.encoder_missing = ""
        self._encoder_written: int | None = None
        self._encoder_chosen = self._encoder_needed = False
        self._recipes: weakref.WeakKeyDictionary[Scan, Recipe] = weakref.WeakKeyDictionary()
        # With the time at which each may be read again.
        self._averages: weakref.WeakKeyDictionary[
            Scan, tuple[Average | Exception | None, float]
        ] = weakref.WeakKeyDictionary()
        # The last one by a scan's own recipe and by that of the model.
        self._preparations: weakref.WeakKeyDictionary[
            Scan, dict[bool, tuple[Recipe, Preparation | Exception]]
        ] = weakref.WeakKeyDictionary()
        self.arrivals: Arrivals | None = None

    @property
    def viewer(self) -> Viewer:
        """The napari viewer."""
        viewer = self._viewer()
        assert viewer is not None
        return viewer

    @property
    def window(self) -> QWidget | None:
        """The main window, where there is one: parent of dialogs, and the end of its jobs."""
        return getattr(getattr(self.viewer, "window", None), "_qt_window", None)

    def links(self) -> Iterator[tuple[Layer, LayerLink]]:
        """Layers that have to do with a scan, the topmost first, and their links."""
        for layer in reversed(self.viewer.layers):
            link = link_of(layer)
            if link is not None:
                yield layer, link

    def scans(self) -> list[Scan]:
        """The open scans behind the layers, each once, in the order of the layer list."""
        found = [link.source.scan for _, link in self.links()]
        return list(dict.fromkeys(scan for scan in found if scan is not None))

    def known(self, scan: Scan) -> Scan:
        """The scan that is open already, if this is the same one; else this."""
        for other in self.scans():
            if _opened(other) == _opened(scan):
                try:
                    if other.fingerprint() == scan.fingerprint():
                        return other
                except OSError:  # what was open has changed on disk
                    continue
        return scan

    # ------------------------------------------------------------------ what is shown

    def point_at(self, point: Point) -> None:
        """Show the pattern under the cursor, unless another is held."""
        if not self.held:
            self._set_subject(point)

    def hold(self, subject: Point | RegionMean) -> None:
        """Show a pattern until it is released."""
        self._set_subject(subject)
        self._set_held(True)

    def release(self) -> None:
        """Follow the cursor again."""
        self._set_held(False)

    def step(self, rows: int, cols: int) -> None:
        """Hold the position some rows and columns away, or the nearest one inside the scan."""
        if not isinstance(self.subject, Point):
            return
        last_row, last_col = (size - 1 for size in self.subject.scan.map_shape)
        row = min(max(self.subject.row + rows, 0), last_row)
        col = min(max(self.subject.col + cols, 0), last_col)
        self.hold(replace(self.subject, row=row, col=col))

    def forget(self, gone: Layer) -> None:
        """A layer has been removed: show nothing of a scan of which no layer is left."""
        subject = self.subject
        if subject is None:
            return
        scans = ((layer, link.source.scan) for layer, link in self.links())
        left = next((layer for layer, scan in scans if scan is subject.scan), None)
        if left is None:
            self.release()
            self._set_subject(None)
        elif isinstance(subject, Point) and subject.layer is gone:
            self._set_subject(replace(subject, layer=left))

    def _set_subject(self, subject: Point | RegionMean | None) -> None:
        self.subject = subject
        self.subject_changed.emit(subject)

    def _set_held(self, held: bool) -> None:
        if held != self.held:
            self.held = held
            self.held_changed.emit(held)

    # ------------------------------------------------------------------ how it is prepared

    def recipe(self, scan: Scan) -> Recipe:
        """The recipe by which a scan's patterns are prepared; a model brings its own along."""
        if scan not in self._recipes:
            self._recipes[scan] = default_recipe(scan)
        return self._recipes[scan]

    def set_recipe(self, scan: Scan, recipe: Recipe) -> None:
        """Choose the recipe of a scan; its preprocessed pattern is shown anew."""
        self._recipes[scan] = recipe
        self.recipe_changed.emit(scan)

    def preparation(
        self, scan: Scan, recipe: Recipe | None = None
    ) -> Preparation | Exception | None:
        """A recipe fitted to a scan.

        Parameters
        ----------
        scan
            Whose patterns are to be prepared.
        recipe
            By default the scan's own.

        Returns
        -------
        Preparation, Exception or None
            Why it failed if it did. None while patterns are being read, which the first call for
            a scan begins; ``prepared`` tells when that is done.
        """
        recipe = self.recipe(scan) if recipe is None else recipe
        sample = self._average(scan)
        if not isinstance(sample, Average):
            return sample
        # A model's mask must suit the scan; one drawn for the scan is the user's will.
        of_model = self.encoder is not None and recipe is self.encoder.recipe
        known = self._preparations.setdefault(scan, {})
        if of_model not in known or known[of_model][0] is not recipe:
            result: Preparation | Exception
            try:
                result = fit(scan, recipe, sample, of_model)
            except RecipeMismatchError as error:
                result = error.with_traceback(None)  # which would keep the window alive
            known[of_model] = (recipe, result)
        return known[of_model][1]

    def _average(self, scan: Scan) -> Average | Exception | None:
        found, again = self._averages.get(scan, (None, 0.0))
        if not isinstance(found, Average) and monotonic() >= again:
            self._averages[scan] = (found, inf)  # being read

            def keep(result: Average | Exception) -> None:
                self._averages[scan] = (result, monotonic() + _RETRY_S)
                self.prepared.emit(scan)

            self.start(average(scan), done=keep, failed=keep)
        return found

    def set_encoder(self, encoder: Encoder | None, path: Path | None = None) -> None:
        """Choose the model with which patterns are reconstructed."""
        self._encoder_chosen = encoder is not None
        self._use_encoder(encoder, path, _written(path))

    def _use_encoder(self, encoder: Encoder | None, path: Path | None, written: int | None) -> None:
        self.encoder, self.encoder_path, self._encoder_written = encoder, path, written
        self.encoder_missing = ""
        self.encoder_changed.emit(encoder)

    def load_encoder(self, path: Path) -> None:
        """Read a model in the background and choose it; a failure is told the user."""
        self.start(
            _load(path), title="Loading the model", done=lambda found: self.set_encoder(found, path)
        )

    def offer_encoder(self, path: Path) -> None:
        """Name the model of the maps that came last, for when one is needed and none is chosen."""
        if not is_there(path) or (self._encoder_chosen and path != self.encoder_path):
            return
        written = _written(path)
        # A model that was trained anew is another one, even where it lies.
        if (path, written) != (self.encoder_path, self._encoder_written):
            self._encoder_needed = False
            self._use_encoder(None, path, written)

    def miss_encoder(self, missing: str) -> None:
        """Say which model made the maps that came last, and that there is no file of it."""
        if self.encoder is None and self.encoder_path is None:
            self.encoder_missing = missing
            self.encoder_changed.emit(None)

    def need_encoder(self) -> None:
        """Read the model that was offered, unless that has begun."""
        if self.encoder is None and self.encoder_path is not None and not self._encoder_needed:
            self._encoder_needed = True
            path, written = self.encoder_path, self._encoder_written

            def use(found: Encoder) -> None:
                # Else another was offered or chosen meanwhile.
                if (path, written) == (self.encoder_path, self._encoder_written):
                    self._use_encoder(found, path, written)

            self.start(_load(path), title="Loading the model", done=use)

    # ------------------------------------------------------------------ scans of reopened maps

    def open_link(self, source: ScanLink, path: Path | None = None) -> None:
        """Open the scan behind some maps in the background.

        Parameters
        ----------
        source
            The link; it tells the outcome.
        path
            Where the scan lies now; None: where the maps say.
        """
        source.opening = True

        def settle(scan: Scan | None, problem: str = "") -> None:
            source.settle(scan and self.known(scan), problem)
            self.link_changed.emit(source)

        def fail(error: Exception) -> None:
            settle(None, str(error))

        self.start(_open(source, path), done=settle, failed=fail)

    def start(self, job: Job[Any], **options: Any) -> Work:
        """Run a job in a thread that ends with the window; options as for :func:`work.start`."""
        return start(job, self.window, **options)


def session_of(viewer: Viewer) -> Session:
    """The session of a viewer, begun when it is first asked for."""
    from napari_kikuchi.ui.arrivals import Arrivals
    from napari_kikuchi.ui.solutions import solutions_of
    from napari_kikuchi.ui.symmetries import symmetries_of

    # What napari hands to commands is a proxy that comes and goes.
    viewer = getattr(viewer, "__wrapped__", viewer)
    if viewer not in _sessions:
        _sessions[viewer] = session = Session(viewer)
        session.arrivals = Arrivals(session)
        solutions_of(session)
        symmetries_of(session)
        keep_pauses_short(viewer)
    return _sessions[viewer]


def _opened(scan: Scan) -> tuple[Path | None, dict[str, Any], int | None]:
    """From which file a scan was opened, how, and when the file was written if that is known."""
    return scan.path, dict(scan.options), getattr(scan.source, "modified", None)


def _written(path: Path | None) -> int | None:
    """When a file was written, if there is one."""
    return path.stat().st_mtime_ns if path is not None and is_there(path) else None


def _load(path: Path) -> Job[Encoder]:
    from napari_kikuchi.latent.encoder import load_encoder

    yield Progress(0, 0, "Loading the model")
    return load_encoder(path)


def _open(source: ScanLink, path: Path | None) -> Job[Scan]:
    yield Progress(0, 0, "Opening the scan")
    return source.find() if path is None else source.open_at(path)
