"""The map of a watched region, redrawn as a training goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.latent.ranking import rank_features
from napari_kikuchi.maps import contrast_limits
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.ui.layers import grid
from napari_kikuchi.ui.messages import tell_error
from napari_kikuchi.ui.regions import drawn_region, positions_inside

if TYPE_CHECKING:
    from napari.layers import Image
    from numpy.typing import NDArray

    from napari_kikuchi.ui.session import Session

NAME = "training: best feature"
# Encoded at every validation: large enough to see cells in grains, small enough to cost little.
_SIDE = 96


class LiveMap:
    """A layer with the best feature of the model in training.

    Parameters
    ----------
    session
        Of the viewer that shows it.
    scan
        Whose positions are watched.
    watch
        Which.
    """

    def __init__(self, session: Session, scan: Scan, watch: Block) -> None:
        self._session = session
        self._watched = (scan, watch)
        self._busy = self._used = self._shown = False
        corner = watch.rows.start, watch.cols.start
        # Made before the training takes the processor: adding a layer is slow, redrawing it is not.
        # Shown when there is something to see: black would lie over the maps until then.
        self._layer: Image = session.viewer.add_image(
            np.zeros(watch.shape, np.float32),
            name=NAME,
            contrast_limits=(0, 1),
            visible=False,
            translate=np.multiply(corner, scan.step),
            **grid(scan.step),
        )

    def shows(self, scan: Scan, watch: Block) -> bool:
        """Whether this is a map of these positions, and still in the viewer."""
        return self._watched == (scan, watch) and self._layer in self._session.viewer.layers

    def refresh(self, path: Path) -> None:
        """Show what a training wrote, of shape (features, rows, columns)."""
        if self._busy:  # the next one will come
            return
        self._busy = self._used = True
        self._session.start(best_feature(path), done=self._show, failed=self._skip)

    def close(self) -> None:
        """Take the layer away if nothing was ever drawn on it."""
        if not self._used:
            self.remove()

    def remove(self) -> None:
        """Take the layer away."""
        if self._layer in self._session.viewer.layers:
            self._session.viewer.layers.remove(self._layer)

    def _show(self, values: NDArray[np.float32]) -> None:
        self._busy = False
        if self._layer in self._session.viewer.layers:
            self._layer.data = values
            self._layer.contrast_limits = contrast_limits(values)
            if not self._shown:  # whoever hides it afterwards wants it hidden
                self._shown = self._layer.visible = True

    def _skip(self, error: Exception) -> None:
        self._busy = False
        # The file is replaced while the training goes; the next one will be read.
        if not isinstance(error, OSError | ValueError):
            tell_error(error)


def best_feature(path: Path) -> Job[NDArray[np.float32]]:
    """The best ranked of the maps in a file."""
    yield Progress(0, 0, "Ranking")
    maps = np.load(path)
    return maps[np.argmax(rank_features(maps))]


def centre_block(scan: Scan, side: int = _SIDE) -> Block:
    """A square in the middle of a scan."""
    rows, cols = (_around(size // 2, size, side) for size in scan.map_shape)
    return Block(rows, cols)


def drawn_block(session: Session, scan: Scan, side: int = _SIDE) -> Block:
    """The rectangle around the region that the user has drawn, or its middle if that is large.

    Raises
    ------
    ValueError
        If nothing is drawn on the scan.
    """
    region = drawn_region(session.viewer)
    layer = next((layer for layer, link in session.links() if link.source.scan is scan), None)
    positions = np.empty((0, 2), int)
    if region is not None and layer is not None:
        positions = positions_inside(*region, layer)
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


def _around(middle: int, size: int, side: int) -> slice:
    start = min(max(middle - side // 2, 0), max(size - side, 0))
    return slice(start, min(start + side, size))
