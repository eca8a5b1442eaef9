"""What is done with an encoder to the blocks of a scan, in this process or in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.map_array import MapArray
from napari_kikuchi.latent.decode import decode_run
from napari_kikuchi.latent.giver import Giver
from napari_kikuchi.latent.neighbours import compare_neighbours
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.scan import Block, row_bands
from napari_kikuchi.streaming import Written

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Rows compared with their neighbours at a time: those above and below are decoded again.
_BAND = 8


@dataclass(frozen=True, eq=False)
class PatternMeasures:
    """What a pattern tells by itself: features, contrast, error; of shape (n, latent + 2)."""

    preprocessor: Preprocessor
    giver: Giver

    def __call__(self, pieces: Iterator[NDArray]) -> NDArray[np.float32]:
        """Those of all patterns of the pieces."""
        encoder = self.giver()
        if encoder.device == "cpu":
            parts = zip(*map(self.preprocessor.with_contrast, pieces), strict=True)
            prepared, contrast = map(np.concatenate, parts)
            features, error = encoder.measure(prepared)
        else:
            from napari_kikuchi.latent.on_device import own_queue, prepared_on

            with own_queue(encoder.device):
                sent, contrasts = prepared_on(encoder.device, self.preprocessor, pieces)
                features, error = encoder.measure(sent)
                contrast = contrasts.cpu().numpy()
        return np.concatenate([features, contrast[:, None], error[:, None]], axis=1)


def bands(map_shape: tuple[int, int]) -> list[Block]:
    """The blocks in which a map of some shape is compared with its neighbours."""
    return row_bands(map_shape, _BAND)


@dataclass(frozen=True, eq=False)
class NeighbourComparison:
    """Writes the maps that need the neighbours' features: contrast without overlap, unlikeness.

    Attributes
    ----------
    giver
        Of the encoder.
    maps
        Hold the features, and behind them the contrast.
    channels
        Of these two maps.
    """

    giver: Giver
    maps: MapArray
    channels: range

    def __call__(self, band: Block) -> Written:
        """Those of a block of whole rows."""
        encoder = self.giver()
        mask = encoder.recipe.mask
        assert mask is not None  # a trained encoder has one
        _, rows, cols = self.maps.shape

        def reconstructed(row: int) -> NDArray[np.float32]:
            decoded, present = decode_run(self.maps, encoder, row, 0, cols)
            patterns = np.full((cols, np.count_nonzero(mask)), np.nan, np.float32)
            patterns[present] = decoded[:, mask]
            return patterns

        compared = compare_neighbours(reconstructed, range(band.rows.start, band.rows.stop), rows)
        kept, unlike = (np.stack(parts) for parts in zip(*compared, strict=True))
        contrast = self.maps.read(band, range(encoder.latent, encoder.latent + 1))[0]
        # Without a neighbour nothing overlaps.
        undiluted = contrast / np.where(kept > 0, kept, 1)
        return Written(self.maps.write(band, [undiluted, unlike], self.channels))
