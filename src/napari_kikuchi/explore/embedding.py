"""Latent vectors as points of a plane: principal components, or UMAP."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.child_process import Child
from napari_kikuchi.explore.umap_layout import UMAP_INSTALL, UmapLayout
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_kikuchi.explore.features import Vectors

# Vectors placed at once.
_BLOCK = 16_384
# UMAP learns its map from so many; more take minutes and change little.
_UMAP_SAMPLE = 10_000
# Of UMAP: how many neighbours make up the surroundings of a vector.
_UMAP_NEIGHBOURS = 15


@dataclass(frozen=True, eq=False)
class Embedding:
    """Coordinates that stand for latent vectors.

    Attributes
    ----------
    coordinates
        Of shape (n, dimensions).
    names
        Of the dimensions.
    """

    coordinates: NDArray[np.float32]
    names: tuple[str, ...]


def principal_components(vectors: Vectors, count: int = 3) -> Job[Embedding]:
    """Lay vectors along the directions in which they vary most.

    Parameters
    ----------
    vectors
        All of them tell the directions.
    count
        Of components; no more than there are features.

    Yields
    ------
    Progress
        Vectors looked at, twice.

    Returns
    -------
    Embedding
        The names say which share of the variance a component has. The sign of a component is such
        that its largest weight is positive.
    """
    values, total = vectors.values, 2 * len(vectors)
    mean = np.zeros(values.shape[1])
    products = np.zeros((values.shape[1],) * 2)
    # Products about a vector of the data, not about 0, keep their digits.
    origin = values[0].astype(np.float64)
    for block in _blocks(len(vectors), _BLOCK):
        centred = values[block] - origin
        mean += centred.sum(axis=0)
        products += centred.T @ centred
        yield Progress(min(block.stop, len(vectors)), total, "Finding principal components")
    mean /= len(vectors)
    covariance = products / len(vectors) - np.outer(mean, mean)
    variances, directions = np.linalg.eigh(covariance)
    variances, directions = variances[::-1][:count], directions[:, ::-1][:, :count]
    heaviest = np.take_along_axis(directions, np.abs(directions).argmax(axis=0)[None], axis=0)
    directions = directions * np.where(heaviest < 0, -1, 1)
    coordinates = np.empty((len(vectors), len(variances)), np.float32)
    for block in _blocks(len(vectors), _BLOCK):
        coordinates[block] = (values[block] - (origin + mean)) @ directions
        yield Progress(len(vectors) + block.stop, total, "Laying out vectors")
    shares = variances / max(np.trace(covariance), np.finfo(float).tiny)
    names = (f"component {i + 1} ({share:.0%})" for i, share in enumerate(shares))
    return Embedding(coordinates, tuple(names))


def has_umap() -> bool:
    """Whether umap-learn, which is optional, is installed."""
    return find_spec("umap") is not None


def umap(vectors: Vectors, count: int = 2, seed: int = 0) -> Job[Embedding]:
    """Lay vectors out by UMAP, so that those alike lie together (McInnes et al. 2018).

    umap-learn works in a process of its own, which ends with this job.

    Parameters
    ----------
    vectors
        A sample of some ten thousand tells the layout; the others are put among these.
    count
        Of dimensions.
    seed
        The same seed gives the same layout.

    Yields
    ------
    Progress
        Vectors laid out; those of the sample while the layout is learned, epoch by epoch. Nobody
        can tell how far it is before the first epoch, which may take a minute.

    Raises
    ------
    ImportError
        If umap-learn is not installed.
    ValueError
        If there are too few vectors.
    napari_kikuchi.child_process.ChildError
        If umap-learn fails, or its process is ended from outside.
    """
    if not has_umap():
        raise ImportError(f"UMAP needs umap-learn, which is not installed: {UMAP_INSTALL}")
    if len(vectors) <= _UMAP_NEIGHBOURS:
        raise ValueError(
            f"UMAP needs more than {_UMAP_NEIGHBOURS} positions with values, and there are "
            f"{len(vectors)}: choose principal components"
        )
    sample = vectors.sample(_UMAP_SAMPLE, seed)
    others = np.delete(np.arange(len(vectors)), sample)
    coordinates = np.empty((len(vectors), count), np.float32)

    def lay(method: str, which: NDArray[np.intp], before: int) -> Job[None]:
        def progress(fraction: float) -> Progress:
            done = before + int(fraction * len(which))
            if not done:
                return Progress(0, 0, "Preparing UMAP")
            return Progress(done, len(vectors), "Laying out vectors")

        answer = yield from child.ask(method, vectors.values[which], progress=progress)
        coordinates[which] = answer

    with Child(UmapLayout, _UMAP_NEIGHBOURS, count, seed, title="UMAP") as child:
        yield from lay("learn", sample, 0)
        for block in _blocks(len(others), _BLOCK):
            yield from lay("place", others[block], len(sample) + block.start)
    return Embedding(coordinates, tuple(f"UMAP {i + 1}" for i in range(count)))


def _blocks(length: int, size: int) -> Iterator[slice]:
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))
