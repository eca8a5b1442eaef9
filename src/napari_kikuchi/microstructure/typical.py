"""Which of several fills is the most typical one.

What lies in a hole is a matter of chance: one fill may have far more of the second phase than the
map around it lets expect. The one that is least unlike all the others is nearest to what can be
expected. Where all have the same phases, but for stray pixels, as in maps of one phase, grains take
their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.microstructure.descriptors import two_point
from napari_kikuchi.microstructure.pictures import PHASE
from napari_kikuchi.microstructure.regions import even_regions

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Share of the pixels that a generator may put into another phase by mistake.
_STRAY = 0.005
# Of the vectors of the correlation, in pixels: beyond, grains know nothing of each other.
_REACH = 32


def most_typical(pictures: NDArray[np.floating]) -> Job[int]:
    """Find the picture whose two-point correlation is least unlike those of the others.

    That of the second phase; of grain boundaries where all pictures have about the same phases.

    Parameters
    ----------
    pictures
        Red, green, blue and phase, 0 to 1, of shape (n, 4, rows, columns).

    Yields
    ------
    Progress
        Pictures that were looked at.

    Returns
    -------
    int
        Its index.
    """
    phases = pictures[:, PHASE] > 0.5
    alike = (phases != phases[0]).mean() < _STRAY
    reach = min(_REACH, *(side // 2 for side in phases.shape[1:]))
    correlations = np.empty((len(phases), (2 * reach + 1) ** 2))
    for number, picture in enumerate(pictures):
        yield Progress(number, len(phases), "Choosing the most typical one")
        shown = _boundaries(even_regions(picture)) if alike else phases[number]
        # The vector 0 among the others tells the fraction.
        correlations[number] = two_point(shown, reach).ravel()
    apart = [np.abs(correlations - one).mean(axis=1).sum() for one in correlations]
    return int(np.argmin(apart))


def _boundaries(regions: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Pixels whose neighbour to the right or below lies in another region."""
    around = np.pad(regions, ((0, 1), (0, 1)), mode="edge")
    return (around[1:, :-1] != regions) | (around[:-1, 1:] != regions)
