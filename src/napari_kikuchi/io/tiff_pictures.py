"""Pictures in colours as TIFF, for ImageJ, Fiji, napari and whatever else opens a picture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.tiff_maps import check_size

if TYPE_CHECKING:
    from numpy.typing import NDArray


def write_tiff_pictures(
    path: str | Path,
    pictures: NDArray[np.floating],
    names: Sequence[str],
    step: tuple[float, float],
    provenance: Mapping[str, Any],
) -> None:
    """Write pictures as an ImageJ stack: one page for each, with 8 bits for each colour.

    Parameters
    ----------
    path
        File to write; an older one is replaced once all is written.
    pictures
        Red, green and blue, 0 to 1, of shape (pictures, 3, rows, columns).
    names
        One for each picture.
    step
        Distance between rows and between columns, in µm.
    provenance
        Stands in the file's info (Image > Show Info…) as JSON.

    Raises
    ------
    ValueError
        If the pictures need 4 GB or more, which ImageJ cannot read.
    TypeError
        If the provenance is not fit for JSON.
    """
    import tifffile

    path = Path(path)
    check_size(path, f"{len(pictures)} pictures", pictures.size, "Make fewer pictures.")
    told = json.dumps({"provenance": dict(provenance)}, ensure_ascii=False, indent=2)
    height, width = step
    with replacing(path) as partial:
        tifffile.imwrite(
            partial,
            np.rint(255 * np.moveaxis(pictures, 1, -1)).astype(np.uint8),
            imagej=True,
            photometric="rgb",
            resolution=(1 / width, 1 / height),
            metadata={"axes": "ZYXS", "unit": "um", "Labels": list(names), "Info": told},
        )
