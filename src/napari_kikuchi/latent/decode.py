"""Patterns that a model makes of latent features: of a scan's maps, or of features drawn at random.

They come as a scan whose patterns are decoded when they are read, so that whatever looks at, maps
or writes a scan takes them too.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_kikuchi.io.block_file import BlockFile
from napari_kikuchi.io.map_store import MapStoreError, read_maps, stored_array
from napari_kikuchi.io.output import sole_writer
from napari_kikuchi.io.up2_blocks import Up2BlockWriter
from napari_kikuchi.jobs import Job
from napari_kikuchi.latent.encoder import Encoder
from napari_kikuchi.latent.giver import Giver, given_to
from napari_kikuchi.pattern_source import put
from napari_kikuchi.scan import Block, Scan
from napari_kikuchi.streaming import Written, run_blocks, work_blocks

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


class Features(Protocol):
    """Latent features of the positions of a scan."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Maps, of which the first are features, rows and columns."""
        ...

    def read(self, block: Block) -> NDArray:
        r"""Those of a block, of shape (maps, \*block.shape)."""
        ...


def decode_run(
    features: Features, encoder: Encoder, row: int, start: int, stop: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Patterns ``start`` to ``stop`` of one row, decoded from their features.

    Returns
    -------
    decoded, present
        Patterns where there are features, of shape (n, height, width); and where that is, of shape
        (stop - start,).
    """
    block = Block(slice(row, row + 1), slice(start, stop))
    # Maps of a scan are more than its features, which come first.
    found = features.read(block)[: encoder.latent, 0].T
    present = np.isfinite(found).all(axis=1)
    return encoder.decode(found[present]), present


def reconstructed_scan(path: str | Path, encoder: Encoder, *, dtype: DTypeLike = np.uint16) -> Scan:
    """What a model keeps of the patterns of a scan.

    Parameters
    ----------
    path
        The scan's latent maps, as :func:`~.maps.encode_scan` wrote them.
    encoder
        The one that made them.
    dtype
        Of the pixels, uint8 or uint16: -1 becomes 0, 1 the largest number.

    Returns
    -------
    Scan
        Of the size of the encoder's recipe; 0 outside its signal mask.

    Raises
    ------
    MapStoreError
        If the maps cannot be read, or are not features of such an encoder.
    """
    path = Path(path)
    stack = read_maps(path)
    made_by = stack.provenance.get("model") or {}
    if made_by.get("weights") != encoder.stored().digest() or len(stack) < encoder.latent:
        maker = (
            f"{made_by.get('kind')}, {made_by.get('latent')} features" if made_by else "no encoder"
        )
        raise MapStoreError(
            f"{path}: expected features of this encoder ({encoder.kind}, {encoder.latent} "
            f"features), found maps that another made ({maker}). Give the model that made them, or "
            "encode the scan anew: its model may have been trained further since."
        )
    features = stored_array(path.absolute(), stack.values.shape, stack.values.dtype)
    present = np.isfinite(features.read_map(0))
    return Scan(
        DecodedPatterns(features, encoder, np.dtype(dtype)),
        step=stack.step,
        name=f"{(stack.provenance.get('scan') or {}).get('name', path.stem)} reconstructed",
        present=None if present.all() else present,
    )


def random_scan(
    encoder: Encoder, shape: tuple[int, int], *, seed: int = 0, dtype: DTypeLike = np.uint16
) -> Scan:
    """Patterns of features drawn from the unit normal, from which an autoencoder learns to decode.

    Parameters
    ----------
    encoder
        Decodes.
    shape
        Rows and columns of the scan that they make up.
    seed
        Of the draw; the same seed gives each position the same pattern in any order of reading.
    dtype
        As for :func:`reconstructed_scan`.
    """
    features = _RandomFeatures((encoder.latent, *shape), seed)
    return Scan(DecodedPatterns(features, encoder, np.dtype(dtype)), name="random")


def write_decoded(
    path: str | Path,
    scan: Scan,
    *,
    executor: Executor | None = None,
    workers: int | Callable[[], int] | None = None,
    resume: bool = True,
) -> Job[Path]:
    """Decode a scan into a UP1 or UP2 file.

    Closing the job keeps the blocks that are done; the same call goes on from there.

    Parameters
    ----------
    path
        Ends in ``.up1`` or ``.up2``, as the scan's pixels are uint8 or uint16.
    scan
        As :func:`reconstructed_scan` or :func:`random_scan` gives it.
    executor, workers
        See :func:`~napari_kikuchi.streaming.map_scan`. The workers of an executor read the
        encoder from a file, once each, and run it on the device they have.
    resume
        False begins anew.

    Yields
    ------
    Progress
        Patterns decoded so far, those of an earlier run included.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    PatternFileError
        If the extension is another one, or the scan's pixels do not fit.
    ResumeError
        If other patterns were begun at ``path``.
    OutputInUseError, DiskFullError
        See :func:`~napari_kikuchi.io.output.sole_writer`.
    """
    decoded = scan.source
    assert isinstance(decoded, DecodedPatterns)
    with sole_writer(path):
        identity = decoded.identity()
        writer = Up2BlockWriter.open(
            path, scan.shape, scan.dtype, identity, step=scan.step, resume=resume
        )
        giver = given_to(executor, decoded.encoder, writer.unfinished.model)
        yield from run_blocks(
            work_blocks(scan, decoded.encoder.effort),
            _Decoding(decoded.features, giver, scan.dtype, writer.patterns),
            writer,
            writer.patterns.layers,
            executor=executor,
            workers=workers,
            message="Decoding patterns",
        )
        return writer.finish()


@dataclass(frozen=True, eq=False)
class DecodedPatterns:
    """Decodes latent features when their patterns are read."""

    features: Features
    encoder: Encoder
    dtype: np.dtype

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Rows, columns, pattern height and pattern width."""
        _, rows, cols = self.features.shape
        return rows, cols, *self.encoder.recipe.size

    def identity(self) -> dict[str, Any]:
        """What the patterns depend on, fit for JSON."""
        (_, rows, cols), checksum = self.features.shape, 0
        for row in range(rows):
            block = Block(slice(row, row + 1), slice(0, cols))
            features = np.ascontiguousarray(self.features.read(block)[: self.encoder.latent])
            checksum = zlib.crc32(features.data, checksum)
        weights = self.encoder.stored().digest()
        return {"model": weights, "features": checksum, "pixels": self.dtype.name}

    def read_run(self, row: int, start: int, stop: int, out: NDArray | None = None) -> NDArray:
        """Patterns ``start`` to ``stop`` of one row, of shape (stop - start, height, width)."""
        decoded, present = decode_run(self.features, self.encoder, row, start, stop)
        mask = self.encoder.recipe.mask
        assert mask is not None  # a trained encoder has one
        most = np.iinfo(self.dtype).max
        patterns = np.zeros((len(present), *mask.shape), self.dtype)
        patterns[present] = np.rint((np.clip(decoded, -1, 1) + 1) / 2 * most) * mask
        return put(patterns, out)


@dataclass(frozen=True, eq=False)
class _Decoding:
    """Writes the patterns of a block."""

    features: Features
    giver: Giver
    dtype: np.dtype
    patterns: BlockFile

    def __call__(self, block: Block) -> Written:
        decoded = Scan(DecodedPatterns(self.features, self.giver(), self.dtype))
        return Written(self.patterns.write(block, decoded.read_block(block)[None]))


@dataclass(frozen=True)
class _RandomFeatures:
    shape: tuple[int, int, int]
    seed: int

    def read(self, block: Block) -> NDArray[np.float32]:
        count, _, cols = self.shape
        rows = [
            np.random.default_rng([self.seed, row]).standard_normal((cols, count), np.float32)
            for row in range(block.rows.start, block.rows.stop)
        ]
        return np.stack(rows)[:, block.cols].transpose(2, 0, 1)
