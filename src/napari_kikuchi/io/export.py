"""Maps out of here and into other programs: by the ending of a name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from napari_kikuchi.io.crystal_map import ANG, OF_INDEXING, ORIX_HDF5, write_crystal_map
from napari_kikuchi.io.ctf import CTF, write_ctf
from napari_kikuchi.io.dream3d import DREAM3D, write_dream3d
from napari_kikuchi.io.gathered import choose, gather
from napari_kikuchi.io.hdf5_maps import write_hdf5_maps
from napari_kikuchi.io.tiff_maps import write_tiff_maps
from napari_kikuchi.jobs import Job
from napari_kikuchi.maps import MapStack

# An ending that another ends with comes after it.
_WRITERS: dict[str, Callable[[Path, MapStack], Job[Path]]] = {
    ".tif": write_tiff_maps,
    ".tiff": write_tiff_maps,
    ANG: write_crystal_map,
    CTF: write_ctf,
    DREAM3D: write_dream3d,
    ORIX_HDF5: write_crystal_map,
    ".h5": write_hdf5_maps,
}


def export_maps(
    path: str | Path, stacks: Sequence[MapStack], names: Sequence[str] | None = None
) -> Job[Path]:
    """Write maps of a scan for other programs.

    Parameters
    ----------
    path
        File to write: ``.tif`` for ImageJ (:func:`~napari_kikuchi.io.tiff_maps.write_tiff_maps`),
        ``.h5`` (:func:`~napari_kikuchi.io.hdf5_maps.write_hdf5_maps`), and with
        orientations ``.ang`` or ``.orix.h5``
        (:func:`~napari_kikuchi.io.crystal_map.write_crystal_map`), ``.ctf``
        (:func:`~napari_kikuchi.io.ctf.write_ctf`) or ``.dream3d``
        (:func:`~napari_kikuchi.io.dream3d.write_dream3d`).
    stacks
        Of one scan, such as its orientations and its latent features.
    names
        Maps to write; None: all. Into a file of orientations go these and how sure they are, too.

    Yields
    ------
    Progress
        As the writer of the format.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If the ending is of no format, there is no map of a name, the stacks are not of one scan,
        or the maps do not suit the format.
    FileExistsError
        If an ``.h5`` file that lies at ``path`` was not written by this.
    """
    path = Path(path)
    ending = next((one for one in _WRITERS if path.name.lower().endswith(one)), None)
    if ending is None:
        raise ValueError(
            f"{path}: expected a name that ends with {', '.join(_WRITERS)}; by its ending the "
            "format is known. (Map stores, .zarr, are OME-Zarr, which many programs open.)"
        )
    stack = gather(stacks)
    if names is not None:
        always = OF_INDEXING if ending in (ANG, CTF, DREAM3D, ORIX_HDF5) else ()
        kept = [name for name in always if name in stack.names and name not in names]
        stack = choose(stack, [*names, *kept])
    return (yield from _WRITERS[ending](path, stack))
