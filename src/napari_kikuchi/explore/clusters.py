"""Latent vectors sorted into clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.explore.features import Vectors

# From so many vectors the means of the clusters are found.
_SAMPLE = 50_000
# Vectors sorted at once.
_BLOCK = 65_536
_BEGINNINGS = 5


def find_clusters(vectors: Vectors, count: int, seed: int = 0) -> Job[NDArray[np.int32]]:
    """Sort vectors into clusters by k-means.

    Parameters
    ----------
    vectors
        To sort. The clusters are found from a sample of large maps.
    count
        Of clusters.
    seed
        The same seed finds the same clusters.

    Yields
    ------
    Progress
        Vectors sorted.

    Returns
    -------
    numpy.ndarray
        Numbers from 1, the largest cluster first, of shape (rows, columns); 0 where there is no
        vector.

    Raises
    ------
    ValueError
        If there are fewer vectors than clusters.
    """
    if not 1 <= count <= len(vectors):
        raise ValueError(
            f"{len(vectors)} positions cannot be sorted into {count} clusters: ask for 1 to "
            f"{len(vectors)}"
        )
    yield Progress(0, len(vectors), "Finding clusters")
    from sklearn.cluster import MiniBatchKMeans

    # Loading scikit-learn may take as long as finding them.
    yield Progress(0, len(vectors), "Finding clusters")
    model = MiniBatchKMeans(count, n_init=_BEGINNINGS, compute_labels=False, random_state=seed)
    model.fit(vectors.values[vectors.sample(_SAMPLE, seed)])
    cluster = np.empty(len(vectors), np.int32)
    for start in range(0, len(vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        cluster[block] = model.predict(vectors.values[block])
        yield Progress(min(block.stop, len(vectors)), len(vectors), "Sorting vectors")
    number = np.empty(count, np.int32)
    number[np.argsort(-np.bincount(cluster, minlength=count), kind="stable")] = np.arange(count) + 1
    return vectors.on_map(number[cluster])
