"""Table of what labels take of a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def label_table(
    labels: NDArray[np.integer], step: tuple[float, float], name: str
) -> dict[str, NDArray]:
    """How much of a map each label takes.

    Parameters
    ----------
    labels
        Of shape (rows, columns), from 1; 0 where there is none.
    step
        Distance between rows and between columns in µm.
    name
        What a label stands for: title of the first column.

    Returns
    -------
    dict
        Columns by name, with their units, a value for each label there is: its number, area, share
        of all that is labelled, and positions.
    """
    counts = np.bincount(labels.ravel())
    counts[:1] = 0
    numbers = np.flatnonzero(counts)
    positions = counts[numbers]
    return {
        name: numbers,
        "area (µm²)": positions * (step[0] * step[1]),
        "share (%)": 100 * positions / max(positions.sum(), 1),
        "positions": positions,
    }


def middles(
    labels: NDArray[np.integer], numbers: NDArray[np.integer], step: tuple[float, float]
) -> dict[str, NDArray]:
    """Columns with the middle of each of some labels, in µm from the first position of the map."""
    row, col = np.nonzero(labels)
    label = labels[row, col]
    count = np.bincount(label)
    down, right = (np.bincount(label, places) for places in (row * step[0], col * step[1]))
    return {
        "down (µm)": down[numbers] / count[numbers],
        "right (µm)": right[numbers] / count[numbers],
    }


def label_means(labels: NDArray[np.integer], values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Mean of the values of each label.

    Parameters
    ----------
    labels, values
        Of one shape; NaN do not count.

    Returns
    -------
    ndarray
        By label, from 0; NaN where there is none.
    """
    label, value = labels.ravel(), values.ravel()
    known = np.isfinite(value)
    count = np.bincount(label, known)
    total = np.bincount(label, np.where(known, value, 0))
    return np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0).astype(
        np.float32
    )
