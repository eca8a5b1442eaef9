"""What is done with an encoder to the patterns of a block, in this process or in another."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import numpy as np

from napari_kikuchi.io.map_array import MapArray
from napari_kikuchi.latent.decode import decode_run
from napari_kikuchi.latent.encoder import Encoder, load_encoder
from napari_kikuchi.latent.neighbours import compare_neighbours
from napari_kikuchi.preprocess import Preprocessor
from napari_kikuchi.scan import Block
from napari_kikuchi.streaming import Written

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Rows compared with their neighbours at a time: those above and below are decoded again.
_BAND = 8


class Giver(Protocol):
    """Gives an encoder, wherever it is asked."""

    def __call__(self) -> Encoder:
        """The encoder."""
        ...


@contextmanager
def given_to(executor: Executor | None, encoder: Encoder, folder: Path) -> Iterator[Giver]:
    """What gives the encoder to tasks: itself here, for other processes a file.

    Parameters
    ----------
    executor
        What runs the tasks; None: threads of this process.
    encoder
        May be larger than a block, so it does not travel with each.
    folder
        For the file, within reach of all workers.
    """
    if executor is None:
        yield _Here(encoder)
        return
    with TemporaryDirectory(prefix="encoder.", dir=folder) as temporary:
        file = Path(temporary).absolute() / "model.safetensors"
        encoder.save(file)
        yield _Elsewhere(file, encoder.stored().digest())


@dataclass(frozen=True, eq=False)
class _Here:
    encoder: Encoder

    def __call__(self) -> Encoder:
        return self.encoder


@dataclass(frozen=True)
class _Elsewhere:
    model: Path
    weights: str

    def __call__(self) -> Encoder:
        return _load_once(self.model, self.weights)


@lru_cache(maxsize=1)
def _load_once(model: Path, weights: str) -> Encoder:
    """The encoder of a file; ``weights`` tells it from another of the same name."""
    return load_encoder(model)


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


def bands(rows: int, cols: int) -> list[Block]:
    """The blocks in which a map is compared with its neighbours."""
    return [
        Block(slice(top, min(top + _BAND, rows)), slice(0, cols)) for top in range(0, rows, _BAND)
    ]


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
