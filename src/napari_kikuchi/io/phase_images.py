"""Images of where the second of two phases is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi.io.indexed import PHASE
from napari_kikuchi.io.map_store import read_maps
from napari_kikuchi.untrusted import shortened

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_phases(path: Path | str) -> NDArray[np.float32]:
    """Where the second of two phases is: of a PNG picture, or of a map store.

    Parameters
    ----------
    path
        A picture with dark pixels where the first phase is, and bright ones where the second is;
        or a map store with the map of phases that indexing makes.

    Returns
    -------
    numpy.ndarray
        0 and 1 in the first and second phase, NaN where it is unknown, of shape (rows, columns).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such picture, or the maps do not tell of one or two phases.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no picture and no map store of this name")
    # Map stores are folders.
    return _of_maps(path) if path.is_dir() else _of_picture(path)


def second_phase(numbers: NDArray[np.floating]) -> NDArray[np.float32]:
    """Where the second of two phases is.

    Parameters
    ----------
    numbers
        Of phases, from 1; 0 or NaN where nothing was indexed.

    Returns
    -------
    numpy.ndarray
        See :func:`read_phases`.

    Raises
    ------
    ValueError
        If there is no phase, or a third.
    """
    known = np.isfinite(numbers) & (numbers > 0)
    if not known.any() or numbers[known].max() > 2:
        found = f"phase {numbers[known].max():g}" if known.any() else "none"
        raise ValueError(f"expected a map of phases 1 and 2, found {found}")
    return np.where(known, numbers - 1, np.nan).astype(np.float32)


def _of_picture(path: Path) -> NDArray[np.float32]:
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as image:
            # Alpha and palettes say nothing of brightness.
            plain = image if image.mode in ("1", "L", "I", "I;16") else image.convert("RGB")
            levels = np.atleast_3d(np.asarray(plain, np.float64)).mean(axis=2)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{path}: expected a PNG picture of phases, found something else ({shortened(error)})"
        ) from error
    darkest, brightest = levels.min(), levels.max()
    if darkest == brightest:
        raise ValueError(
            f"{path}: expected dark pixels where the first phase is and bright ones where the "
            "second is, found one brightness alone"
        )
    return (levels > (darkest + brightest) / 2).astype(np.float32)


def _of_maps(path: Path) -> NDArray[np.float32]:
    stack = read_maps(path)
    if PHASE not in stack.names:
        raise ValueError(f"{path}: expected a map of phases, found {', '.join(stack.names)}")
    try:
        return second_phase(stack.map(stack.names.index(PHASE)))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
