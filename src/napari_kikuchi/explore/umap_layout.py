"""A layout by UMAP, for a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.child_process import Tell

UMAP_INSTALL = 'pip install "napari-kikuchi[umap]"'

# Between two times that it is told how far the layout is, in seconds.
_INTERVAL_S = 0.1


class UmapLayout:
    """Lays vectors out so that those alike lie together.

    Parameters
    ----------
    tell
        Called with the fraction that is done.
    neighbours
        How many make up the surroundings of a vector, itself among them.
    count
        Of dimensions.
    seed
        The same seed gives the same layout.

    Raises
    ------
    ImportError
        If umap-learn cannot be loaded.
    """

    def __init__(self, tell: Tell, neighbours: int, count: int, seed: int) -> None:
        try:
            from umap import UMAP
        except ImportError as error:
            raise ImportError(
                f"umap-learn cannot be loaded ({error}). Install it anew: {UMAP_INSTALL}"
            ) from error

        # With more than one thread no two layouts would be alike.
        self._settings = {
            "n_neighbors": neighbours,
            "n_components": count,
            "random_state": seed,
            "n_jobs": 1,
            "tqdm_kwds": {
                "file": _Epochs(tell),
                "bar_format": "{n_fmt} {total_fmt}",
                "disable": False,
                "mininterval": _INTERVAL_S,
            },
        }
        self._make = UMAP

    def learn(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates (n, count) of the vectors (n, features) that tell the layout."""
        search = _exact_search(vectors)
        near = search.query(vectors, self._settings["n_neighbors"])
        self._model = self._make(**self._settings, precomputed_knn=(*near, search))
        return self._model.fit_transform(vectors)

    def place(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates (n, count) of further vectors (n, features), put among those."""
        return self._model.transform(vectors)


def _exact_search(vectors: NDArray[np.float32]) -> Any:
    """What umap-learn asks for neighbours; its own takes longer to compile than this to search."""
    from pynndescent import NNDescent
    from sklearn.neighbors import NearestNeighbors

    class ExactSearch(NNDescent):
        # Of trees, of which there are none, umap-learn asks this one thing.
        _angular_trees = False

        def __init__(self) -> None:
            self._search = NearestNeighbors(algorithm="brute").fit(vectors)

        def query(
            self, others: NDArray[np.float32], count: int, epsilon: float = 0
        ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
            distances, indices = self._search.kneighbors(others, count)
            return indices, distances

    return ExactSearch()


class _Epochs:
    """Where umap-learn shows its progress bar, its only word on how far it is."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, text: str) -> None:
        """Take the bar as it is drawn anew: the epochs done, and all."""
        figures = text.split()
        if len(figures) == 2:
            self._tell(int(figures[0]) / int(figures[1]))

    def flush(self) -> None:
        """As files have it."""
