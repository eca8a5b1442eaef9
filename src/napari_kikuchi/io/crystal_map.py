"""Maps with orientations as an orix crystal map, for orix, kikuchipy, MTEX and EDAX OIM."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_kikuchi.io.atomic import replacing
from napari_kikuchi.io.gathered import unique_names
from napari_kikuchi.jobs import Job, Progress
from napari_kikuchi.maps import MapStack

if TYPE_CHECKING:
    from orix.crystal_map import CrystalMap, Phase

ANG = ".ang"
ORIX_HDF5 = ".orix.h5"
_QUATERNION = tuple(f"quaternion {part}" for part in "abcd")
# The maps that belong into every file of orientations.
OF_INDEXING = (*_QUATERNION, "pattern quality (Hough)", "confidence", "fit")
# What the files of orix call something else.
_TAKEN = ("x", "y", "z", "id", "phi1", "Phi", "phi2", "phase_id", "is_in_data")
# Columns that every .ang file has: as orix's writer and as our maps call them.
_ANG_COLUMNS = {
    "image_quality_prop": "pattern_quality_Hough",
    "confidence_index_prop": "confidence",
    "pattern_fit_prop": "fit",
}


class NoOrientationsError(ValueError):
    """Maps without the orientations that a crystal map is made of."""


def crystal_map(stack: MapStack) -> Job[CrystalMap]:
    """The orix crystal map of maps that were indexed.

    Our quaternions turn the sample's frame into the crystal's, as those of orix and kikuchipy do,
    and stay as they are.

    Parameters
    ----------
    stack
        With the orientations of ``"indexing"`` (:func:`~napari_kikuchi.physics.maps.physics_maps`),
        and any other maps of the scan, see :func:`~napari_kikuchi.io.gathered.gather`. All of them
        are read into memory.

    Yields
    ------
    Progress
        Maps read.

    Returns
    -------
    orix.crystal_map.CrystalMap
        With the phase's name, space group and lattice. Positions without an orientation are not
        indexed. Every other map is a property; in its name what is no letter, digit or underscore
        is an underscore, so that ``feature 3`` is ``crystal_map.feature_3``.

    Raises
    ------
    NoOrientationsError
        If there are no orientations.
    ValueError
        If the grid is hexagonal, or there are fewer than two positions.
    """
    from orix.crystal_map import CrystalMap, PhaseList, create_coordinate_arrays
    from orix.quaternion import Rotation

    phase = _phase(stack)
    _check_grid(stack)
    names = stack.names
    parts = [names.index(part) for part in _QUATERNION]
    others = [i for i in range(len(stack)) if i not in parts]
    properties = {}
    for i, key in zip(others, _property_names([names[i] for i in others]), strict=True):
        properties[key] = stack.map(i).ravel()
        yield Progress(len(properties), len(stack), "Reading the maps")
    quaternions = np.stack([stack.map(i).ravel() for i in parts], axis=-1).astype(np.float64)
    indexed = np.isfinite(quaternions).all(axis=-1)
    if not indexed.any():
        raise NoOrientationsError(
            "none of the patterns was indexed, so that there is no orientation to write: check the "
            "projection centre and the phase, and index again"
        )
    quaternions[~indexed] = 1, 0, 0, 0
    # Single precision leaves them not quite unit quaternions.
    quaternions /= np.linalg.norm(quaternions, axis=-1, keepdims=True)
    coordinates, _ = create_coordinate_arrays(stack.map_shape, tuple(map(float, stack.step)))
    return CrystalMap(
        rotations=Rotation(quaternions),
        phase_id=np.where(indexed, 0, -1),
        phase_list=PhaseList(phase),
        prop=properties,
        scan_unit="um",
        **coordinates,
    )


def write_crystal_map(path: str | Path, stack: MapStack) -> Job[Path]:
    """Write maps with orientations so that orix, kikuchipy and MTEX open them.

    An ``.ang`` file has five decimals and no space group, only the point group of rotations; of
    our maps, confidence, pattern quality (Hough) and fit stand in its own columns, all others in
    further ones, and where a map has no value stands 0.

    Parameters
    ----------
    path
        File to write, whose name ends with ``.ang``, or with ``.orix.h5`` for orix's own HDF5,
        which keeps all; an older one is replaced once all is written.
    stack
        See :func:`crystal_map`.

    Yields
    ------
    Progress
        Maps read, then that the file is written, which is one step.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    NoOrientationsError, ValueError
        As :func:`crystal_map`.
    """
    from orix.io.plugins import ang, orix_hdf5

    path = Path(path)
    content = yield from crystal_map(stack)
    yield Progress(0, 0, "Writing the orientations")
    with replacing(path) as partial:
        if path.suffix.lower() == ANG:
            for name, values in content.prop.items():
                content.prop[name] = np.where(np.isfinite(values), values, 0)
            columns = {key: name for key, name in _ANG_COLUMNS.items() if name in content.prop}
            further = [name for name in content.prop if name not in columns.values()]
            ang.file_writer(str(partial), content, extra_prop=further, **columns)
        else:
            orix_hdf5.file_writer(str(partial), content)
    return path


def _phase(stack: MapStack) -> Phase:
    from diffpy.structure import Lattice, Structure
    from orix.crystal_map import Phase

    missing = [part for part in _QUATERNION if part not in stack.names]
    histories = _histories(stack.provenance)
    indexed = (one.get("indexing") or {} for one in histories)
    described = [one["phase"] for one in indexed if one.get("phase")]
    if missing or not described:
        raise NoOrientationsError(
            "these maps hold no orientations of indexed patterns. Make them with Physics maps, "
            "orientations, by indexing (napari-kikuchi maps SCAN --maps indexing), and export "
            "those maps."
        )
    phase = described[0]
    return Phase(
        phase["name"],
        space_group=phase["space_group"],
        structure=Structure(lattice=Lattice(*phase["lattice"])),
    )


def _histories(provenance: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What tells how the maps were made: one of each stack that they come from."""
    yield provenance
    for part in provenance.get("together") or ():
        yield from _histories(part)


def _check_grid(stack: MapStack) -> None:
    rows, cols = stack.map_shape
    if (stack.provenance.get("scan") or {}).get("grid") == "hexagonal":
        raise ValueError(
            "a crystal map of orix has a square grid, and this scan a hexagonal one, of which "
            "every second row would be shifted by half a step. Write HDF5 (.h5) instead."
        )
    if min(rows, cols) < 2:
        raise ValueError(
            f"a crystal map needs two rows and two columns at least, not {rows} x {cols}"
        )


def _property_names(names: list[str]) -> list[str]:
    plain = (re.sub(r"\W+", "_", name).strip("_") or "map" for name in names)
    return unique_names(plain, _TAKEN)
