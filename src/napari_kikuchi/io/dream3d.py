"""Maps with orientations as a DREAM.3D file (.dream3d) of version 7.0, which DREAM.3D 6.5 writes.

DREAM3D-NX and DAMASK read it, too::

    /DataContainers/ImageDataContainer/_SIMPL_GEOMETRY     cells and their size in µm
                                      /CellData            arrays of 1 x rows x columns x components
                                      /CellEnsembleData    the phases; number 0 is of no phase

DREAM.3D wants positions and orientations in one right-handed frame. Here the sample's x points to
the right along the columns of the map, y up against its rows and z out of its surface. So the last
row of the map comes first, and orientations are turned by 90° about z from our frame, in which x
points down and y to the right. What lies along z, and the colours of its inverse pole figure, stays
as it is. The crystal's axes stay those of orix and EDAX, x along a and z along c*. DREAM.3D looks
for the axes of second order along b of monoclinic and along a of trigonal crystals only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_kikuchi import __version__
from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.crystal_map import check_square_grid, plain_text
from napari_kikuchi.io.hdf5_maps import dataset_names
from napari_kikuchi.io.indexed import PHASE, QUATERNION, IndexedMaps, read_indexed, right_and_up
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import MapStack

if TYPE_CHECKING:
    import h5py
    from numpy.typing import NDArray
    from orix.crystal_map import Phase

DREAM3D = ".dream3d"
_GRAIN = "grain"
# Pictures of what lies along z.
_PICTURES = ("IPF z", "IPF")
# What a map of another meaning cannot be called.
_TAKEN = ("EulerAngles", "Quats", "Phases", "Mask", "FeatureIds", "IPFColor")
_OF_CELLS, _OF_ENSEMBLES = 3, 11
# How DREAM.3D numbers the Laue groups, and what no crystal has.
_STRUCTURES = {
    **{"6/mmm": 0, "m-3m": 1, "6/m": 2, "m-3": 3, "-1": 4, "2/m": 5},
    **{"mmm": 6, "4/m": 7, "4/mmm": 8, "-3": 9, "-3m": 10},
}
_NO_STRUCTURE = 999
_TYPES = {
    **{"float32": "float", "int32": "int32_t", "uint32": "uint32_t"},
    **{"uint8": "uint8_t", "bool": "bool"},
}


def write_dream3d(path: str | Path, stack: MapStack) -> Job[Path]:
    """Write maps with orientations for DREAM.3D and DAMASK.

    Cells have Bunge's Euler angles in radians, unit quaternions (x, y, z, w), the number of the
    phase (from 1; 0: no orientation), a mask of what has an orientation, the number of the grain
    where the map ``grain`` is there, the colours of the inverse pole figure along z where they are
    there, and every other map under its name. A cell is as deep as it is wide.

    Parameters
    ----------
    path
        File to write; an older one is replaced once all is written.
    stack
        With orientations, see :func:`~napari_kikuchi.io.crystal_map.crystal_map`.

    Yields
    ------
    Progress
        Maps written.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    NoOrientationsError
        If there are no orientations.
    ValueError
        If the grid is hexagonal, or there are fewer than two rows or columns.
    """
    import h5py

    path = Path(path)
    check_square_grid(stack)
    yield Progress(0, len(stack), "Reading the maps")
    found = read_indexed(stack)
    with replacing(path) as partial, h5py.File(partial, "w") as file:
        _write_root(file)
        container = file.create_group("DataContainers/ImageDataContainer")
        _write_geometry(container, stack)
        _write_phases(container, found.phases)
        yield from _write_cells(container, stack, found)
    return path


def _write_root(file: h5py.File) -> None:
    file.attrs["FileVersion"] = _text("7.0")
    file.attrs["DREAM3D Version"] = _text(f"napari-kikuchi {__version__}")
    file.create_group("DataContainerBundles")
    # DREAM.3D reads how a file was made from here, and is content with nothing.
    pipeline = file.create_group("Pipeline")
    pipeline.attrs["Current Pipeline"] = _text("Pipeline")
    pipeline.attrs["Pipeline Version"] = np.array([2], np.int32)
    steps = {"PipelineBuilder": {"Name": "Pipeline", "Number_Filters": 0, "Version": 6}}
    pipeline["Pipeline"] = _text(json.dumps(steps))


def _write_geometry(container: h5py.Group, stack: MapStack) -> None:
    step_y, step_x = stack.step
    geometry = container.create_group("_SIMPL_GEOMETRY")
    geometry.attrs["GeometryType"] = np.array([0], np.uint32)
    for name in ("GeometryName", "GeometryTypeName"):
        geometry.attrs[name] = _text("ImageGeometry")
    for name in ("SpatialDimensionality", "UnitDimensionality"):
        geometry.attrs[name] = np.array([3], np.uint32)
    geometry["DIMENSIONS"] = np.array(_cells(stack), np.int64)
    geometry["ORIGIN"] = np.zeros(3, np.float32)
    geometry["SPACING"] = np.array([step_x, step_y, step_x], np.float32)


def _write_phases(container: h5py.Group, phases: Sequence[Phase]) -> None:
    dims = (len(phases) + 1,)
    matrix = _attribute_matrix(container, "CellEnsembleData", _OF_ENSEMBLES, dims)
    structures = [_NO_STRUCTURE, *(_STRUCTURES[phase.point_group.laue.name] for phase in phases)]
    lattices = [(0.0,) * 6, *(phase.structure.lattice.abcABG() for phase in phases)]
    _write_array(matrix, "CrystalStructures", np.array(structures, np.uint32)[:, None])
    _write_array(matrix, "LatticeConstants", np.array(lattices, np.float32))
    # DAMASK asks for the one, readers of EBSD files in DREAM.3D write the other.
    for name in ("PhaseName", "MaterialName"):
        _write_names(matrix, name, ["Unknown", *(plain_text(phase.name) for phase in phases)])


def _write_cells(container: h5py.Group, stack: MapStack, found: IndexedMaps) -> Job[None]:
    matrix = _attribute_matrix(container, "CellData", _OF_CELLS, _cells(stack))

    def write(name: str, values: NDArray) -> None:
        rows, cols = stack.map_shape
        _write_array(matrix, name, values[::-1].reshape(1, rows, cols, -1))

    def read(name: str) -> NDArray:
        return stack.map(stack.names.index(name))

    angles, quaternions = _orientations(found)
    write("EulerAngles", angles)
    write("Quats", quaternions)
    write("Phases", found.numbers)
    write("Mask", found.numbers > 0)
    told = {PHASE, *QUATERNION}
    if _GRAIN in stack.names:
        told.add(_GRAIN)
        write("FeatureIds", np.nan_to_num(read(_GRAIN)).astype(np.int32))
    if picture := _picture(stack):
        told.update(picture)
        colours = np.stack([read(part) for part in picture], axis=-1)
        write("IPFColor", np.rint(255 * np.clip(np.nan_to_num(colours), 0, 1)).astype(np.uint8))
    others = [i for i, name in enumerate(stack.names) if name not in told]
    names = dataset_names((stack.names[i] for i in others), _TAKEN)
    for i, name in zip(others, names, strict=True):
        yield Progress(i, len(stack), "Writing the maps")
        write(name, stack.map(i).astype(np.float32))


def _picture(stack: MapStack) -> list[str]:
    """Names of red, green and blue of the inverse pole figure along z; none if it is not there."""
    for name in _PICTURES:
        parts = [f"{name} {part}" for part in ("red", "green", "blue")]
        if {*parts} <= {*stack.names}:
            return parts
    return []


def _orientations(found: IndexedMaps) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Bunge's angles in radians and quaternions, scalar last, in the frames of the file."""
    shape, inside = found.numbers.shape, found.numbers > 0
    angles = np.zeros((*shape, 3), np.float32)
    quaternions = np.tile(np.array([0, 0, 0, 1], np.float32), (*shape, 1))
    turned = right_and_up(found.quaternions[inside])
    angles[inside] = turned.to_euler()
    # Of two quaternions of a rotation DREAM.3D takes that with a positive scalar.
    signs = np.where(turned.a < 0, -1, 1)[:, None]
    quaternions[inside] = np.roll(signs * turned.data, -1, axis=-1)
    return angles, quaternions


def _cells(stack: MapStack) -> tuple[int, int, int]:
    rows, cols = stack.map_shape
    return cols, rows, 1


def _attribute_matrix(
    container: h5py.Group, name: str, kind: int, dims: tuple[int, ...]
) -> h5py.Group:
    matrix = container.create_group(name)
    matrix.attrs["AttributeMatrixType"] = np.array([kind], np.uint32)
    matrix.attrs["TupleDimensions"] = np.array(dims, np.uint64)
    return matrix


def _write_array(matrix: h5py.Group, name: str, values: NDArray) -> None:
    stored = values.astype(np.uint8) if values.dtype == bool else values
    dataset = matrix.create_dataset(name, data=stored)
    _describe(matrix, dataset, f"DataArray<{_TYPES[values.dtype.name]}>", values.shape[-1])


def _write_names(matrix: h5py.Group, name: str, names: Sequence[str]) -> None:
    import h5py

    # HDF5 does not turn letters of UTF-8 into the ASCII that DREAM.3D asks for.
    dataset = matrix.create_dataset(name, data=names, dtype=h5py.string_dtype("ascii"))
    _describe(matrix, dataset, "StringDataArray", 1)


def _describe(matrix: h5py.Group, dataset: h5py.Dataset, kind: str, components: int) -> None:
    dims = matrix.attrs["TupleDimensions"]
    axes = ",".join(f"{axis}={size}" for axis, size in zip("xyz", dims, strict=False))
    dataset.attrs["ObjectType"] = _text(kind)
    dataset.attrs["DataArrayVersion"] = np.array([2], np.int32)
    dataset.attrs["ComponentDimensions"] = np.array([components], np.uint64)
    dataset.attrs["TupleDimensions"] = dims
    dataset.attrs["Tuple Axis Dimensions"] = _text(axes)


def _text(text: str) -> NDArray:
    """ASCII of fixed length with the zero at its end that C expects."""
    return np.array(text.encode("ascii"), dtype=f"S{len(text) + 1}")
