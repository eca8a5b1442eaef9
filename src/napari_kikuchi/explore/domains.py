"""Domains: connected positions whose latent vectors are alike, and how much they vary within.

In analogy to grains and their orientation spread; see
:mod:`~napari_kikuchi.explore.neighbour_distances`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.explore.features import latent_channels
from napari_kikuchi.explore.label_table import label_means
from napari_kikuchi.graphs import connected
from napari_kikuchi.jobs import Job, Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_kikuchi.explore.neighbour_distances import NeighbourDistances
    from napari_kikuchi.maps import MapStack

# Patterns of grain boundaries are mixed from two and would be domains of their own: rows of them.
SMALLEST = 20
_MESSAGE = "Finding domains"


def find_domains(
    distances: NeighbourDistances, threshold: float, smallest: int = SMALLEST
) -> Job[NDArray[np.int32]]:
    """Number the domains: positions that neighbours lead to, each within the threshold of the next.

    Parameters
    ----------
    distances
        Between neighbours.
    threshold
        Neighbours that are farther apart belong to different domains, unless others join them; see
        :func:`~napari_kikuchi.explore.neighbour_distances.suggested_threshold`.
    smallest
        A domain of fewer positions is joined to the domain to which one of them is nearest.

    Yields
    ------
    Progress
        Twice in each round in which small domains are joined; how many there are is not known
        before.

    Returns
    -------
    numpy.ndarray
        Numbers from 1, the largest domain first, of shape (rows, columns); 0 where there is no
        vector, or a position has none around.
    """
    number = np.arange(np.prod(distances.map_shape), dtype=np.int32).reshape(distances.map_shape)
    ones = np.concatenate([number[:-1].ravel(), number[:, :-1].ravel()])
    others = np.concatenate([number[1:].ravel(), number[:, 1:].ravel()])
    apart = np.concatenate([distances.down.ravel(), distances.right.ravel()])
    known = np.isfinite(apart)
    ones, others, apart = ones[known], others[known], apart[known]
    joined = apart <= threshold
    while True:
        yield Progress(0, 0, _MESSAGE)
        domain = connected(ones[joined], others[joined], number.size)
        size = np.bincount(domain)
        yield Progress(0, 0, _MESSAGE)
        ends = domain[ones], domain[others]
        between = np.flatnonzero(ends[0] != ends[1])
        pair = np.concatenate([between, between])
        end = np.concatenate([ends[0][between], ends[1][between]])
        small = size[end] < smallest
        pair, end = pair[small], end[small]
        if not len(pair):
            break
        # One pair alone: a small domain must not become a bridge between two large ones.
        order = np.argsort(apart[pair], kind="stable")
        joined[pair[order[np.unique(end[order], return_index=True)[1]]]] = True
    paired = np.zeros(number.size, bool)
    paired[ones] = paired[others] = True
    return _by_size(domain, size, paired).reshape(distances.map_shape)


@dataclass(frozen=True, eq=False)
class DomainSpread:
    """How much latent vectors vary within the domains.

    Attributes
    ----------
    deviation
        Distance of each vector from the mean of its domain, of shape (rows, columns): what the
        grain reference orientation deviation (GROD) is of orientations.
    spread
        Mean of it over the domain, laid on each position: what the grain orientation spread (GOS)
        is. Both NaN outside the domains.
    """

    deviation: NDArray[np.float32]
    spread: NDArray[np.float32]


def domain_spread(stack: MapStack, domains: NDArray[np.integer]) -> Job[DomainSpread]:
    """How far latent vectors are from the mean of their domain.

    Parameters
    ----------
    stack
        May be on disk; one map at a time is read.
    domains
        Numbers of the domains of shape (rows, columns), 0 where there is none. Clusters and grains
        will do as well.

    Yields
    ------
    Progress
        Maps looked at.

    Raises
    ------
    ValueError
        If the domains are not those of the maps.
    """
    if domains.shape != stack.map_shape:
        raise ValueError(
            f"maps of shape {stack.map_shape} have no domains of shape {domains.shape}: find them "
            "in these maps"
        )
    where = np.flatnonzero(domains)
    label = domains.ravel()[where]
    squares = np.zeros(len(where), np.float32)
    channels = latent_channels(stack)
    for done, channel in enumerate(channels, 1):
        values = stack.map(channel).ravel()[where]
        squares += np.square(values - label_means(label, values)[label])
        yield Progress(done, len(channels), "Measuring the spread of domains")
    deviation = np.sqrt(squares)
    laid = np.full((2, *stack.map_shape), np.nan, np.float32)
    laid.reshape(2, -1)[:, where] = deviation, label_means(label, deviation)[label]
    return DomainSpread(*laid)


def _by_size(
    domain: NDArray[np.int32], size: NDArray[np.intp], kept: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Numbers from 1, the largest first and those alike in scan order; 0 where not kept."""
    found, first = np.unique(domain[kept], return_index=True)
    order = found[np.lexsort((first, -size[found]))]
    numbers = np.zeros(len(size), np.int32)
    numbers[order] = np.arange(1, len(order) + 1)
    return np.where(kept, numbers[domain], 0)
