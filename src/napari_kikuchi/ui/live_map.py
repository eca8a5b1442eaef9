"""The map of a watched region, redrawn as a training goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.explore.ranking import rank_features
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import contrast_limits
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.ui.layers import grid
from napari_kikuchi.ui.messages import tell_error
from napari_kikuchi.ui.regions import drawn

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from napari_kikuchi.ui.session import Session
    from napari_kikuchi.ui.work import Work

# Encoded at every validation: large enough to see cells in grains, small enough to cost little.
_SIDE = 96
# Another feature takes the place of the one that is shown only if it scores so much more: features
# that are about as good would else take turns.
_BETTER = 1.25


class LiveMap:
    """A layer with the best feature of the model in training.

    Parameters
    ----------
    session
        Of the viewer that shows it.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._watched: tuple[Scan, Block] | None = None
        self._feature: int | None = None
        self._ranking: Work | None = None
        self._busy = self._placed = False
        self._layer: Image | None = None

    def watch(self, scan: Scan, positions: Block) -> None:
        """Show these positions of a scan from the next refreshing on."""
        if self._ranking is not None:
            self._ranking.cancel()  # the maps of the former training
        # The features of another training are others, even on the same positions.
        self._busy, self._feature = False, None
        if self._watched == (scan, positions) and self._in_viewer():
            return
        self._watched, self._placed = (scan, positions), False
        if self._layer is not None and self._in_viewer():
            # Moved, not removed: napari takes a third of a second to remove one of 33 layers.
            self._layer.visible = False
        else:
            self._layer = None

    def unwatch(self) -> None:
        """Show nothing more."""
        self._watched = None

    def refresh(self, path: Path) -> None:
        """Show what a training wrote, of shape (features, rows, columns)."""
        if self._busy or self._watched is None:  # when busy, the next one will come
            return
        self._busy = True
        self._ranking = self._session.start(
            best_feature(path, self._feature), done=self._show, failed=self._skip
        )

    def _in_viewer(self) -> bool:
        return self._layer in self._session.viewer.layers

    def _show(self, found: tuple[int, NDArray[np.float32]]) -> None:
        self._busy = False
        if self._watched is None:
            return
        feature, values = found
        limits = contrast_limits(values)
        name = f"training: feature {feature + 1}"
        if self._layer is None:
            layers = self._session.viewer.layers
            selected = set(layers.selection)
            self._layer = self._session.viewer.add_image(
                values, name=name, contrast_limits=limits, **self._place(*self._watched)
            )
            # It came by itself: whoever draws or looks at another layer goes on with that.
            layers.selection = selected
        elif self._in_viewer():  # whoever has removed it does not want it
            self._layer.data = values
            self._layer.name = name
            self._layer.contrast_limits_range = limits
            self._layer.contrast_limits = limits
            if not self._placed:  # whoever hides it afterwards wants it hidden
                for attribute, value in self._place(*self._watched).items():
                    setattr(self._layer, attribute, value)
                self._layer.visible = True
        self._feature, self._placed = feature, True

    def _place(self, scan: Scan, positions: Block) -> dict[str, Any]:
        """Attributes that put a layer of some positions where the scan's own layer shows them."""
        corner = (positions.rows.start, positions.cols.start)
        place = grid(scan.step) | {"translate": np.multiply(corner, scan.step)}
        under = _layer_of(self._session, scan)
        if under is not None:
            place |= {name: getattr(under, name) for name in ("scale", "rotate", "shear", "affine")}
            place["translate"] = under.affine.inverse(under.data_to_world(corner))
        return place

    def _skip(self, error: Exception) -> None:
        self._busy = False
        # The file is replaced while the training goes; the next one will be read.
        if not isinstance(error, OSError | ValueError):
            tell_error(error)


def best_feature(path: Path, shown: int | None = None) -> Job[tuple[int, NDArray[np.float32]]]:
    """Index and map of the best ranked of the maps in a file, or of the one shown if as good."""
    yield Progress(0, 0, "Ranking")
    maps = np.load(path)
    scores = rank_features(maps)
    best = int(np.argmax(scores))
    # A smaller model may be in training now.
    if shown is not None and shown < len(maps) and scores[best] < _BETTER * scores[shown]:
        best = shown
    return best, maps[best]


def centre_block(scan: Scan, side: int = _SIDE) -> Block:
    """A square in the middle of a scan, or of the part of it that has patterns."""
    middle = np.array(scan.map_shape) // 2
    if scan.present is not None and scan.present.any():
        recorded = np.argwhere(scan.present)
        # The mean of scattered positions need not be one of them.
        away = np.square(recorded - recorded.mean(axis=0)).sum(axis=1)
        middle = recorded[away.argmin()]
    rows, cols = (
        _around(int(centre), size, side)
        for centre, size in zip(middle, scan.map_shape, strict=True)
    )
    return Block(rows, cols)


def drawn_block(session: Session, scan: Scan, side: int = _SIDE) -> Block:
    """The rectangle around the region that the user has drawn, or its middle if that is large.

    Raises
    ------
    ValueError
        If nothing is drawn on the scan.
    """
    shapes = drawn(session.viewer)
    layer = _layer_of(session, scan)
    positions = np.empty((0, 2), int)
    if shapes and layer is not None:
        positions = shapes[-1].positions(layer)
    if len(positions) == 0:
        raise ValueError(
            f"No region is drawn on {scan.name}: add a shapes layer and draw one, or watch the "
            "middle of the map."
        )
    low, high = positions.min(axis=0), positions.max(axis=0) + 1
    return Block(
        *(
            slice(int(start), int(stop))
            if stop - start <= side
            else _around(int(start + stop) // 2, size, side)
            for start, stop, size in zip(low, high, scan.map_shape, strict=True)
        )
    )


def _layer_of(session: Session, scan: Scan) -> Layer | None:
    return next((layer for layer, link in session.links() if link.source.scan is scan), None)


def _around(middle: int, size: int, side: int) -> slice:
    start = min(max(middle - side // 2, 0), max(size - side, 0))
    return slice(start, min(start + side, size))
