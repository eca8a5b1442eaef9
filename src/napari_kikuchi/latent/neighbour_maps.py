"""Maps of what a reconstruction shares with those of its neighbours, made of finished maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.map_writer import MapWriter
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.latent.decode import decode_run
from napari_kikuchi.latent.encoder import Encoder
from napari_kikuchi.latent.neighbours import compare_neighbours
from napari_kikuchi.scan import Block

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Rows whose neighbours are compared before that is noted: as many are lost in a crash.
_BAND = 8


def map_neighbours(encoder: Encoder, writer: MapWriter, channels: range) -> Job[None]:
    """Fill in the contrast without overlap, and the map of what no overlap explains.

    Rows that the writer has already are skipped: so an interrupted run goes on.

    Parameters
    ----------
    encoder
        That the first maps are features of.
    writer
        Has them, and behind them the contrast of the patterns.
    channels
        The two to write.

    Yields
    ------
    Progress
        Rows compared so far, those of an earlier run included.
    """
    _, rows, cols = writer.maps.shape
    mask = encoder.recipe.mask
    assert mask is not None  # a trained encoder has one

    def reconstructed(row: int) -> NDArray[np.float32]:
        decoded, present = decode_run(writer.maps, encoder, row, 0, cols)
        patterns = np.full((cols, np.count_nonzero(mask)), np.nan, np.float32)
        patterns[present] = decoded[:, mask]
        return patterns

    every_band = range(0, rows, _BAND)
    bands = [Block(slice(top, min(top + _BAND, rows)), slice(0, cols)) for top in every_band]
    waiting = [band for band in bands if not writer.is_done(band, channels)]
    first = waiting[0].rows.start if waiting else rows
    yield Progress(first, rows, "Comparing neighbours")
    compared = compare_neighbours(reconstructed, range(first, rows), rows)
    contrast = writer.maps.read_map(encoder.latent)
    for band in bands[first // _BAND :]:
        found = []
        for row in range(band.rows.start, band.rows.stop):
            found.append(next(compared))
            yield Progress(row + 1, rows, "Comparing neighbours")
        kept, unlike = (np.stack(parts) for parts in zip(*found, strict=True))
        # Without a neighbour nothing overlaps.
        undiluted = contrast[band.rows] / np.where(kept > 0, kept, 1)
        writer.confirm(band, writer.maps.write(band, [undiluted, unlike], channels), channels)
